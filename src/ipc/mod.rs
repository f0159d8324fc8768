//! The typed messages between supervisor, zygote and workers, with file descriptors attached.
//!
//! [`Channel`] carries them, `message` says what they are. A message is one datagram: the version of the program, a
//! line feed, and JSON (which is in a file beside it when it is long); so a program and an extension of different versions notice at the first word, whatever has
//! changed between them. JSON because these are a handful of messages in the life of a process, and people read them
//! with strace.

mod channel;
mod large;
mod message;

pub use channel::{Channel, IpcError};
pub use message::*;
