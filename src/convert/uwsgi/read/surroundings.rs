//! What a configuration may ask of the machine it is read on. A trait, so that tests and the fuzz target say what
//! the machine is like.

use std::io;

/// What there is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A directory.
    Directory,
    /// An ordinary file.
    File,
    /// Anything else, a socket for example.
    Other,
}

/// Whoever runs the program, as magic variables name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    /// `%u`
    pub(crate) uid: u32,
    /// `%U`
    pub(crate) user: String,
    /// `%g`
    pub(crate) gid: u32,
    /// `%G`
    pub(crate) group: String,
}

/// The machine that a configuration is read on. Paths are absolute; nothing is ever run.
pub(crate) trait Surroundings {
    /// The environment.
    fn variables(&self) -> Vec<(String, String)>;
    /// One variable of the environment.
    fn variable(&self, name: &str) -> Option<String> {
        let mut variables = self.variables().into_iter();
        variables.find_map(|(known, value)| (known == name).then_some(value))
    }
    /// The working directory.
    fn directory(&self) -> String;
    /// The host's name.
    fn host_name(&self) -> String;
    /// Processors that are online.
    fn cpus(&self) -> usize;
    /// Who runs this.
    fn identity(&self) -> Identity;
    /// Seconds and microseconds since 1970.
    fn now(&self) -> (u64, u32);
    /// `%V`, of the uWSGI that the configuration is for.
    fn uwsgi_version(&self) -> String;
    /// `%b`, where that uWSGI lies.
    fn uwsgi_path(&self) -> String;
    /// What there is at a path, symlinks followed.
    fn kind(&self, path: &str) -> Option<Kind>;
    /// Whether a file or directory may be read by us.
    fn readable(&self, path: &str) -> bool;
    /// Whether there is a symlink at a path.
    fn is_link(&self, path: &str) -> bool;
    /// The inode at a path, of a symlink itself.
    fn inode(&self, path: &str) -> Option<u64>;
    /// The path without symlinks and dots.
    fn canonical(&self, path: &str) -> Option<String>;
    /// The names in a directory.
    fn entries(&self, path: &str) -> Vec<String>;
    /// The content of a file, of which no more than `limit` bytes.
    ///
    /// # Errors
    /// It cannot be read, or is longer.
    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>>;
    /// The IPv4 address of a host.
    fn address(&self, host: &str) -> Option<String>;
}
