//! Which files a site needs and for what, by its settings, and which of them its sandbox hides or makes read-only.
//! Nothing is looked at here.

use std::path::{Path, PathBuf};

use crate::config::{App, LogTarget, Relaxation, Settings, Target};

use super::{
    access::{Need, Want},
    entry::Entry,
};

const TOPIC: &str = "sandbox";

/// What `ProtectHome=` hides.
const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];
/// What `PrivateTmp=` replaces.
const TEMPORARY: [&str; 2] = ["/tmp", "/var/tmp"];

/// Every file that whoever runs the site has to be able to use. As a service the supervisor is that person too.
pub(super) fn needs(settings: &Settings, file: &Path, is_service: bool) -> Vec<Need> {
    let mut needs = Needs(Vec::new());
    if is_service {
        needs.add(file, Want::Read, "its settings");
        of_secrets(settings, &mut needs);
        of_log(settings, &mut needs);
    }
    of_app(&settings.app, &mut needs);
    for mount in &settings.mount {
        if let Some(file) = &mount.file {
            needs.add(file, Want::Read, "mount.file");
        }
    }
    for path in &settings.service.read_write_paths {
        needs.add(path, Want::Write, "service.read-write-paths");
    }
    of_answers(settings, &mut needs);
    needs.0
}

struct Needs(Vec<Need>);

impl Needs {
    fn add(&mut self, path: &Path, want: Want, key: &str) {
        self.0.push(Need {
            path: path.to_owned(),
            want,
            key: key.to_owned(),
        });
    }
}

fn of_app(app: &App, needs: &mut Needs) {
    if let Some(chdir) = &app.chdir {
        needs.add(chdir, Want::List, "app.chdir");
    }
    if let Some(virtualenv) = &app.virtualenv {
        needs.add(virtualenv, Want::List, "app.virtualenv");
        needs.add(&virtualenv.join("pyvenv.cfg"), Want::Read, "app.virtualenv");
        needs.add(&virtualenv.join("bin/python"), Want::Run, "app.virtualenv");
    }
    for path in &app.python_path {
        needs.add(path, Want::List, "app.python-path");
    }
    match app.target() {
        Some(Target::File { path }) => needs.add(path, Want::Read, "app.file"),
        Some(Target::Module { name }) => {
            let roots = app.chdir.iter().chain(&app.python_path);
            for root in roots {
                of_module(root, name, needs);
            }
        }
        None => {}
    }
}

/// Each package on the way, and the module; what is not there is passed over by whoever looks.
fn of_module(root: &Path, name: &str, needs: &mut Needs) {
    let mut path = root.to_owned();
    for part in name.split('.') {
        path.push(part);
        let key = "app.module";
        needs.add(&path, Want::List, key);
        needs.add(&path.join("__init__.py"), Want::Read, key);
        needs.add(&path.with_extension("py"), Want::Read, key);
    }
}

/// Without a service manager root reads these before there is anybody else.
fn of_secrets(settings: &Settings, needs: &mut Needs) {
    let credentials = &settings.service.credentials;
    for listen in &settings.listen {
        let own = [&listen.certificate, &listen.key, &listen.client_ca];
        let own = own.into_iter().flatten();
        let sni = listen
            .sni
            .iter()
            .flat_map(|sni| [&sni.certificate, &sni.key]);
        for path in own.chain(sni) {
            if !credentials.values().any(|credential| credential == path) {
                needs.add(path, Want::Read, "certificate or key of [[listen]]");
            }
        }
    }
}

fn of_log(settings: &Settings, needs: &mut Needs) {
    for path in log_files(settings) {
        let directory = path.parent().unwrap_or(path);
        needs.add(path, Want::Write, "log.to");
        needs.add(directory, Want::Write, "log.to");
    }
}

fn log_files(settings: &Settings) -> impl Iterator<Item = &Path> {
    let targets = settings.log.to.iter().chain(&settings.log.access_to);
    targets.filter_map(|target| match target {
        LogTarget::File(path) => Some(path.as_path()),
        _ => None,
    })
}

/// What is served without the application.
fn of_answers(settings: &Settings, needs: &mut Needs) {
    let files = &settings.static_files;
    let mapped = files.map.values().flat_map(|paths| &paths.0);
    for path in files.check.iter().chain(mapped) {
        needs.add(path, Want::Read, "static");
        // For a single file this asks for nothing that a file could have.
        if path.extension().is_none() {
            needs.add(path, Want::Enter, "static");
        }
    }
    for path in settings.response.error_pages.values() {
        needs.add(path, Want::Read, "response.error-pages");
    }
    for path in settings.response.internal.values() {
        needs.add(path, Want::Read, "response.internal");
    }
    for cgi in &settings.cgi {
        if let Some(directory) = &cgi.directory {
            needs.add(directory, Want::Enter, "cgi.directory");
        }
        if let Some(file) = &cgi.file {
            needs.add(file, Want::Read, "cgi.file");
        }
    }
}

/// Files that the service does not see although everybody else does, and log files that it sees read-only.
pub(super) fn sandbox(settings: &Settings, site: &str, needs: &[Need]) -> Vec<Entry> {
    let mut entries = Vec::new();
    let below = |path: &Path, places: &[&str]| places.iter().any(|place| path.starts_with(place));
    let relaxed = |wanted| settings.service.relax.contains(&wanted);
    let app = &settings.app;
    let mut own = [&app.chdir, &app.file, &app.virtualenv]
        .into_iter()
        .flatten()
        .chain(&app.python_path);
    // The units relax this by themselves, as soon as the application itself is there.
    let sees_homes = relaxed(Relaxation::Home) || own.any(|path| below(path, &HOMES));
    let sees_tmp = relaxed(Relaxation::Tmp);
    let hidden = |places: &[&str], sees: bool| {
        let mut needs = needs.iter();
        needs
            .find(|need| !sees && below(&need.path, places))
            .cloned()
    };
    for (need, relax, what) in [
        (
            hidden(&HOMES, sees_homes),
            "home",
            "does not see home directories",
        ),
        (hidden(&TEMPORARY, sees_tmp), "tmp", "has a /tmp of its own"),
    ] {
        if let Some(need) = need {
            let path = need.path.display();
            entries.push(Entry::wrong(
                TOPIC,
                format!("the service {what}, and {} is {path}", need.key),
                format!("move it, to /srv for example, or set relax = [\"{relax}\"] in [service]"),
            ));
        }
    }
    let writable: Vec<PathBuf> = writable(settings, site);
    for path in log_files(settings) {
        if !writable.iter().any(|place| path.starts_with(place)) {
            let directory = path.parent().unwrap_or(path).display();
            entries.push(Entry::wrong(
                TOPIC,
                format!(
                    "the service sees {directory} read-only, and a log file is {}",
                    path.display()
                ),
                format!(
                    "log below /var/log/hostler/{site}, or add \"{directory}\" to read-write-paths in [service]"
                ),
            ));
        }
    }
    entries
}

/// Where `ProtectSystem=strict` lets a site write.
fn writable(settings: &Settings, site: &str) -> Vec<PathBuf> {
    let own = ["/run", "/var/lib", "/var/cache", "/var/log"];
    let own = own.map(|place| Path::new(place).join("hostler").join(site));
    let named = settings.service.read_write_paths.iter().cloned();
    let devices = ["/dev", "/proc", "/sys"].map(PathBuf::from);
    let temporary = TEMPORARY.map(PathBuf::from);
    own.into_iter()
        .chain(named)
        .chain(devices)
        .chain(temporary)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config, doctor::entry::lines};

    fn settings(text: &str) -> Settings {
        let text = format!("listen = [{{ address = \":80\" }}]\n{text}");
        config::parse(&text, Path::new("/etc/hostler/shop.toml")).unwrap()
    }

    #[test]
    fn a_module_needs_every_package_on_the_way() {
        let settings = settings("[app]\nmodule = \"shop.wsgi\"\nchdir = \"/srv/shop\"\n");
        let needs = needs(&settings, Path::new("/etc/hostler/shop.toml"), true);
        let wants = |path: &str, want| {
            let mut needs = needs.iter();
            needs.any(|need| need.path == Path::new(path) && need.want == want)
        };
        assert!(wants("/etc/hostler/shop.toml", Want::Read));
        assert!(wants("/srv/shop", Want::List));
        assert!(wants("/srv/shop/shop", Want::List));
        assert!(wants("/srv/shop/shop/wsgi.py", Want::Read));
    }

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        let settings = settings(text);
        let needs = needs(&settings, Path::new("/etc/hostler/shop.toml"), true);
        assert_eq!(lines(&sandbox(&settings, "shop", &needs)), expected);
    }

    #[test]
    fn what_the_sandbox_hides_is_told() {
        check("[app]\nfile = \"/srv/shop/app.py\"\n", &[]);
        check("[app]\nfile = \"/home/me/app.py\"\n", &[]);
        let at_home = "[app]\nfile = \"/srv/app.py\"\n[static]\ncheck = [\"/home/me/public\"]\n";
        check(
            at_home,
            &[
                "Wrong sandbox: the service does not see home directories, and static is /home/me/public \
               -> move it, to /srv for example, or set relax = [\"home\"] in [service]",
            ],
        );
        check(&format!("{at_home}[service]\nrelax = [\"home\"]\n"), &[]);
        check(
            "[app]\nfile = \"/tmp/app.py\"\n",
            &[
                "Wrong sandbox: the service has a /tmp of its own, and app.file is /tmp/app.py \
               -> move it, to /srv for example, or set relax = [\"tmp\"] in [service]",
            ],
        );
    }

    #[test]
    fn log_files_lie_where_the_site_may_write() {
        let log = |path: &str| format!("[app]\nmodule = \"a\"\n[log]\nto = [\"file:{path}\"]\n");
        check(&log("/var/log/hostler/shop/a.log"), &[]);
        check(
            &log("/var/log/a.log"),
            &[
                "Wrong sandbox: the service sees /var/log read-only, and a log file is /var/log/a.log \
               -> log below /var/log/hostler/shop, or add \"/var/log\" to read-write-paths in [service]",
            ],
        );
        let named = "[service]\nread-write-paths = [\"/var/log\"]\n";
        check(&format!("{}{named}", log("/var/log/a.log")), &[]);
    }
}
