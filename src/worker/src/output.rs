//! What the application says: `sys.stdout` and `sys.stderr` as objects that know which request is speaking, and
//! `hostler.JournalHandler`.
//!
//! What is written goes straight to the log, by the thread that writes it, and never waits. Threads do not mix: each
//! has its own beginning of a line. The descriptors 1 and 2 are a pipe to the supervisor, for whoever knows no Python.

use std::{
    cell::RefCell,
    ffi::CString,
    os::fd::OwnedFd,
    sync::{Arc, Mutex},
};

use hostler::journal::{self, Code, Priority, Splitter, Stream, Words};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyDict},
};
use rustix::stdio::{dup2_stderr, dup2_stdout};

use crate::{green, wsgi::Link};

/// The class for `logging`, which is Python because its base class is.
const HANDLER: &str = include_str!("journal_handler.py");

/// Errors of encoding must not make a log line fail.
const ERRORS: &str = "backslashreplace";

thread_local! {
    static SPEAKER: RefCell<Speaker> = RefCell::default();
}

/// The speaker of a greenlet that has a request.
#[pyclass(frozen, module = "_hostler")]
struct GreenSpeaker(Mutex<Speaker>);

/// What a thread has written and is no entry yet, and where its request is.
#[derive(Default)]
struct Speaker {
    stdout: Splitter,
    stderr: Splitter,
    link: Option<Arc<Link>>,
}

/// What is below `sys.stdout` or `sys.stderr`: a raw stream as in Python's `io`.
#[pyclass(frozen, module = "hostler")]
struct Output {
    is_stderr: bool,
}

#[pymethods]
impl Output {
    fn write(&self, py: Python<'_>, data: &Bound<'_, PyAny>) -> PyResult<usize> {
        let bytes = match data.cast::<PyBytes>() {
            Ok(bytes) => bytes.clone(),
            Err(_) => py.get_type::<PyBytes>().call1((data,))?.cast_into()?,
        };
        with_speaker(py, |speaker| {
            let (splitter, stream) = speaker.of(self.is_stderr);
            let mut entries = Vec::new();
            splitter.write(bytes.as_bytes(), |text| entries.push(text.to_owned()));
            speaker.say(py, stream, &entries);
        });
        Ok(bytes.as_bytes().len())
    }

    /// The beginning of a line waits for its end nevertheless; a traceback does not wait for more.
    fn flush(&self, py: Python<'_>) {
        with_speaker(py, |speaker| {
            let (splitter, stream) = speaker.of(self.is_stderr);
            let mut entries = Vec::new();
            splitter.end_block(|text| entries.push(text.to_owned()));
            speaker.say(py, stream, &entries);
        });
    }

    fn close(&self, py: Python<'_>) {
        self.flush(py);
    }

    fn fileno(&self) -> i32 {
        if self.is_stderr { 2 } else { 1 }
    }

    fn isatty(&self) -> bool {
        false
    }

    fn readable(&self) -> bool {
        false
    }

    fn seekable(&self) -> bool {
        false
    }

    fn writable(&self) -> bool {
        true
    }

    #[getter]
    fn closed(&self) -> bool {
        false
    }

    #[getter]
    fn mode(&self) -> &'static str {
        "wb"
    }

    #[getter]
    fn name(&self) -> &'static str {
        if self.is_stderr {
            "<stderr>"
        } else {
            "<stdout>"
        }
    }
}

impl Speaker {
    fn of(&mut self, is_stderr: bool) -> (&mut Splitter, Stream<'static>) {
        match is_stderr {
            true => (&mut self.stderr, Stream::Stderr),
            false => (&mut self.stdout, Stream::Stdout),
        }
    }

    fn say(&self, py: Python<'_>, stream: Stream<'_>, entries: &[String]) {
        if entries.is_empty() {
            return;
        }
        let request_id = self.request_id(py);
        for text in entries {
            say(&request_id, stream, text);
        }
    }

    /// The request that this thread is at; a name for it is made only if somebody reads it.
    fn request_id(&self, py: Python<'_>) -> String {
        let link = self.link.as_ref().filter(|link| link.is_open());
        let id = link.and_then(|link| {
            link.with_current(py, |exchange| {
                match journal::has_fields() || exchange.names_requests() {
                    true => exchange.request_id().to_owned(),
                    false => String::new(),
                }
            })
        });
        id.unwrap_or_default()
    }

    fn finish(&mut self) -> Vec<(Stream<'static>, String)> {
        let mut entries = Vec::new();
        self.stdout
            .finish(|text| entries.push((Stream::Stdout, text.to_owned())));
        self.stderr
            .finish(|text| entries.push((Stream::Stderr, text.to_owned())));
        entries
    }
}

impl Drop for Speaker {
    /// A thread ends.
    fn drop(&mut self) {
        for (stream, text) in self.finish() {
            say("", stream, &text);
        }
    }
}

/// Replaces `sys.stdout` and `sys.stderr`; to be called before the application is imported.
pub(crate) fn install(py: Python<'_>) -> PyResult<()> {
    let (sys, wrapper) = (
        py.import("sys")?,
        py.import("io")?.getattr("TextIOWrapper")?,
    );
    for (name, is_stderr) in [("stdout", false), ("stderr", true)] {
        let raw = Bound::new(py, Output { is_stderr })?;
        let options = PyDict::new(py);
        options.set_item("encoding", "utf-8")?;
        options.set_item("errors", ERRORS)?;
        // Python must keep nothing back: it would be lost in a crash, and written twice after a fork.
        options.set_item("write_through", true)?;
        sys.setattr(name, wrapper.call((raw,), Some(&options))?)?;
    }
    Ok(())
}

/// From now on the descriptors 1 and 2 of this process lead to `pipe`.
pub(crate) fn redirect(pipe: &OwnedFd) -> std::io::Result<()> {
    dup2_stdout(pipe)?;
    dup2_stderr(pipe)?;
    Ok(())
}

/// The calling thread serves; its requests are found by `link`.
pub(crate) fn attach(py: Python<'_>, link: &Arc<Link>) {
    with_speaker(py, |speaker| speaker.link = Some(Arc::clone(link)));
}

/// The calling greenlet serves; its request is found by `link`.
pub(crate) fn speak_for(py: Python<'_>, link: &Arc<Link>) -> PyResult<()> {
    let mut speaker = Speaker::default();
    speaker.link = Some(Arc::clone(link));
    let speaker = Bound::new(py, GreenSpeaker(Mutex::new(speaker)))?;
    green::set_speaker(py, speaker.as_any())
}

/// What the calling thread says next belongs to something else: what it has begun to say is an entry.
pub(crate) fn finish(py: Python<'_>) {
    with_speaker(py, |speaker| {
        if speaker.stdout.is_empty() && speaker.stderr.is_empty() {
            return;
        }
        let request_id = speaker.request_id(py);
        for (stream, text) in speaker.finish() {
            say(&request_id, stream, &text);
        }
    });
}

/// The name of the request that the calling thread is at, made if it has none yet; empty outside of a request.
pub(crate) fn request_id(py: Python<'_>) -> String {
    let mut id = String::new();
    with_speaker(py, |speaker| {
        let link = speaker.link.as_ref().filter(|link| link.is_open());
        let found = link
            .and_then(|link| link.with_current(py, |exchange| exchange.request_id().to_owned()));
        id = found.unwrap_or_default();
    });
    id
}

/// The class `hostler.JournalHandler`; `logging` is imported only for those who want it.
pub(crate) fn journal_handler(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let names = PyDict::new(py);
    names.set_item("__name__", "hostler")?;
    names.set_item("send", wrap_pyfunction!(send, py)?)?;
    py.run(&CString::new(HANDLER)?, Some(&names), None)?;
    names.as_any().get_item("JournalHandler")
}

/// Logs one record of `logging`.
#[pyfunction]
#[pyo3(signature = (text, level, logger, file, line, function, /))]
fn send(
    py: Python<'_>,
    text: &str,
    level: i64,
    logger: &str,
    file: &str,
    line: u32,
    function: Option<&str>,
) {
    with_speaker(py, |speaker| {
        journal::say(&Words {
            role: None,
            stream: Stream::Logger(logger),
            priority: Some(Priority::of_python(level)),
            text,
            request_id: &speaker.request_id(py),
            code: Some(Code {
                file,
                line,
                function: function.unwrap_or_default(),
            }),
        });
    });
}

fn say(request_id: &str, stream: Stream<'_>, text: &str) {
    journal::say(&Words {
        role: None,
        stream,
        priority: None,
        text,
        request_id,
        code: None,
    });
}

/// A thread that ends has no speaker any more, and what it still says is lost.
fn with_speaker(py: Python<'_>, act: impl FnOnce(&mut Speaker)) {
    let greenlet = green::speaker(py);
    if let Some(speaker) = greenlet
        .as_ref()
        .and_then(|speaker| speaker.cast::<GreenSpeaker>().ok())
    {
        if let Ok(mut speaker) = speaker.get().0.try_lock() {
            act(&mut speaker);
        }
        return;
    }
    let _ = SPEAKER.try_with(|speaker| {
        if let Ok(mut speaker) = speaker.try_borrow_mut() {
            act(&mut speaker);
        }
    });
}
