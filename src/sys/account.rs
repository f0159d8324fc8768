//! The account that a new program runs under, for whoever is started as root.

use std::io;

/// User, group and further groups, by number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The user.
    pub user: u32,
    /// The group.
    pub group: u32,
    /// All further groups.
    pub groups: Vec<u32>,
}

impl Account {
    /// Makes the calling process one of this account for good. Between fork and exec: nothing here allocates. The
    /// user comes last, since it is the one who may change the others.
    pub(super) fn enter(&self) -> io::Result<()> {
        // SAFETY: the list has as many elements as it is said to have; the calls only change ids of this process, which
        // has one thread after a fork.
        let results = unsafe {
            [
                libc::setgroups(self.groups.len(), self.groups.as_ptr()),
                libc::setresgid(self.group, self.group, self.group),
                libc::setresuid(self.user, self.user, self.user),
            ]
        };
        match results {
            [0, 0, 0] => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }
}
