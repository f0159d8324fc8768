//! The environ dict of a request, made as cheaply as it can be without the application noticing.
//!
//! Keys are made once per thread. What does not change from request to request lies in a template that is copied. A
//! value that is the same bytes as last time under the same name (Host, Accept, agent) is the same object as last
//! time: comparing is cheaper than decoding.

use std::{
    collections::HashMap,
    hash::{BuildHasherDefault, Hasher},
    sync::Arc,
};

use hostler::{
    environ::{Standard, Variable, header_key},
    serve::{BodySupply, Exchange},
};
use pyo3::{
    ffi,
    prelude::*,
    types::{PyDict, PyString},
};

use super::{
    exchange_link::{Link, StreamedBody},
    input::Input,
    text::latin1,
};

/// Values longer than this are not kept for comparing.
const KEPT_VALUE: usize = 128;
/// After so many misses in a row a name's values count as ever new (ports, the paths of a large site).
const MISSES: u8 = 32;
/// Names kept per thread; what a client makes up beyond is made anew each time.
const KEPT_NAMES: usize = 256;

/// What one serving thread keeps for making environs.
pub(super) struct EnvironMaker {
    template: Py<PyDict>,
    standard: Vec<Entry>,
    headers: Names,
    raw: Names,
    empty_input: Option<Py<Input>>,
    input_key: Py<PyString>,
    scheme_key: Py<PyString>,
    https: Py<PyString>,
}

/// Key and last value of one variable.
struct Entry {
    key: Py<PyString>,
    bytes: Vec<u8>,
    value: Option<Py<PyAny>>,
    misses: u8,
}

type Names = HashMap<Box<[u8]>, Entry, BuildHasherDefault<NameHasher>>;

impl EnvironMaker {
    /// `template` holds what is the same for all requests of the worker.
    pub(super) fn new(py: Python<'_>, template: &Bound<'_, PyDict>) -> Self {
        Self {
            template: template.clone().unbind(),
            standard: Standard::ALL
                .iter()
                .map(|standard| Entry::new(py, standard.name().as_bytes()))
                .collect(),
            headers: Names::default(),
            raw: Names::default(),
            empty_input: None,
            input_key: PyString::intern(py, "wsgi.input").unbind(),
            scheme_key: PyString::intern(py, "wsgi.url_scheme").unbind(),
            https: PyString::intern(py, "https").unbind(),
        }
    }

    /// The environ of a request, and its `wsgi.input` if that has a body which ends with the request.
    ///
    /// # Errors
    /// Memory has run out, or the file of a spooled body cannot be opened again.
    pub(super) fn environ<'py>(
        &mut self,
        py: Python<'py>,
        exchange: &mut Exchange<'_>,
        link: &Arc<Link>,
        serial: u64,
    ) -> PyResult<(Bound<'py, PyDict>, Option<Bound<'py, Input>>)> {
        let environ = self.template.bind(py).copy()?;
        let mut failed = false;
        exchange.variables(|name, value| {
            failed |= match name {
                Variable::Standard(standard) => {
                    self.standard[standard.index()].set(&environ, value)
                }
                Variable::Header(name) => {
                    set_named(&mut self.headers, &environ, name, value, |name| {
                        let mut key = Vec::with_capacity(name.len() + 5);
                        header_key(name, &mut key);
                        Entry::new(py, &key)
                    })
                }
                // The front server has no say in what is ours.
                Variable::Raw(name) if name.starts_with(b"wsgi.") => false,
                Variable::Raw(name) => set_named(&mut self.raw, &environ, name, value, |name| {
                    Entry::new(py, name)
                }),
            };
        });
        if failed {
            return Err(PyErr::fetch(py));
        }
        if exchange.scheme() == "https" {
            environ.set_item(&self.scheme_key, &self.https)?;
        }
        let input = match exchange.body()? {
            BodySupply::Empty => {
                let input = self.empty_input(py)?;
                environ.set_item(&self.input_key, input)?;
                return Ok((environ, None));
            }
            BodySupply::Memory(bytes) => Input::memory(bytes.to_vec()),
            BodySupply::Spooled(file, length) => Input::file(file.into(), length),
            BodySupply::Stream => Input::stream(Box::new(StreamedBody {
                link: Arc::clone(link),
                serial,
            })),
        };
        let input = Bound::new(py, input)?;
        environ.set_item(&self.input_key, &input)?;
        Ok((environ, Some(input)))
    }

    /// Most requests have no body: they share one object, unless an application kept it from an earlier one.
    fn empty_input<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, Input>> {
        let kept = self
            .empty_input
            .take()
            .map(|input| input.into_bound(py))
            .filter(is_ours_alone);
        let input = match kept {
            Some(input) => {
                input.get().reset_empty(py);
                input
            }
            None => Bound::new(py, Input::empty())?,
        };
        self.empty_input = Some(input.clone().unbind());
        Ok(input)
    }
}

#[expect(unsafe_code, reason = "pyo3 counts no references")]
fn is_ours_alone(input: &Bound<'_, Input>) -> bool {
    // SAFETY: the object is alive.
    unsafe { ffi::Py_REFCNT(input.as_ptr()) == 1 }
}

fn set_named(
    names: &mut Names,
    environ: &Bound<'_, PyDict>,
    name: &[u8],
    value: &[u8],
    make: impl FnOnce(&[u8]) -> Entry,
) -> bool {
    if let Some(entry) = names.get_mut(name) {
        return entry.set(environ, value);
    }
    let mut entry = make(name);
    let failed = entry.set(environ, value);
    if names.len() < KEPT_NAMES {
        names.insert(name.into(), entry);
    }
    failed
}

impl Entry {
    fn new(py: Python<'_>, key: &[u8]) -> Self {
        let text: String = key.iter().map(|&byte| char::from(byte)).collect();
        Self {
            key: PyString::intern(py, &text).unbind(),
            bytes: Vec::new(),
            value: None,
            misses: 0,
        }
    }

    /// Puts the variable into `environ`; true means that this failed and an exception is set.
    fn set(&mut self, environ: &Bound<'_, PyDict>, value: &[u8]) -> bool {
        let py = environ.py();
        match &self.value {
            Some(last) if self.bytes == value => {
                self.misses = 0;
                insert(environ, &self.key, last.bind(py))
            }
            _ => {
                let text = latin1(py, value);
                let failed = insert(environ, &self.key, &text);
                if self.misses < MISSES && value.len() <= KEPT_VALUE {
                    self.misses += 1;
                    self.bytes.clear();
                    self.bytes.extend_from_slice(value);
                    self.value = Some(text.unbind());
                }
                failed
            }
        }
    }
}

#[expect(unsafe_code, reason = "the hot path of every request")]
fn insert(environ: &Bound<'_, PyDict>, key: &Py<PyString>, value: &Bound<'_, PyAny>) -> bool {
    // SAFETY: all three are alive; the dict takes references of its own.
    unsafe { ffi::PyDict_SetItem(environ.as_ptr(), key.as_ptr(), value.as_ptr()) != 0 }
}

/// FNV-1a over eight bytes at a time: names are short, and the table is bounded, so that collisions made on purpose
/// cost no more than a walk over [`KEPT_NAMES`] entries.
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
