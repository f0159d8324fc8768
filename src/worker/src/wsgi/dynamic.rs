//! Applications that the front server names with each request (`[dynamic-apps]`), loaded when the first request asks.
//!
//! uWSGI loads whatever a packet names. Here a request can only choose from the list of the settings.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use hostler::{
    config::{DynamicApps, Settings, Target},
    ipc::LoadFailure,
    serve::Exchange,
};
use pyo3::prelude::*;

use crate::app::{self, Wanted};

/// What PEP 3333's examples call it, and uWSGI where nothing else is said.
const USUAL_CALLABLE: &str = "application";
/// Different callables that are kept; the names of modules are limited by the settings, those of callables are not.
const MOST: usize = 256;

/// What a request names.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Named {
    /// A module, or the path of a file.
    source: String,
    is_file: bool,
    callable: String,
}

/// See the module.
pub(crate) struct DynamicApplications {
    settings: DynamicApps,
    found: Mutex<HashMap<Named, Arc<Py<PyAny>>>>,
}

impl DynamicApplications {
    /// `None` when requests have no say.
    pub(crate) fn new(settings: &Settings) -> Option<Self> {
        let settings = settings.dynamic_apps.clone();
        settings.enabled.then(|| Self {
            settings,
            found: Mutex::default(),
        })
    }

    /// The application that the request names; `None`: it names none.
    ///
    /// # Errors
    /// It may not be named, or cannot be loaded.
    pub(super) fn find(
        &self,
        py: Python<'_>,
        exchange: &Exchange<'_>,
    ) -> Option<Result<Arc<Py<PyAny>>, LoadFailure>> {
        let named = Named::by(exchange)?;
        let known = self.found().get(&named).cloned();
        Some(known.map_or_else(|| self.load(py, named), Ok))
    }

    fn load(&self, py: Python<'_>, named: Named) -> Result<Arc<Py<PyAny>>, LoadFailure> {
        if !self.settings.allow.contains(&named.source) {
            return Err(app::failure(format!(
                "the front server asks for `{}`, which is not in dynamic-apps.allow",
                named.source
            )));
        }
        let target = match named.is_file {
            true => Target::File {
                path: Path::new(&named.source),
            },
            false => Target::Module {
                name: &named.source,
            },
        };
        // Not locked meanwhile: an import may run for long, and let other threads run.
        let application = Arc::new(app::load(
            py,
            &Wanted {
                target,
                callable: &named.callable,
                section: "dynamic-apps",
            },
        )?);
        let mut found = self.found();
        if found.len() >= MOST {
            found.clear();
        }
        Ok(Arc::clone(found.entry(named).or_insert(application)))
    }

    fn found(&self) -> std::sync::MutexGuard<'_, HashMap<Named, Arc<Py<PyAny>>>> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Named {
    /// `UWSGI_FILE` is a file, `UWSGI_SCRIPT` and `UWSGI_MODULE` are modules, perhaps with the callable behind a colon.
    fn by(exchange: &Exchange<'_>) -> Option<Self> {
        let said = |name: &str| {
            let value = exchange.gateway_variable(name.as_bytes());
            let value = String::from_utf8_lossy(value).into_owned();
            (!value.is_empty()).then_some(value)
        };
        let callable = said("UWSGI_CALLABLE");
        let usual = || USUAL_CALLABLE.to_owned();
        if let Some(source) = said("UWSGI_FILE") {
            return Some(Self {
                source,
                is_file: true,
                callable: callable.unwrap_or_else(usual),
            });
        }
        let module = said("UWSGI_SCRIPT").or_else(|| said("UWSGI_MODULE"))?;
        let (module, behind) = match module.split_once(':') {
            Some((module, behind)) => (module.to_owned(), Some(behind.to_owned())),
            None => (module, None),
        };
        Some(Self {
            source: module,
            is_file: false,
            callable: behind.or(callable).unwrap_or_else(usual),
        })
    }
}
