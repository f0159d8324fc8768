//! The process of a program: how it begins, what it writes to its standard error, and how it ends, with all of its
//! process group, and is reaped.

use std::{
    io,
    os::fd::{AsFd, OwnedFd},
    process::{self, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    io::{Errno, ioctl_fionbio},
    process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open},
};
use tracing::warn;

use crate::{
    cgi::{Environment, Program},
    journal::{self, Splitter, Stream, Words},
    sys,
};

/// Read at once from what a program says.
const PIECE: usize = 64 << 10;
/// So much of what a process has written to its standard error is still logged when it has ended: a pipe holds less.
const LAST_PIECES: usize = 32;
/// How long a process group that was asked to end has for it.
const MERCY: Duration = Duration::from_secs(5);

/// See the module. Dropped while it runs, it is killed.
pub(super) struct Child {
    process: process::Child,
    group: Pid,
    /// Readable when the process has ended.
    pidfd: OwnedFd,
    pub(super) stdin: Option<OwnedFd>,
    pub(super) stdout: Option<OwnedFd>,
    pub(super) stderr: Option<OwnedFd>,
    words: Splitter,
    /// The name of the request, for the log.
    request_id: String,
    /// How long it may be silent when its answer is complete; `None`: as long as it wants.
    patience: Option<Duration>,
    is_unwanted: bool,
    status: Option<ExitStatus>,
}

/// What a read from a pipe brought.
pub(super) enum Said {
    /// The other end is closed.
    End,
    Nothing,
    Something,
}

impl Child {
    /// Starts a program.
    ///
    /// # Errors
    /// It cannot be executed, or there are no descriptors for it.
    pub(super) fn start(
        program: &Program,
        environment: Environment,
        stdin: Stdio,
        patience: Option<Duration>,
        request_id: &str,
    ) -> io::Result<Self> {
        let mut command = match &program.helper {
            None => Command::new(&program.file),
            Some(helper) => {
                let mut command = Command::new(helper);
                command.arg(&program.file);
                command
            }
        };
        command
            .current_dir(program.directory())
            .env_clear()
            .envs(environment.pairs())
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut process = sys::spawn_in_session(command)?;
        let watched = watch(&mut process);
        match watched {
            Ok((group, pidfd, [stdin, stdout, stderr])) => Ok(Self {
                process,
                group,
                pidfd,
                stdin,
                stdout,
                stderr,
                words: Splitter::default(),
                request_id: request_id.to_owned(),
                patience,
                is_unwanted: false,
                status: None,
            }),
            Err(error) => {
                let _ = process.kill();
                let _ = process.wait();
                Err(error)
            }
        }
    }

    /// For poll: readable when the process has ended.
    pub(super) fn end(&self) -> PollFd<'_> {
        PollFd::new(&self.pidfd, PollFlags::IN)
    }

    /// Appends what it has said to `out`, a piece at most.
    pub(super) fn hear(&mut self, out: &mut Vec<u8>) -> Said {
        listen(&mut self.stdout, out)
    }

    /// Logs what it has written to its standard error.
    pub(super) fn log(&mut self) -> Said {
        let mut piece = Vec::new();
        let said = listen(&mut self.stderr, &mut piece);
        let request_id = &self.request_id;
        self.words.stream(&piece, |text| say(text, request_id));
        if matches!(said, Said::End) {
            self.words.finish(|text| say(text, request_id));
        }
        said
    }

    /// Nobody wants its answer any more.
    pub(super) fn dismiss(&mut self) {
        self.stdin = None;
        self.stdout = None;
        self.is_unwanted = true;
    }

    /// Waits for the end of the process, `limit` at most (`None`: for ever); gives how it ended. Whatever is left of its
    /// group ends with it.
    pub(super) fn wait(&mut self, limit: Option<Duration>) -> Option<ExitStatus> {
        let until = limit.map(|limit| Instant::now() + limit);
        while self.status.is_none() {
            let left = until.map(|until| until.saturating_duration_since(Instant::now()));
            let time = left.map(timespec);
            let mut fds = vec![self.end()];
            if let Some(stderr) = &self.stderr {
                fds.push(PollFd::new(stderr, PollFlags::IN));
            }
            let ready = poll(&mut fds, time.as_ref());
            let has_ended = !fds[0].revents().is_empty();
            let has_said = fds.get(1).is_some_and(|fd| !fd.revents().is_empty());
            if has_said {
                self.log();
            }
            let is_over = left.is_some_and(|left| left.is_zero());
            if has_ended {
                self.reap();
            } else if is_over || (!has_said && ready != Err(Errno::INTR)) {
                return None;
            }
        }
        self.status
    }

    /// Stays with the process until it has ended; one that is unwanted, or takes too long, is made to.
    pub(super) fn see_off(mut self) {
        if self.status.is_some() {
            return;
        }
        self.stdin = None;
        if !self.is_unwanted {
            if self.wait(self.patience).is_some() {
                return;
            }
            warn!(
                request = self.request_id,
                "a CGI program has closed its output and did not end; it is killed"
            );
        }
        let _ = kill_process_group(self.group, Signal::TERM);
        if self.wait(Some(MERCY)).is_none() {
            let _ = kill_process_group(self.group, Signal::KILL);
            self.wait(None);
        }
    }

    /// The process has ended and is a zombie: its number, which is that of its group, is nobody else's yet.
    fn reap(&mut self) {
        let _ = kill_process_group(self.group, Signal::KILL);
        // Somebody who has left the group may write on.
        for _ in 0..LAST_PIECES {
            if !matches!(self.log(), Said::Something) {
                break;
            }
        }
        let request_id = &self.request_id;
        self.words.finish(|text| say(text, request_id));
        // The application may have reaped it, by waiting for just any child; then nobody knows how it ended.
        self.status = Some(self.process.wait().unwrap_or_default());
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        if self.status.is_none() {
            let _ = kill_process_group(self.group, Signal::KILL);
            let _ = self.process.wait();
        }
    }
}

/// What is needed to follow a process; reading and writing never wait.
fn watch(process: &mut process::Child) -> io::Result<(Pid, OwnedFd, [Option<OwnedFd>; 3])> {
    let pid = Pid::from_child(process);
    let ends = [
        process.stdin.take().map(OwnedFd::from),
        process.stdout.take().map(OwnedFd::from),
        process.stderr.take().map(OwnedFd::from),
    ];
    for end in ends.iter().flatten() {
        ioctl_fionbio(end, true)?;
    }
    Ok((pid, pidfd_open(pid, PidfdFlags::empty())?, ends))
}

fn listen(pipe: &mut Option<OwnedFd>, out: &mut Vec<u8>) -> Said {
    let Some(end) = pipe else {
        return Said::End;
    };
    let start = out.len();
    out.resize(start + PIECE, 0);
    let read = rustix::io::retry_on_intr(|| rustix::io::read(end.as_fd(), &mut out[start..]));
    out.truncate(start + read.unwrap_or(0));
    match read {
        Ok(0) => {}
        Ok(_) => return Said::Something,
        Err(Errno::AGAIN) => return Said::Nothing,
        // A pipe has no other errors.
        Err(_) => {}
    }
    *pipe = None;
    Said::End
}

fn say(text: &str, request_id: &str) {
    journal::say(&Words {
        role: None,
        stream: Stream::Output,
        priority: None,
        text,
        request_id,
        code: None,
    });
}

/// A time for poll(2).
pub(super) fn timespec(time: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(time.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(time.subsec_nanos()),
    }
}
