//! The exits of processes.

use rustix::{
    io::retry_on_intr,
    process::{WaitOptions, wait},
};

use super::lifecycle::{Event, ExitStatus};

/// Takes in every child that has ended, strangers that were left to us included, and hears of those that were stopped
/// by a signal, or continued.
pub(super) fn reap() -> Vec<Event> {
    let mut events = Vec::new();
    let options = WaitOptions::NOHANG | WaitOptions::UNTRACED | WaitOptions::CONTINUED;
    // Nobody has ended, or there is nobody (ECHILD).
    while let Ok(Some((pid, status))) = retry_on_intr(|| wait(options)) {
        let pid = pid.as_raw_nonzero().get();
        let code = status.exit_status().map(ExitStatus::Code);
        let signal = status.terminating_signal().map(ExitStatus::Signal);
        let exited = code.or(signal).map(|status| Event::Exited { pid, status });
        let stopped = status.stopping_signal().map(|_| Event::Stopped { pid });
        let continued = status.continued().then_some(Event::Continued { pid });
        events.extend(exited.or(stopped).or(continued));
    }
    events
}
