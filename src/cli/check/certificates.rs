//! Whether the certificates and keys of the listeners are there, belong together, and hold.

use std::{path::Path, slice, sync::Arc, time::SystemTime};

use crate::{
    config::{Listen, Settings},
    tls::{KeyRing, Material, TlsError},
};

use super::{super::output, host::Findings};

/// Looks at the files of each listener that speaks HTTPS, as a start would.
pub(super) fn look(settings: &Settings, findings: &mut Findings) {
    for (number, listen) in settings.listen.iter().enumerate() {
        let number = number.to_string();
        let found = findings.0.len();
        files(listen, &number, findings);
        if findings.0.len() == found {
            contents(listen, &number, findings);
        }
    }
}

fn files(listen: &Listen, number: &str, findings: &mut Findings) {
    for (key, path) in [
        ("certificate", &listen.certificate),
        ("key", &listen.key),
        ("client-ca", &listen.client_ca),
    ] {
        if let Some(path) = path {
            findings.needs_file(&["listen", number, key], path);
        }
    }
    for (index, sni) in listen.sni.iter().enumerate() {
        let index = index.to_string();
        findings.needs_file(
            &["listen", number, "sni", &index, "certificate"],
            &sni.certificate,
        );
        findings.needs_file(&["listen", number, "sni", &index, "key"], &sni.key);
    }
}

fn contents(listen: &Listen, number: &str, findings: &mut Findings) {
    match warnings(listen) {
        Ok(warnings) => warnings
            .into_iter()
            .for_each(|warning| findings.note(&["listen", number, "certificate"], warning)),
        Err(error) => {
            let place = place(listen, &error);
            let place: Vec<&str> = place.iter().map(String::as_str).collect();
            let key = [&["listen", number], &place[..]].concat();
            findings.error(&key, output::chain(&error));
        }
    }
}

fn warnings(listen: &Listen) -> Result<Vec<String>, TlsError> {
    let Some(material) = Material::read(slice::from_ref(listen))? else {
        return Ok(Vec::new());
    };
    let keys = KeyRing::create().map_err(TlsError::TicketKeys)?;
    material.servers(&Arc::new(keys))?;
    material.warnings(SystemTime::now())
}

/// The key of the section that names the file which is to blame.
fn place(listen: &Listen, error: &TlsError) -> Vec<String> {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
    let Some(path) = error.path() else {
        return match error {
            TlsError::Cipher { .. } => words(&["ciphers"]),
            _ => words(&["certificate"]),
        };
    };
    let is_it = |named: &Option<_>| named.as_deref() == Some(path);
    let own: [(&str, &Option<_>); 3] = [
        ("certificate", &listen.certificate),
        ("key", &listen.key),
        ("client-ca", &listen.client_ca),
    ];
    if let Some((name, _)) = own.iter().find(|(_, named)| is_it(named)) {
        return words(&[name]);
    }
    let others = listen.sni.iter().enumerate().flat_map(|(number, sni)| {
        let files: [(_, &Path); 2] = [("certificate", &sni.certificate), ("key", &sni.key)];
        files.map(|(name, file)| (number.to_string(), name, file))
    });
    let mut blamed = others.filter(|(_, _, file)| *file == path);
    match blamed.next() {
        Some((number, name, _)) => words(&["sni", &number, name]),
        None => words(&["certificate"]),
    }
}
