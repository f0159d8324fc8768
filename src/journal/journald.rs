//! Events in journald's native protocol, with the fields of the site and of the process.

use std::{
    io,
    sync::{PoisonError, RwLock, RwLockReadGuard},
};

use tracing::{
    Event, Subscriber,
    span::{Attributes, Id, Record},
};
use tracing_journald::{Priority, PriorityMappings};
use tracing_subscriber::{Layer, layer::Context, registry::LookupSpan};

use super::Role;

/// The crate's layer for the role that this process has; it is made anew when the role changes, because its constant
/// fields cannot change.
pub(super) struct JournaldLayer {
    site: String,
    current: RwLock<(Role, tracing_journald::Layer)>,
}

impl JournaldLayer {
    /// Fails when journald does not listen.
    pub(super) fn connect(site: String) -> io::Result<Self> {
        let role = super::role();
        let layer = connect_as(&site, role)?;
        Ok(Self {
            site,
            current: RwLock::new((role, layer)),
        })
    }

    fn current(&self) -> RwLockReadGuard<'_, (Role, tracing_journald::Layer)> {
        self.current.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn follow_role(&self) {
        let role = super::role();
        let known = self
            .current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        if known == role {
            return;
        }
        // A journal that has gone away cannot be told; the old connection may find it again.
        if let Ok(layer) = connect_as(&self.site, role) {
            *self.current.write().unwrap_or_else(PoisonError::into_inner) = (role, layer);
        }
    }
}

impl<S: Subscriber + for<'span> LookupSpan<'span>> Layer<S> for JournaldLayer {
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        self.follow_role();
        self.current().1.on_event(event, context);
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        self.current().1.on_new_span(attributes, id, context);
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.current().1.on_record(id, values, context);
    }
}

fn connect_as(site: &str, role: Role) -> io::Result<tracing_journald::Layer> {
    let layer = tracing_journald::Layer::new()?
        .with_field_prefix(Some("HOSTLER".into()))
        .with_syslog_identifier("hostler".into())
        .with_priority_mappings(PriorityMappings {
            error: Priority::Error,
            warn: Priority::Warning,
            info: Priority::Informational,
            debug: Priority::Debug,
            trace: Priority::Debug,
        })
        .with_custom_fields([("HOSTLER_SITE", site)]);
    Ok(match role {
        Role::Supervisor => layer.with_custom_fields([("HOSTLER_ROLE", "supervisor")]),
        Role::Zygote => layer.with_custom_fields([("HOSTLER_ROLE", "zygote")]),
        Role::Worker(slot) => {
            let slot = slot.to_string();
            layer.with_custom_fields([("HOSTLER_ROLE", "worker"), ("HOSTLER_WORKER", &slot)])
        }
    })
}
