//! Where a secret of the settings is, a certificate's key for example: systemd's credentials (systemd.exec(5),
//! "Credentials") come before the files beside the settings. Not here: credentials that become variables of the
//! environment, which are the supervisor's business.

use std::{
    env,
    path::{Component, Path, PathBuf},
};

use super::{paths::resolve, schema::Service};

/// Makes the path of a secret absolute. An absolute path stays as it is. A relative one is the credential of that name
/// in `$CREDENTIALS_DIRECTORY`, if there is one; without a service manager it is the file that `[service] credentials`
/// gives that name; else it counts from `base`, as every path does.
pub fn secret_path(path: &Path, service: &Service, base: &Path) -> PathBuf {
    let directory = env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from);
    find(path, directory.as_deref(), service, base)
}

fn find(path: &Path, directory: Option<&Path>, service: &Service, base: &Path) -> PathBuf {
    let beside = resolve(path, base);
    let Some(name) = credential_name(path) else {
        return beside;
    };
    let of_manager = directory.map(|directory| directory.join(name));
    if let Some(credential) = of_manager.filter(|credential| credential.exists()) {
        return credential;
    }
    let named = service.credentials.get(name);
    named.map_or(beside, |file| resolve(file, base))
}

/// The names of credentials are those of files, without a directory.
fn credential_name(path: &Path) -> Option<&str> {
    let mut components = path
        .components()
        .filter(|component| *component != Component::CurDir);
    match (components.next(), components.next()) {
        (Some(Component::Normal(name)), None) => name.to_str(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Where `path` is for a site in `/etc/hostler`, under a service manager that has the credential `cert.pem`, and
    /// without one; `named` has a file by `[service] credentials`. `%d` is the service manager's directory.
    #[track_caller]
    fn check(path: &str, with_manager: &str, without: &str) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("cert.pem"), "").unwrap();
        let mut service = Service::default();
        service
            .credentials
            .insert("named".into(), "/etc/ssl/named.pem".into());
        let found = |manager| {
            find(
                Path::new(path),
                manager,
                &service,
                Path::new("/etc/hostler"),
            )
        };
        let expected = with_manager.replace("%d", directory.path().to_str().unwrap());
        assert_eq!(found(Some(directory.path())), Path::new(&expected));
        assert_eq!(found(None), Path::new(without));
    }

    #[test]
    fn a_credential_comes_before_the_file_beside_the_settings() {
        check("cert.pem", "%d/cert.pem", "/etc/hostler/cert.pem");
        check("./cert.pem", "%d/cert.pem", "/etc/hostler/cert.pem");
        check(
            "other.pem",
            "/etc/hostler/other.pem",
            "/etc/hostler/other.pem",
        );
    }

    #[test]
    fn without_a_service_manager_the_settings_name_the_file() {
        check("named", "/etc/ssl/named.pem", "/etc/ssl/named.pem");
    }

    #[test]
    fn only_a_bare_name_is_a_credential() {
        check("/srv/cert.pem", "/srv/cert.pem", "/srv/cert.pem");
        check(
            "tls/cert.pem",
            "/etc/hostler/tls/cert.pem",
            "/etc/hostler/tls/cert.pem",
        );
        check(
            "../cert.pem",
            "/etc/hostler/../cert.pem",
            "/etc/hostler/../cert.pem",
        );
    }
}
