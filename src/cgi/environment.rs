//! What a program is told: the meta-variables of RFC 3875 section 4.1, and nothing that could make it load code because
//! a request says so.
//!
//! A program sees neither the server's environment nor the application's, in which secrets are. Of a front server's
//! variables it sees those that CGI knows, because a name such as LD_PRELOAD means something to whoever runs, while it
//! is data for an application.

#[cfg(test)]
mod tests;

#[cfg(test)]
use std::ffi::OsStr;
use std::{
    collections::BTreeMap,
    env,
    ffi::OsString,
    os::unix::ffi::{OsStrExt, OsStringExt},
};

use super::{Program, Programs};
use crate::environ::{Standard, Variable, header_key};

/// What programs see of the server's own environment.
const INHERITED: [&str; 3] = ["LANG", "PATH", "TZ"];
/// Where programs are looked for when the server itself does not know; execvp(3) would look into the current directory.
const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What a front server's variables for programs begin with.
const PREFIXES: [&[u8]; 6] = [
    b"HTTP_",
    b"REDIRECT_",
    b"REMOTE_",
    b"REQUEST_",
    b"SERVER_",
    b"SSL_",
];
/// Further ones.
const NAMES: [&[u8]; 3] = [b"AUTH_TYPE", b"DOCUMENT_URI", b"UNIQUE_ID"];

/// Variables by name, each once.
#[derive(Debug, Default)]
pub(crate) struct Environment(BTreeMap<Vec<u8>, Vec<u8>>);

/// What is known of a request beside its variables.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'c> {
    /// SCRIPT_NAME that the front server gave.
    pub(crate) script: &'c [u8],
    /// Bytes of the body that the program gets; `None`: there is none.
    pub(crate) length: Option<u64>,
    /// Variables that routes have added.
    pub(crate) added: &'c [(String, Vec<u8>)],
}

/// The server's own variables that programs get.
pub(super) fn inherited() -> Vec<(&'static str, OsString)> {
    let found = INHERITED.iter().map(|&name| (name, env::var_os(name)));
    let known = found.map(|(name, value)| match name {
        "PATH" => (name, Some(value.unwrap_or_else(|| PATH.into()))),
        _ => (name, value),
    });
    known
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

impl Environment {
    /// Takes a variable of the request.
    pub(crate) fn visit(&mut self, variable: Variable<'_>, value: &[u8]) {
        match variable {
            Variable::Standard(standard) => self.put(standard.name().as_bytes(), value),
            Variable::Header(name) => {
                let mut key = Vec::new();
                header_key(name, &mut key);
                self.put(&key, value);
            }
            Variable::Raw(name) if is_told(name) => self.put(name, value),
            Variable::Raw(_) => {}
        }
    }

    /// Adds what RFC 3875 says of the program itself, and what the settings say.
    pub(crate) fn complete(
        mut self,
        programs: &Programs,
        program: &Program,
        call: Call<'_>,
    ) -> Self {
        let section = &programs.sections[program.section];
        let script = call.script.strip_suffix(b"/").unwrap_or(call.script);
        let root = program.document_root(section).as_os_str().as_bytes();
        self.put(b"GATEWAY_INTERFACE", b"CGI/1.1");
        self.put(
            b"SERVER_SOFTWARE",
            concat!("hostler/", env!("CARGO_PKG_VERSION")).as_bytes(),
        );
        self.put(b"SCRIPT_NAME", &[script, &program.name].concat());
        self.put(b"SCRIPT_FILENAME", program.file.as_os_str().as_bytes());
        self.put(b"DOCUMENT_ROOT", root);
        // php-cgi, built as most distributions do, runs nothing without it (cgi.force_redirect).
        self.put(b"REDIRECT_STATUS", b"200");
        self.0.entry(b"QUERY_STRING".to_vec()).or_default();
        match program.info.as_slice() {
            b"" => self.remove(&[b"PATH_INFO", b"PATH_TRANSLATED"]),
            info => {
                self.put(b"PATH_INFO", info);
                self.put(b"PATH_TRANSLATED", &[root, info].concat());
            }
        }
        // "MUST be defined if and only if" there is a body (RFC 3875 section 4.1.2), which reaches the program decoded.
        self.remove(&[b"CONTENT_LENGTH", b"HTTP_TRANSFER_ENCODING", b"HTTP_PROXY"]);
        if let Some(length) = call.length {
            self.put(b"CONTENT_LENGTH", length.to_string().as_bytes());
        }
        if self.0.get(&b"CONTENT_TYPE"[..]).is_some_and(Vec::is_empty) {
            self.remove(&[b"CONTENT_TYPE"]);
        }
        let inherited = programs.inherited.iter();
        inherited.for_each(|(name, value)| self.put(name.as_bytes(), value.as_bytes()));
        let added = call.added.iter();
        added.for_each(|(name, value)| self.put(name.as_bytes(), value));
        let own = section.settings.env.iter();
        own.for_each(|(name, value)| self.put(name.as_bytes(), value.as_bytes()));
        self
    }

    /// The variables, none of which execve(2) could refuse.
    pub(crate) fn pairs(self) -> impl Iterator<Item = (OsString, OsString)> {
        let pairs = self.0.into_iter();
        pairs.map(|(name, value)| (OsString::from_vec(name), OsString::from_vec(value)))
    }

    /// The value of a variable.
    #[cfg(test)]
    fn value(&self, name: &str) -> Option<&OsStr> {
        let value = self.0.get(name.as_bytes());
        value.map(|value| OsStr::from_bytes(value))
    }

    fn put(&mut self, name: &[u8], value: &[u8]) {
        // A front server may send what is no name, and a decoded path may have a NUL, behind which nobody would see it.
        let is_name = !name.is_empty() && !name.contains(&b'=') && !name.contains(&0);
        if is_name && !value.contains(&0) {
            self.0.insert(name.to_vec(), value.to_vec());
        }
    }

    fn remove(&mut self, names: &[&[u8]]) {
        for name in names {
            self.0.remove(*name);
        }
    }
}

/// Whether a front server may tell a program this.
fn is_told(name: &[u8]) -> bool {
    NAMES.contains(&name)
        || Standard::from_name(name).is_some()
        || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}
