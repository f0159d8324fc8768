//! The typed messages between supervisor, zygote and workers, with file descriptors attached.

mod message;

pub use message::*;
