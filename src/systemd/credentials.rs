//! Secrets by systemd's credentials (systemd.exec(5), "Credentials"): files that only this service can read.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use crate::config::Service;

/// The directory where the service manager puts them.
const DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CredentialError {
    /// It cannot be read.
    #[error("cannot read the credential {name} at {path}")]
    Read {
        /// Its name.
        name: String,
        /// Where it was looked for.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// It is no text that an environment variable can hold.
    #[error("the credential {name} is no text: it has a NUL or is not UTF-8")]
    NoText {
        /// Its name.
        name: String,
    },
    /// Nobody has said where it is.
    #[error(
        "there is no credential {name}: $CREDENTIALS_DIRECTORY is not set, and [service] credentials does not name it"
    )]
    Unknown {
        /// Its name.
        name: String,
    },
}

/// The environment variables that `service.env-credentials` asks for. Without systemd credentials are read from the
/// files that `service.credentials` names.
pub(crate) fn variables(service: &Service) -> Result<Vec<(String, String)>, CredentialError> {
    let directory = env::var_os(DIRECTORY).map(PathBuf::from);
    let wanted = service.env_credentials.iter();
    let read = wanted.map(|(variable, name)| {
        let text = read(name, &place(name, service, directory.as_deref())?)?;
        Ok((variable.clone(), text))
    });
    read.collect()
}

fn place(
    name: &str,
    service: &Service,
    directory: Option<&Path>,
) -> Result<PathBuf, CredentialError> {
    let named = service.credentials.get(name).cloned();
    match directory {
        Some(directory) => Ok(directory.join(name)),
        None => named.ok_or_else(|| CredentialError::Unknown { name: name.into() }),
    }
}

/// People make such files with an editor, or `echo`: a line end at the end is theirs, not the secret's.
fn read(name: &str, path: &Path) -> Result<String, CredentialError> {
    let bytes = fs::read(path).map_err(|source| CredentialError::Read {
        name: name.to_owned(),
        path: path.to_owned(),
        source,
    })?;
    let text = String::from_utf8(bytes)
        .ok()
        .filter(|text| !text.contains('\0'));
    let text = text.ok_or_else(|| CredentialError::NoText { name: name.into() })?;
    let line = text.strip_suffix('\n').unwrap_or(&text);
    Ok(line.strip_suffix('\r').unwrap_or(line).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(content: &[u8], expected: Option<&str>) {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), content).unwrap();
        assert_eq!(read("key", file.path()).ok().as_deref(), expected);
    }

    #[test]
    fn one_line_end_is_not_part_of_the_secret() {
        check(b"secret", Some("secret"));
        check(b"secret\n", Some("secret"));
        check(b"secret\r\n", Some("secret"));
        check(b"two\nlines\n\n", Some("two\nlines\n"));
        check(b"a\0b", None);
        check(b"\xff", None);
    }

    #[test]
    fn systemd_comes_before_the_files_of_the_settings() {
        let mut service = Service::default();
        service.credentials.insert("key".into(), "/etc/key".into());
        let found = |name: &str, directory| place(name, &service, directory).ok();
        let run = Path::new("/run/credentials/x");
        assert_eq!(found("key", Some(run)), Some(run.join("key")));
        assert_eq!(found("key", None), Some("/etc/key".into()));
        assert_eq!(found("other", None), None);
    }
}
