//! Where we hear that memory is short (systemd.io/MEMORY_PRESSURE): the file, FIFO or socket that the service manager
//! names (254 and later), else the pressure of our own control group, told or read.

use std::{
    env, fs, io,
    os::{
        fd::OwnedFd,
        unix::{fs::FileTypeExt, net::UnixStream},
    },
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use rustix::{
    fs::{Mode, OFlags, open},
    io::{Errno, read, write},
};

/// What systemd itself asks for: tasks waited for memory for 200 ms of 2 s. A larger share of less than two seconds is
/// for root alone.
const TRIGGER: &[u8] = b"some 200000 2000000\0";

/// The same, for whoever has to read the figures: a wait of so many microseconds
const SHORT: u64 = 200_000;

/// in so much time.
const PACE: Duration = Duration::from_secs(2);

/// Who tells that memory is short.
#[derive(Debug)]
pub(crate) enum MemoryPressure {
    /// The kernel, or the service manager.
    Told(Teller),
    /// Nobody: we may read the figures of our group, and no more. So it is under systemd before 254, where the sandbox
    /// keeps the control groups from being written to.
    Read(Figures),
}

impl MemoryPressure {
    /// `None` when it is not wanted, or there is nothing to know.
    pub(crate) fn open() -> Option<Self> {
        match env::var_os("MEMORY_PRESSURE_WATCH") {
            Some(path) if path == "/dev/null" => None,
            Some(path) => {
                let wish = env::var("MEMORY_PRESSURE_WRITE").ok();
                let wish = wish.map_or_else(Vec::new, |text| decode(&text));
                let opened = Teller::open(Path::new(&path), &wish);
                if let Err(error) = &opened {
                    let path = path.display();
                    tracing::warn!(%path, %error, "nobody will tell when memory is short");
                }
                opened.ok().map(Self::Told)
            }
            None => {
                let groups = fs::read_to_string("/proc/self/cgroup").ok()?;
                let file = files_of(&groups)?.into_iter().find(|file| is_ours(file))?;
                let told = Teller::open(&file, TRIGGER).map(Self::Told);
                told.ok().or_else(|| Figures::open(file).map(Self::Read))
            }
        }
    }
}

/// A file, FIFO or socket that becomes ready when memory is short.
#[derive(Debug)]
pub(crate) struct Teller {
    fd: OwnedFd,
    /// The kernel tells by an exceptional condition (POLLPRI), others by something to read.
    is_trigger: bool,
}

impl Teller {
    fn open(path: &Path, wish: &[u8]) -> io::Result<Self> {
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

/// What the kernel counts for our group (psi, Documentation/accounting/psi.rst).
#[derive(Debug)]
pub(crate) struct Figures {
    file: PathBuf,
    /// Microseconds for which tasks waited for memory, as they were read last.
    waited: u64,
    due: Instant,
}

impl Figures {
    fn open(file: PathBuf) -> Option<Self> {
        Some(Self {
            waited: waited(&file)?,
            file,
            due: Instant::now() + PACE,
        })
    }

    /// When to look again.
    pub(crate) fn due(&self) -> Instant {
        self.due
    }

    /// Looks; gives whether memory was short since the last time.
    pub(crate) fn look(&mut self, now: Instant) -> bool {
        self.due = now + PACE;
        let before = self.waited;
        self.waited = waited(&self.file).unwrap_or(before);
        self.waited.saturating_sub(before) >= SHORT
    }
}

/// The total of the line `some avg10=0.00 avg60=0.00 avg300=0.00 total=0`.
fn waited(file: &Path) -> Option<u64> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with("some "))?;
    line.rsplit_once("total=")?.1.parse().ok()
}

/// Whether there are figures, and for a group: those at the root are the whole machine's, for which we cannot do much.
/// Every group but the root has the other file (cgroups(7)).
fn is_ours(file: &Path) -> bool {
    file.exists() && file.with_file_name("cgroup.events").exists()
}

/// Of the unified hierarchy (cgroups(7)), where it is mounted alone or beside those of version 1; there may be none.
fn files_of(groups: &str) -> Option<[PathBuf; 2]> {
    let group = groups.lines().find_map(|line| line.strip_prefix("0::"))?;
    let file = |mount| PathBuf::from(format!("/sys/fs/cgroup{mount}{group}/memory.pressure"));
    Some(["", "/unified"].map(file))
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
        let expected = [
            "/sys/fs/cgroup/system.slice/a.service/memory.pressure",
            "/sys/fs/cgroup/unified/system.slice/a.service/memory.pressure",
        ];
        assert_eq!(files_of(groups), Some(expected.map(PathBuf::from)));
        assert_eq!(files_of("1:memory:/x\n"), None);
    }

    #[test]
    fn figures_tell_when_much_was_waited_since_the_last_look() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let write = |waited: u64| {
            let text =
                format!("some avg10=1.00 avg60=0 avg300=0 total={waited}\nfull avg10=0 total=7\n");
            fs::write(file.path(), text).unwrap();
        };
        write(5_000_000);
        let mut figures = Figures::open(file.path().into()).unwrap();
        let mut after = |waited| {
            write(waited);
            let now = figures.due();
            figures.look(now) && figures.due() == now + PACE
        };
        assert_eq!(
            [5_100_000, 5_300_000, 5_400_000].map(&mut after),
            [false, true, false]
        );
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
        let pressure = Teller::open(&path, b"wish").unwrap();
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
