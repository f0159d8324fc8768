//! Where the control socket is. Both sides look here, so that they agree.

use std::{env, fs, iter, path::PathBuf};

/// The socket's name in its directory.
const NAME: &str = "control.sock";
/// For system services: what `RuntimeDirectory=hostler/%i` makes.
const SYSTEM: &str = "/run/hostler";

/// What is known of the surroundings.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places {
    /// `$RUNTIME_DIRECTORY`, the first one: made by systemd for this service (systemd.exec(5)).
    service: Option<PathBuf>,
    /// `$XDG_RUNTIME_DIR`, of a user who is logged in.
    user: Option<PathBuf>,
    /// Where system services have their directories.
    system: PathBuf,
    /// Whether that may be made.
    root: bool,
}

/// A place for a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) socket: PathBuf,
    /// Its directory, if that is ours to make, as is the one above.
    pub(super) directory: Option<PathBuf>,
}

impl Places {
    /// Those of this process.
    pub(crate) fn here() -> Self {
        let of = |name| env::var_os(name).filter(|value| !value.is_empty());
        let service = of("RUNTIME_DIRECTORY")
            .and_then(|list| Some(list.to_str()?.split(':').next()?.to_owned()));
        let absolute = |path: &PathBuf| path.is_absolute();
        Self {
            service: service.map(PathBuf::from).filter(absolute),
            user: of("XDG_RUNTIME_DIR").map(PathBuf::from).filter(absolute),
            system: SYSTEM.into(),
            root: rustix::process::geteuid().is_root(),
        }
    }

    /// Those of a user with this runtime directory, on a machine without system services.
    #[cfg(test)]
    pub(crate) fn of_user(directory: &std::path::Path) -> Self {
        Self {
            user: Some(directory.to_owned()),
            system: directory.join("system"),
            ..Self::default()
        }
    }

    /// The same for a process of the service that has this directory.
    #[cfg(test)]
    pub(crate) fn of_service_in(self, directory: &std::path::Path) -> Self {
        Self {
            service: Some(directory.to_owned()),
            ..self
        }
    }

    /// Where a service of this name puts its socket: in the one directory that was meant for it, or nowhere. A directory
    /// that was meant and cannot be used is not replaced by another one, where nobody would look.
    pub(super) fn of_service(&self, site: &str) -> Option<Place> {
        if let Some(directory) = &self.service {
            let socket = directory.join(NAME);
            return Some(Place {
                socket,
                directory: None,
            });
        }
        let base = match &self.user {
            Some(user) => user.join("hostler"),
            None if self.root => self.system.clone(),
            None => return None,
        };
        let directory = is_plain(site).then(|| base.join(site))?;
        Some(Place {
            socket: directory.join(NAME),
            directory: Some(directory),
        })
    }

    /// Where a client looks for a service of this name. `/run/NAME` is what `RuntimeDirectory=%i` makes.
    pub(crate) fn of_client(&self, site: &str) -> Vec<PathBuf> {
        let bases = self.bases().into_iter().chain([PathBuf::from("/run")]);
        let named = bases
            .filter(|_| is_plain(site))
            .map(|base| base.join(site).join(NAME));
        self.own().into_iter().chain(named).collect()
    }

    /// The socket of the service that this process belongs to, as in `ExecReload=`.
    pub(crate) fn own(&self) -> Option<PathBuf> {
        Some(self.service.as_ref()?.join(NAME))
    }

    /// Directories that have a directory for each site.
    pub(crate) fn bases(&self) -> Vec<PathBuf> {
        let user = self.user.iter().map(|user| user.join("hostler"));
        user.chain(iter::once(self.system.clone())).collect()
    }

    /// Every socket in the directories where services of hostler put them; some may be without a service, and some in
    /// directories that we may not look into.
    pub(crate) fn all(&self) -> Vec<PathBuf> {
        let bases = self.bases().into_iter();
        let sites = bases.filter_map(|base| fs::read_dir(base).ok()).flatten();
        let named = sites.flatten().map(|directory| directory.path().join(NAME));
        let all = self.own().into_iter().chain(named);
        let may_exist = |socket: &PathBuf| socket.try_exists().unwrap_or(true);
        let mut all: Vec<PathBuf> = all.filter(may_exist).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// A name that can be a directory's, so that no site leads out of the base.
fn is_plain(site: &str) -> bool {
    !site.is_empty() && !site.contains('/') && site != "." && site != ".."
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn places(service: &str, user: &str, root: bool) -> Places {
        let path = |text: &str| Some(PathBuf::from(text)).filter(|_| !text.is_empty());
        Places {
            service: path(service),
            user: path(user),
            system: SYSTEM.into(),
            root,
        }
    }

    #[track_caller]
    fn check(places: &Places, site: &str, expected: Option<&str>) {
        let socket = places.of_service(site).map(|place| place.socket);
        assert_eq!(socket.as_deref(), expected.map(Path::new));
        // Whoever looks for it finds it.
        let found = expected.is_none_or(|path| places.of_client(site).contains(&path.into()));
        assert!(found);
    }

    #[test]
    fn the_nearest_directory_is_taken() {
        let all = places("/run/shop", "/run/user/7", true);
        check(&all, "shop", Some("/run/shop/control.sock"));
        let user = places("", "/run/user/7", true);
        check(&user, "shop", Some("/run/user/7/hostler/shop/control.sock"));
        let root = places("", "", true);
        check(&root, "shop", Some("/run/hostler/shop/control.sock"));
        check(&places("", "", false), "shop", None);
    }

    #[test]
    fn a_directory_that_systemd_makes_is_not_ours_to_make() {
        let made = |places: &Places| places.of_service("shop").unwrap().directory;
        assert_eq!(made(&places("/run/shop", "", true)), None);
        let expected = Some(PathBuf::from("/run/hostler/shop"));
        assert_eq!(made(&places("", "", true)), expected);
    }

    #[test]
    fn no_name_leads_out_of_the_directory() {
        for site in ["..", ".", "", "a/b"] {
            check(&places("", "", true), site, None);
        }
    }

    #[test]
    fn what_there_is_is_listed_once() {
        let user = tempfile::tempdir().unwrap();
        let site = user.path().join("hostler/shop");
        fs::create_dir_all(&site).unwrap();
        fs::create_dir(user.path().join("hostler/gone")).unwrap();
        fs::write(site.join(NAME), "").unwrap();
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let places = places(&text(&site), &text(user.path()), false);
        let all = places.all();
        let ours = all.iter().filter(|path| path.starts_with(user.path()));
        assert_eq!(ours.collect::<Vec<_>>(), [&site.join(NAME)]);
    }
}
