//! The engine's own clock, coarse, for deadlines, and the text of the `Date` header.

use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};

/// Milliseconds of CLOCK_MONOTONIC, up to one kernel tick old, for a few nanoseconds.
pub(super) fn coarse_ms() -> u64 {
    let now = clock_gettime(ClockId::MonotonicCoarse);
    now.tv_sec as u64 * 1_000 + now.tv_nsec as u64 / 1_000_000
}

/// The value of the `Date` header (RFC 9110 section 6.6.1), written anew once a second.
#[derive(Default)]
pub(super) struct DateText {
    second: i64,
    text: String,
}

impl DateText {
    /// The date as of now.
    pub(super) fn now(&mut self) -> &str {
        let second = clock_gettime(ClockId::RealtimeCoarse).tv_sec;
        if second != self.second || self.text.is_empty() {
            self.second = second;
            let since_epoch = Duration::from_secs(u64::try_from(second).unwrap_or(0));
            self.text = httpdate::fmt_http_date(SystemTime::UNIX_EPOCH + since_epoch);
        }
        &self.text
    }
}
