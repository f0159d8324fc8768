//! How long to wait before a process is made again that has died: not at all, unless it dies as soon as it is made.

use std::time::Duration;

use super::Time;

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(30);
/// A process that lived so long has not died of its start.
const HEALTHY: Duration = Duration::from_secs(1);

/// Doubles the delay from death to death.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    delay: Option<Duration>,
    until: Option<Time>,
}

impl Backoff {
    /// A process has died that was of use for `lived`. The delay, when there is a new one; several that die at the
    /// same time count as one.
    pub(super) fn died(&mut self, lived: Option<Duration>, now: Time) -> Option<Duration> {
        if lived.is_some_and(|lived| lived >= HEALTHY) {
            self.delay = None;
            return None;
        }
        if self.waits(now) {
            return None;
        }
        let delay = self.delay.map_or(FIRST, |delay| (delay * 2).min(LONGEST));
        self.delay = Some(delay);
        self.until = Some(now + delay);
        Some(delay)
    }

    /// Whether it is too early for another attempt.
    pub(super) fn waits(&self, now: Time) -> bool {
        self.until.is_some_and(|until| now < until)
    }

    /// When the time of waiting ends.
    pub(super) fn until(&self) -> Option<Time> {
        self.until
    }

    /// Forgets a time that is over, so that nobody is woken by it again.
    pub(super) fn expire(&mut self, now: Time) {
        self.until = self.until.filter(|until| now < *until);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Delays in milliseconds for deaths at the moment each delay ends.
    fn delays(lives: &[Option<Duration>]) -> Vec<u128> {
        let mut backoff = Backoff::default();
        let mut now = Time::ZERO;
        let mut delays = Vec::new();
        for lived in lives {
            let delay = backoff.died(*lived, now).unwrap_or_default();
            now += delay;
            delays.push(delay.as_millis());
        }
        delays
    }

    #[test]
    fn the_delay_doubles_up_to_a_limit() {
        let expected = [
            100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000,
        ];
        assert_eq!(delays(&[None; 11]), expected);
    }

    #[test]
    fn a_healthy_life_forgives_everything() {
        let lives = [None, None, Some(HEALTHY), None];
        assert_eq!(delays(&lives), [100, 200, 0, 100]);
    }

    #[test]
    fn a_short_life_is_no_better_than_none() {
        let lives = [Some(HEALTHY - Duration::from_nanos(1)), None];
        assert_eq!(delays(&lives), [100, 200]);
    }

    #[test]
    fn deaths_at_the_same_time_count_once() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.died(None, Time::ZERO), Some(FIRST));
        assert_eq!(backoff.died(None, Time::ZERO), None);
        assert!(backoff.waits(FIRST - Duration::from_nanos(1)) && !backoff.waits(FIRST));
    }
}
