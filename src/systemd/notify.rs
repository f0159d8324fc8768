//! What we say to the service manager (sd_notify(3)).
//!
//! `sd-notify` knows the words; the socket is ours, since it has to stay open, to be in the abstract namespace too, and
//! never to hold up the supervisor: a service manager that does not listen is its own problem.

use std::{
    env,
    ffi::OsStr,
    io::{self, ErrorKind},
    os::{
        fd::AsFd,
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    time::{Duration, Instant},
};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use sd_notify::NotifyState;

/// The status changes no more often.
const STATUS_PACE: Duration = Duration::from_secs(1);

/// How long a word that nobody may miss waits for room in the service manager's queue.
const PATIENCE: Timespec = Timespec {
    tv_sec: 1,
    tv_nsec: 0,
};

/// The same for the one without which the service manager would take a change of its main process for the end.
const LONG_PATIENCE: Timespec = Timespec {
    tv_sec: 5,
    tv_nsec: 0,
};

/// Speaks for the service.
#[derive(Debug, Default)]
pub(crate) struct Notifier {
    /// `None`: nobody wants to hear anything.
    socket: Option<UnixDatagram>,
    /// As it was said last.
    said: String,
    /// When it was said, or could not be.
    tried: Option<Instant>,
    /// As it is now.
    status: String,
}

impl Notifier {
    /// Speaks to whoever `$NOTIFY_SOCKET` names.
    pub(crate) fn from_environment() -> Self {
        let name = env::var_os("NOTIFY_SOCKET").filter(|name| !name.is_empty());
        let socket = name.and_then(|name| match connect(&name) {
            Ok(socket) => Some(socket),
            Err(error) => {
                failed(&error);
                None
            }
        });
        Self {
            socket,
            ..Self::default()
        }
    }

    /// A start or a reload has ended.
    pub(crate) fn ready(&self) {
        self.must_say(&[NotifyState::Ready]);
    }

    /// A reload begins. The time stamp tells a reload asked for by systemd from an earlier one (`Type=notify-reload`).
    pub(crate) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => self.must_say(&[NotifyState::Reloading, now]),
            Err(error) => failed(&error),
        }
    }

    /// The end begins.
    pub(crate) fn stopping(&self) {
        self.must_say(&[NotifyState::Stopping]);
    }

    /// A reload has ended, and from now on the process of this number speaks for the service, if it is another one. Nothing
    /// more is said here: it would not be heard.
    ///
    /// # Errors
    /// It cannot be said; then everything is as it was.
    pub(crate) fn give_way(&mut self, main: Option<i32>) -> io::Result<()> {
        let main = main.map(|pid| NotifyState::MainPid(pid.cast_unsigned()));
        let states: Vec<NotifyState<'_>> = main.into_iter().chain([NotifyState::Ready]).collect();
        self.say_within(&states, &LONG_PATIENCE)?;
        *self = Self::default();
        Ok(())
    }

    /// What goes on may take so long from now.
    pub(crate) fn extend(&self, time: Duration) {
        let microseconds = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        self.must_say(&[NotifyState::ExtendTimeoutUsec(microseconds)]);
    }

    /// The loop of the supervisor turns. One that is lost is made good by the next.
    pub(crate) fn watchdog(&self) {
        let _ = self.say(&[NotifyState::Watchdog]);
    }

    /// The service does not do what it is for: treat it as one whose watchdog has not been heard.
    pub(crate) fn hangs(&self) {
        self.must_say(&[NotifyState::WatchdogTrigger]);
    }

    /// One line for `systemctl status`; said at once, or when [`Notifier::due`] is over.
    pub(crate) fn status(&mut self, status: String, now: Instant) {
        // A line feed would end the value and begin another assignment.
        self.status = status.replace('\n', " ");
        let paces = |tried: Instant| tried + STATUS_PACE > now;
        if self.said == self.status || self.tried.is_some_and(paces) {
            return;
        }
        self.tried = Some(now);
        if self.say_status() {
            self.said.clone_from(&self.status);
        }
    }

    /// When a status that was not said yet may be.
    pub(crate) fn due(&self) -> Option<Instant> {
        let is_said = self.socket.is_none() || self.said == self.status;
        let tried = self.tried.filter(|_| !is_said);
        tried.map(|tried| tried + STATUS_PACE)
    }

    /// There will be no service, and why: in words, and as the number of what the kernel said (errno(3)) if it did.
    pub(crate) fn cannot_start(&self, reason: &str, errno: Option<u32>) {
        let reason = reason.replace('\n', " ");
        let mut states = vec![NotifyState::Status(&reason)];
        states.extend(errno.map(NotifyState::Errno));
        self.must_say(&states);
    }

    /// The end: the last status is said whenever the one before was.
    pub(crate) fn finish(&self) {
        if self.due().is_some() {
            self.say_status();
        }
    }

    fn say_status(&self) -> bool {
        self.say(&[NotifyState::Status(&self.status)]).is_ok()
    }

    /// Waits for room if there is none, for a moment.
    fn must_say(&self, states: &[NotifyState<'_>]) {
        if let Err(error) = self.say_within(states, &PATIENCE) {
            failed(&error);
        }
    }

    fn say_within(&self, states: &[NotifyState<'_>], patience: &Timespec) -> io::Result<()> {
        match (self.say(states), &self.socket) {
            (Err(error), Some(socket)) if error.kind() == ErrorKind::WouldBlock => {
                let mut room = [PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::OUT)];
                poll(&mut room, Some(patience))?;
                self.say(states)
            }
            (result, _) => result,
        }
    }

    fn say(&self, states: &[NotifyState<'_>]) -> io::Result<()> {
        let Some(socket) = &self.socket else {
            return Ok(());
        };
        let lines: Vec<String> = states.iter().map(|state| format!("{state}\n")).collect();
        socket.send(lines.concat().as_bytes()).map(drop)
    }
}

/// How often the service manager wants to hear of us: a third of the time after which it would act (WATCHDOG_USEC).
pub(crate) fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 3)
}

/// A path, or a name in the abstract namespace behind an `@`.
fn connect(name: &OsStr) -> io::Result<UnixDatagram> {
    let address = match name.as_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(name)?,
    };
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    socket.connect_addr(&address)?;
    Ok(socket)
}

/// The service is none the worse for it, but whoever waits for READY=1 is.
fn failed(error: &io::Error) {
    tracing::warn!(%error, "the service manager cannot be told");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A notifier, and who hears it.
    fn pair() -> (Notifier, UnixDatagram) {
        let (ours, theirs) = UnixDatagram::pair().unwrap();
        ours.set_nonblocking(true).unwrap();
        theirs.set_nonblocking(true).unwrap();
        let notifier = Notifier {
            socket: Some(ours),
            ..Notifier::default()
        };
        (notifier, theirs)
    }

    fn heard(manager: &UnixDatagram) -> String {
        let mut buffer = [0; 4096];
        let length = manager.recv(&mut buffer).unwrap_or(0);
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    }

    #[test]
    fn a_status_is_one_line_and_said_once() {
        let (mut notifier, manager) = pair();
        let now = Instant::now();
        notifier.status("a\nb".into(), now);
        assert_eq!(heard(&manager), "STATUS=a b\n");
        notifier.status("a\nb".into(), now + STATUS_PACE);
        assert_eq!((heard(&manager).as_str(), notifier.due()), ("", None));
    }

    #[test]
    fn a_status_changes_once_a_second() {
        let (mut notifier, manager) = pair();
        let now = Instant::now();
        notifier.status("a".into(), now);
        heard(&manager);
        notifier.status("b".into(), now + STATUS_PACE / 2);
        notifier.status("c".into(), now + STATUS_PACE / 2);
        assert_eq!(heard(&manager), "");
        assert_eq!(notifier.due(), Some(now + STATUS_PACE));
        notifier.status("c".into(), now + STATUS_PACE);
        assert_eq!(heard(&manager), "STATUS=c\n");
    }

    #[test]
    fn a_status_that_nobody_hears_is_not_due() {
        let mut notifier = Notifier::default();
        let now = Instant::now();
        notifier.status("a".into(), now);
        notifier.status("b".into(), now);
        assert_eq!(notifier.due(), None);
    }

    #[test]
    fn the_last_status_does_not_wait() {
        let (mut notifier, manager) = pair();
        let now = Instant::now();
        notifier.status("a".into(), now);
        notifier.status("b".into(), now);
        heard(&manager);
        notifier.finish();
        assert_eq!(heard(&manager), "STATUS=b\n");
    }

    #[test]
    fn a_start_that_fails_says_why() {
        let (notifier, manager) = pair();
        notifier.cannot_start("cannot bind\nthere", Some(98));
        assert_eq!(heard(&manager), "STATUS=cannot bind there\nERRNO=98\n");
        notifier.cannot_start("unknown key", None);
        assert_eq!(heard(&manager), "STATUS=unknown key\n");
    }

    #[test]
    fn who_gives_way_has_had_the_last_word() {
        let (mut notifier, manager) = pair();
        notifier.give_way(Some(77)).unwrap();
        notifier.status("a".into(), Instant::now());
        notifier.stopping();
        assert_eq!(heard(&manager), "MAINPID=77\nREADY=1\n");
        assert_eq!(heard(&manager), "");
    }

    #[test]
    fn a_manager_that_does_not_listen_holds_nobody_up() {
        let (mut notifier, manager) = pair();
        while notifier.say(&[NotifyState::Watchdog]).is_ok() {}
        notifier.watchdog();
        notifier.ready();
        assert!(notifier.give_way(None).is_err());
        drop(manager);
        notifier.stopping();
    }

    #[test]
    fn abstract_names_and_paths_are_reached() {
        let name = format!("hostler-notify-{}", std::process::id());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let _manager = UnixDatagram::bind_addr(&address).unwrap();
        assert!(connect(OsStr::new(&format!("@{name}"))).is_ok());
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        assert!(connect(path.as_os_str()).is_err());
        let _manager = UnixDatagram::bind(&path).unwrap();
        assert!(connect(path.as_os_str()).is_ok());
    }
}
