//! How much is logged, which a reload may change.
//!
//! `tracing` asks once for each place in the code and remembers the answer, so that what is not logged costs nothing;
//! a new level makes it ask again.

use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use tracing::{Metadata, Subscriber, callsite, subscriber::Interest};
use tracing_subscriber::{Layer, filter::LevelFilter, layer::Context};

use crate::config::LogLevel;

static LEVEL: AtomicU8 = AtomicU8::new(LogLevel::Info as u8);

/// Lets through what is important enough now.
pub(super) struct Level;

/// From now on events of this process are logged down to `level`.
pub fn set_level(level: LogLevel) {
    if LEVEL.swap(level as u8, Relaxed) != level as u8 {
        callsite::rebuild_interest_cache();
    }
}

impl<S: Subscriber> Layer<S> for Level {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        match *metadata.level() <= filter() {
            true => Interest::always(),
            false => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _context: Context<'_, S>) -> bool {
        *metadata.level() <= filter()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(filter())
    }
}

fn filter() -> LevelFilter {
    const LEVELS: [(LogLevel, LevelFilter); 4] = [
        (LogLevel::Error, LevelFilter::ERROR),
        (LogLevel::Warning, LevelFilter::WARN),
        (LogLevel::Info, LevelFilter::INFO),
        (LogLevel::Debug, LevelFilter::DEBUG),
    ];
    let now = LEVEL.load(Relaxed);
    let found = LEVELS.iter().find(|(level, _)| *level as u8 == now);
    found.map_or(LevelFilter::INFO, |(_, filter)| *filter)
}

#[cfg(test)]
mod tests {
    use tracing::{Level as Importance, enabled, subscriber::with_default};
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn a_new_level_counts_at_places_that_were_asked_before() {
        with_default(tracing_subscriber::registry().with(Level), || {
            let is_logged = || enabled!(Importance::DEBUG);
            let with = |level| {
                set_level(level);
                is_logged()
            };
            assert!(!with(LogLevel::Info));
            assert!(with(LogLevel::Debug));
            assert!(!with(LogLevel::Error));
        });
    }
}
