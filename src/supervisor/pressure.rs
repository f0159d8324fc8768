//! Waits for word that memory is short.

use std::{future, os::fd::OwnedFd};

use tokio::io::{Interest, unix::AsyncFd};

use crate::systemd::MemoryPressure;

/// See the module.
pub(super) struct Pressure {
    /// `None`: nobody will tell, or not any more.
    source: Option<(AsyncFd<OwnedFd>, MemoryPressure)>,
}

impl Pressure {
    /// Whoever tells of it, if there is somebody.
    pub(super) fn new() -> Self {
        let source = MemoryPressure::open().and_then(|pressure| {
            let interest = match pressure.is_trigger() {
                true => Interest::PRIORITY,
                false => Interest::READABLE,
            };
            let fd = super::ready_for(pressure.try_clone().ok()?, interest).ok()?;
            Some((fd, pressure))
        });
        Self { source }
    }

    /// Returns when memory is short.
    pub(super) async fn pressed(&mut self) {
        let Some((fd, pressure)) = &self.source else {
            return future::pending().await;
        };
        let interest = match pressure.is_trigger() {
            true => Interest::PRIORITY,
            false => Interest::READABLE,
        };
        if let Ok(mut ready) = fd.ready(interest).await {
            ready.clear_ready();
        }
        if !pressure.take() {
            self.source = None;
        }
    }
}
