//! The service manager: its protocol (readiness, watchdog, reload, inherited sockets), and the units that it is given.
//!
//! Without a service manager (no `$NOTIFY_SOCKET`, no `$LISTEN_FDS`) everything here does nothing. The variables of
//! the protocol are the supervisor's alone: [`PRIVATE_VARIABLES`] must not reach zygote and workers, or any of them
//! could speak in its name.

mod credentials;
mod inherited;
mod notify;
mod pressure;
pub(crate) mod units;

pub(crate) use credentials::{CredentialError, variables as credential_variables};
pub(crate) use inherited::{Inherited, InheritedError, inherited};
pub(crate) use notify::{Notifier, watchdog_interval};
pub(crate) use pressure::{Figures, MemoryPressure, Teller};

/// Variables that a child must not see (sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3); the way to a supervisor
/// before this one; the mark of the units).
pub(crate) const PRIVATE_VARIABLES: [&str; 8] = [
    "HOSTLER_SUCCESSION",
    units::MARK,
    "LISTEN_FDNAMES",
    "LISTEN_FDS",
    "LISTEN_PID",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
];
