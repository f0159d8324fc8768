//! `spare`, uWSGI's default: always one worker with nothing to do, so that the next request finds it.

use crate::config::Cheaper as Settings;

use super::{Load, Vote};

/// Counts looks without a spare worker upwards and all others downwards, so that a single busy look changes nothing.
#[derive(Debug, Default)]
pub(super) struct Spare {
    overload: u32,
    calm: u32,
}

impl Spare {
    pub(super) fn vote(&mut self, load: &Load, settings: &Settings) -> Vote {
        // One that is on its way will be idle.
        if load.idle + load.starting == 0 {
            self.overload += 1;
        } else {
            self.overload = self.overload.saturating_sub(1);
        }
        if self.overload >= settings.overload.max(1) {
            *self = Self::default();
            return Vote::More;
        }
        let too_many = self.overload == 0 && load.idle > 1;
        self.calm = if too_many { self.calm + 1 } else { 0 };
        if self.calm >= settings.overload.max(1) {
            self.calm = 0;
            return Vote::Fewer;
        }
        Vote::Same
    }
}
