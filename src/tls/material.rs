//! Certificates and keys as they are in their files, on their way from the supervisor to the workers.

use std::{
    fs::File,
    io::{self, Read, Seek, Write},
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::Arc,
    time::SystemTime,
};

use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};
use serde::{Deserialize, Serialize};

use super::{certificate, error::TlsError, server::Server, ticket_keys::KeyRing};
use crate::config::{ClientCertificate, Listen, Protocol};

/// Bytes of a file; a bundle of all authorities that browsers know has about a fifth of it.
const LARGEST: u64 = 1 << 20;

/// What all `[[listen]]` of a site have in their files, in the order of the settings. It holds private keys, so it has
/// no `Debug`.
#[derive(Serialize, Deserialize)]
pub struct Material {
    listeners: Vec<Option<Files>>,
}

/// The files of one `[[listen]]`.
#[derive(Serialize, Deserialize)]
pub(super) struct Files {
    pub(super) pair: Pair,
    /// Host names in lower case, `*.` in front for those one level below, and what they get.
    pub(super) sni: Vec<(String, Pair)>,
    pub(super) client: Option<Client>,
    pub(super) ciphers: Vec<String>,
}

/// Whose client certificates count.
#[derive(Serialize, Deserialize)]
pub(super) struct Client {
    pub(super) authorities: Pem,
    pub(super) is_required: bool,
}

/// A certificate with its issuers, and its key.
#[derive(Serialize, Deserialize)]
pub(super) struct Pair {
    pub(super) certificate: Pem,
    pub(super) key: Pem,
}

/// The text of a file.
#[derive(Serialize, Deserialize)]
pub(super) struct Pem {
    pub(super) path: PathBuf,
    pub(super) text: String,
}

impl Material {
    /// Reads the files of every listener that speaks HTTPS; `None` when there is none.
    ///
    /// # Errors
    /// A file cannot be read, or is far too large.
    pub fn read(listen: &[Listen]) -> Result<Option<Self>, TlsError> {
        let listeners = listen.iter().map(|listen| {
            let is_ours = listen.protocol == Protocol::Https;
            is_ours.then(|| Files::read(listen)).transpose()
        });
        let listeners = listeners.collect::<Result<Vec<_>, _>>()?;
        let is_some = listeners.iter().any(Option::is_some);
        Ok(is_some.then_some(Self { listeners }))
    }

    /// What a listener needs to speak HTTPS, for each `[[listen]]`.
    ///
    /// # Errors
    /// The files do not hold what they should, or do not belong together.
    pub fn servers(&self, keys: &Arc<KeyRing>) -> Result<Vec<Option<Server>>, TlsError> {
        let server = |files: &Option<Files>| {
            let files = files.as_ref();
            files.map(|files| Server::new(files, keys)).transpose()
        };
        self.listeners.iter().map(server).collect()
    }

    /// Certificates whose time is not now, or is over soon, each with what to do; a line each.
    ///
    /// # Errors
    /// A certificate cannot be decoded.
    pub fn warnings(&self, now: SystemTime) -> Result<Vec<String>, TlsError> {
        let files = self.listeners.iter().flatten();
        let pairs = files.flat_map(|files| {
            let others = files.sni.iter().map(|(_, pair)| pair);
            std::iter::once(&files.pair).chain(others)
        });
        let mut warnings = Vec::new();
        for pair in pairs {
            let warning = certificate::warning(&pair.certificate, now)?;
            warnings.extend(warning.filter(|warning| !warnings.contains(warning)));
        }
        Ok(warnings)
    }

    /// The whole in a file that exists in memory alone, which nobody can change any more.
    ///
    /// # Errors
    /// The kernel has no such file to give.
    pub fn seal(&self) -> io::Result<OwnedFd> {
        let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
        let mut file = File::from(memfd_create("hostler-certificates", flags)?);
        file.write_all(&serde_json::to_vec(self)?)?;
        let seals = SealFlags::GROW | SealFlags::SHRINK | SealFlags::WRITE | SealFlags::SEAL;
        fcntl_add_seals(&file, seals)?;
        Ok(file.into())
    }

    /// Takes back what [`Material::seal`] has written.
    ///
    /// # Errors
    /// [`TlsError::Handover`].
    pub fn open(fd: OwnedFd) -> Result<Self, TlsError> {
        let read = || {
            let mut file = File::from(fd);
            // Other processes have the same file, and with it the same position.
            file.rewind()?;
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes)?;
            Ok(serde_json::from_slice(&bytes)?)
        };
        read().map_err(TlsError::Handover)
    }
}

impl Files {
    fn read(listen: &Listen) -> Result<Self, TlsError> {
        let pair = Pair::read(
            required("certificate", &listen.certificate)?,
            required("key", &listen.key)?,
        )?;
        let sni = listen.sni.iter().map(|sni| {
            let pair = Pair::read(&sni.certificate, &sni.key)?;
            Ok((sni.host.to_ascii_lowercase(), pair))
        });
        let client = listen.client_ca.as_deref().map(|path| {
            Ok::<_, TlsError>(Client {
                authorities: Pem::read("client-ca", path)?,
                is_required: listen.client_certificate != Some(ClientCertificate::Optional),
            })
        });
        Ok(Self {
            pair,
            sni: sni.collect::<Result<_, TlsError>>()?,
            client: client.transpose()?,
            ciphers: listen.ciphers.clone(),
        })
    }
}

fn required<'p>(name: &'static str, path: &'p Option<PathBuf>) -> Result<&'p Path, TlsError> {
    path.as_deref().ok_or(TlsError::Missing { name })
}

impl Pair {
    fn read(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        Ok(Self {
            certificate: Pem::read("certificate", certificate)?,
            key: Pem::read("private key", key)?,
        })
    }
}

impl Pem {
    fn read(what: &'static str, path: &Path) -> Result<Self, TlsError> {
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes));
        let path = path.to_owned();
        match read {
            Err(source) => Err(TlsError::Read { what, path, source }),
            Ok(length) if length as u64 > LARGEST => {
                let limit = LARGEST;
                Err(TlsError::TooLarge { what, path, limit })
            }
            // Between the blocks of PEM anything may stand, in any encoding; inside them there is nothing but ASCII.
            Ok(_) => Ok(Self {
                path,
                text: String::from_utf8_lossy(&bytes).into_owned(),
            }),
        }
    }
}
