//! The certificates of a generation, and the keys of session tickets, which all generations share.
//!
//! The files are read here and nowhere else: by whoever runs the service, before zygotes give up what privileges there
//! are, and again at each reload. They are tried out at once, so that what is wrong with them stops a start or a reload.

use std::{
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use crate::{
    config::Listen,
    tls::{KeyRing, Material, ROTATION, TlsError},
};

/// See the module.
pub(crate) struct Https {
    /// What zygotes get; none without a listener for it.
    sealed: Option<OwnedFd>,
    keys: Arc<KeyRing>,
}

impl Https {
    /// For the first generation.
    ///
    /// # Errors
    /// A file is missing or wrong.
    pub(crate) fn load(listen: &[Listen]) -> Result<Self, TlsError> {
        Self::load_with(listen, None)
    }

    /// The same with the keys of a supervisor before this one, if they are laid out as ours: clients resume the sessions
    /// that they had there.
    ///
    /// # Errors
    /// As with [`Https::load`].
    pub(super) fn load_with(listen: &[Listen], keys: Option<OwnedFd>) -> Result<Self, TlsError> {
        let keys = match keys.map(KeyRing::open) {
            Some(Ok(keys)) => keys,
            Some(Err(_)) | None => KeyRing::create().map_err(TlsError::TicketKeys)?,
        };
        Self::with_keys(listen, Arc::new(keys))
    }

    /// For the generation after this one: clients resume their sessions there.
    pub(super) fn reload(&self, listen: &[Listen]) -> Result<Self, TlsError> {
        Self::with_keys(listen, Arc::clone(&self.keys))
    }

    fn with_keys(listen: &[Listen], keys: Arc<KeyRing>) -> Result<Self, TlsError> {
        let Some(material) = Material::read(listen)? else {
            return Ok(Self { sealed: None, keys });
        };
        material.servers(&keys)?;
        for warning in material.warnings(SystemTime::now())? {
            tracing::warn!("{warning}");
        }
        let sealed = material.seal().map_err(TlsError::Handover)?;
        Ok(Self {
            sealed: Some(sealed),
            keys,
        })
    }

    /// What goes to a zygote, in this order: the certificates with their keys, the keys of tickets. Nothing without HTTPS.
    pub(super) fn fds(&self) -> impl Iterator<Item = BorrowedFd<'_>> {
        let sealed = self.sealed.iter();
        sealed.flat_map(|sealed| [sealed.as_fd(), self.keys.as_fd()])
    }

    /// The keys of tickets.
    pub(super) fn ticket_keys(&self) -> BorrowedFd<'_> {
        self.keys.as_fd()
    }

    /// Whether a zygote gets any.
    pub(super) fn is_used(&self) -> bool {
        self.sealed.is_some()
    }
}

/// When the keys of tickets are changed.
pub(super) struct Rotation {
    keys: Arc<KeyRing>,
    due: Instant,
}

impl Rotation {
    pub(super) fn new(https: &Https, now: Instant) -> Self {
        Self {
            keys: Arc::clone(&https.keys),
            due: now + ROTATION,
        }
    }

    /// When [`Rotation::turn`] has something to do.
    pub(super) fn due(&self) -> Instant {
        self.due
    }

    /// Changes the keys if it is time.
    pub(super) fn turn(&mut self, now: Instant) {
        const AGAIN: Duration = Duration::from_secs(60);
        if now < self.due {
            return;
        }
        self.due = now + ROTATION;
        if let Err(error) = self.keys.rotate() {
            tracing::error!(%error, "the keys of session tickets stay as they are for now");
            self.due = now + AGAIN;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_change_when_it_is_time() {
        let start = Instant::now();
        let https = Https::load(&[]).unwrap();
        let mut rotation = Rotation::new(&https, start);
        let before = https.keys.names();
        rotation.turn(start + ROTATION - Duration::from_secs(1));
        assert_eq!(https.keys.names(), before);
        rotation.turn(start + ROTATION);
        assert_eq!(https.keys.names()[1..], before);
        assert_eq!(rotation.due(), start + 2 * ROTATION);
    }

    #[test]
    fn a_site_without_https_hands_over_nothing() {
        let https = Https::load(&[]).unwrap();
        assert!(!https.is_used() && https.fds().next().is_none());
        assert!(!https.reload(&[]).unwrap().is_used());
    }
}
