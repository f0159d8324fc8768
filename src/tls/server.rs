//! From files to what rustls serves with.

use std::sync::Arc;

use ring::digest::{Context, SHA256};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::CryptoProvider,
    server::{NoServerSessionStorage, WebPkiClientVerifier, danger::ClientCertVerifier},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{
    CertificateDer, PrivateKeyDer,
    pem::{self, PemObject},
};

use super::{
    ciphers,
    error::TlsError,
    material::{Client, Files, Pair, Pem},
    sni::Certificates,
    ticket_keys::KeyRing,
    tickets::Tickets,
};

/// The protocols that a client may choose from (RFC 7301).
const ALPN: &[u8] = b"http/1.1";

/// What the connections of one listener are made with.
#[derive(Debug, Clone)]
pub struct Server {
    /// For [`rustls::ServerConnection`].
    pub config: Arc<ServerConfig>,
    /// Whether clients are asked for a certificate.
    pub asks_client: bool,
}

impl Server {
    pub(super) fn new(files: &Files, keys: &Arc<KeyRing>) -> Result<Self, TlsError> {
        let provider = Arc::new(CryptoProvider {
            cipher_suites: ciphers::chosen(&files.ciphers)?,
            ..rustls::crypto::ring::default_provider()
        });
        let first = certified_key(&files.pair, &provider)?;
        let named = files.sni.iter().map(|(host, pair)| {
            let key = certified_key(pair, &provider)?;
            Ok((host.clone(), key))
        });
        let named = named.collect::<Result<Vec<_>, TlsError>>()?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_protocol_versions(&[&TLS13, &TLS12])?;
        let builder = match &files.client {
            Some(client) => builder.with_client_cert_verifier(verifier(client, provider)?),
            None => builder.with_no_client_auth(),
        };
        let mut config = builder.with_cert_resolver(Arc::new(Certificates::new(first, named)));
        config.alpn_protocols = vec![ALPN.to_vec()];
        config.ignore_client_order = !files.ciphers.is_empty();
        // Tickets are kept by the clients; what is kept here would be no other worker's.
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ticketer = Arc::new(Tickets::new(Arc::clone(keys), audience(files)));
        Ok(Self {
            config: Arc::new(config),
            asks_client: files.client.is_some(),
        })
    }
}

/// Where a ticket is good. Resuming a session skips the check of the client's certificate, so a ticket must not lead from
/// a listener that asks for none, or trusts other authorities, to one that is stricter.
fn audience(files: &Files) -> [u8; 32] {
    let mut digest = Context::new(&SHA256);
    if let Some(client) = &files.client {
        digest.update(if client.is_required {
            b"required"
        } else {
            b"optional"
        });
        digest.update(client.authorities.text.as_bytes());
    }
    let mut audience = [0; 32];
    audience.copy_from_slice(digest.finish().as_ref());
    audience
}

fn certified_key(pair: &Pair, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let chain = certificates(&pair.certificate)?;
    let path = || pair.key.path.clone();
    let key = private_key(&pair.key)?;
    let key = provider.key_provider.load_private_key(key);
    let key = key.map_err(|source| TlsError::Key {
        path: path(),
        source,
    })?;
    let certified = CertifiedKey::new(chain, key);
    match certified.keys_match() {
        Ok(()) | Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => {
            Ok(certified)
        }
        Err(rustls::Error::InconsistentKeys(_)) => Err(TlsError::Mismatch {
            certificate: pair.certificate.path.clone(),
            key: path(),
        }),
        Err(error) => Err(error.into()),
    }
}

/// All certificates of a file, in their order.
pub(super) fn certificates(pem: &Pem) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found = CertificateDer::pem_slice_iter(pem.text.as_bytes());
    let found = found.collect::<Result<Vec<_>, _>>();
    let found = found.map_err(|source| TlsError::Pem {
        path: pem.path.clone(),
        source,
    })?;
    match found.is_empty() {
        false => Ok(found),
        true => Err(TlsError::Nothing {
            what: "certificate",
            path: pem.path.clone(),
        }),
    }
}

fn private_key(pem: &Pem) -> Result<PrivateKeyDer<'static>, TlsError> {
    let path = || pem.path.clone();
    let is_encrypted = ["BEGIN ENCRYPTED PRIVATE KEY", "Proc-Type: 4,ENCRYPTED"]
        .iter()
        .any(|mark| pem.text.contains(mark));
    if is_encrypted {
        return Err(TlsError::EncryptedKey { path: path() });
    }
    PrivateKeyDer::from_pem_slice(pem.text.as_bytes()).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::Nothing {
            what: "private key",
            path: path(),
        },
        source => TlsError::Pem {
            path: path(),
            source,
        },
    })
}

fn verifier(
    client: &Client,
    provider: Arc<CryptoProvider>,
) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    let failed = |source| TlsError::ClientCa {
        path: client.authorities.path.clone(),
        source,
    };
    let mut roots = RootCertStore::empty();
    for authority in certificates(&client.authorities)? {
        roots.add(authority).map_err(failed)?;
    }
    let builder = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
    let builder = match client.is_required {
        true => builder,
        false => builder.allow_unauthenticated(),
    };
    let built = builder.build();
    built.map_err(|error| failed(rustls::Error::General(error.to_string())))
}
