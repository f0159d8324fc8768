//! What an application is told about an encrypted connection: mod_ssl's variables, and uWSGI's for client certificates.

use rustls::{HandshakeKind, ProtocolVersion, ServerConnection};

use super::{certificate::Owner, ciphers};

/// Made once, when the handshake is over.
#[derive(Debug, Default)]
pub struct Facts {
    protocol: &'static str,
    cipher: &'static str,
    resumed: bool,
    sni: Option<String>,
    client: Client,
}

#[derive(Debug, Default)]
enum Client {
    /// It was not asked for a certificate.
    #[default]
    NotAsked,
    /// It was, and had none.
    None,
    Verified(Box<Owner>),
}

impl Facts {
    /// What is known of a connection whose handshake is over.
    pub fn of(session: &ServerConnection, asks_client: bool) -> Self {
        let suite = session.negotiated_cipher_suite();
        let certificate = session.peer_certificates().and_then(<[_]>::first);
        Self {
            protocol: match session.protocol_version() {
                Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
                _ => "TLSv1.3",
            },
            cipher: suite.map_or("unknown", |suite| ciphers::openssl_name(suite.suite())),
            resumed: session.handshake_kind() == Some(HandshakeKind::Resumed),
            sni: session.server_name().map(str::to_owned),
            client: match certificate {
                // rustls has checked it; what it takes for one and we do not is told to nobody.
                Some(der) => {
                    Owner::of(der).map_or(Client::None, |owner| Client::Verified(Box::new(owner)))
                }
                None if asks_client => Client::None,
                None => Client::NotAsked,
            },
        }
    }

    /// Calls `visitor` with the name and value of each variable.
    pub fn visit(&self, mut visitor: impl FnMut(&'static str, &str)) {
        visitor("SSL_PROTOCOL", self.protocol);
        visitor("SSL_CIPHER", self.cipher);
        let resumed = if self.resumed { "Resumed" } else { "Initial" };
        visitor("SSL_SESSION_RESUMED", resumed);
        if let Some(name) = &self.sni {
            visitor("SSL_TLS_SNI", name);
        }
        match &self.client {
            Client::NotAsked => {}
            Client::None => visitor("SSL_CLIENT_VERIFY", "NONE"),
            Client::Verified(owner) => {
                visitor("SSL_CLIENT_VERIFY", "SUCCESS");
                visitor("SSL_CLIENT_S_DN", &owner.subject);
                visitor("SSL_CLIENT_I_DN", &owner.issuer);
                visitor("SSL_CLIENT_M_SERIAL", &owner.serial);
                visitor("SSL_CLIENT_V_START", &owner.from);
                visitor("SSL_CLIENT_V_END", &owner.until);
                visitor("SSL_CLIENT_CERT", &owner.pem);
                visitor("HTTPS_DN", &owner.path);
                visitor("HTTPS_CC", &owner.pem);
            }
        }
    }
}
