//! The environ dict of a request, made as cheaply as it can be without the application noticing.
//!
//! Requests come in few shapes: the same variables in the same order. For each shape a template is kept, a dict with
//! everything in it, the values of an earlier request included. A new environ is a copy of that, in which only those
//! values are replaced that are other bytes than then: comparing is cheaper than decoding and inserting. Which shape it
//! will be is guessed, and found out while the values are compared.

use std::sync::Arc;

use hostler::serve::{BodySupply, Exchange};
use pyo3::{
    ffi,
    prelude::*,
    types::{PyDict, PyString},
};

use super::{
    deadline::SetDeadline,
    exchange_link::{Link, StreamedBody},
    input::Input,
    names::{Name, Names, is_same},
    text::latin1,
};
use crate::control::Guard;

/// Shapes kept per thread: some browsers, a load balancer's check, and the methods they use.
const SHAPES: usize = 16;
/// Guesses kept per thread.
const GUESSES: usize = 32;
/// Values longer than this are not kept for comparing.
const KEPT_VALUE: usize = 128;
/// After so many other values in a row a variable counts as ever new (ports, the paths of a large site).
const MISSES: u8 = 32;

/// What one serving thread keeps for making environs.
pub(super) struct EnvironMaker {
    /// What is the same for all requests of the worker.
    base: Py<PyDict>,
    names: Names,
    /// The names of the request at hand.
    row: Vec<Name>,
    shapes: Vec<Shape>,
    /// The shape that a request most probably has, by the number of its fields.
    usual: [usize; GUESSES],
    /// The shape to give up next when there are too many.
    oldest: usize,
    empty_input: Option<Py<Input>>,
    set_deadline: Option<Py<SetDeadline>>,
    guard: Arc<Guard>,
    is_green: bool,
    deadline_key: Py<PyString>,
    input_key: Py<PyString>,
    request_id_key: Py<PyString>,
    scheme_key: Py<PyString>,
    https: Py<PyString>,
}

/// Requests with the same variables.
struct Shape {
    row: Vec<Name>,
    template: Py<PyDict>,
    values: Vec<Value>,
}

/// The value of one variable in a template, as it was on the wire.
struct Value {
    bytes: Vec<u8>,
    misses: u8,
}

impl EnvironMaker {
    /// `base` holds what is the same for all requests of the worker.
    pub(super) fn new(base: &Bound<'_, PyDict>, guard: &Arc<Guard>, is_green: bool) -> Self {
        let py = base.py();
        Self {
            base: base.clone().unbind(),
            names: Names::default(),
            row: Vec::new(),
            shapes: Vec::new(),
            usual: [0; GUESSES],
            oldest: 0,
            empty_input: None,
            set_deadline: None,
            guard: Arc::clone(guard),
            is_green,
            deadline_key: PyString::intern(py, "hostler.set_deadline").unbind(),
            input_key: PyString::intern(py, "wsgi.input").unbind(),
            request_id_key: PyString::intern(py, "HOSTLER_REQUEST_ID").unbind(),
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
        let environ = self.variables(py, exchange)?;
        if exchange.scheme() == "https" {
            environ.set_item(&self.scheme_key, &self.https)?;
        }
        if exchange.names_requests() {
            environ.set_item(&self.request_id_key, exchange.request_id())?;
        }
        let set_deadline = self.set_deadline(py, link, serial)?;
        environ.set_item(&self.deadline_key, set_deadline)?;
        let input = match exchange.body()? {
            BodySupply::Empty => {
                let input = self.empty_input(py)?;
                environ.set_item(&self.input_key, input)?;
                return Ok((environ, None));
            }
            BodySupply::Memory(bytes) => Input::memory(bytes.to_vec()),
            BodySupply::Spooled(file, length) => Input::file(file.into(), length),
            BodySupply::Stream => Input::stream(StreamedBody {
                link: Arc::clone(link),
                serial,
                is_green: self.is_green,
            }),
        };
        let input = Bound::new(py, input)?;
        environ.set_item(&self.input_key, &input)?;
        Ok((environ, Some(input)))
    }

    fn variables<'py>(
        &mut self,
        py: Python<'py>,
        exchange: &mut Exchange<'_>,
    ) -> PyResult<Bound<'py, PyDict>> {
        if self.names.are_too_many() {
            self.names.clear();
            self.shapes.clear();
        }
        let guess = exchange.request().head.fields.len() % GUESSES;
        if let Some(filled) = self.fill(py, self.usual[guess], exchange)? {
            return Ok(filled);
        }
        let Self { names, row, .. } = self;
        row.clear();
        exchange.variables(|variable, _| row.push(names.find(py, variable)));
        let known = self.shapes.iter().position(|shape| shape.row == self.row);
        if let Some(known) = known
            && let Some(filled) = self.fill(py, known, exchange)?
        {
            self.usual[guess] = known;
            return Ok(filled);
        }
        self.learn(py, exchange)
    }

    /// A copy of a shape's template with the values of the request at hand; `None` if that has another shape.
    fn fill<'py>(
        &mut self,
        py: Python<'py>,
        shape: usize,
        exchange: &mut Exchange<'_>,
    ) -> PyResult<Option<Bound<'py, PyDict>>> {
        let Some(shape) = self.shapes.get_mut(shape) else {
            return Ok(None);
        };
        let filled = shape.fill(py, &self.names, exchange);
        if filled.is_err() {
            // Its template may have one value and its note another.
            self.shapes.clear();
        }
        filled
    }

    /// Makes a template of the request at hand.
    fn learn<'py>(
        &mut self,
        py: Python<'py>,
        exchange: &mut Exchange<'_>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let template = self.base.bind(py).copy()?;
        let mut values = Vec::with_capacity(self.row.len());
        let mut failed = false;
        exchange.variables(|_, value| {
            failed |= self
                .names
                .set(&template, self.row[values.len()], &latin1(py, value));
            values.push(Value::new(value));
        });
        if failed {
            return Err(PyErr::fetch(py));
        }
        let shape = Shape {
            row: self.row.clone(),
            template: template.clone().unbind(),
            values,
        };
        if self.shapes.len() < SHAPES {
            self.shapes.push(shape);
        } else {
            self.shapes[self.oldest] = shape;
            self.oldest = (self.oldest + 1) % SHAPES;
        }
        template.copy()
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

    /// One object for all requests of the thread, unless an application kept it from an earlier one.
    fn set_deadline<'py>(
        &mut self,
        py: Python<'py>,
        link: &Arc<Link>,
        serial: u64,
    ) -> PyResult<Bound<'py, SetDeadline>> {
        let kept = self
            .set_deadline
            .take()
            .map(|function| function.into_bound(py))
            .filter(is_ours_alone);
        let function = match kept {
            Some(function) => function,
            None => Bound::new(py, SetDeadline::new(link, &self.guard))?,
        };
        function.get().renew(serial);
        self.set_deadline = Some(function.clone().unbind());
        Ok(function)
    }
}

impl Shape {
    fn fill<'py>(
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

#[expect(unsafe_code, reason = "pyo3 counts no references")]
fn is_ours_alone<T>(object: &Bound<'_, T>) -> bool {
    // SAFETY: the object is alive.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) == 1 }
}
