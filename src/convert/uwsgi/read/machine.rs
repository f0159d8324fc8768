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

/// This machine.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Machine;

impl Surroundings for Machine {
    fn variables(&self) -> Vec<(String, String)> {
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        env::vars_os()
            .map(|(name, value)| (text(name), text(value)))
            .collect()
    }

    fn directory(&self) -> String {
        env::current_dir().map_or_else(
            |_| "/".to_owned(),
            |directory| directory.to_string_lossy().into_owned(),
        )
    }

    fn host_name(&self) -> String {
        uname().nodename().to_string_lossy().into_owned()
    }

    fn cpus(&self) -> usize {
        thread::available_parallelism().map_or(1, usize::from)
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
