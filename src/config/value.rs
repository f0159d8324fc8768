//! Values that can be wrong, each a type of its own, parsed from the string in the file.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};

/// A span of time in systemd's notation (systemd.time(7)): `"90s"`, `"1min 30s"`, `"500ms"`, `"0"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeSpan(pub Duration);

/// A size in bytes in systemd's notation (base 1024): `"64K"`, `"1G"`, `"0"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ByteSize(pub u64);

/// An octal file mode, `"0660"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileMode(pub u32);

/// Where a listener is bound: `host:port`, `:port`, `[v6]:port`, `/path` or `unix:/path`, `@abstract`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Address {
    /// A name in Linux's abstract socket namespace, without the `@`.
    Abstract(String),
    /// Host and port; the host `None` is every address of the machine, port 0 is any free one.
    Tcp {
        /// A name, or an IPv4 or IPv6 address without brackets.
        host: Option<String>,
        /// TCP port.
        port: u16,
    },
    /// A path in the file system.
    Unix(PathBuf),
}
