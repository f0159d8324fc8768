//! Requests with the same variables in the same order, and an environ of theirs to copy.
//!
//! The template is a dict with everything in it, the values of an earlier request included. A new environ is a copy of
//! that, in which only those values are replaced that are other bytes than then: comparing is cheaper than decoding and
//! inserting.

use hostler::serve::Exchange;
use pyo3::{prelude::*, types::PyDict};

use super::{
    names::{Name, Names, is_same},
    text::latin1,
};

/// Values longer than this are not kept for comparing.
const KEPT_VALUE: usize = 128;
/// After so many other values in a row a variable counts as ever new (ports, the paths of a large site).
const MISSES: u8 = 32;

/// Requests with the same variables.
pub(super) struct Shape {
    row: Box<[Name]>,
    template: Py<PyDict>,
    values: Vec<Value>,
}

/// The value of one variable in a template, as it was on the wire.
struct Value {
    bytes: Vec<u8>,
    misses: u8,
}

impl Shape {
    /// Makes a template of a request with the names of `row`, beginning with what is in `base`.
    ///
    /// # Errors
    /// Memory has run out.
    pub(super) fn learn(
        base: &Py<PyDict>,
        row: &[Name],
        names: &Names,
        py: Python<'_>,
        exchange: &mut Exchange<'_>,
    ) -> PyResult<Self> {
        let template = base.bind(py).copy()?;
        let mut values = Vec::with_capacity(row.len());
        let mut failed = false;
        exchange.variables(|_, value| {
            failed |= names.set(&template, row[values.len()], &latin1(py, value));
            values.push(Value::new(value));
        });
        if failed {
            return Err(PyErr::fetch(py));
        }
        Ok(Self {
            row: row.into(),
            template: template.unbind(),
            values,
        })
    }

    /// Whether its requests have these names.
    pub(super) fn has(&self, row: &[Name]) -> bool {
        *self.row == *row
    }

    /// What environs are copied from.
    pub(super) fn template(&self) -> &Py<PyDict> {
        &self.template
    }

    /// A copy of the template with the values of the request at hand; `None` if that has another shape.
    ///
    /// # Errors
    /// Memory has run out; the template must not be used any more.
    pub(super) fn fill<'py>(
        &mut self,
        py: Python<'py>,
        names: &Names,
        exchange: &mut Exchange<'_>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let template = self.template.bind(py);
        let environ = template.copy()?;
        let (mut is_it, mut failed) = (true, false);
        let mut pairs = self.row.iter().zip(&mut self.values);
        exchange.variables(|variable, bytes| {
            let Some((name, value)) = pairs.next().filter(|_| is_it) else {
                is_it = false;
                return;
            };
            if !names.is(*name, variable) {
                is_it = false;
                return;
            }
            if is_same(&value.bytes, bytes) {
                value.misses = 0;
                return;
            }
            let text = latin1(py, bytes);
            failed |= names.set(&environ, *name, &text);
            if value.keep(bytes) {
                failed |= names.set(template, *name, &text);
            }
        });
        if failed {
            return Err(PyErr::fetch(py));
        }
        Ok((is_it && pairs.next().is_none()).then_some(environ))
    }
}

impl Value {
    fn new(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            misses: 0,
        }
    }

    /// Whether `bytes` are worth being the template's value from now on.
    fn keep(&mut self, bytes: &[u8]) -> bool {
        if self.misses >= MISSES || bytes.len() > KEPT_VALUE {
            return false;
        }
        self.misses += 1;
        self.bytes.clear();
        self.bytes.extend_from_slice(bytes);
        true
    }
}
