//! What zygote and workers give up before the application is imported: capabilities(7), and gaining new privileges by
//! an exec; on wish, to be looked into by others.

use std::io;

use caps::{CapSet, Capability, CapsHashSet};
use rustix::process::{DumpableBehavior, set_dumpable_behavior};

/// What could not be given up.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    /// capset(2) or prctl(2) failed.
    #[error("cannot drop capabilities")]
    Capabilities(#[source] caps::errors::CapsError),
    /// prctl(2) failed.
    #[error("cannot forbid core dumps")]
    Dumpable(#[source] io::Error),
    /// prctl(2) failed.
    #[error("cannot set no-new-privs")]
    NoNewPrivileges(#[source] io::Error),
}

/// Drops every capability of the calling thread for good and makes set-user-ID programs powerless in it and its
/// children (PR_SET_NO_NEW_PRIVS). Root is no exception: what is left of it is a user who owns the system's files.
/// Call it while there is one thread.
pub fn drop_privileges() -> Result<(), PrivilegeError> {
    drop_capabilities().map_err(PrivilegeError::Capabilities)?;
    rustix::thread::set_no_new_privs(true)
        .map_err(|errno| PrivilegeError::NoNewPrivileges(errno.into()))
}

/// No core dump of this process and its children holds what they know, and no other process of the same user can
/// trace them or read their memory (PR_SET_DUMPABLE).
pub fn forbid_dumps() -> Result<(), PrivilegeError> {
    set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|errno| PrivilegeError::Dumpable(errno.into()))
}

fn drop_capabilities() -> Result<(), caps::errors::CapsError> {
    // The bounding set is what a program started by root would get back; only CAP_SETPCAP may shrink it, and whoever
    // lacks that is not root and gets nothing back.
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP)? {
        for capability in caps::read(None, CapSet::Bounding)? {
            caps::drop(None, CapSet::Bounding, capability)?;
        }
    }
    caps::clear(None, CapSet::Ambient)?;
    // Whoever has none needs no capset(2), which a service's filter of system calls may forbid.
    let permitted = caps::read(None, CapSet::Permitted)?;
    if permitted.is_empty() && caps::read(None, CapSet::Inheritable)?.is_empty() {
        return Ok(());
    }
    let none = CapsHashSet::new();
    caps::set(None, CapSet::Inheritable, &none)?;
    caps::set(None, CapSet::Effective, &none)?;
    caps::set(None, CapSet::Permitted, &none)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Capabilities belong to a thread, so that one of its own can be stripped.
    #[test]
    fn nothing_is_left_whoever_one_is() {
        let left = thread::spawn(|| {
            drop_privileges().unwrap();
            assert!(rustix::thread::no_new_privs().unwrap());
            let sets = [CapSet::Permitted, CapSet::Effective, CapSet::Inheritable];
            sets.map(|set| caps::read(None, set).unwrap().len())
        });
        assert_eq!(left.join().unwrap(), [0, 0, 0]);
    }
}
