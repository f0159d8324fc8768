//! With a service manager, which is told of the new main process.
