//! What only lines of some forms have, gathered when such a line is written and never before.

use crate::{
    config::{AccessFormat, AccessTemplate},
    environ::{Variable, header_key},
    journal::Details,
    protocol::{Framing, Kind},
    scoreboard::Scoreboard,
    serve::exchange::Exchange,
};

/// The one variable of the environ that is none of CGI's.
const SCHEME: &str = "wsgi.url_scheme";
/// Longer credentials name nobody.
const LONGEST_CREDENTIALS: usize = 1024;

/// What a form asks for beyond what every entry has.
pub(in crate::serve) struct Wanted {
    /// Names of variables.
    variables: Vec<String>,
}

/// Who has answered.
#[derive(Clone, Copy)]
pub(in crate::serve) struct Origin<'s> {
    /// Of all workers.
    pub(in crate::serve) scoreboard: &'s Scoreboard,
    /// The worker.
    pub(in crate::serve) slot: u32,
    /// Its thread.
    pub(in crate::serve) thread: u32,
}

impl Wanted {
    /// Of this form; `None`: nothing.
    pub(super) fn new(format: &AccessFormat) -> Option<Self> {
        let of = |template: &AccessTemplate| template.variables.clone();
        let variables = match format {
            AccessFormat::Combined | AccessFormat::Json => return None,
            AccessFormat::Custom(template) => of(template),
            AccessFormat::Uwsgi => Vec::new(),
        };
        Some(Self { variables })
    }

    /// All of it but the head of the answer.
    pub(in crate::serve) fn gather(
        &self,
        exchange: &mut Exchange<'_>,
        origin: Origin<'_>,
    ) -> Details<'static> {
        let mut details = Details {
            application: exchange.asked().map(|asked| asked.application),
            requests: origin.requests(),
            thread: origin.thread,
            errors: exchange.errors(),
            is_file: exchange.answer.is_file,
            ..Details::default()
        };
        self.gather_variables(exchange, &mut details);
        let head = exchange.request().head;
        details.content_length = match head.framing {
            Framing::Length(length) => length,
            Framing::Stdin { length, .. } => length.unwrap_or_default(),
            Framing::Chunked | Framing::None => 0,
        };
        if let Kind::Uwsgi {
            modifier1,
            modifier2,
        } = head.kind
        {
            details.modifiers = (modifier1, modifier2);
            details.variable_count = 2 * head.fields.len();
            // Four bytes are in front of them.
            details.packet_size = head.len.saturating_sub(4);
        }
        details
    }

    fn gather_variables(&self, exchange: &mut Exchange<'_>, details: &mut Details<'_>) {
        let names = &self.variables;
        let mut values = vec![None; names.len()];
        let (mut count, mut size, mut key) = (0, 0, Vec::new());
        exchange.variables(|variable, value| {
            let name = match variable {
                Variable::Header(name) => {
                    key.clear();
                    header_key(name, &mut key);
                    &key
                }
                Variable::Raw(name) => name,
                Variable::Standard(standard) => standard.name().as_bytes(),
            };
            count += 2;
            // Two lengths of two bytes, as a packet has them.
            size += 4 + name.len() + value.len();
            let wanted = names.iter().zip(&mut values);
            for (_, known) in wanted.filter(|(wanted, _)| wanted.as_bytes() == name) {
                *known = Some(value.to_vec());
            }
        });
        if let Some(place) = names.iter().position(|name| name == SCHEME) {
            values[place] = Some(exchange.scheme().as_bytes().to_vec());
        }
        details.variables = values;
        details.variable_count = count;
        details.packet_size = size;
    }
}

impl Origin<'_> {
    /// What this worker has answered, and all that are there now, with the request that is about to be counted.
    fn requests(self) -> (u64, u64) {
        let of = |slot| {
            let threads = self.scoreboard.threads(slot).iter();
            threads.map(|thread| thread.requests()).sum::<u64>()
        };
        let all: u64 = (0..self.scoreboard.len()).map(of).sum();
        (of(self.slot) + 1, all + 1)
    }
}

/// Writes the user of `Basic dXNlcjpwYXNzd29yZA==` (RFC 7617), or nothing if that is not what it says.
pub(super) fn claimed_user(authorization: &[u8], user: &mut Vec<u8>) {
    let Some((scheme, credentials)) = authorization.split_at_checked(6) else {
        return;
    };
    let is_basic = scheme.eq_ignore_ascii_case(b"basic ");
    if !is_basic || credentials.len() > LONGEST_CREDENTIALS {
        return;
    }
    for byte in decoded(credentials.trim_ascii()) {
        match byte {
            Some(b':') => return,
            Some(byte) => user.push(byte),
            None => break,
        }
    }
    // There is no colon, or it is not base64.
    user.clear();
}

/// The bytes of base64 (RFC 4648 section 4); `None` where it is none. The alphabet is short, and a crate for one header is
/// not worth its place.
fn decoded(text: &[u8]) -> impl Iterator<Item = Option<u8>> {
    let end = text.iter().rposition(|&byte| byte != b'=');
    let digits = &text[..end.map_or(0, |end| end + 1)];
    digits.chunks(4).flat_map(|group| {
        let mut bits = 0_u32;
        let mut is_good = group.len() > 1;
        for place in 0..4 {
            let digit = group.get(place).map_or(Some(0), |&byte| sextet(byte));
            is_good &= digit.is_some();
            bits = bits << 6 | digit.unwrap_or_default();
        }
        let [_, bytes @ ..] = bits.to_be_bytes();
        let count = if is_good { group.len() - 1 } else { 1 };
        bytes
            .into_iter()
            .take(count)
            .map(move |byte| is_good.then_some(byte))
    })
}

fn sextet(byte: u8) -> Option<u32> {
    let value = match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(value.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(authorization: &str, expected: &str) {
        let mut user = Vec::new();
        claimed_user(authorization.as_bytes(), &mut user);
        assert_eq!(user, expected.as_bytes(), "{authorization}");
    }

    #[test]
    fn the_user_of_basic_authentication_is_found() {
        check("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "Aladdin");
        check("basic dGVzdDoxMjPCow==", "test");
        check("Basic w6k6eA==", "é");
        check("Basic Ojo=", "");
    }

    #[test]
    fn what_names_nobody_is_nobody() {
        for text in [
            "",
            "Basic",
            "Basic ",
            "Basic QWxhZGRpbg==",
            "Basic !!!!",
            "Bearer QWxhZGRpbjpvcGVu",
            "Basic Q",
        ] {
            check(text, "");
        }
    }
}
