//! The rules of `[[listen]]` about TLS, and about what only some protocols can do.

use std::path::Path;

use super::{path_text, problem};
use crate::config::{
    error::{Part, Problem},
    schema::{Listen, Protocol},
};

pub(super) fn check(one: &Listen, section: &str) -> Result<(), Problem> {
    protocols(one, section)?;
    let key = |name| ["listen", section, name];
    if one.protocol == Protocol::Https {
        for (name, path) in [("certificate", &one.certificate), ("key", &one.key)] {
            if path.is_none() {
                let message = format!("`https` needs `{name}`; write the path of a file in PEM");
                return Err(problem(&key("protocol"), Part::Value, message));
            }
        }
    }
    let paths = [
        ("certificate", &one.certificate),
        ("key", &one.key),
        ("client-ca", &one.client_ca),
    ];
    for (name, path) in paths {
        if let Some(path) = path {
            path_text(&key(name), path)?;
        }
    }
    if one.client_certificate.is_some() && one.client_ca.is_none() {
        let message = "`client-certificate` needs `client-ca`; write the path of the authorities' certificates";
        return Err(problem(&key("client-certificate"), Part::Key, message));
    }
    ciphers(one, section)?;
    sni(one, section)
}

/// Keys that say nothing for the protocol of the listener.
fn protocols(one: &Listen, section: &str) -> Result<(), Problem> {
    use Protocol::{Http, Https};
    let keys: [(&str, bool, &[Protocol]); 8] = [
        ("certificate", one.certificate.is_some(), &[Https]),
        ("key", one.key.is_some(), &[Https]),
        ("client-ca", one.client_ca.is_some(), &[Https]),
        (
            "client-certificate",
            one.client_certificate.is_some(),
            &[Https],
        ),
        ("ciphers", !one.ciphers.is_empty(), &[Https]),
        ("sni", !one.sni.is_empty(), &[Https]),
        ("redirect-to", one.redirect_to.is_some(), &[Http]),
        ("proxy-protocol", one.proxy_protocol, &[Http, Https]),
    ];
    let wrong = |(_, given, protocols): &&(&str, bool, &[Protocol])| {
        *given && !protocols.contains(&one.protocol)
    };
    match keys.iter().find(wrong) {
        Some((key, _, protocols)) => {
            let names: Vec<String> = protocols.iter().map(|one| format!("`{one}`")).collect();
            let message = format!(
                "`{key}` is for listeners that speak {}, and this one speaks `{}`",
                names.join(" or "),
                one.protocol
            );
            Err(problem(&["listen", section, key], Part::Key, message))
        }
        None => Ok(()),
    }
}

/// What could be a name; which of them there are, the TLS library knows.
fn ciphers(one: &Listen, section: &str) -> Result<(), Problem> {
    let is_part =
        |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    for (number, name) in one.ciphers.iter().enumerate() {
        if name.is_empty() || !name.bytes().all(is_part) {
            let key = ["listen", section, "ciphers", &number.to_string()];
            let message = format!(
                "`{name}` is not the name of a cipher suite; write for example \"TLS13_AES_256_GCM_SHA384\""
            );
            return Err(problem(&key, Part::Value, message));
        }
    }
    Ok(())
}

fn sni(one: &Listen, section: &str) -> Result<(), Problem> {
    for (number, entry) in one.sni.iter().enumerate() {
        let number_text = number.to_string();
        let key = |name| ["listen", section, "sni", number_text.as_str(), name];
        let host = &entry.host;
        let refuse = |message| Err(problem(&key("host"), Part::Value, message));
        if !is_certified_host(host) {
            return refuse(format!(
                "`{host}` is not the name of a host; write for example \"shop.example.com\" or \"*.example.com\""
            ));
        }
        if one.sni[..number]
            .iter()
            .any(|other| other.host.eq_ignore_ascii_case(host))
        {
            return refuse(format!("`{host}` has two certificates; remove one"));
        }
        let paths: [(&str, &Path); 2] = [("certificate", &entry.certificate), ("key", &entry.key)];
        for (name, path) in paths {
            path_text(&key(name), path)?;
        }
    }
    Ok(())
}

/// A name of the DNS, or all of a domain (RFC 6125 section 6.4.3). Clients send no addresses (RFC 6066 section 3).
fn is_certified_host(host: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let name = host.strip_prefix("*.").unwrap_or(host);
    name.split('.')
        .all(|label| !label.is_empty() && label.chars().all(is_part))
}
