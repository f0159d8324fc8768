//! `wsgi.input`: a request body as Python sees it, with the methods of `io.BytesIO`, their arguments and their errors.
//!
//! What a call gives is decided by [`Reader`]; here is the order of the two locks. The state is locked with the
//! interpreter lock held only if that needs no waiting, and whoever waits (for the client or for another thread of
//! the application that reads the same body) has let go of the interpreter lock before and takes it again only after
//! the state is unlocked. So the two can never wait for each other.

mod fresh;
mod manners;

use std::{
    fs::File,
    io::{self, SeekFrom},
    sync::{Mutex, MutexGuard, PoisonError, TryLockError},
};

use hostler::{
    serve::reader::{Reader, Wanted},
    sys::Room,
};
use pyo3::{
    exceptions::{PyOSError, PyTypeError, PyValueError},
    prelude::*,
    types::{PyBytes, PyList, PyMemoryView, PySlice},
};

use self::{
    fresh::{copied, fresh_bytes},
    manners::{Size, limit, read_error, unsupported},
};
use super::exchange_link::StreamedBody;
use crate::green;

/// The object in `environ["wsgi.input"]`.
#[pyclass(frozen, module = "_hostler")]
pub(crate) struct Input {
    state: Mutex<State>,
    /// A body for which greenlets wait.
    streamed: Option<StreamedBody>,
}

/// What there is to read.
enum State {
    /// The application called `close`.
    Closed,
    /// The request is answered; the connection serves others.
    Over,
    /// The body.
    Open(Reader),
}

/// What a call finds that has not waited yet.
enum Found<'py> {
    /// Its answer.
    Bytes(Bound<'py, PyBytes>),
    /// So many bytes, which have to be waited for, are better received where Python keeps them.
    Direct(usize),
    /// The client or another thread has to be waited for.
    Nothing,
}

impl Input {
    /// The body of a request that has none.
    pub(crate) fn empty() -> Self {
        Self::memory(Vec::new())
    }

    /// A body that was read beforehand.
    pub(crate) fn memory(body: Vec<u8>) -> Self {
        Self::open(Reader::memory(body))
    }

    /// A body that was spooled: the first `len` bytes of a file.
    pub(crate) fn file(file: File, len: u64) -> Self {
        Self::open(Reader::file(file, len))
    }

    /// A body that arrives while the application runs, of `length` bytes if that is known.
    pub(crate) fn stream(source: StreamedBody, length: Option<u64>) -> Self {
        Self {
            streamed: source.is_green.then(|| source.clone()),
            ..Self::open(Reader::stream(Box::new(source), length))
        }
    }

    fn open(reader: Reader) -> Self {
        Self {
            state: Mutex::new(State::Open(reader)),
            streamed: None,
        }
    }

    /// The request is over: drops the body and its source, after waiting for a thread that still reads from it. What
    /// the application does with the object later raises `OSError`.
    pub(crate) fn detach(&self, py: Python<'_>) {
        self.replace(py, State::Over);
    }

    /// Makes a body that was detached an empty one, for the next bodiless request. Only when nobody else holds it.
    pub(crate) fn reset_empty(&self, py: Python<'_>) {
        self.replace(py, State::Open(Reader::memory(Vec::new())));
    }

    fn replace(&self, py: Python<'_>, state: State) {
        let old = match self.try_lock() {
            Some(mut current) => std::mem::replace(&mut *current, state),
            None => py.detach(|| std::mem::replace(&mut *self.lock(), state)),
        };
        drop(old);
    }

    /// The bytes that answer `wanted`, waiting for them if need be.
    fn take<'py>(&self, py: Python<'py>, wanted: Wanted) -> PyResult<Bound<'py, PyBytes>> {
        loop {
            match self.find(py, wanted)? {
                Found::Bytes(bytes) => return Ok(bytes),
                Found::Direct(size) => {
                    if let Some(bytes) = self.take_direct(py, size)? {
                        return Ok(bytes);
                    }
                }
                Found::Nothing => self.fill(py, wanted)?,
            }
        }
    }

    /// What there is without waiting. A greenlet leaves what comes where others find it, because it lets go of the body
    /// whenever it waits.
    fn find<'py>(&self, py: Python<'py>, wanted: Wanted) -> PyResult<Found<'py>> {
        let Some(mut state) = self.try_lock() else {
            return Ok(Found::Nothing);
        };
        let reader = state.reader()?;
        let Some(count) = reader.answer(wanted) else {
            let direct = reader.direct(wanted).filter(|_| self.streamed.is_none());
            return Ok(direct.map_or(Found::Nothing, Found::Direct));
        };
        let bytes = copied(py, &reader.buffered()[..count])?;
        reader.consume(count);
        Ok(Found::Bytes(bytes))
    }

    /// Receives up to `size` bytes, waiting for them, without a buffer between the client and the object. `None` when the
    /// body has been closed meanwhile.
    fn take_direct<'py>(
        &self,
        py: Python<'py>,
        size: usize,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let mut is_open = false;
        let bytes = fresh_bytes(py, size, |room| {
            let read = py.detach(|| self.lock().read_into(room));
            is_open = read.map_err(read_error)?;
            Ok(())
        })?;
        Ok(is_open.then_some(bytes))
    }

    /// Reads on, waiting for the client. A greenlet has let go of everything when it waits.
    fn fill(&self, py: Python<'_>, wanted: Wanted) -> PyResult<()> {
        let filled = py.detach(|| self.lock().fill(wanted));
        match (filled, &self.streamed) {
            (Err(error), Some(body)) if error.kind() == io::ErrorKind::WouldBlock => {
                green::await_body(py, body)?.map_err(read_error)
            }
            (filled, _) => filled.map_err(read_error),
        }
    }

    /// Something that needs no waiting for the client.
    fn with_reader<T: Send>(
        &self,
        py: Python<'_>,
        act: impl FnOnce(&mut Reader) -> T + Send,
    ) -> PyResult<T> {
        match self.try_lock() {
            Some(mut state) => Ok(act(state.reader()?)),
            None => py.detach(|| Ok(act(self.lock().reader()?))),
        }
    }

    fn try_lock(&self) -> Option<MutexGuard<'_, State>> {
        match self.state.try_lock() {
            Ok(state) => Some(state),
            Err(TryLockError::Poisoned(state)) => Some(state.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Only without the interpreter lock.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn reader(&mut self) -> PyResult<&mut Reader> {
        match self {
            Self::Closed => Err(PyValueError::new_err("I/O operation on closed file.")),
            Self::Open(reader) => Ok(reader),
            Self::Over => Err(PyOSError::new_err(
                "the request is over, its body cannot be read any more",
            )),
        }
    }

    /// Waits for the client to fill `room`; false: the body is gone, as the next look says.
    fn read_into(&mut self, room: &mut Room<'_>) -> io::Result<bool> {
        match self {
            Self::Closed | Self::Over => Ok(false),
            Self::Open(reader) => reader.read_into(room).map(|()| true),
        }
    }

    /// Waits for the client. There is nothing to wait for once the body is gone; the next look says so.
    fn fill(&mut self, wanted: Wanted) -> io::Result<()> {
        match self {
            Self::Closed | Self::Over => Ok(()),
            Self::Open(reader) => reader.fill(wanted),
        }
    }
}

#[pymethods]
impl Input {
    #[pyo3(signature = (size=None, /))]
    fn read<'py>(&self, py: Python<'py>, size: Option<Size>) -> PyResult<Bound<'py, PyBytes>> {
        self.take(py, Wanted::Bytes(limit(size)))
    }

    /// `BytesIO` makes no difference between the two, and whoever asks for `size` bytes of a body expects them.
    #[pyo3(signature = (size=None, /))]
    fn read1<'py>(&self, py: Python<'py>, size: Option<Size>) -> PyResult<Bound<'py, PyBytes>> {
        self.read(py, size)
    }

    #[pyo3(signature = (size=None, /))]
    fn readline<'py>(&self, py: Python<'py>, size: Option<Size>) -> PyResult<Bound<'py, PyBytes>> {
        self.take(py, Wanted::Line(limit(size)))
    }

    /// Whole lines, until they are `hint` bytes or more; all lines if it is 0 or less.
    #[pyo3(signature = (hint=None, /))]
    fn readlines<'py>(&self, py: Python<'py>, hint: Option<Size>) -> PyResult<Bound<'py, PyList>> {
        let enough = hint.map_or(0, |hint| hint.0);
        let enough = if enough > 0 {
            enough as usize
        } else {
            usize::MAX
        };
        let (lines, mut total) = (PyList::empty(py), 0);
        while total < enough {
            let line = self.take(py, Wanted::Line(usize::MAX))?;
            let len = line.as_bytes().len();
            if len == 0 {
                break;
            }
            total += len;
            lines.append(line)?;
        }
        Ok(lines)
    }

    /// Fills a writable buffer; the stable interface of 3.9 has none but `memoryview` to reach it.
    #[pyo3(signature = (buffer, /))]
    fn readinto(&self, py: Python<'_>, buffer: &Bound<'_, PyAny>) -> PyResult<usize> {
        let view = PyMemoryView::from(buffer)?;
        if view.getattr("readonly")?.is_truthy()? {
            let given = buffer.get_type().name()?;
            let message =
                format!("readinto() argument must be read-write bytes-like object, not {given}");
            return Err(PyTypeError::new_err(message));
        }
        let room: usize = view.getattr("nbytes")?.extract()?;
        let bytes = self.take(py, Wanted::Bytes(room))?;
        let count = bytes.as_bytes().len();
        if count > 0 {
            let target = view.call_method1("cast", ("B",))?;
            target.set_item(PySlice::new(py, 0, count as isize, 1), bytes)?;
        }
        Ok(count)
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let line = self.take(py, Wanted::Line(usize::MAX))?;
        Ok((!line.as_bytes().is_empty()).then_some(line))
    }

    /// The position in the body; a body that streams has none (`io.UnsupportedOperation`).
    fn tell(&self, py: Python<'_>) -> PyResult<u64> {
        self.with_reader(py, |reader| reader.position())?
            .ok_or_else(|| unsupported(py, "tell"))
    }

    /// Moves the position; a body that streams cannot (`io.UnsupportedOperation`).
    #[pyo3(signature = (position, whence=0, /))]
    fn seek(&self, py: Python<'_>, position: isize, whence: i32) -> PyResult<u64> {
        let to = match whence {
            0 => match u64::try_from(position) {
                Ok(position) => SeekFrom::Start(position),
                Err(_) => {
                    return Err(PyValueError::new_err(format!(
                        "negative seek value {position}"
                    )));
                }
            },
            1 => SeekFrom::Current(position as i64),
            2 => SeekFrom::End(position as i64),
            _ => {
                let message = format!("invalid whence ({whence}, should be 0, 1 or 2)");
                return Err(PyValueError::new_err(message));
            }
        };
        self.with_reader(py, |reader| reader.seek(to))?
            .ok_or_else(|| unsupported(py, "seek"))
    }

    fn readable(&self, py: Python<'_>) -> PyResult<bool> {
        self.with_reader(py, |_| true)
    }

    fn seekable(&self, py: Python<'_>) -> PyResult<bool> {
        self.with_reader(py, |reader| reader.position().is_some())
    }

    fn writable(&self, py: Python<'_>) -> PyResult<bool> {
        self.with_reader(py, |_| false)
    }

    fn isatty(&self, py: Python<'_>) -> PyResult<bool> {
        self.with_reader(py, |_| false)
    }

    fn flush(&self, py: Python<'_>) -> PyResult<()> {
        self.with_reader(py, |_| ())
    }

    fn fileno(&self, py: Python<'_>) -> PyResult<i32> {
        Err(unsupported(py, "fileno"))
    }

    #[pyo3(signature = (_data, /))]
    fn write(&self, py: Python<'_>, _data: &Bound<'_, PyAny>) -> PyResult<usize> {
        Err(unsupported(py, "write"))
    }

    /// Later calls raise `ValueError`; the connection is not touched.
    fn close(&self, py: Python<'_>) {
        self.replace(py, State::Closed);
    }

    #[getter]
    fn closed(&self, py: Python<'_>) -> bool {
        let closed = |state: &State| matches!(state, State::Closed);
        match self.try_lock() {
            Some(state) => closed(&state),
            None => py.detach(|| closed(&self.lock())),
        }
    }

    fn __enter__<'py>(slf: Bound<'py, Self>, py: Python<'py>) -> PyResult<Bound<'py, Self>> {
        slf.get().readable(py)?;
        Ok(slf)
    }

    #[pyo3(signature = (*_exception))]
    fn __exit__(&self, py: Python<'_>, _exception: &Bound<'_, PyAny>) {
        self.close(py);
    }
}
