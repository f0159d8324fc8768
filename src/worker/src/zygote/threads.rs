//! Which threads the process has besides the calling one, in words that lead the site's owner to their origin.

use std::{collections::BTreeMap, fs, io};

use hostler::sys::{self, Fork, ThreadRule};
use pyo3::prelude::*;
use rustix::{
    event::{Timespec, poll},
    thread::gettid,
};

use super::fork::reap;
use crate::green;

/// How often, and how long each time, a thread that Python does not know may still be seen before it counts. One that
/// was joined a moment ago is still on its way out of the kernel, and the kernel has no event for its last step.
const PATIENCE: (u32, Timespec) = (
    50,
    Timespec {
        tv_sec: 0,
        tv_nsec: 2_000_000,
    },
);

/// One description for each Python thread, one for each kind of native ones.
pub(super) fn others(py: Python<'_>) -> io::Result<Vec<String>> {
    let mut native = native_threads(&[])?;
    if native.is_empty() {
        return Ok(native);
    }
    let mut python = python_threads(py);
    if python.is_empty() {
        // If it fails, its threads are named in the refusal.
        let _ = green::end_helpers(py);
        let_libraries_end_theirs();
        for _ in 0..PATIENCE.0 {
            python = python_threads(py);
            native = native_threads(&python)?;
            if native.is_empty() {
                break;
            }
            py.detach(|| poll(&mut [], Some(&PATIENCE.1)))?;
        }
    } else {
        native = native_threads(&python)?;
    }
    let mut kinds: BTreeMap<String, u32> = BTreeMap::new();
    for name in native {
        *kinds.entry(name).or_default() += 1;
    }
    let native = kinds.into_iter().map(|(name, count)| match count {
        1 => format!("a native thread{name}"),
        _ => format!("{count} native threads{name}"),
    });
    Ok(python
        .into_iter()
        .map(|(_, description)| description)
        .chain(native)
        .collect())
}

/// Libraries that are written to be forked end their threads before (pthread_atfork(3)) and start new ones when they
/// have work, in the worker too: OpenBLAS does, which numpy starts when it is imported. So they are told of a fork, that
/// of a child that ends at once; what is still there afterwards belongs to somebody who does not know of forks.
fn let_libraries_end_theirs() {
    match sys::fork(ThreadRule::AllowMany) {
        Ok(Fork::Child) => sys::exit_without_cleanup(0),
        Ok(Fork::Parent(child)) => reap(child),
        // The threads stay, and are named in the refusal.
        Err(_) => {}
    }
}

/// Kernel ids and descriptions of the threads that module `threading` knows, the calling one left out.
fn python_threads(py: Python<'_>) -> Vec<(i32, String)> {
    let own = gettid().as_raw_nonzero().get();
    let list = || -> PyResult<Vec<(i32, String)>> {
        let threads = py.import("threading")?.call_method0("enumerate")?;
        let mut found = Vec::new();
        for thread in threads.try_iter()? {
            let thread = thread?;
            let id: Option<i32> = thread.getattr("native_id")?.extract()?;
            if let Some(id) = id.filter(|id| *id != own) {
                found.push((id, describe(&thread)?));
            }
        }
        Ok(found)
    };
    // Whatever is wrong with module `threading` of this application: its threads then count as native ones.
    list().unwrap_or_default()
}

/// `"metrics" (runs push at /srv/shop/metrics.py:12)`.
fn describe(thread: &Bound<'_, PyAny>) -> PyResult<String> {
    let name: String = thread.getattr("name")?.extract()?;
    let place = || -> PyResult<String> {
        let target = match thread.getattr_opt("_target")? {
            Some(target) if !target.is_none() => target,
            _ => thread.get_type().getattr("run")?,
        };
        let code = target.getattr("__code__")?;
        let function: String = target.getattr("__qualname__")?.extract()?;
        let file: String = code.getattr("co_filename")?.extract()?;
        let line: u32 = code.getattr("co_firstlineno")?.extract()?;
        Ok(format!(" (runs {function} at {file}:{line})"))
    };
    Ok(format!("{name:?}{}", place().unwrap_or_default()))
}

/// The threads that are neither the calling one nor among `known`, each as ` called "name"`; a thread that has no name
/// of its own has that of its process, which is ours and would mislead.
fn native_threads(known: &[(i32, String)]) -> io::Result<Vec<String>> {
    let own = gettid().as_raw_nonzero().get();
    let inherited = fs::read_to_string(format!("/proc/self/task/{own}/comm"))?;
    let mut names = Vec::new();
    for entry in fs::read_dir("/proc/self/task")? {
        let entry = entry?;
        let id = entry
            .file_name()
            .to_str()
            .and_then(|id| id.parse::<i32>().ok());
        if id.is_none_or(|id| id == own || known.iter().any(|(known, _)| *known == id)) {
            continue;
        }
        // No such file: it has ended meanwhile.
        if let Ok(name) = fs::read_to_string(entry.path().join("comm")) {
            let is_own = name != inherited;
            names.push(if is_own {
                format!(" called {:?}", name.trim_end())
            } else {
                String::new()
            });
        }
    }
    Ok(names)
}
