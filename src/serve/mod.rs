//! The life of a connection: read, route, call, write, keep alive, drain; the application is a trait.
//!
//! One [`Engine`] is a worker's: an epoll instance whose threads are all leaders in turn. Each waits, takes one ready
//! connection, reads and parses it, calls the [`Application`], writes, and waits again; no request is handed from one
//! thread to another. Nothing here knows Python, so the engine runs (and is tested) without an interpreter, and no
//! state is tied to a thread, so that a foreign event loop may own the waiting (`foreign`).
//!
//! Read in this order: `engine` (the loop), `drive`, `request` and `finish` (what a connection does next), `connection`,
//! `exchange` (one request and its response), `flusher` (which sends on while the application makes more), then `records`
//! (what FastCGI has beside), `program` (requests that a CGI program answers), `accept`, `proxied`, `waiting`, `sweep`, `drain`, `body`, `output`, `watch`, `table`, `timers`.

pub mod reader;

mod accept;
mod access;
mod application;
mod body;
mod clock;
mod compression;
mod connection;
mod drain;
mod drive;
mod encryption;
mod engine;
mod exchange;
mod finish;
mod flusher;
mod foreign;
mod handover;
mod handshake;
mod headers;
mod local;
mod making_way;
mod mounts;
mod nobody;
mod output;
mod own;
mod pages;
mod peer;
mod program;
mod proxied;
mod records;
mod redirect;
mod refuse;
mod request;
mod request_id;
mod route;
mod rules;
mod standby;
mod sweep;
mod table;
#[cfg(test)]
mod tests;
mod timers;
mod turns;
mod waiting;
mod watch;
mod wire;

pub use accept::ListeningSocket;
pub use application::Application;
pub use engine::{Engine, EngineError, Plan};
pub use exchange::{BodySupply, Exchange, HELD_FROM, Progress, ResponseHead};
pub use foreign::{Seat, Waiting};
pub use handover::Handover;
pub use mounts::ApplicationNumber;
pub use output::Held;
pub use pages::PageError;
pub use watch::Watches;

pub use crate::static_files::MediaTypesError;
