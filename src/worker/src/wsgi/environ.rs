//! The environ dict of a request, made as cheaply as it can be without the application noticing.
//!
//! Requests come in few shapes (see `shape`). Which one it will be is guessed, and found out while the environ is filled.

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
    names::{Name, Names},
    shape::Shape,
};
use crate::control::Guard;

/// Shapes kept per thread: some browsers, a load balancer's check, and the methods they use.
const SHAPES: usize = 16;
/// Guesses kept per thread.
const GUESSES: usize = 32;
/// After so many requests in a row with an object of ours kept, there will be another in its place.
const PATIENCE: u16 = 64;

/// What one serving thread keeps for making environs.
pub(super) struct EnvironMaker {
    /// What is the same for all requests of the worker, and of the thread.
    base: Py<PyDict>,
    names: Names,
    /// The names of the request at hand.
    row: Vec<Name>,
    shapes: Vec<Shape>,
    /// The shape that a request most probably has, by the number of its fields.
    usual: [usize; GUESSES],
    /// The shape to give up next when there are too many.
    oldest: usize,
    /// `wsgi.input` of all requests without a body, which most are.
    empty_input: Py<Input>,
    /// `hostler.set_deadline` of all requests.
    set_deadline: Py<SetDeadline>,
    /// Requests in a row for which an application had kept one of the two.
    kept: u16,
    link: Arc<Link>,
    guard: Arc<Guard>,
    is_green: bool,
    deadline_key: Py<PyString>,
    input_key: Py<PyString>,
    request_id_key: Py<PyString>,
    scheme_key: Py<PyString>,
    https: Py<PyString>,
}

impl EnvironMaker {
    /// `base` holds what is the same for all requests of the worker.
    ///
    /// # Errors
    /// Memory has run out.
    pub(super) fn new(
        base: &Bound<'_, PyDict>,
        link: &Arc<Link>,
        guard: &Arc<Guard>,
        is_green: bool,
    ) -> PyResult<Self> {
        let py = base.py();
        let base = base.copy()?;
        let deadline_key = PyString::intern(py, "hostler.set_deadline");
        let input_key = PyString::intern(py, "wsgi.input");
        let set_deadline = Py::new(py, SetDeadline::new(link, guard))?;
        let empty_input = Py::new(py, Input::empty())?;
        base.set_item(&deadline_key, &set_deadline)?;
        base.set_item(&input_key, &empty_input)?;
        Ok(Self {
            base: base.unbind(),
            names: Names::default(),
            row: Vec::new(),
            shapes: Vec::new(),
            usual: [0; GUESSES],
            oldest: 0,
            empty_input,
            set_deadline,
            kept: 0,
            link: Arc::clone(link),
            guard: Arc::clone(guard),
            is_green,
            deadline_key: deadline_key.unbind(),
            input_key: input_key.unbind(),
            request_id_key: PyString::intern(py, "HOSTLER_REQUEST_ID").unbind(),
            scheme_key: PyString::intern(py, "wsgi.url_scheme").unbind(),
            https: PyString::intern(py, "https").unbind(),
        })
    }

    /// The environ of a request, and its `wsgi.input` if that has a body which ends with the request.
    ///
    /// # Errors
    /// Memory has run out, or the file of a spooled body cannot be opened again.
    pub(super) fn environ<'py>(
        &mut self,
        py: Python<'py>,
        exchange: &mut Exchange<'_>,
        serial: u64,
    ) -> PyResult<(Bound<'py, PyDict>, Option<Bound<'py, Input>>)> {
        let is_free = self.are_own_free(py)?;
        let environ = self.variables(py, exchange)?;
        if exchange.scheme() == "https" {
            environ.set_item(&self.scheme_key, &self.https)?;
        }
        if exchange.names_requests() {
            environ.set_item(&self.request_id_key, exchange.request_id())?;
        }
        if is_free {
            self.set_deadline.get().renew(serial);
        } else {
            let function = SetDeadline::new(&self.link, &self.guard);
            function.renew(serial);
            environ.set_item(&self.deadline_key, Bound::new(py, function)?)?;
        }
        let input = match exchange.body()? {
            BodySupply::Empty if is_free => {
                // It is in the template. An application may have closed it.
                self.empty_input.get().reset_empty(py);
                return Ok((environ, None));
            }
            BodySupply::Empty => {
                environ.set_item(&self.input_key, Bound::new(py, Input::empty())?)?;
                return Ok((environ, None));
            }
            BodySupply::Memory(bytes) => Input::memory(bytes.to_vec()),
            BodySupply::Spooled(file, length) => Input::file(file.into(), length),
            BodySupply::Stream => {
                let body = StreamedBody {
                    link: Arc::clone(&self.link),
                    serial,
                    is_green: self.is_green,
                };
                Input::stream(body, exchange.body_length())
            }
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
        let known = self.shapes.iter().position(|shape| shape.has(&self.row));
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
        let shape = Shape::learn(&self.base, &self.row, &self.names, py, exchange)?;
        let environ = shape.template().bind(py).copy()?;
        if self.shapes.len() < SHAPES {
            self.shapes.push(shape);
        } else {
            self.shapes[self.oldest] = shape;
            self.oldest = (self.oldest + 1) % SHAPES;
        }
        Ok(environ)
    }

    /// Whether nobody has kept the objects that are in all templates from an earlier request: they serve the one at hand
    /// then. An application that keeps environs for good gets others into the templates, now and then.
    fn are_own_free(&mut self, py: Python<'_>) -> PyResult<bool> {
        // Held by us, by `base` and by each template.
        let holders = self.shapes.len() as isize + 2;
        if references(&self.set_deadline) == holders && references(&self.empty_input) == holders {
            self.kept = 0;
            return Ok(true);
        }
        self.kept += 1;
        if self.kept < PATIENCE {
            return Ok(false);
        }
        self.kept = 0;
        self.set_deadline = Py::new(py, SetDeadline::new(&self.link, &self.guard))?;
        self.empty_input = Py::new(py, Input::empty())?;
        let templates = self.shapes.iter().map(Shape::template);
        for dict in templates.chain([&self.base]) {
            let dict = dict.bind(py);
            dict.set_item(&self.deadline_key, &self.set_deadline)?;
            dict.set_item(&self.input_key, &self.empty_input)?;
        }
        Ok(true)
    }
}

#[expect(unsafe_code, reason = "pyo3 counts no references")]
fn references<T>(object: &Py<T>) -> isize {
    // SAFETY: the object is alive.
    unsafe { ffi::Py_REFCNT(object.as_ptr()) }
}
