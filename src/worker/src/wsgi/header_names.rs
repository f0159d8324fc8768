//! Names of response headers that were checked before. An application says the same few for ever, mostly as the same
//! objects, constants of its code: a comparison of pointers then stands for reading, checking and understanding a name.

use hostler::protocol::http::response;
use pyo3::{exceptions::PyValueError, prelude::*};

use super::text::bytes_of;

/// Names remembered at a time; applications that make up more get no faster by it.
const KEPT: usize = 32;
/// Longer names are not worth the memory.
const LONGEST: usize = 64;

/// What a header means for the server itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Connection,
    ContentLength,
    Date,
    /// Of one connection, which is the server's alone (PEP 3333, "Other HTTP Features").
    HopByHop,
    /// Nothing.
    Plain,
    TransferEncoding,
}

/// See the module.
#[derive(Default)]
pub(super) struct HeaderNames {
    known: Vec<Known>,
    /// Which one the next new one replaces.
    oldest: usize,
    /// One that is not kept.
    other: Vec<u8>,
}

struct Known {
    /// Keeps the address from being another object's.
    name: Py<PyAny>,
    meaning: Meaning,
    /// How a header of this name begins on the wire.
    beginning: Box<[u8]>,
}

impl HeaderNames {
    /// What the name means, and the name with the colon behind it.
    ///
    /// # Errors
    /// It is no `str` (`TypeError`), or no name for a header (`ValueError`).
    pub(super) fn find(&mut self, name: &Bound<'_, PyAny>) -> PyResult<(Meaning, &[u8])> {
        let position = self
            .known
            .iter()
            .position(|known| known.name.as_ptr() == name.as_ptr());
        if let Some(position) = position {
            let known = &self.known[position];
            return Ok((known.meaning, &known.beginning));
        }
        self.learn(name)
    }

    #[cold]
    fn learn(&mut self, name: &Bound<'_, PyAny>) -> PyResult<(Meaning, &[u8])> {
        let bytes = bytes_of(name, "the name of a response header")?;
        if !response::is_name(&bytes) {
            return Err(PyValueError::new_err(format!(
                "{} is no name for a response header",
                name.repr()?
            )));
        }
        let meaning = meaning(&bytes);
        if bytes.len() > LONGEST {
            self.other = [&bytes, &b": "[..]].concat();
            return Ok((meaning, &self.other));
        }
        let known = Known {
            name: name.clone().unbind(),
            meaning,
            beginning: [&bytes, &b": "[..]].concat().into(),
        };
        let place = match self.known.len() {
            KEPT => {
                let place = self.oldest;
                self.known[place] = known;
                self.oldest = (place + 1) % KEPT;
                place
            }
            place => {
                self.known.push(known);
                place
            }
        };
        Ok((meaning, &self.known[place].beginning))
    }
}

fn meaning(name: &[u8]) -> Meaning {
    let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
    const HOP_BY_HOP: [&str; 5] = ["Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Upgrade"];
    match () {
        () if is("Connection") => Meaning::Connection,
        () if is("Content-Length") => Meaning::ContentLength,
        () if is("Date") => Meaning::Date,
        () if is("Transfer-Encoding") => Meaning::TransferEncoding,
        () if HOP_BY_HOP.into_iter().any(is) => Meaning::HopByHop,
        () => Meaning::Plain,
    }
}
