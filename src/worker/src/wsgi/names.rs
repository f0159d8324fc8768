//! Names of variables, as their front servers write them, and the `str` that is their key in an environ.
//!
//! Looking up the two dozen of a request costs more than anything else that is done for it. So `environ` guesses what
//! they are, and one comparison for each confirms it.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
};

use hostler::environ::{Standard, Variable, header_key};
use pyo3::{
    ffi,
    prelude::*,
    types::{PyDict, PyString},
};

/// So many names are worth remembering; a client that makes up more costs a new beginning.
const ENOUGH: usize = 512;
/// So many names are interned, so that looking them up is a comparison of pointers. Not more in the life of a thread:
/// CPython 3.12 never frees what was interned, and clients make up names.
const INTERNED: usize = 1_024;

/// A name that [`Names`] knows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Name(u32);

/// All names that a thread has met.
#[derive(Default)]
pub(super) struct Names {
    known: Vec<Known>,
    index: HashMap<Wire, Name, BuildHasherDefault<NameHasher>>,
    /// How many were interned so far.
    interned: usize,
}

struct Known {
    wire: Wire,
    /// `None`: a name that no peer may set.
    key: Option<Py<PyString>>,
}

/// How a variable is written.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Wire {
    Header(Box<[u8]>),
    Raw(Box<[u8]>),
    Standard(Standard),
}

impl Names {
    /// Whether it is time to forget them all, and with them all that was made of [`Name`]s.
    pub(super) fn are_too_many(&self) -> bool {
        self.known.len() > ENOUGH
    }

    /// Forgets them.
    pub(super) fn clear(&mut self) {
        *self = Self {
            interned: self.interned,
            ..Self::default()
        };
    }

    /// Whether a variable has this name.
    pub(super) fn is(&self, name: Name, variable: Variable<'_>) -> bool {
        match (&self.known[name.0 as usize].wire, variable) {
            (Wire::Standard(known), Variable::Standard(standard)) => *known == standard,
            (Wire::Header(known), Variable::Header(name))
            | (Wire::Raw(known), Variable::Raw(name)) => is_same(known, name),
            _ => false,
        }
    }

    /// The name of a variable.
    pub(super) fn find(&mut self, py: Python<'_>, variable: Variable<'_>) -> Name {
        let wire = match variable {
            Variable::Header(name) => Wire::Header(name.into()),
            Variable::Raw(name) => Wire::Raw(name.into()),
            Variable::Standard(standard) => Wire::Standard(standard),
        };
        if let Some(known) = self.index.get(&wire) {
            return *known;
        }
        let new = Name(self.known.len() as u32);
        let key = key(variable).map(|text| self.make_key(py, &text));
        self.known.push(Known {
            wire: wire.clone(),
            key,
        });
        self.index.insert(wire, new);
        new
    }

    fn make_key(&mut self, py: Python<'_>, text: &str) -> Py<PyString> {
        if self.interned >= INTERNED {
            return PyString::new(py, text).unbind();
        }
        self.interned += 1;
        PyString::intern(py, text).unbind()
    }

    /// Puts a variable into `environ`; true means that this failed and an exception is set.
    #[expect(unsafe_code, reason = "the hot path of every request")]
    pub(super) fn set(
        &self,
        environ: &Bound<'_, PyDict>,
        name: Name,
        value: &Bound<'_, PyAny>,
    ) -> bool {
        let Some(key) = &self.known[name.0 as usize].key else {
            return false;
        };
        // SAFETY: all three are alive; the dict takes references of its own.
        unsafe { ffi::PyDict_SetItem(environ.as_ptr(), key.as_ptr(), value.as_ptr()) != 0 }
    }
}

/// Equality of short slices in line: the calls of memcmp(3) for some fifty of them were a fifth of what a request
/// behind nginx takes outside of the kernel.
pub(super) fn is_same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let same = |(a, b): (&[u8; 8], &[u8; 8])| u64::from_le_bytes(*a) == u64::from_le_bytes(*b);
    match (a.last_chunk(), b.last_chunk()) {
        // The last eight bytes overlap the words before them, so that no rest is left.
        (Some(a_end), Some(b_end)) => {
            let (a_words, b_words) = (a.as_chunks().0, b.as_chunks().0);
            a_words.iter().zip(b_words).all(same) && same((a_end, b_end))
        }
        _ => a.iter().zip(b).all(|(a, b)| a == b),
    }
}

fn key(variable: Variable<'_>) -> Option<String> {
    let mut key = Vec::new();
    match variable {
        Variable::Header(name) => header_key(name, &mut key),
        // PEP 3333's own variables, and ours, are the server's to set.
        Variable::Raw(name) if name.starts_with(b"wsgi.") || name.starts_with(b"hostler.") => {
            return None;
        }
        Variable::Raw(name) => key.extend_from_slice(name),
        Variable::Standard(standard) => key.extend_from_slice(standard.name().as_bytes()),
    }
    Some(key.iter().map(|&byte| char::from(byte)).collect())
}

/// FNV-1a over eight bytes at a time: names are short, and there are at most [`ENOUGH`] of them, so that collisions
/// made on purpose cost little.
#[derive(Default)]
struct NameHasher(u64);

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        const PRIME: u64 = 0x0000_0100_0000_01b3;
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.0 = (self.0.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(PRIME);
        }
        for &byte in rest {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(PRIME);
        }
    }

    fn finish(&self) -> u64 {
        // The table takes its tag from the high bits and its place from the low ones.
        self.0 ^ (self.0 >> 29)
    }
}
