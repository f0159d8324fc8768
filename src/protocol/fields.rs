//! What the fields of every protocol have in common: numbers, and names that come twice.

use super::Field;

/// 1*DIGIT that fits 64 bits; no sign, no blank, no list.
pub fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0_u64, |value, &digit| {
        if !digit.is_ascii_digit() {
            return None;
        }
        value.checked_mul(10)?.checked_add(u64::from(digit - b'0'))
    })
}

/// Finds out whether a name comes twice: a small Bloom filter first, and only what it suspects is compared.
#[derive(Debug, Default)]
pub(super) struct Names {
    bloom: [u64; 4],
    /// Whether one has come twice.
    pub(super) repeat: bool,
}

impl Names {
    /// Notes `name`; `before` holds the fields that were noted before it.
    pub(super) fn note(&mut self, buffer: &[u8], name: &[u8], before: &[Field]) {
        let end = |byte: Option<&u8>| usize::from(byte.map_or(0, |byte| byte | 0x20));
        let hash = name.len() * 37 + end(name.first()) * 11 + end(name.last()) * 3;
        let (word, bit) = (&mut self.bloom[hash / 64 % 4], 1 << (hash % 64));
        if *word & bit != 0 && !self.repeat {
            self.repeat = before
                .iter()
                .any(|field| field.name.of(buffer).eq_ignore_ascii_case(name));
        }
        *word |= bit;
    }
}
