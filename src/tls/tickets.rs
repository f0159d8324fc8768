//! Session tickets as rustls asks for them, sealed with the keys that all workers share.

use std::sync::Arc;

use ring::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rand::{SecureRandom, SystemRandom},
};
use rustls::server::ProducesTickets;

use super::ticket_keys::{Key, KeyRing, LIFETIME};

const NAME: usize = 16;
/// Far more than a session with a chain of client certificates takes.
const LONGEST: usize = 64 << 10;

/// A ticket is the name of its key, a nonce, and the sealed state with its tag. What names the key, and where the ticket
/// is good, is sealed in as well.
#[derive(Debug)]
pub(super) struct Tickets {
    keys: Arc<KeyRing>,
    audience: [u8; 32],
}

impl Tickets {
    /// Tickets that are good where `audience` is the same.
    pub(super) fn new(keys: Arc<KeyRing>, audience: [u8; 32]) -> Self {
        Self { keys, audience }
    }

    fn additional(&self, key: &Key) -> Aad<[u8; NAME + 32]> {
        let mut bytes = [0; NAME + 32];
        bytes[..NAME].copy_from_slice(&key.name);
        bytes[NAME..].copy_from_slice(&self.audience);
        Aad::from(bytes)
    }
}

impl ProducesTickets for Tickets {
    fn enabled(&self) -> bool {
        true
    }

    fn lifetime(&self) -> u32 {
        u32::try_from(LIFETIME.as_secs()).unwrap_or(u32::MAX)
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        if plain.len() > LONGEST {
            return None;
        }
        let key = self.keys.with(|keys| keys.first().copied())?;
        // Random, since many processes seal with one key. In the hour that it is used, 2^32 tickets (where NIST SP
        // 800-38D section 8.3 draws the line) would be a million a second.
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut ticket = Vec::with_capacity(NAME + NONCE_LEN + plain.len() + AES_256_GCM.tag_len());
        ticket.extend_from_slice(&key.name);
        ticket.extend_from_slice(&nonce);
        ticket.extend_from_slice(plain);
        let sealed = &mut ticket[NAME + NONCE_LEN..];
        let nonce = Nonce::assume_unique_for_key(nonce);
        let tag = cipher(&key)?
            .seal_in_place_separate_tag(nonce, self.additional(&key), sealed)
            .ok()?;
        ticket.extend_from_slice(tag.as_ref());
        Some(ticket)
    }

    fn decrypt(&self, ticket: &[u8]) -> Option<Vec<u8>> {
        if ticket.len() > 2 * LONGEST {
            return None;
        }
        let (name, rest) = ticket.split_at_checked(NAME)?;
        let (nonce, sealed) = rest.split_at_checked(NONCE_LEN)?;
        let is_named = |key: &&Key| key.name == name;
        let key = self.keys.with(|keys| keys.iter().find(is_named).copied())?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut plain = sealed.to_vec();
        let cipher = cipher(&key)?;
        let opened = cipher.open_in_place(nonce, self.additional(&key), &mut plain);
        let length = opened.ok()?.len();
        plain.truncate(length);
        Some(plain)
    }
}

fn cipher(key: &Key) -> Option<LessSafeKey> {
    let key = UnboundKey::new(&AES_256_GCM, &key.secret).ok()?;
    Some(LessSafeKey::new(key))
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    fn tickets(ring: &KeyRing, audience: u8) -> Tickets {
        let fd = ring.as_fd().try_clone_to_owned().unwrap();
        Tickets::new(Arc::new(KeyRing::open(fd).unwrap()), [audience; 32])
    }

    #[test]
    fn another_worker_opens_what_one_has_sealed() {
        let ring = KeyRing::create().unwrap();
        let ticket = tickets(&ring, 1).encrypt(b"session").unwrap();
        let opened = tickets(&ring, 1).decrypt(&ticket);
        assert_eq!(opened.as_deref(), Some(&b"session"[..]));
    }

    #[test]
    fn a_ticket_is_good_for_its_lifetime_and_no_longer() {
        let ring = KeyRing::create().unwrap();
        let one = tickets(&ring, 1);
        let ticket = one.encrypt(b"session").unwrap();
        let rotations = LIFETIME.as_secs() / super::super::ROTATION.as_secs();
        for _ in 0..rotations {
            ring.rotate().unwrap();
            assert!(one.decrypt(&ticket).is_some());
        }
        ring.rotate().unwrap();
        assert!(one.decrypt(&ticket).is_none());
    }

    #[test]
    fn a_ticket_of_another_audience_is_none() {
        let ring = KeyRing::create().unwrap();
        let ticket = tickets(&ring, 1).encrypt(b"session").unwrap();
        assert!(tickets(&ring, 2).decrypt(&ticket).is_none());
    }

    #[test]
    fn whatever_was_changed_or_cut_off_is_none() {
        let ring = KeyRing::create().unwrap();
        let one = tickets(&ring, 1);
        let ticket = one.encrypt(b"session").unwrap();
        for at in 0..ticket.len() {
            let mut changed = ticket.clone();
            changed[at] ^= 1;
            assert!(one.decrypt(&changed).is_none(), "{at}");
            assert!(one.decrypt(&ticket[..at]).is_none(), "{at}");
        }
    }
}
