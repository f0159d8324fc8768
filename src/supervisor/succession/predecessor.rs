//! The supervisor before this one, as this one sees it.

use std::{
    env,
    fs::File,
    io, mem,
    os::fd::{AsFd, OwnedFd},
    sync::Arc,
    time::Duration,
};

use rustix::{
    net::{SocketType, sockopt::socket_type},
    process::{Signal, set_parent_process_death_signal},
    stdio::dup2_stdin,
};
use tokio::sync::{mpsc, oneshot};
use tracing::warn;

use crate::{
    config::Settings,
    ipc::{Channel, IpcError, LoadFailure},
    listener::{ListenError, Listeners},
    supervisor::{
        Https, MetricsError, StatsError,
        control::Reply,
        generation::one_line,
        lifecycle::{Notice, Report},
        metrics, stats,
    },
    tls::TlsError,
};

use super::{
    Word,
    estate::{Estate, Sockets},
    message::{Accession, FromHeir, GREETING, ToHeir, VARIABLE},
    words::{beginning, forward},
};

/// Why there is no succession.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SuccessionError {
    /// The predecessor has gone, or says something else.
    #[error("the supervisor that is to be followed does not say what it leaves")]
    Estate(#[source] IpcError),
    /// The variable is there by mistake.
    #[error(
        "${VARIABLE} is set, and standard input is no way to another supervisor; unset it, it is set by hostler alone"
    )]
    NoWay,
    /// It speaks otherwise.
    #[error(
        "the supervisor that is to be followed speaks {theirs:?} and this program {GREETING:?}, so it cannot take over; restart the service instead, when you like"
    )]
    Protocol {
        /// What it says in place of our greeting.
        theirs: String,
    },
    /// Standard input.
    #[error("cannot take over standard input")]
    Stdin(#[source] io::Error),
    /// It means something that this program does not know.
    #[error(
        "hostler {theirs} leaves what hostler {VERSION} does not know, so that cannot take over; restart the service instead, when you like"
    )]
    Unknown {
        /// Its version.
        theirs: String,
        /// What it is.
        source: ListenError,
    },
}

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The way to the supervisor before this one, and what it leaves.
pub(crate) struct Predecessor {
    voice: Voice,
    estate: Estate,
    sockets: Sockets,
    ticket_keys: Option<OwnedFd>,
    /// What was last said of the application, with its traceback.
    failure: Option<LoadFailure>,
    is_followed: bool,
}

/// Speaks to the predecessor.
#[derive(Clone)]
pub(crate) struct Voice(Arc<Channel>);

impl Predecessor {
    /// Takes over what a supervisor leaves that has started this program for that; `None`: nobody has.
    ///
    /// # Errors
    /// It does not leave it.
    pub(crate) fn meet() -> Result<Option<Self>, SuccessionError> {
        if env::var_os(VARIABLE).is_none() {
            return Ok(None);
        }
        let way = take_stdin().map_err(SuccessionError::Stdin)?;
        if socket_type(&way) != Ok(SocketType::SEQPACKET) {
            return Err(SuccessionError::NoWay);
        }
        let voice = Voice(Arc::new(Channel::from_fd(way).greeting(GREETING)));
        let met = Self::take_over(voice.clone());
        met.map(Some)
            .inspect_err(|error| voice.failed(one_line(error)))
    }

    /// Hears what is left.
    fn take_over(voice: Voice) -> Result<Self, SuccessionError> {
        let (mut estate, fds) = match voice.0.recv() {
            Ok(Some((ToHeir::Estate(estate), fds))) => (*estate, fds),
            Ok(_) => return Err(SuccessionError::Estate(IpcError::Closed)),
            Err(IpcError::Version { theirs }) => {
                let theirs = beginning(&theirs);
                return Err(SuccessionError::Protocol { theirs });
            }
            Err(error) => return Err(SuccessionError::Estate(error)),
        };
        if estate.is_child {
            // As with its other children: whoever kills it means the service. If it has ended by now, so has the channel.
            set_parent_process_death_signal(Some(Signal::KILL))
                .map_err(|errno| SuccessionError::Stdin(errno.into()))?;
        }
        let theirs = estate.version.clone();
        let unknown = |source| SuccessionError::Unknown { theirs, source };
        let mut fds = fds.into_iter();
        let sockets = Sockets::take(mem::take(&mut estate.sockets), &mut fds).map_err(unknown)?;
        Ok(Self {
            voice,
            sockets,
            ticket_keys: fds.next(),
            failure: None,
            is_followed: false,
            estate,
        })
    }

    /// The way to it, for whoever has to tell why there will be no supervisor here.
    pub(crate) fn voice(&self) -> Voice {
        self.voice.clone()
    }

    /// Its sockets where the settings name the same addresses, and new ones.
    ///
    /// # Errors
    /// As with [`Listeners::bind`].
    pub(crate) fn listeners(&self, settings: &Settings) -> Result<Listeners, ListenError> {
        let defer = settings.timeouts.socket.0;
        self.sockets.listen.rebind(&settings.listen, defer)
    }

    /// The same for `[stats]`.
    ///
    /// # Errors
    /// As with [`Listeners::bind`].
    pub(crate) fn stats(&self, settings: &Settings) -> Result<Listeners, StatsError> {
        stats::rebind_to(&self.sockets.stats, settings)
    }

    /// The same for `[metrics]`.
    ///
    /// # Errors
    /// As with [`Listeners::bind`].
    pub(crate) fn metrics(&self, settings: &Settings) -> Result<Listeners, MetricsError> {
        metrics::rebind_to(&self.sockets.metrics, settings)
    }

    /// HTTPS with the certificates of today, and with its keys of session tickets, if they are laid out as ours.
    ///
    /// # Errors
    /// As with [`Https::load`].
    pub(crate) fn https(&mut self, settings: &Settings) -> Result<Https, TlsError> {
        Https::load_with(&settings.listen, self.ticket_keys.take())
    }

    /// Version of the program that we follow.
    pub(crate) fn version(&self) -> &str {
        &self.estate.version
    }

    pub(super) fn generation(&self) -> u32 {
        self.estate.generation
    }

    pub(super) fn is_parent(&self) -> bool {
        self.estate.is_child
    }

    pub(super) fn made_directory(&self) -> bool {
        self.estate.made_directory
    }

    /// Whether it has given way.
    pub(super) fn is_followed(&self) -> bool {
        self.is_followed
    }

    /// Hears it from now on.
    pub(super) fn listen(&self, words: mpsc::Sender<Word>) -> io::Result<()> {
        let channel = Arc::clone(&self.voice.0);
        channel.set_nonblocking().map_err(io::Error::other)?;
        tokio::spawn(forward(channel, words, Word::Predecessor));
        Ok(())
    }

    /// It has given way: what it leaves is ours, and what of it the settings do not name goes. Gives the control socket.
    pub(super) fn follow(&mut self) -> Listeners {
        self.is_followed = true;
        let left = mem::take(&mut self.sockets);
        left.own();
        left.control
    }

    /// Until it has given way, it hears what the service manager would.
    pub(super) fn notify(&self, notice: Notice) {
        if let Notice::Extend(time) = notice {
            let ms = milliseconds(time);
            self.voice.say(&FromHeir::Extend { ms });
        }
    }

    /// Until it has given way, it hears how our start ends.
    pub(super) fn note(&mut self, report: &Report) {
        match report {
            Report::LoadFailed(failure) => self.failure = Some(failure.clone()),
            Report::Serving {
                generation,
                workers,
            } => self.voice.say(&FromHeir::Ready(Accession {
                version: VERSION.to_owned(),
                generation: *generation,
                workers: *workers,
            })),
            Report::StartFailed { reason } => {
                let failure = self.failure.take();
                let known = failure.filter(|failure| failure.reason == *reason);
                let failure = known.unwrap_or_else(|| LoadFailure {
                    reason: reason.clone(),
                    traceback: String::new(),
                });
                self.voice.say(&FromHeir::Failed(failure));
            }
            _ => {}
        }
    }

    /// The service ends, and what it still has to do has so much time.
    pub(super) fn hurry(&self, mercy: Duration) {
        let mercy_ms = milliseconds(mercy);
        self.voice.say(&FromHeir::Stop { mercy_ms });
    }

    /// Its clients wait for a reload that is ours to do; the sender is to be answered when that has ended.
    pub(super) fn promise(&self) -> oneshot::Sender<Reply> {
        let (reply, answer) = oneshot::channel();
        let voice = self.voice.clone();
        tokio::spawn(async move {
            if let Ok(reply) = answer.await {
                voice.say(&FromHeir::Outcome(Box::new(reply)));
            }
        });
        reply
    }
}

impl Voice {
    /// There will be no supervisor here.
    pub(crate) fn failed(&self, reason: String) {
        self.say(&FromHeir::Failed(LoadFailure {
            reason,
            traceback: String::new(),
        }));
    }

    fn say(&self, word: &FromHeir) {
        match self.0.send(word, &[]) {
            // Who has ended is told nothing.
            Ok(()) | Err(IpcError::Closed) => {}
            Err(error) => {
                warn!(error = %one_line(&error), "the supervisor before this one cannot be told");
            }
        }
    }
}

/// The descriptor behind standard input, which is empty from now on.
fn take_stdin() -> io::Result<OwnedFd> {
    let way = io::stdin().as_fd().try_clone_to_owned()?;
    dup2_stdin(File::open("/dev/null")?)?;
    Ok(way)
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
