//! `wsgi.file_wrapper` (PEP 3333, "Optional Platform-Specific File Handling"): an iterable over blocks of a file, from
//! which the server may learn that the blocks are a range of a regular file, and send that without Python.
//!
//! Having a `fileno()` is not enough for that: a `gzip.GzipFile` has the descriptor of the compressed file. What counts
//! is where `read` comes from. Wrappers that hand through the `read` of a true file are taken for that file
//! (Django's `File`, `tempfile.NamedTemporaryFile`); whatever reads in a way of its own is iterated.

use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use pyo3::{exceptions::PyAttributeError, intern, prelude::*, sync::PyOnceLock, types::PyType};
use rustix::fs::FileType;

/// What the application returns to have a file sent.
#[pyclass(frozen, module = "_hostler", name = "FileWrapper")]
pub(crate) struct FileWrapper {
    /// The application's file.
    #[pyo3(get)]
    filelike: Py<PyAny>,
    /// Bytes of a block when it is iterated.
    #[pyo3(get)]
    blksize: isize,
}

/// A part of a regular file.
#[derive(Debug)]
pub(crate) struct FileRange {
    /// Its own descriptor: the application may close the file at any time.
    pub(crate) file: OwnedFd,
    /// First byte.
    pub(crate) offset: u64,
    /// Bytes from there to the end of the file.
    pub(crate) len: u64,
}

#[pymethods]
impl FileWrapper {
    #[new]
    #[pyo3(signature = (filelike, blksize=8192))]
    fn new(filelike: Py<PyAny>, blksize: isize) -> Self {
        Self { filelike, blksize }
    }

    fn __iter__(slf: Bound<'_, Self>) -> Bound<'_, Self> {
        slf
    }

    fn __next__<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let block = self
            .filelike
            .bind(py)
            .call_method1(intern!(py, "read"), (self.blksize,))?;
        Ok(if block.is_truthy()? {
            Some(block)
        } else {
            None
        })
    }

    /// Closes the file if it can be closed. It is looked up now and not before: Django puts its own `close` on the
    /// file to be told of the end of the response.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        match self.filelike.bind(py).getattr(intern!(py, "close")) {
            Ok(close) => close.call0().map(drop),
            Err(error) if error.is_instance_of::<PyAttributeError>(py) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl FileWrapper {
    /// The range of a regular file that iterating would give, from the file's present position on; `None` when it has
    /// to be iterated, also because it is empty. Errors are no matter here: iterating meets them again.
    pub(crate) fn sendfile_range(&self, py: Python<'_>) -> Option<FileRange> {
        let file = true_file(self.filelike.bind(py)).ok().flatten()?;
        range_of(&file).ok().flatten()
    }
}

/// The file of module `io` whose `read` is called, if there is no other code between.
fn true_file<'py>(filelike: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let py = filelike.py();
    let mut read = filelike.getattr(intern!(py, "read"))?;
    // tempfile wraps each method in a function that keeps the file alive, and says so as functools.wraps does.
    if let Some(wrapped) = read.getattr_opt(intern!(py, "__wrapped__"))? {
        read = wrapped;
    }
    let Some(file) = read.getattr_opt(intern!(py, "__self__"))? else {
        return Ok(None);
    };
    let types = FileTypes::of(py)?;
    let is_true = match file.get_type() {
        class if class.is(&types.raw) => true,
        class if class.is(&types.reader) || class.is(&types.random) => {
            file.getattr(intern!(py, "raw"))?.get_type().is(&types.raw)
        }
        _ => false,
    };
    Ok(is_true.then_some(file))
}

fn range_of(file: &Bound<'_, PyAny>) -> PyResult<Option<FileRange>> {
    let py = file.py();
    // What was written and is still buffered must be in the file before its size is asked.
    file.call_method0(intern!(py, "flush"))?;
    let offset: u64 = file.call_method0(intern!(py, "tell"))?.extract()?;
    let number: i32 = file.call_method0(intern!(py, "fileno"))?.extract()?;
    let Some(file) = duplicate(number) else {
        return Ok(None);
    };
    let status = match rustix::fs::fstat(&file) {
        Ok(status) if FileType::from_raw_mode(status.st_mode).is_file() => status,
        _ => return Ok(None),
    };
    let len = u64::try_from(status.st_size)
        .unwrap_or(0)
        .saturating_sub(offset);
    // Files that the kernel makes up (/proc) say 0 and have more.
    Ok((len > 0).then_some(FileRange { file, offset, len }))
}

/// A descriptor of our own for the same open file.
fn duplicate(number: i32) -> Option<OwnedFd> {
    if number < 0 {
        return None;
    }
    #[expect(unsafe_code, reason = "Python knows descriptors as numbers")]
    // SAFETY: the number is not -1, and it is used for the one call alone; were it closed meanwhile, the call fails.
    let file = unsafe { BorrowedFd::borrow_raw(number) };
    debug_assert_eq!(file.as_raw_fd(), number);
    rustix::io::fcntl_dupfd_cloexec(file, 0).ok()
}

/// The types of module `io` that read a descriptor and nothing else.
struct FileTypes {
    random: Py<PyType>,
    raw: Py<PyType>,
    reader: Py<PyType>,
}

impl FileTypes {
    fn of(py: Python<'_>) -> PyResult<&Self> {
        static TYPES: PyOnceLock<FileTypes> = PyOnceLock::new();
        TYPES.get_or_try_init(py, || {
            let io = py.import("io")?;
            let class = |name: &str| -> PyResult<Py<PyType>> {
                Ok(io.getattr(name)?.cast_into()?.unbind())
            };
            Ok(Self {
                random: class("BufferedRandom")?,
                raw: class("FileIO")?,
                reader: class("BufferedReader")?,
            })
        })
    }
}
