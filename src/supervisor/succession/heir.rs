//! The supervisor that is to follow this one, as this one sees it.

use std::{
    os::fd::{AsFd, BorrowedFd},
    sync::Arc,
};

use rustix::{
    net::{Shutdown, shutdown},
    process::{Signal, pidfd_send_signal},
};
use tokio::{sync::mpsc, task::JoinHandle};
use tracing::warn;

use crate::{
    ipc::{Channel, IpcError},
    supervisor::generation::one_line,
    sys::{Kin, Kinship, spawn_kin},
};

use super::{
    Word,
    estate::Estate,
    message::{GREETING, ToHeir},
    program::Program,
    words::forward,
};

/// A process that runs the program which lies on the disk now.
pub(super) struct Heir {
    channel: Arc<Channel>,
    process: Kin,
    listening: JoinHandle<()>,
}

impl Drop for Heir {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

impl Heir {
    /// Starts the program and gives it the estate; what it says goes to `words`. The error is one line.
    pub(super) fn start(
        program: &Program,
        kinship: Kinship,
        estate: Estate,
        fds: &[BorrowedFd<'_>],
        words: mpsc::Sender<Word>,
    ) -> Result<Self, String> {
        let failed = |error| {
            let path = program.path().display();
            format!("the new program {path} cannot be started: {error}")
        };
        let (ours, theirs) = Channel::pair().map_err(failed)?;
        let (ours, theirs) = (ours.greeting(GREETING), theirs.greeting(GREETING));
        // Before there is somebody to read it: the socket keeps it, and so nobody waits.
        ours.send(&ToHeir::Estate(Box::new(estate)), fds)
            .map_err(|error| one_line(&error))?;
        ours.set_nonblocking().map_err(failed)?;
        let image = program.image().map_err(failed)?;
        let process = spawn_kin(&image, theirs.as_fd(), kinship).map_err(failed)?;
        let channel = Arc::new(ours);
        let listening = forward(Arc::clone(&channel), words, Word::Heir);
        Ok(Self {
            channel,
            process,
            listening: tokio::spawn(listening),
        })
    }

    /// Its process.
    pub(super) fn pid(&self) -> i32 {
        self.process.pid
    }

    /// It is in charge from now on.
    pub(super) fn crown(&self, reload: bool) -> Result<(), IpcError> {
        self.channel.send(&ToHeir::Reign { reload }, &[])
    }

    /// There is nothing more to say to it: before it reigns that means to go, then that we have finished.
    pub(super) fn part(&self) {
        // Who has ended needs no farewell.
        let _ = shutdown(self.channel.as_fd(), Shutdown::Write);
    }

    /// Signals it, wherever it is.
    pub(super) fn signal(&self, signal: Signal) {
        if let Err(error) = pidfd_send_signal(&self.process.pidfd, signal) {
            warn!(pid = self.process.pid, ?signal, %error, "the new supervisor cannot be signalled");
        }
    }
}
