//! HTTPS: addresses with their certificates, more certificates by name, and the redirect towards it.

use toml::{Table, Value};

use super::{
    super::options::refusals, Applied, Outcome, Topic, engine::Translation, sockets, value,
};
use crate::convert::draft::Section;

pub(in crate::convert::uwsgi) static HTTPS: Topic = Topic {
    documentation: "kept: a `[[listen]]` with `protocol = \"https\"`, `certificate`, `key`, `client-ca`",
    slot: None,
    early: true,
    run: https,
};

pub(in crate::convert::uwsgi) static REDIRECT: Topic = Topic {
    documentation: "kept: a `[[listen]]` with `redirect-to`",
    slot: None,
    early: true,
    run: redirect,
};

pub(in crate::convert::uwsgi) static SNI: Topic = Topic {
    documentation: "kept: `[[listen]] sni`",
    slot: None,
    early: false,
    run: sni,
};

/// What the comma-separated forms say, in their order.
struct Certificate {
    certificate: String,
    key: String,
    ciphers: Option<String>,
    client_ca: Option<String>,
}

fn https(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = value::text(&option.value).value;
    let (address, rest) = match option.name.as_str() {
        "https2" => keyed(&text),
        _ => {
            let (address, rest) = text.split_once(',').unwrap_or((&text, ""));
            (address.to_owned(), rest.to_owned())
        }
    };
    let Some(certificate) = certificate(translation, &rest) else {
        return Outcome::not_possible("certificate and key are missing", "`[[listen]]` with both")
            .ask("certificate and key are missing; there is no listener for it");
    };
    let outcome = sockets::listen(translation, "https", &address);
    let Some((section, _)) = &outcome.place else {
        return outcome;
    };
    furnish(translation, *section, &certificate);
    let outcome =
        outcome.note("the user of the site has to be able to read the key; uWSGI read it as root");
    match certificate.ciphers {
        Some(ciphers) => outcome.note(format!(
            "`{ciphers}` names ciphers of OpenSSL; those of rustls are all good, and stay as they are"
        )),
        None => outcome,
    }
}

/// `addr=...,cert=...,key=...` in the order of the other form.
fn keyed(text: &str) -> (String, String) {
    let find = |names: &[&str]| {
        let pairs = text.split(',').filter_map(|pair| pair.split_once('='));
        let mut found = pairs.filter(|(name, _)| names.contains(&name.trim()));
        found
            .next()
            .map(|(_, value)| value.trim().to_owned())
            .unwrap_or_default()
    };
    let parts = [
        find(&["cert", "crt"]),
        find(&["key"]),
        find(&["ciphers"]),
        find(&["clientca", "client_ca"]),
    ];
    (find(&["addr"]), parts.join(","))
}

/// `certificate,key[,ciphers[,client-ca]]`
fn certificate(translation: &Translation<'_>, text: &str) -> Option<Certificate> {
    let mut parts = text.split(',').map(str::trim);
    let mut next = || parts.next().filter(|part| !part.is_empty());
    let certificate = next()?;
    let key = next()?;
    let ciphers = next();
    let client_ca = next();
    Some(Certificate {
        certificate: translation.absolute(certificate),
        key: translation.absolute(key),
        ciphers: ciphers.map(str::to_owned),
        client_ca: client_ca.map(str::to_owned),
    })
}

fn furnish(translation: &mut Translation<'_>, section: Section, files: &Certificate) {
    let client_ca = files
        .client_ca
        .as_deref()
        .map(|path| match path.strip_prefix('!') {
            Some(path) => (translation.absolute(path), "required"),
            None => (translation.absolute(path), "optional"),
        });
    let draft = &mut translation.draft;
    draft.set(section, "certificate", files.certificate.as_str());
    draft.set(section, "key", files.key.as_str());
    if let Some((path, demand)) = client_ca {
        draft.set(section, "client-ca", path);
        draft.set(section, "client-certificate", demand);
    }
}

/// `address[,port]`: everything there is answered by the same address with https.
fn redirect(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = value::text(&option.value).value;
    let (address, port) = text.split_once(',').unwrap_or((&text, ""));
    let target = match port.trim() {
        "" | "443" => "https".to_owned(),
        port => format!("https:{port}"),
    };
    let outcome = sockets::listen(translation, "http", address);
    if let Some((section, _)) = &outcome.place {
        translation.draft.set(*section, "redirect-to", target);
    }
    outcome
}

/// `name certificate,key[,ciphers[,client-ca]]`, for every https listener.
fn sni(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = value::text(&option.value).value;
    let (host, rest) = text.split_once(' ').unwrap_or((&text, ""));
    let Some(files) = certificate(translation, rest.trim()) else {
        return Outcome::refused(&refusals::SNI_DIR);
    };
    let mut table = Table::new();
    for (key, value) in [
        ("host", host),
        ("certificate", &files.certificate),
        ("key", &files.key),
    ] {
        table.insert(key.to_owned(), Value::from(value));
    }
    let listeners = translation.draft.all("listen").into_iter();
    let listeners: Vec<Section> = listeners
        .filter(|section| translation.draft.get(*section, "certificate").is_some())
        .collect();
    let Some(first) = listeners.first().copied() else {
        return Outcome::not_needed("there is no https socket");
    };
    for section in listeners {
        translation.draft.push(section, "sni", table.clone());
    }
    Outcome::kept(first, "listen", "sni", &Value::from(table))
}
