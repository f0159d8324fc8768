//! What we say to the service manager (sd_notify(3)).

use std::{io, time::Duration};

use sd_notify::NotifyState;

/// Speaks for the service; says each status once.
#[derive(Debug, Default)]
pub(crate) struct Notifier {
    status: String,
}

impl Notifier {
    /// A start or a reload has ended.
    pub(crate) fn ready(&self) {
        send(&[NotifyState::Ready]);
    }

    /// A reload begins. The time stamp tells a reload asked for by systemd from an earlier one (`Type=notify-reload`).
    pub(crate) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => send(&[NotifyState::Reloading, now]),
            Err(error) => failed(&error),
        }
    }

    /// The end begins.
    pub(crate) fn stopping(&self) {
        send(&[NotifyState::Stopping]);
    }

    /// What goes on may take so long from now.
    pub(crate) fn extend(&self, time: Duration) {
        let microseconds = u32::try_from(time.as_micros()).unwrap_or(u32::MAX);
        send(&[NotifyState::ExtendTimeoutUsec(microseconds)]);
    }

    /// The loop of the supervisor turns.
    pub(crate) fn watchdog(&self) {
        send(&[NotifyState::Watchdog]);
    }

    /// One line for `systemctl status`.
    pub(crate) fn status(&mut self, status: String) {
        if status != self.status {
            // A line feed would end the value and begin another assignment.
            send(&[NotifyState::Status(&status.replace('\n', " "))]);
            self.status = status;
        }
    }
}

/// How often the service manager wants to hear of us: a third of the time after which it would act (WATCHDOG_USEC).
pub(crate) fn watchdog_interval() -> Option<Duration> {
    sd_notify::watchdog_enabled().map(|limit| limit / 3)
}

fn send(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        failed(&error);
    }
}

/// The service is none the worse for it, but whoever waits for READY=1 is.
fn failed(error: &io::Error) {
    tracing::warn!(%error, "the service manager cannot be told");
}
