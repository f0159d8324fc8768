//! What `hostler-generator` does at each `systemctl daemon-reload` and at boot (systemd.generator(7)): a directory of
//! settings in, a directory of units out.
//!
//! systemd empties its directory of generated units before each run. So that a broken file does not take the units of a
//! site that serves, the last good text of each settings file is kept beside: while a file is broken, the units are made
//! of that text again. It is kept under `/run`, the one place that a generator may write to (since systemd 254 all else
//! is read-only), until the machine is started anew; then a broken file could not be served anyway.

use std::{
    collections::BTreeSet,
    ffi::OsString,
    fs,
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::Command,
};

use crate::config::{self, ConfigError};

use super::{SiteName, Unit, refusal, shipped, units};

/// Where settings are, and where their last good texts are kept.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    /// `NAME.toml` for each site.
    pub(crate) sites: PathBuf,
    /// The generator's own.
    pub(crate) last_good: PathBuf,
    /// A program that knows which systemd this is.
    pub(crate) systemctl: PathBuf,
}

impl Places {
    /// Those of a machine whose root is here.
    pub(crate) fn below(root: &Path) -> Self {
        Self {
            sites: root.join("etc/hostler"),
            last_good: root.join("run/hostler-generator"),
            systemctl: root.join("usr/bin/systemctl"),
        }
    }
}

/// Why units are not as a site's settings say, or not there.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnitsError {
    /// The settings are no good.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// A directory or a file cannot be read or written.
    #[error("cannot {operation} {}", path.display())]
    Io {
        /// What failed.
        operation: &'static str,
        /// The directory or the file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// The file has a name that the site's units cannot have.
    #[error(
        "{}: units cannot be called like this; use letters, digits, `-`, `_` and `.` in the file's name",
        path.display()
    )]
    Name {
        /// The settings file.
        path: PathBuf,
    },
}

/// A site whose units do not say what its settings say.
#[derive(Debug)]
pub(crate) struct Broken {
    /// Its name, or what stands in its place.
    pub(crate) site: String,
    pub(crate) error: UnitsError,
    /// Its last good units stay.
    pub(crate) kept: bool,
}

/// Makes the units of every site below `output`; gives the sites that are broken.
pub(crate) fn generate(places: &Places, output: &Path) -> Result<Vec<Broken>, UnitsError> {
    if let Some(unit) = version(&places.systemctl).and_then(shipped::newer) {
        write(&[unit], output)?;
    }
    let mut broken = Vec::new();
    let mut names = BTreeSet::new();
    for path in settings_files(&places.sites)? {
        let Some(site) = SiteName::of_file(&path) else {
            let site = path.file_stem().unwrap_or_default();
            broken.push(Broken {
                site: site.to_string_lossy().replace(char::is_control, "?"),
                error: UnitsError::Name { path },
                kept: false,
            });
            continue;
        };
        broken.extend(one(&site, &path, places, output)?);
        names.insert(OsString::from(site.as_str()));
    }
    forget_others(&places.last_good, &names);
    Ok(broken)
}

/// Writes units below a directory.
pub(crate) fn write(units: &[Unit], directory: &Path) -> Result<(), UnitsError> {
    for unit in units {
        let path = directory.join(&unit.path);
        let parent = path.parent().unwrap_or(directory);
        fs::create_dir_all(parent).map_err(failed("make", parent))?;
        fs::write(&path, &unit.text).map_err(failed("write", &path))?;
    }
    Ok(())
}

/// The version of systemd; a generator gets it neither in its environment nor as an argument. One that cannot be asked is
/// taken for an old one.
fn version(systemctl: &Path) -> Option<u32> {
    let output = Command::new(systemctl).arg("--version").output().ok()?;
    version_in(&String::from_utf8_lossy(&output.stdout))
}

/// In what systemctl(1) says of itself: "systemd 252 (252.38-1)".
fn version_in(text: &str) -> Option<u32> {
    text.split_whitespace().nth(1)?.parse().ok()
}

/// Makes the units of one site. An error means that `output` takes nothing.
fn one(
    site: &SiteName,
    path: &Path,
    places: &Places,
    output: &Path,
) -> Result<Option<Broken>, UnitsError> {
    let kept = places.last_good.join(site.as_str());
    let parsed = config::read(path).and_then(|text| Ok((config::parse(&text, path)?, text)));
    let error = match parsed {
        Ok((settings, text)) => {
            write(&units(site, &settings, path), output)?;
            // Without it the site is served as well; what is lost is said when it would be needed.
            let _ = keep(&kept, &text);
            return Ok(None);
        }
        Err(error) => error,
    };
    let last = config::read(&kept).and_then(|text| config::parse(&text, path));
    let units = match &last {
        Ok(settings) => units(site, settings, path),
        Err(_) => vec![refusal(site, &error.to_string())],
    };
    write(&units, output)?;
    Ok(Some(Broken {
        site: site.to_string(),
        error: error.into(),
        kept: last.is_ok(),
    }))
}

/// In the order of their names, so that what is said is said in the same order each time.
fn settings_files(directory: &Path) -> Result<Vec<PathBuf>, UnitsError> {
    let entries = match fs::read_dir(directory) {
        // hostler is installed, and there is no site yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed("read", directory))?,
    };
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed("read", directory))?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

/// Settings may hold secrets, so nobody else may read them. What is there already is not written again: on a machine
/// with many sites most of them have not changed.
fn keep(path: &Path, text: &str) -> io::Result<()> {
    if fs::read(path).is_ok_and(|found| found == text.as_bytes()) {
        return Ok(());
    }
    if let Some(directory) = path.parent() {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
    }
    // A name with two dots in front is no site's; the generator is never run twice at a time.
    let new = path.with_file_name("..new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    options.open(&new)?.write_all(text.as_bytes())?;
    fs::rename(new, path)
}

/// A site that was removed and comes again has no units from before.
fn forget_others(directory: &Path, names: &BTreeSet<OsString>) {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| !names.contains(&entry.file_name())) {
        // What cannot be removed is of no use to anybody, and does no harm.
        let _ = fs::remove_file(entry.path());
    }
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> UnitsError {
    move |source| UnitsError::Io {
        operation,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "app.module = \"a\"\nlisten = [{ address = \":80\" }]\n";
    const SOCKET: &str = "hostler@shop.socket.d/50-hostler.conf";

    /// A machine with these settings files, and what the generator makes of them.
    struct Machine(tempfile::TempDir);

    impl Machine {
        fn new() -> Self {
            let root = tempfile::tempdir().unwrap();
            fs::create_dir_all(root.path().join("etc/hostler")).unwrap();
            Self(root)
        }

        fn settings(&self, name: &str, text: &str) {
            fs::write(self.0.path().join("etc/hostler").join(name), text).unwrap();
        }

        /// As systemd does it: into an empty directory.
        fn generate(&self) -> Vec<Broken> {
            let output = self.0.path().join("out");
            let _ = fs::remove_dir_all(&output);
            generate(&Places::below(self.0.path()), &output).unwrap()
        }

        fn unit(&self, path: &str) -> Option<String> {
            fs::read_to_string(self.0.path().join("out").join(path)).ok()
        }
    }

    #[test]
    fn each_file_becomes_units() {
        let machine = Machine::new();
        machine.settings("shop.toml", GOOD);
        machine.settings("notes.txt", "no settings");
        assert!(machine.generate().is_empty());
        assert!(
            machine
                .unit(SOCKET)
                .unwrap()
                .contains("\nListenStream=80\n")
        );
        assert!(
            machine
                .unit("hostler@shop.service.d/50-hostler.conf")
                .is_some()
        );
    }

    #[track_caller]
    fn check_version(text: &str, expected: Option<u32>) {
        assert_eq!(version_in(text), expected);
    }

    #[test]
    fn systemd_says_its_version() {
        check_version("systemd 252 (252.38-1~deb12u1)\n+PAM\n", Some(252));
        check_version("systemd 257 (257.8-1)\n", Some(257));
        check_version("", None);
    }

    #[test]
    fn a_machine_without_sites_is_no_error() {
        let machine = Machine::new();
        fs::remove_dir(machine.0.path().join("etc/hostler")).unwrap();
        assert!(machine.generate().is_empty());
    }

    #[test]
    fn a_broken_file_keeps_its_last_good_units_and_harms_nobody_else() {
        let machine = Machine::new();
        machine.settings("shop.toml", GOOD);
        machine.settings("blog.toml", GOOD);
        machine.generate();
        let before = machine.unit(SOCKET).unwrap();
        machine.settings("shop.toml", "app.module = 1\n");
        machine.settings("blog.toml", &GOOD.replace(":80", ":81"));
        let broken = machine.generate();
        assert_eq!((broken.len(), broken[0].kept), (1, true));
        assert_eq!(broken[0].site, "shop");
        assert!(broken[0].error.to_string().contains("shop.toml:1:14: "));
        assert_eq!(machine.unit(SOCKET).unwrap(), before);
        let blog = machine.unit("hostler@blog.socket.d/50-hostler.conf");
        assert!(blog.unwrap().contains("\nListenStream=81\n"));
    }

    #[test]
    fn a_file_that_was_never_good_gets_no_socket() {
        let machine = Machine::new();
        machine.settings("shop.toml", "app.module = 1\n");
        assert!(!machine.generate()[0].kept);
        let socket = machine.unit(SOCKET).unwrap();
        assert!(socket.ends_with("\n[Socket]\nListenStream=\n"), "{socket}");
        assert!(socket.contains("shop.toml:1:14: "));
    }

    #[test]
    fn a_site_that_was_removed_is_forgotten() {
        let machine = Machine::new();
        machine.settings("shop.toml", GOOD);
        machine.generate();
        fs::remove_file(machine.0.path().join("etc/hostler/shop.toml")).unwrap();
        assert!(machine.generate().is_empty());
        assert_eq!(machine.unit(SOCKET), None);
        machine.settings("shop.toml", "app.module = 1\n");
        assert!(!machine.generate()[0].kept);
    }

    #[test]
    fn a_name_that_units_cannot_have_is_told() {
        let machine = Machine::new();
        machine.settings("my shop.toml", GOOD);
        let broken = machine.generate();
        let message = broken[0].error.to_string();
        assert!(message.ends_with("my shop.toml: units cannot be called like this; use letters, digits, `-`, `_` and `.` in the file's name"), "{message}");
    }

    #[test]
    fn kept_settings_are_nobody_elses() {
        use std::os::unix::fs::PermissionsExt;

        let machine = Machine::new();
        machine.settings("shop.toml", GOOD);
        machine.generate();
        let kept = machine.0.path().join("run/hostler-generator/shop");
        let mode = fs::metadata(kept).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
