//! `backlog`: more workers when connections queue up, fewer when none does and somebody is idle.

use crate::config::Cheaper as Settings;

use super::{Load, Vote};

/// A long queue is answered at once, an empty one only after some looks.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    calm: u32,
}

impl Backlog {
    pub(super) fn vote(&mut self, load: &Load, settings: &Settings) -> Vote {
        if load.queue > settings.backlog {
            self.calm = 0;
            return match load.starting {
                0 => Vote::More,
                // They may be enough.
                _ => Vote::Same,
            };
        }
        let calm = load.queue == 0 && load.idle > 0;
        self.calm = if calm { self.calm + 1 } else { 0 };
        if self.calm >= settings.overload.max(1) {
            self.calm = 0;
            return Vote::Fewer;
        }
        Vote::Same
    }
}
