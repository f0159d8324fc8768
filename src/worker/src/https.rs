//! Certificates and keys in zygote and workers, which get them from the supervisor and never see their files.

use std::{os::fd::OwnedFd, sync::Arc};

use hostler::tls::{KeyRing, Material, Server, TlsError};

/// What the supervisor has handed over. A zygote keeps it for the workers that it forks, and does nothing with it.
pub(crate) struct Https {
    material: Material,
    keys: Arc<KeyRing>,
}

impl Https {
    /// Takes over the two descriptors. That of the certificates is closed: nothing that the application starts, or looks
    /// for among its own descriptors, has private keys behind it.
    ///
    /// # Errors
    /// They hold something else.
    pub(crate) fn open(material: OwnedFd, keys: OwnedFd) -> Result<Self, TlsError> {
        Ok(Self {
            material: Material::open(material)?,
            keys: Arc::new(KeyRing::open(keys).map_err(TlsError::TicketKeys)?),
        })
    }

    /// What each `[[listen]]` needs.
    ///
    /// # Errors
    /// None that the supervisor has not found before.
    pub(crate) fn servers(&self) -> Result<Vec<Option<Server>>, TlsError> {
        self.material.servers(&self.keys)
    }
}
