//! All applications of a site, each loaded once, by the numbers that the engine chooses from.

use hostler::{config::Settings, ipc::LoadFailure, serve::ApplicationNumber};
use pyo3::prelude::*;

use super::{Wanted, load};

/// See the module.
pub(crate) struct Applications {
    /// `None` for an `[app]` that names none.
    by_number: Vec<Option<Py<PyAny>>>,
}

impl Applications {
    /// Imports that of `[app]`, then those of `[[mount]]` in their order.
    ///
    /// # Errors
    /// One of them cannot be loaded: a site serves all of its applications or does not start.
    pub(crate) fn load(py: Python<'_>, settings: &Settings) -> Result<Self, LoadFailure> {
        let app = &settings.app;
        let own = app.target().map(|target| Wanted {
            target,
            callable: app.callable_name(),
            section: "app",
        });
        let mounted = settings.mount.iter().map(|mount| {
            mount.target().map(|target| Wanted {
                target,
                callable: mount.callable_name(),
                section: "mount",
            })
        });
        let all = std::iter::once(own).chain(mounted);
        let loaded = all.map(|wanted| wanted.map(|wanted| load(py, &wanted)).transpose());
        Ok(Self {
            by_number: loaded.collect::<Result<_, _>>()?,
        })
    }

    /// The callable with this number; the engine asks for none that is not there.
    pub(crate) fn find(&self, number: ApplicationNumber) -> Option<&Py<PyAny>> {
        self.by_number.get(number as usize)?.as_ref()
    }
}
