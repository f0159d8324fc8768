//! Unix listeners: a file with the right owner and mode from its first moment, and no file left behind.

use std::{
    cell::Cell,
    fs, io,
    os::{
        fd::OwnedFd,
        unix::fs::{FileTypeExt, MetadataExt, PermissionsExt, chown},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use rustix::{
    fs::{Mode, fchmod},
    io::Errno,
    net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, socket_with},
};

use crate::config::Listen;

use super::{ListenError, failed, start};

/// Mode of a socket's file when the settings name none. Whoever may connect with the uwsgi protocol sets any variable
/// of the application, REMOTE_USER for one; so the owner and the group may, and others only when the settings say so.
const DEFAULT_MODE: u32 = 0o660;

/// The file of a socket that was bound; dropping it removes the file if it is still the same, and ours.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
    is_owned: Cell<bool>,
}

/// Binds to a path. A file that a dead server left there is replaced, that of a living one is not.
pub(super) fn bind_path(
    listen: &Listen,
    path: &Path,
    defer: Duration,
) -> Result<(OwnedFd, SocketFile), ListenError> {
    let name = SocketAddrUnix::new(path).map_err(|errno| failed(&listen.address, errno.into()))?;
    remove_stale(listen, path, &name)?;
    let fd = socket().map_err(|errno| failed(&listen.address, errno.into()))?;
    // The file is made with the mode of the socket; nobody else may connect until its owner and mode are right.
    fchmod(&fd, Mode::RUSR | Mode::WUSR).map_err(|errno| failed(&listen.address, errno.into()))?;
    bind(&fd, &name).map_err(|errno| explain(listen, path, errno))?;
    let metadata = fs::symlink_metadata(path).map_err(|source| failed(&listen.address, source))?;
    let file = SocketFile {
        path: path.to_owned(),
        device: metadata.dev(),
        inode: metadata.ino(),
        is_owned: Cell::new(true),
    };
    file.set_access(listen)?;
    start(&fd, listen, defer).map_err(|source| failed(&listen.address, source))?;
    Ok((fd, file))
}

/// Binds to a name in the abstract namespace, where there are neither files nor modes.
pub(super) fn bind_abstract(
    listen: &Listen,
    name: &str,
    defer: Duration,
) -> Result<OwnedFd, ListenError> {
    let bound = || {
        let name = SocketAddrUnix::new_abstract_name(name.as_bytes())?;
        let fd = socket()?;
        bind(&fd, &name)?;
        Ok(fd)
    };
    let fd = bound().map_err(|errno: Errno| match errno {
        Errno::ADDRINUSE => ListenError::InUse {
            address: listen.address.to_string(),
        },
        errno => failed(&listen.address, errno.into()),
    })?;
    start(&fd, listen, defer).map_err(|source| failed(&listen.address, source))?;
    Ok(fd)
}

impl SocketFile {
    /// The file of a socket that another process has bound, and removes for now.
    pub(super) fn of_another((path, device, inode): (PathBuf, u64, u64)) -> Self {
        Self {
            path,
            device,
            inode,
            is_owned: Cell::new(false),
        }
    }

    /// Path, device and inode.
    pub(super) fn identity(&self) -> (PathBuf, u64, u64) {
        (self.path.clone(), self.device, self.inode)
    }

    /// Says whether it is ours to remove.
    pub(super) fn set_owned(&self, is_owned: bool) {
        self.is_owned.set(is_owned);
    }

    /// Whether owner and group are known by name; whether they may be given is seen when they are.
    pub(super) fn check_access(&self, listen: &Listen) -> Result<(), ListenError> {
        id("owner", &self.path, listen.owner.as_deref(), user_id)?;
        id("group", &self.path, listen.group.as_deref(), group_id).map(drop)
    }

    /// Gives the file the owner, group and mode of the settings, in the order that opens it last.
    pub(super) fn set_access(&self, listen: &Listen) -> Result<(), ListenError> {
        let owner = id("owner", &self.path, listen.owner.as_deref(), user_id)?;
        let group = id("group", &self.path, listen.group.as_deref(), group_id)?;
        let mode = listen.mode.map_or(DEFAULT_MODE, |mode| mode.0);
        let access = |source| ListenError::Access {
            path: self.path.clone(),
            source,
        };
        if owner.is_some() || group.is_some() {
            chown(&self.path, owner, group).map_err(access)?;
        }
        fs::set_permissions(&self.path, fs::Permissions::from_mode(mode)).map_err(access)
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if !self.is_owned.get() {
            return;
        }
        let metadata = fs::symlink_metadata(&self.path);
        if metadata.is_ok_and(|found| (found.dev(), found.ino()) == (self.device, self.inode)) {
            // A file that cannot be removed is recognised as stale by the next start.
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn socket() -> Result<OwnedFd, Errno> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)
}

/// A socket's file outlives its server; only an attempt to connect tells whether somebody listens.
fn remove_stale(listen: &Listen, path: &Path, name: &SocketAddrUnix) -> Result<(), ListenError> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.file_type().is_socket() => {}
        Ok(_) => {
            return Err(ListenError::Blocked {
                path: path.to_owned(),
            });
        }
        Err(_) => return Ok(()),
    }
    let attempt = socket().and_then(|probe| connect(&probe, name));
    match attempt {
        Err(Errno::CONNREFUSED) => fs::remove_file(path).map_err(|error| {
            explain(
                listen,
                path,
                Errno::from_io_error(&error).unwrap_or(Errno::IO),
            )
        }),
        Err(Errno::NOENT) => Ok(()),
        Err(errno @ (Errno::ACCESS | Errno::PERM)) => Err(explain(listen, path, errno)),
        // It was accepted, its queue is full (EAGAIN), or it is of another type (EPROTOTYPE): somebody is there.
        _ => Err(ListenError::InUse {
            address: listen.address.to_string(),
        }),
    }
}

fn explain(listen: &Listen, path: &Path, errno: Errno) -> ListenError {
    let address = listen.address.to_string();
    let directory = path.parent().unwrap_or(path);
    match errno {
        Errno::NOENT => ListenError::NoDirectory {
            path: path.to_owned(),
            directory: directory.to_owned(),
        },
        Errno::ADDRINUSE => ListenError::InUse { address },
        Errno::ACCESS | Errno::PERM => ListenError::Permission { address },
        errno => failed(&listen.address, io::Error::from(errno)),
    }
}

fn id(
    what: &'static str,
    path: &Path,
    name: Option<&str>,
    find: impl Fn(&str) -> Option<u32>,
) -> Result<Option<u32>, ListenError> {
    let Some(name) = name else { return Ok(None) };
    let found = name.parse().ok().or_else(|| find(name));
    let missing = || ListenError::NoSuchName {
        what,
        path: path.to_owned(),
        name: name.to_owned(),
    };
    found.map(Some).ok_or_else(missing)
}

fn user_id(name: &str) -> Option<u32> {
    uzers::get_user_by_name(name).map(|user| user.uid())
}

fn group_id(name: &str) -> Option<u32> {
    uzers::get_group_by_name(name).map(|group| group.gid())
}
