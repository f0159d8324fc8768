//! The machine that the conversion runs on.

use std::{
    env, fs, io,
    io::Read,
    net::{SocketAddr, ToSocketAddrs},
    os::unix::fs::MetadataExt,
    thread,
    time::{SystemTime, UNIX_EPOCH},
};

use rustix::{
    fs::{Access, access},
    process::{getgid, getuid},
    system::uname,
};

use super::surroundings::{Identity, Kind, Surroundings};

/// This machine, seen from a directory and with an environment that are those of the process unless they are given.
#[derive(Debug, Clone, Default)]
pub(crate) struct Machine {
    place: Option<(String, Vec<(String, String)>)>,
}

impl Machine {
    /// Seen from another directory and with another environment.
    pub(crate) fn at(directory: String, variables: Vec<(String, String)>) -> Self {
        Self {
            place: Some((directory, variables)),
        }
    }
}

impl Surroundings for Machine {
    fn variables(&self) -> Vec<(String, String)> {
        if let Some((_, variables)) = &self.place {
            return variables.clone();
        }
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        env::vars_os()
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    fn directory(&self) -> String {
        if let Some((directory, _)) = &self.place {
            return directory.clone();
        }
        env::current_dir().map_or_else(
            |_| "/".to_owned(),
            |directory| directory.to_string_lossy().into_owned(),
        )
    }

    fn host_name(&self) -> String {
        uname().nodename().to_string_lossy().into_owned()
    }

    fn cpus(&self) -> usize {
        // All that are online, as uWSGI counts them, and not only those that this process may use.
        let online = fs::read_to_string("/sys/devices/system/cpu/online");
        let online = online.ok().and_then(|list| count(list.trim()));
        online.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from))
    }

    fn identity(&self) -> Identity {
        let (uid, gid) = (getuid().as_raw(), getgid().as_raw());
        let name = |name: &std::ffi::OsStr| name.to_string_lossy().into_owned();
        Identity {
            uid,
            user: uzers::get_user_by_uid(uid)
                .map_or_else(|| uid.to_string(), |user| name(user.name())),
            gid,
            group: uzers::get_group_by_gid(gid)
                .map_or_else(|| gid.to_string(), |group| name(group.name())),
        }
    }

    fn now(&self) -> (u64, u32) {
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        (now.as_secs(), now.subsec_micros())
    }

    fn uwsgi_version(&self) -> String {
        "2.0.31".to_owned()
    }

    fn uwsgi_path(&self) -> String {
        "/usr/bin/uwsgi".to_owned()
    }

    fn kind(&self, path: &str) -> Option<Kind> {
        let kind = fs::metadata(path).ok()?.file_type();
        Some(if kind.is_dir() {
            Kind::Directory
        } else if kind.is_file() {
            Kind::File
        } else {
            Kind::Other
        })
    }

    fn readable(&self, path: &str) -> bool {
        access(path, Access::READ_OK).is_ok()
    }

    fn is_link(&self, path: &str) -> bool {
        fs::symlink_metadata(path).is_ok_and(|found| found.is_symlink())
    }

    fn inode(&self, path: &str) -> Option<u64> {
        fs::symlink_metadata(path).ok().map(|found| found.ino())
    }

    fn canonical(&self, path: &str) -> Option<String> {
        let path = fs::canonicalize(path).ok()?;
        Some(path.to_string_lossy().into_owned())
    }

    fn entries(&self, path: &str) -> Vec<String> {
        let entries = fs::read_dir(path).into_iter().flatten().flatten();
        let names = entries.map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names.collect();
        names.sort();
        names
    }

    fn read(&self, path: &str, limit: u64) -> io::Result<Vec<u8>> {
        let kind = fs::metadata(path)?.file_type();
        // A pipe or a device may never end, or have effects.
        if !kind.is_file() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "it is no ordinary file",
            ));
        }
        let mut bytes = Vec::new();
        fs::File::open(path)?
            .take(limit + 1)
            .read_to_end(&mut bytes)?;
        if bytes.len() as u64 > limit {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                format!("it is larger than {limit} bytes"),
            ));
        }
        Ok(bytes)
    }

    fn address(&self, host: &str) -> Option<String> {
        let mut addresses = (host, 0).to_socket_addrs().ok()?;
        addresses.find_map(|address| match address {
            SocketAddr::V4(address) => Some(address.ip().to_string()),
            SocketAddr::V6(_) => None,
        })
    }
}

/// How many numbers there are in a list like `0-3,8`.
fn count(list: &str) -> Option<usize> {
    let mut count = 0;
    for range in list.split(',') {
        let (first, last) = range.split_once('-').unwrap_or((range, range));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        count += last.checked_sub(first)? + 1;
    }
    Some(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processors_are_counted() {
        assert_eq!(count("0-3,8"), Some(5));
        assert_eq!(count("0"), Some(1));
        assert_eq!(count(""), None);
    }
}
