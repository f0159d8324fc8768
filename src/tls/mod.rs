//! What HTTPS needs to know: certificates and keys from files to rustls, and the keys of session tickets.
//!
//! The supervisor reads the files ([`Material::read`]), before anybody gives up a privilege, and holds them against each
//! other by making servers of them, so that a bad certificate is found before it could do harm. Zygotes get them as a
//! sealed file in memory beside their first message: a private key is in no message that anybody may write down. Workers
//! make the servers that they serve with. Not here: sockets, records, handshakes; those are a connection's (`serve`).

mod certificate;
mod ciphers;
mod error;
mod facts;
mod material;
mod name;
mod server;
mod sni;
#[cfg(test)]
pub(crate) mod tests;
mod ticket_keys;
mod tickets;

pub use error::TlsError;
pub use facts::Facts;
pub use material::Material;
pub use server::Server;
pub use ticket_keys::{KeyRing, ROTATION};
