//! Content codings, and which of them a client takes (`Accept-Encoding`, RFC 9110 section 12.5.3).

/// A content coding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Brotli (RFC 7932).
    Br,
    /// Gzip (RFC 1952).
    Gzip,
    /// Zstandard (RFC 8878).
    Zstd,
}

impl Coding {
    /// All of them, the one that usually makes things smallest first.
    pub(crate) const ALL: [Self; 3] = [Self::Br, Self::Zstd, Self::Gzip];

    /// As `Content-Encoding` has it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Br => "br",
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    /// What the name of a file in this coding ends with.
    pub(crate) const fn suffix(self) -> &'static str {
        match self {
            Self::Br => ".br",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    fn is_named(self, name: &[u8]) -> bool {
        name.eq_ignore_ascii_case(self.name().as_bytes())
            // RFC 9110 section 8.4.1.3: "a recipient SHOULD consider "x-gzip" to be equivalent".
            || self == Self::Gzip && name.eq_ignore_ascii_case(b"x-gzip")
    }
}

/// The codings that a client takes, its favourite first; equally welcome ones in the order of [`Coding::ALL`]. A client
/// that would rather have the file as it is gets none.
pub(crate) fn accepted(header: &[u8]) -> impl Iterator<Item = Coding> + use<> {
    let as_it_is = weight_of(header, |name| name.eq_ignore_ascii_case(b"identity")).unwrap_or(0);
    let any = weight_of(header, |name| name == b"*").unwrap_or(0);
    let mut weights = Coding::ALL.map(|coding| {
        let own = weight_of(header, |name| coding.is_named(name));
        (own.unwrap_or(any), coding)
    });
    weights.sort_by_key(|(weight, _)| std::cmp::Reverse(*weight));
    let is_welcome = move |weight: u16| weight > 0 && weight >= as_it_is;
    weights
        .into_iter()
        .filter(move |(weight, _)| is_welcome(*weight))
        .map(|(_, coding)| coding)
}

/// Thousandths of the weight that the header gives to a name, if it has it.
fn weight_of(header: &[u8], is_it: impl Fn(&[u8]) -> bool) -> Option<u16> {
    header.split(|&byte| byte == b',').find_map(|element| {
        let mut parts = element.split(|&byte| byte == b';').map(<[u8]>::trim_ascii);
        let name = parts.next().unwrap_or_default();
        is_it(name).then(|| parts.find_map(weight).unwrap_or(1000))
    })
}

/// RFC 9110 section 12.4.2: `q=0.5`, three digits behind the point at most. What is none counts as not wanted.
fn weight(parameter: &[u8]) -> Option<u16> {
    let (b"q=" | b"Q=") = parameter.get(..2)? else {
        return None;
    };
    let value = match &parameter[2..] {
        b"1" | b"1." | b"1.0" | b"1.00" | b"1.000" => 1000,
        [b'0', b'.', digits @ ..] if digits.len() <= 3 && digits.iter().all(u8::is_ascii_digit) => {
            let digit = |place: usize| u16::from(digits.get(place).map_or(0, |digit| digit - b'0'));
            digit(0) * 100 + digit(1) * 10 + digit(2)
        }
        _ => 0,
    };
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, expected: &str) {
        let names: Vec<&str> = accepted(header.as_bytes()).map(Coding::name).collect();
        assert_eq!(names.join(" "), expected, "{header}");
    }

    #[test]
    fn names() {
        check("gzip, deflate, br, zstd", "br zstd gzip");
        check("gzip", "gzip");
        check("GZIP", "gzip");
        check("x-gzip", "gzip");
        check("deflate", "");
        check("", "");
        check("gzipped", "");
    }

    #[test]
    fn weights() {
        check("gzip;q=1.0, br;q=0.5", "gzip br");
        check("gzip; q=0.5, br ; q=0.501", "br gzip");
        check("gzip;q=0", "");
        check("br;q=0.000, gzip;q=0.001", "gzip");
        check("br;q=2, zstd;q=x, gzip;q=", "");
    }

    #[test]
    fn anything_and_nothing() {
        check("*", "br zstd gzip");
        check("*;q=0.1, br;q=0", "zstd gzip");
        check("identity", "");
        check("identity, gzip", "gzip");
        check("identity;q=1, gzip;q=0.5", "");
        check("identity;q=0, *;q=0", "");
    }
}
