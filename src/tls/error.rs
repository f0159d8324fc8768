//! Why there is no server for a listener with `protocol = "https"`.

use std::{
    io,
    path::{Path, PathBuf},
};

/// What is wrong with a file, or with what the files have to do with each other.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// Bytes inside the PEM armour that are no certificate.
    #[error(
        "{} has something in it that is no certificate; look at it with `openssl x509 -in FILE -noout -text`",
        path.display()
    )]
    Certificate {
        /// Of the file.
        path: PathBuf,
        /// What the decoder says.
        #[source]
        source: x509_cert::der::Error,
    },
    /// A name in `ciphers`.
    #[error("`{name}` is none of the cipher suites that there are; choose among {known}")]
    Cipher {
        /// As it is written.
        name: String,
        /// All that there are.
        known: String,
    },
    /// The authorities cannot be used to tell good client certificates from others.
    #[error("{}: no client certificate can be checked with this", path.display())]
    ClientCa {
        /// Of the file.
        path: PathBuf,
        /// What rustls says.
        #[source]
        source: rustls::Error,
    },
    /// A passphrase protects the key, and nobody is there to type it.
    #[error(
        "{} is protected by a passphrase; write it without one (`openssl pkey -in FILE -out NEW`) and protect it as a credential",
        path.display()
    )]
    EncryptedKey {
        /// Of the file.
        path: PathBuf,
    },
    /// What was handed over cannot be read.
    #[error("the certificates that the supervisor has handed over cannot be read")]
    Handover(#[source] io::Error),
    /// A key of a kind that rustls does not know.
    #[error("{} is a private key that cannot be used; RSA, ECDSA (P-256, P-384) and Ed25519 keys can", path.display())]
    Key {
        /// Of the file.
        path: PathBuf,
        /// What rustls says.
        #[source]
        source: rustls::Error,
    },
    /// Certificate and key are not a pair.
    #[error(
        "the key {} does not belong to the first certificate of {}; the file begins with the server's own certificate, those of its issuers follow",
        key.display(), certificate.display()
    )]
    Mismatch {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
    },
    /// A key of the settings that has to be there.
    #[error("a listener with protocol = \"https\" needs `{name}`")]
    Missing {
        /// The key's name.
        name: &'static str,
    },
    /// There is no PEM block of the kind in the file.
    #[error("{} has no {what} in PEM form (-----BEGIN ...-----) in it", path.display())]
    Nothing {
        /// `certificate` or `private key`.
        what: &'static str,
        /// Of the file.
        path: PathBuf,
    },
    /// The armour itself is broken.
    #[error("{} is broken PEM", path.display())]
    Pem {
        /// Of the file.
        path: PathBuf,
        /// What the decoder says.
        #[source]
        source: rustls_pki_types::pem::Error,
    },
    /// No file, or none that may be read.
    #[error("cannot read the {what} {}", path.display())]
    Read {
        /// `certificate`, `private key` or `client-ca`.
        what: &'static str,
        /// Of the file.
        path: PathBuf,
        /// What the kernel says.
        #[source]
        source: io::Error,
    },
    /// rustls refuses the whole; no single file is to blame.
    #[error("HTTPS cannot be set up")]
    Setup(#[from] rustls::Error),
    /// Session tickets cannot be sealed.
    #[error("cannot make keys for session tickets")]
    TicketKeys(#[source] io::Error),
    /// A file far larger than any certificate.
    #[error("{} has more than {limit} bytes; it is no {what}", path.display())]
    TooLarge {
        /// `certificate`, `private key` or `client-ca`.
        what: &'static str,
        /// Of the file.
        path: PathBuf,
        /// The limit.
        limit: u64,
    },
}

impl TlsError {
    /// The file that is to blame, as the settings name it.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Certificate { path, .. }
            | Self::ClientCa { path, .. }
            | Self::EncryptedKey { path }
            | Self::Key { path, .. }
            | Self::Mismatch { key: path, .. }
            | Self::Nothing { path, .. }
            | Self::Pem { path, .. }
            | Self::Read { path, .. }
            | Self::TooLarge { path, .. } => Some(path),
            Self::Cipher { .. }
            | Self::Handover(_)
            | Self::Missing { .. }
            | Self::Setup(_)
            | Self::TicketKeys(_) => None,
        }
    }
}
