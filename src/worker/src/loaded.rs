//! Which files the modules of the application were loaded from, for `reload.py-autoreload`.

use std::{collections::HashSet, path::PathBuf};

use pyo3::{prelude::*, types::PyDict};

/// Bytes of names in one message; the channel takes 128 KiB.
const MESSAGE: usize = 64 << 10;

/// The files that were told of.
#[derive(Default)]
pub(crate) struct Loaded {
    /// How many modules there were at the last look.
    modules: usize,
    files: HashSet<PathBuf>,
}

impl Loaded {
    /// Files that have come since the last look, in portions for one message each. Modules that a later import has
    /// replaced in `sys.modules` stay unseen until there are more or fewer of them.
    ///
    /// # Errors
    /// `sys.modules` is none.
    pub(crate) fn news(&mut self, py: Python<'_>) -> PyResult<Vec<Vec<PathBuf>>> {
        let modules = py
            .import("sys")?
            .getattr("modules")?
            .cast_into::<PyDict>()?;
        if modules.len() == self.modules {
            return Ok(Vec::new());
        }
        self.modules = modules.len();
        let mut portions = Vec::new();
        let (mut portion, mut length) = (Vec::new(), 0);
        for module in modules.values() {
            // Built-in modules have no file, namespace packages have None, and anything may be in `sys.modules`.
            let file = module
                .getattr("__file__")
                .and_then(|file| file.extract::<String>());
            let Some(file) = file.ok().map(PathBuf::from) else {
                continue;
            };
            if file.is_absolute() && self.files.insert(file.clone()) {
                length += file.as_os_str().len() + 4;
                portion.push(file);
                if length > MESSAGE {
                    portions.push(std::mem::take(&mut portion));
                    length = 0;
                }
            }
        }
        if !portion.is_empty() {
            portions.push(portion);
        }
        Ok(portions)
    }
}
