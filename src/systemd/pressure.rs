//! Where we hear that memory is short (systemd.io/MEMORY_PRESSURE): the file, FIFO or socket that the service manager
//! names (254 and later), else the pressure of our own control group.

use std::{
    env, fs, io,
    os::{
        fd::OwnedFd,
        unix::{fs::FileTypeExt, net::UnixStream},
    },
    path::{Path, PathBuf},
};

use rustix::{
    fs::{Mode, OFlags, open},
    io::{Errno, read, write},
};

/// What systemd itself asks for: tasks waited for memory for 200 ms of 2 s. A larger share of less than two seconds is
/// for root alone.
const TRIGGER: &[u8] = b"some 200000 2000000\0";

/// See the module.
#[derive(Debug)]
pub(crate) struct MemoryPressure {
    fd: OwnedFd,
    /// The kernel tells by an exceptional condition (POLLPRI), others by something to read.
    is_trigger: bool,
}

impl MemoryPressure {
    /// `None` when nobody tells of it: it is not wanted, or we may not ask.
    pub(crate) fn open() -> Option<Self> {
        match env::var_os("MEMORY_PRESSURE_WATCH") {
            Some(path) if path == "/dev/null" => None,
            Some(path) => {
                let wish = env::var("MEMORY_PRESSURE_WRITE").ok();
                let wish = wish.map_or_else(Vec::new, |text| decode(&text));
                let opened = Self::open_path(Path::new(&path), &wish);
                if let Err(error) = &opened {
                    let path = path.display();
                    tracing::warn!(%path, %error, "nobody will tell when memory is short");
                }
                opened.ok()
            }
            None => {
                let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
                // Our own group may not be ours to write to; then we live without.
                Self::open_path(&file_of(&groups)?, TRIGGER).ok()
            }
        }
    }

    fn open_path(path: &Path, wish: &[u8]) -> io::Result<Self> {
        let kind = fs::metadata(path)?.file_type();
        let fd: OwnedFd = if kind.is_socket() {
            let socket = UnixStream::connect(path)?;
            socket.set_nonblocking(true)?;
            socket.into()
        } else {
            open(
                path,
                OFlags::RDWR | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY,
                Mode::empty(),
            )?
        };
        if !wish.is_empty() {
            write(&fd, wish)?;
        }
        let is_trigger = kind.is_file();
        Ok(Self { fd, is_trigger })
    }

    /// Another descriptor of the same, to wait for.
    pub(crate) fn try_clone(&self) -> io::Result<OwnedFd> {
        self.fd.try_clone()
    }

    /// Whether it is an exceptional condition that tells.
    pub(crate) fn is_trigger(&self) -> bool {
        self.is_trigger
    }

    /// Takes what has been said; gives whether more can come.
    pub(crate) fn take(&self) -> bool {
        if self.is_trigger {
            return true;
        }
        let mut buffer = [0; 256];
        loop {
            match read(&self.fd, &mut buffer) {
                Ok(0) => return false,
                Ok(_) | Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => return true,
                Err(_) => return false,
            }
        }
    }
}

/// Of the unified hierarchy (cgroups(7)); there may be none.
fn file_of(groups: &str) -> Option<PathBuf> {
    let path = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    Some(PathBuf::from(format!(
        "/sys/fs/cgroup{path}/memory.pressure"
    )))
}

/// Base64 (RFC 4648, section 4), as far as the text is that.
fn decode(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bytes, mut word, mut bits) = (Vec::new(), 0_u32, 0);
    let letters = text.bytes().map_while(|byte| {
        let value = ALPHABET.iter().position(|&letter| letter == byte)?;
        u32::try_from(value).ok()
    });
    for value in letters {
        word = word << 6 | value;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            bytes.push((word >> bits) as u8);
            word &= (1 << bits) - 1;
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wish_is_decoded() {
        assert_eq!(decode("c29tZSAyMDAwMDAgMjAwMDAwMAA="), TRIGGER);
        assert_eq!(decode("TQ=="), b"M");
        assert_eq!(decode(""), b"");
    }

    #[test]
    fn the_group_is_that_of_the_unified_hierarchy() {
        let groups = "1:name=systemd:/x\n0::/system.slice/a.service\n";
        let expected = "/sys/fs/cgroup/system.slice/a.service/memory.pressure";
        assert_eq!(file_of(groups), Some(expected.into()));
        assert_eq!(file_of("1:memory:/x\n"), None);
    }

    #[test]
    fn a_socket_hears_the_wish_and_tells() {
        use std::{
            io::{Read, Write},
            os::unix::net::UnixListener,
        };

        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("pressure");
        let listener = UnixListener::bind(&path).unwrap();
        let pressure = MemoryPressure::open_path(&path, b"wish").unwrap();
        let (mut peer, _) = listener.accept().unwrap();
        let mut wish = [0; 4];
        peer.read_exact(&mut wish).unwrap();
        assert_eq!(&wish, b"wish");
        peer.write_all(b"x").unwrap();
        assert!(pressure.take() && !pressure.is_trigger());
        drop(peer);
        assert!(!pressure.take());
    }
}
