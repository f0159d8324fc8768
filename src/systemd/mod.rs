//! The protocol of the service manager: readiness, watchdog, reload, inherited sockets.
