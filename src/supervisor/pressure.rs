//! Waits for word that memory is short.

use std::{future, os::fd::OwnedFd};

use tokio::{
    io::{Interest, unix::AsyncFd},
    time::sleep_until,
};

use crate::systemd::{Figures, MemoryPressure, Teller};

/// See the module.
pub(super) enum Pressure {
    /// Somebody tells.
    Told(AsyncFd<OwnedFd>, Teller),
    /// We look for ourselves.
    Read(Figures),
    /// Nobody will tell, or not any more.
    Unknown,
}

impl Pressure {
    /// Whoever tells of it, if there is somebody.
    pub(super) fn new() -> Self {
        match MemoryPressure::open() {
            Some(MemoryPressure::Told(teller)) => {
                let fd = teller.try_clone();
                let fd = fd.and_then(|fd| super::ready_for(fd, interest(&teller)));
                fd.map_or(Self::Unknown, |fd| Self::Told(fd, teller))
            }
            Some(MemoryPressure::Read(figures)) => Self::Read(figures),
            None => Self::Unknown,
        }
    }

    /// Returns when memory is short.
    pub(super) async fn pressed(&mut self) {
        match self {
            Self::Told(fd, teller) => {
                if let Ok(mut ready) = fd.ready(interest(teller)).await {
                    ready.clear_ready();
                }
                if !teller.take() {
                    *self = Self::Unknown;
                }
            }
            Self::Read(figures) => loop {
                let due = figures.due();
                sleep_until(due.into()).await;
                if figures.look(due) {
                    return;
                }
            },
            Self::Unknown => future::pending().await,
        }
    }
}

fn interest(teller: &Teller) -> Interest {
    match teller.is_trigger() {
        true => Interest::PRIORITY,
        false => Interest::READABLE,
    }
}
