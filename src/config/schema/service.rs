//! `[service]`: what the service manager is told about the site.

use std::{collections::BTreeMap, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::value::{ByteSize, FileMode, OneOrMore, Percent};

/// `[service]`
///
/// The generator turns it into drop-ins of `hostler@NAME.service` (systemd.exec(5), systemd.resource-control(5)). The
/// server itself reads `user`, `group` and `supplementary-groups` when it was started as root, and the credentials.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Service {
    /// Who runs the site, a name or a number. Without it the user `hostler`.
    pub user: Option<String>,
    /// The group that runs the site, a name or a number. Without it the user's own group.
    pub group: Option<String>,
    /// Further groups of the user that runs the site.
    pub supplementary_groups: Vec<String>,
    /// Units that are started before the site, if they are started at all.
    pub after: Vec<String>,
    /// Units that are started together with the site; that they fail does not matter to it.
    pub wants: Vec<String>,
    /// Units without which the site is not started.
    pub requires: Vec<String>,
    /// Memory of all processes together beyond which the kernel ends one of them; 0: no limit.
    pub memory_max: ByteSize,
    /// Memory of all processes together beyond which they are slowed down and their memory is reclaimed; 0: no limit.
    pub memory_high: ByteSize,
    /// Processor time of all processes together; `200%` is two processors.
    pub cpu_quota: Option<Percent>,
    /// Most processes and threads at a time; 0: what the service manager gives to every service.
    pub tasks_max: u64,
    /// Most open descriptors of each process; 0: 65536, or `limits.max-fd` when that is more.
    pub limit_nofile: u64,
    /// Priority of the processes, from -20 (first) to 19 (last).
    pub nice: i32,
    /// Files and directories that the site may write to; it sees all others read-only, but for its own directories
    /// under `/run/hostler`, `/var/lib/hostler`, `/var/cache/hostler` and `/var/log/hostler`, and its own `/tmp`.
    pub read_write_paths: Vec<PathBuf>,
    /// Files and directories that it may not write to, inside of those that it may.
    pub read_only_paths: Vec<PathBuf>,
    /// Environment of the service, and so of the interpreter; what only the application reads belongs to `app.env`.
    pub environment: BTreeMap<String, String>,
    /// Secrets: a name, and the file that only root needs to be able to read. The service finds it under its name in
    /// `$CREDENTIALS_DIRECTORY`.
    pub credentials: BTreeMap<String, PathBuf>,
    /// Environment variables of the application, each with the name of the credential whose content it gets.
    pub env_credentials: BTreeMap<String, String>,
    /// Parts of the sandbox that the site cannot live with, by name.
    pub relax: Vec<Relaxation>,
    /// Permissions that new files do not get (umask(2)). Without it `0027` as a service, else that of whoever has
    /// started hostler.
    pub umask: Option<FileMode>,
    /// Commands that run before the site starts, each a program and its arguments.
    pub exec_start_pre: Vec<Vec<String>>,
    /// Commands that run once the site serves.
    pub exec_start_post: Vec<Vec<String>>,
    /// Commands that run when the site has ended.
    pub exec_stop_post: Vec<Vec<String>>,
    /// Other directives of the service's section, each with its value or a list of values: `{ IOWeight = "50" }`.
    pub directives: BTreeMap<String, OneOrMore<String>>,
}

/// A part of the sandbox that can be left out; what each of them means in directives is in `systemd/units/relax`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Relaxation {
    /// Sockets of every family: packet sockets, Bluetooth, CAN.
    AddressFamilies,
    /// Character devices, as their files allow it: GPUs, serial lines.
    Devices,
    /// Home directories can be read.
    Home,
    /// Memory that is written to and then executed: numba, PyPy, torch's compiler.
    Jit,
    /// Namespaces and mounts: headless browsers, bubblewrap.
    Namespaces,
    /// The processes of other users are seen.
    Processes,
    /// Tracing of the site's own processes: profilers, debuggers.
    Ptrace,
    /// Every system call.
    SystemCalls,
    /// The machine's `/tmp` and `/var/tmp` in place of the site's own.
    Tmp,
    /// Owners of files are seen as they are.
    Users,
}
