//! Sets of bytes, as the grammars of RFC 9110 and RFC 3986 name them: one look into a table for each byte of a text, for
//! texts are checked on the path of every request.

/// A set of bytes.
pub(super) struct Octets([bool; 256]);

/// `tchar`, of which tokens are made: RFC 9110 section 5.6.2.
pub(super) const TOKEN: Octets = Octets::alphanumeric_and(b"!#$%&'*+-.^_`|~");
/// A token whose variable is no other's: with an underscore it would be that of a name with a hyphen.
pub(super) const PLAIN_NAME: Octets = TOKEN.without(b'_');
/// What a field value may hold: no control character but a tab, RFC 9110 section 5.5.
pub(super) const VALUE: Octets = Octets::printable_and_above().and(b"\t ");
/// RFC 3986: unreserved, sub-delims and the `%` of an escape.
pub(super) const HOST: Octets = Octets::alphanumeric_and(b"-._~%!$&'()*+,;=");
/// What a request target may hold: ASCII that can be seen, but no `#` (RFC 9112 section 3.2).
pub(super) const TARGET: Octets = Octets::printable().without(b'#');

impl Octets {
    /// Whether there is nothing but bytes of this set in `text`.
    pub(super) fn are_all(&self, text: &[u8]) -> bool {
        // Without a way out: nearly every text is sound, and a branch for each byte costs more than the bytes after a fault.
        text.iter()
            .fold(true, |all, &byte| all & self.0[byte as usize])
    }

    const fn none() -> Self {
        Self([false; 256])
    }

    const fn and(mut self, bytes: &[u8]) -> Self {
        let mut at = 0;
        while at < bytes.len() {
            self.0[bytes[at] as usize] = true;
            at += 1;
        }
        self
    }

    const fn without(mut self, byte: u8) -> Self {
        self.0[byte as usize] = false;
        self
    }

    const fn from(mut self, first: u8, last: u8) -> Self {
        let mut byte = first as usize;
        while byte <= last as usize {
            self.0[byte] = true;
            byte += 1;
        }
        self
    }

    const fn alphanumeric_and(bytes: &[u8]) -> Self {
        Self::none()
            .from(b'0', b'9')
            .from(b'A', b'Z')
            .from(b'a', b'z')
            .and(bytes)
    }

    const fn printable() -> Self {
        Self::none().from(b'!', b'~')
    }

    const fn printable_and_above() -> Self {
        Self::printable().from(0x80, 0xff)
    }
}

#[cfg(test)]
mod tests {
    use super::{HOST, Octets, TARGET, TOKEN, VALUE};

    /// Compares a table with a rule, byte by byte.
    fn check(octets: &Octets, rule: impl Fn(u8) -> bool) {
        for byte in 0..=u8::MAX {
            assert_eq!(octets.are_all(&[b'a', byte, b'a']), rule(byte), "{byte:#x}");
        }
    }

    #[test]
    fn tables_agree_with_the_grammars() {
        check(&TOKEN, |byte| {
            byte.is_ascii_graphic() && !b"\"(),/:;<=>?@[\\]{}".contains(&byte)
        });
        check(&VALUE, |byte| byte == b'\t' || !byte.is_ascii_control());
        check(&HOST, |byte| {
            byte.is_ascii_graphic() && !b"\"#/:<>?@[\\]^`{|}".contains(&byte)
        });
        check(&TARGET, |byte| byte.is_ascii_graphic() && byte != b'#');
    }

    #[test]
    fn an_empty_text_has_no_wrong_byte() {
        assert!(TOKEN.are_all(b""));
    }
}
