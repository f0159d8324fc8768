//! Distinguished names (RFC 5280 section 4.1.2.4) as text, in the two forms that applications know from other servers.

use std::fmt::Write;

use x509_cert::{
    attr::AttributeTypeAndValue,
    der::{Encode, Tag, Tagged},
    name::Name,
};

/// OpenSSL's short names.
const SHORT: [(&str, &str); 15] = [
    ("0.9.2342.19200300.100.1.1", "UID"),
    ("0.9.2342.19200300.100.1.25", "DC"),
    ("1.2.840.113549.1.9.1", "emailAddress"),
    ("2.5.4.3", "CN"),
    ("2.5.4.4", "SN"),
    ("2.5.4.5", "serialNumber"),
    ("2.5.4.6", "C"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "street"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.12", "title"),
    ("2.5.4.42", "GN"),
    ("2.5.4.46", "dnQualifier"),
];

/// `CN=name,O=Example,C=DE`: RFC 2253, as mod_ssl has it in SSL_CLIENT_S_DN.
pub(super) fn rfc2253(name: &Name) -> String {
    let parts: Vec<Vec<&AttributeTypeAndValue>> =
        name.iter_rdn().map(|part| part.iter().collect()).collect();
    let mut text = String::new();
    for (number, part) in parts.iter().rev().enumerate() {
        for (at, attribute) in part.iter().enumerate() {
            match (number, at) {
                (0, 0) => {}
                (_, 0) => text.push(','),
                _ => text.push('+'),
            }
            let _ = write!(text, "{}=", key(attribute));
            escape(&value(attribute), &mut text);
        }
    }
    text
}

/// `/C=DE/O=Example/CN=name`: as uWSGI has it in HTTPS_DN.
pub(super) fn oneline(name: &Name) -> String {
    let mut text = String::new();
    for attribute in name.iter() {
        // Writing to a string cannot fail.
        let _ = write!(text, "/{}=", key(attribute));
        for byte in value(attribute).bytes() {
            match byte {
                b' '..=b'~' => text.push(char::from(byte)),
                _ => _ = write!(text, "\\x{byte:02X}"),
            }
        }
    }
    text
}

fn key(attribute: &AttributeTypeAndValue) -> String {
    let oid = attribute.oid.to_string();
    let known = SHORT.iter().find(|(number, _)| *number == oid);
    known.map_or(oid, |(_, short)| (*short).to_owned())
}

/// As text; what is none, as `#` and the hexadecimal of its encoding (RFC 2253 section 2.4).
fn value(attribute: &AttributeTypeAndValue) -> String {
    let bytes = attribute.value.value();
    let text = match attribute.value.tag() {
        Tag::Utf8String | Tag::PrintableString | Tag::Ia5String | Tag::NumericString => {
            str::from_utf8(bytes).ok().map(str::to_owned)
        }
        Tag::TeletexString => Some(bytes.iter().copied().map(char::from).collect()),
        Tag::BmpString => {
            let (units, _) = bytes.as_chunks::<2>();
            let units: Vec<u16> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
            String::from_utf16(&units).ok()
        }
        _ => None,
    };
    text.unwrap_or_else(|| {
        let der = attribute.value.to_der().unwrap_or_default();
        der.iter().fold(String::from("#"), |mut text, byte| {
            let _ = write!(text, "{byte:02X}");
            text
        })
    })
}

/// RFC 2253 section 2.4. Control characters too: the text goes into variables and logs.
fn escape(value: &str, text: &mut String) {
    let last = value.chars().count().saturating_sub(1);
    for (at, character) in value.chars().enumerate() {
        match character {
            '\0'..='\x1f' | '\x7f' => _ = write!(text, "\\{:02X}", character as u32),
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' => text.extend(['\\', character]),
            ' ' if at == 0 || at == last => text.push_str("\\ "),
            other => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    #[track_caller]
    fn check(rfc4514: &str, expected: &str, path: &str) {
        let name = Name::from_str(rfc4514).unwrap();
        assert_eq!(
            (rfc2253(&name).as_str(), oneline(&name).as_str()),
            (expected, path)
        );
    }

    #[test]
    fn both_forms_have_their_own_order() {
        check("CN=a,O=b,C=DE", "CN=a,O=b,C=DE", "/C=DE/O=b/CN=a");
        check("OU=u+CN=a,O=x", "CN=a+OU=u,O=x", "/O=x/CN=a/OU=u");
    }

    #[test]
    fn what_has_a_meaning_is_escaped() {
        check("CN=Smith\\, J\\+K", "CN=Smith\\, J\\+K", "/CN=Smith, J+K");
        check("CN=B\u{fc}cher", "CN=B\u{fc}cher", "/CN=B\\xC3\\xBCcher");
    }
}
