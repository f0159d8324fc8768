//! hostler, the systemd-native application server for Python: the table of contents.
//!
//! `pub mod` is what the extension (`src/worker`, the half that runs inside Python) may use; `mod` is the
//! supervisor's own. Which room may use which is written in ARCHITECTURE.md and held by `tests/tidy.rs`.

pub mod affinity;
pub mod config;
pub mod environ;
pub mod ipc;
pub mod journal;
pub mod protocol;
pub mod scoreboard;
pub mod serve;
#[expect(
    unsafe_code,
    reason = "the one room where system calls that need unsafe live, behind safe functions"
)]
pub mod sys;
pub mod tls;

mod cgi;
mod cli;
mod compare;
mod convert;
mod doctor;
mod listener;
mod metrics;

mod static_files;
mod stats;
mod supervisor;
mod systemd;
mod top;

/// The reader of what programs say, for its fuzz target; no interface.
#[doc(hidden)]
pub use cgi::output as cgi_output;
pub use cli::main;
/// The reader of uWSGI's configurations, for its comparison with uWSGI and for its fuzz target; no interface.
#[doc(hidden)]
pub use convert::outside as convert_outside;
/// Answers about files, for their fuzz target; no interface.
#[doc(hidden)]
pub use static_files::outside as static_files_outside;
