//! What a worker gives up before the first request: capabilities(7), and gaining new privileges by an exec.

use std::io;

use caps::{CapSet, Capability, CapsHashSet};

/// Root keeps these. A superuser without them still owns root's files but could not read the application's when
/// another user owns it, as in a container with a mounted source tree: a failure that nobody would understand, for
/// no gain, since what root may do to root's own files is harm enough. Whoever wants less runs as another user.
const KEPT_BY_ROOT: [Capability; 5] = [
    Capability::CAP_CHOWN,
    Capability::CAP_DAC_OVERRIDE,
    Capability::CAP_DAC_READ_SEARCH,
    Capability::CAP_FOWNER,
    Capability::CAP_FSETID,
];

/// What could not be given up.
#[derive(Debug, thiserror::Error)]
pub enum PrivilegeError {
    /// capset(2) or prctl(2) failed.
    #[error("cannot drop capabilities")]
    Capabilities(#[source] caps::errors::CapsError),
    /// prctl(2) failed.
    #[error("cannot set no-new-privs")]
    NoNewPrivileges(#[source] io::Error),
}

/// Drops every capability of the calling thread for good (root keeps access to files, see the source) and makes
/// set-user-ID programs powerless in it and its children (PR_SET_NO_NEW_PRIVS). Call it while there is one thread.
pub fn drop_privileges() -> Result<(), PrivilegeError> {
    let root = rustix::process::geteuid().is_root();
    shrink_capabilities(if root { &KEPT_BY_ROOT } else { &[] })
        .map_err(PrivilegeError::Capabilities)?;
    rustix::thread::set_no_new_privs(true)
        .map_err(|errno| PrivilegeError::NoNewPrivileges(errno.into()))
}

fn shrink_capabilities(keep: &[Capability]) -> Result<(), caps::errors::CapsError> {
    // The bounding set is what a program started by root would get back; only CAP_SETPCAP may shrink it, and whoever
    // lacks that is not root and gets nothing back.
    if caps::has_cap(None, CapSet::Effective, Capability::CAP_SETPCAP)? {
        for capability in caps::read(None, CapSet::Bounding)? {
            if !keep.contains(&capability) {
                caps::drop(None, CapSet::Bounding, capability)?;
            }
        }
    }
    caps::clear(None, CapSet::Ambient)?;
    let permitted = caps::read(None, CapSet::Permitted)?;
    // Whoever has none needs no capset(2), which a service's filter of system calls may forbid.
    if permitted.is_empty() && caps::read(None, CapSet::Inheritable)?.is_empty() {
        return Ok(());
    }
    let kept: CapsHashSet = keep
        .iter()
        .copied()
        .filter(|one| permitted.contains(one))
        .collect();
    caps::clear(None, CapSet::Inheritable)?;
    caps::set(None, CapSet::Effective, &kept)?;
    caps::set(None, CapSet::Permitted, &kept)
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    /// Capabilities belong to a thread, so that one of its own can be stripped.
    #[test]
    fn nothing_is_left_but_what_root_keeps() {
        let left = thread::spawn(|| {
            drop_privileges().unwrap();
            assert!(rustix::thread::no_new_privs().unwrap());
            caps::read(None, CapSet::Permitted).unwrap()
        });
        let root = rustix::process::geteuid().is_root();
        let allowed: &[Capability] = if root { &KEPT_BY_ROOT } else { &[] };
        assert!(
            left.join()
                .unwrap()
                .iter()
                .all(|capability| allowed.contains(capability))
        );
    }
}
