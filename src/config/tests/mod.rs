//! The loader as its users see it: whole texts in, settings or the exact line of an error out.
//!
//! Apart from the files it tests because each error crosses several of them.

mod examples;
mod keys;
mod rules;
mod sections;
mod service;
mod values;

use std::{
    ffi::OsStr,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use super::{shape::shape, *};

/// The least that is accepted, to stand before what a test is about.
const SITE: &str = "[app]\nmodule = \"shop\"\n[[listen]]\naddress = \":80\"\n";

#[track_caller]
fn check_error(text: &str, expected: &str) {
    let error = parse(text, Path::new("site.toml")).unwrap_err();
    assert_eq!(error.to_string(), format!("site.toml{expected}"));
}

/// The text stands behind a good `[app]` and `[[listen]]`, from line 5 on.
#[track_caller]
fn check_error_behind(text: &str, expected: &str) {
    check_error(&format!("{SITE}{text}"), expected);
}

/// The line stands alone in `[app]`, as line 2.
#[track_caller]
fn check_app_error(line: &str, expected: &str) {
    check_error(
        &format!("[app]\n{line}\n[[listen]]\naddress = \":80\"\n"),
        expected,
    );
}

/// The line stands in a `[[listen]]` behind another one, as line 6.
#[track_caller]
fn check_listen_error(line: &str, expected: &str) {
    check_error_behind(&format!("[[listen]]\n{line}"), expected);
}

fn site(text: &str) -> Settings {
    parse(
        &format!("{SITE}{text}"),
        Path::new("/etc/hostler/site.toml"),
    )
    .unwrap()
}

#[test]
fn what_is_not_said_has_its_default() {
    let settings = site("");
    let app = App {
        module: Some("shop".into()),
        ..App::default()
    };
    assert_eq!(
        settings,
        Settings {
            app,
            listen: settings.listen.clone(),
            ..Settings::default()
        }
    );
    assert_eq!(settings.listen[0].protocol, Protocol::Http);
}

#[test]
fn paths_count_from_the_directory_of_the_file() {
    let text = "app.file = \"wsgi.py\"\nlisten = [{ address = \":80\" }]";
    let settings = parse(text, Path::new("/srv/shop/./site.toml")).unwrap();
    assert_eq!(settings.app.file, Some(PathBuf::from("/srv/shop/wsgi.py")));
}

#[test]
fn a_directory_whose_name_is_no_text_is_refused() {
    let path = Path::new(OsStr::from_bytes(b"/srv/caf\xe9/site.toml"));
    let message = parse(SITE, path).unwrap_err().to_string();
    let directory = "/srv/caf\u{fffd}";
    assert_eq!(
        message,
        format!("{directory}/site.toml: {directory} is not UTF-8; rename the directory")
    );
}

#[test]
fn settings_survive_json_and_toml() {
    let settings = site(concat!(
        "[[listen]]\nprotocol = \"uwsgi\"\naddress = \"unix:/run/shop.sock\"\nmode = \"660\"\nowner = \"www\"\n",
        "[http]\nkeep-alive = 0\nheader-timeout = \"1min 30s\"\nmax-body = \"1.5G\"\n",
        "trusted-proxies = [\"10.0.0.0/8\", \"unix\"]\n",
        "[workers]\nthread-stack = 65536\n[workers.cheaper]\nalgorithm = \"busyness\"\n[log]\nto = [\"journal\"]\nlevel = \"debug\"\n",
    ));
    let json = serde_json::to_string(&settings).unwrap();
    assert_eq!(serde_json::from_str::<Settings>(&json).unwrap(), settings);
    let toml = toml::to_string(&settings).unwrap();
    assert_eq!(
        parse(&toml, Path::new("/elsewhere/site.toml")).unwrap(),
        settings
    );
}

#[track_caller]
fn check_unreadable(path: &Path, expected: &str) {
    let message = load(path).unwrap_err().to_string();
    assert_eq!(message, format!("{}: {expected}", path.display()));
}

#[test]
fn a_file_that_cannot_be_read_is_told_apart() {
    let directory = tempfile::tempdir().unwrap();
    check_unreadable(directory.path(), "is a directory; name a settings file");
    let missing = directory.path().join("site.toml");
    check_unreadable(&missing, "no such file; name the settings file of a site");
    let denied = ConfigError::unreadable("a".into(), std::io::ErrorKind::PermissionDenied.into());
    assert_eq!(
        denied.to_string(),
        "a: permission denied; the user that runs hostler must be able to read it"
    );
}

#[test]
fn a_file_in_another_encoding_is_refused_at_its_byte() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), b"# \xc3\xa9\n# caf\xe9\n").unwrap();
    let message = load(file.path()).unwrap_err().to_string();
    let expected = ":2:6: this byte is not UTF-8; save the file in UTF-8";
    assert_eq!(message, format!("{}{expected}", file.path().display()));
}
