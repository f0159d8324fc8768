//! Each finding, in a directory that lacks something.

use super::*;
use crate::config;

/// Stands for the directory of the settings in expected texts.
const HERE: &str = "HERE";

/// A directory with `shop/wsgi.py` and what has the look of a virtual environment. The findings about these settings,
/// each with the key, and `!` before it when the site cannot start.
#[track_caller]
fn check(text: &str, expected: &[&str]) {
    let directory = tempfile::tempdir().unwrap();
    let here = directory.path().to_str().unwrap();
    fs::create_dir(directory.path().join("shop")).unwrap();
    fs::write(directory.path().join("shop/wsgi.py"), "").unwrap();
    let packages = directory.path().join("venv/lib/python3.13/site-packages");
    fs::create_dir_all(&packages).unwrap();
    fs::write(
        packages.join("editable.pth"),
        format!("{here}/source\nimport this\n"),
    )
    .unwrap();
    fs::create_dir_all(directory.path().join("source/linked")).unwrap();
    fs::create_dir_all(directory.path().join("venv/bin")).unwrap();
    fs::write(directory.path().join("venv/pyvenv.cfg"), "").unwrap();
    fs::write(directory.path().join("venv/bin/python"), "").unwrap();
    let text = text.replace(HERE, here);
    let settings = config::parse(&text, &directory.path().join("site.toml")).unwrap();
    let found: Vec<String> = look(&settings)
        .0
        .iter()
        .map(|finding| {
            let sign = if finding.stops { "!" } else { "" };
            format!("{sign}{}: {}", finding.key.join("."), finding.message).replace(here, HERE)
        })
        .collect();
    assert_eq!(found, expected);
}

/// A site with these lines of `[app]`.
fn app(lines: &str) -> String {
    format!("listen = [{{ address = \"127.0.0.1:0\" }}]\n[app]\nchdir = \".\"\n{lines}\n")
}

/// A good site with these sections.
fn good(sections: &str) -> String {
    app("module = \"shop.wsgi\"\nvirtualenv = \"venv\"") + sections
}

#[test]
fn a_site_that_has_everything_has_no_findings() {
    check(&good(""), &[]);
    check(&app("module = \"linked\"\nvirtualenv = \"venv\""), &[]);
    check(&app("file = \"shop/wsgi.py\"\nvirtualenv = \"venv\""), &[]);
}

#[test]
fn applications_are_where_they_should_be() {
    check(
        &app("file = \"app.py\"\nvirtualenv = \"venv\""),
        &["!app.file: HERE/app.py does not exist; make the file, or correct the path"],
    );
    check(
        &app("module = \"shop.asgi\"\nvirtualenv = \"venv\""),
        &["!app.module: there is no module `asgi` in HERE/shop; correct the name"],
    );
    check(
        &app("module = \"shap.wsgi\"\nvirtualenv = \"venv\""),
        &[
            "app.module: there is no module `shap` in HERE, HERE/source, \
           HERE/venv/lib/python3.13/site-packages; unless Python finds it elsewhere, correct the name, \
           or set app.chdir or app.python-path",
        ],
    );
    check(
        &app("module = \"shop.wsgi\"\nvirtualenv = \".venv\""),
        &[
            "!app.virtualenv: virtualenv HERE/.venv does not exist; make it: python3 -m venv HERE/.venv",
        ],
    );
    check(
        &app("module = \"shop\"\nvirtualenv = \"venv\"\npost-fork = \"shop.hooks:connect\""),
        &["!app.post-fork: there is no module `hooks` in HERE/shop; correct the name"],
    );
}

#[test]
fn users_and_groups_exist() {
    check(
        &good("[service]\nuser = \"no-such-user\"\ngroup = \"0\"\n"),
        &["!service.user: there is no user `no-such-user`; make it: useradd --system no-such-user"],
    );
    check(
        &good("[[listen]]\naddress = \"HERE/a\"\ngroup = \"no-such-group\"\n")
            .replace("listen = [{ address = \"127.0.0.1:0\" }]\n", ""),
        &[
            "!listen.0.group: there is no group `no-such-group`; make it: groupadd --system no-such-group",
        ],
    );
}

#[test]
fn sockets_have_an_address_or_a_directory() {
    check(
        &good("").replace("127.0.0.1:0", "192.0.2.1:80"),
        &[
            "!listen.0.address: this machine does not have the address 192.0.2.1; \
           correct it, or set freebind = true if it comes later",
        ],
    );
    check(
        &good("").replace("127.0.0.1:0", "HERE/run/a"),
        &[
            "listen.0.address: HERE/run does not exist; systemd makes it for a socket unit, hostler itself does not",
        ],
    );
}

#[test]
fn certificates_and_directories_exist() {
    check(
        &good("").replace(
            "\"127.0.0.1:0\"",
            "\"127.0.0.1:0\", protocol = \"https\", certificate = \"shop/wsgi.py\", key = \"shop\"",
        ),
        &["!listen.0.key: HERE/shop is a directory; name a file"],
    );
    check(
        &good("[service]\nread-write-paths = [\"media\"]\n[static]\ncheck = [\"public\"]\n"),
        &[
            "!service.read-write-paths.0: HERE/media does not exist; make the file or directory, or correct the path",
            "static.check.0: HERE/public does not exist; make the file or directory, or correct the path",
        ],
    );
}

#[test]
fn programs_exist() {
    let timer = "[[timer]]\nname = \"a\"\nevery = 60\ncommand = [\"python\"]\n";
    check(&good(timer), &[]);
    check(
        &good("[[daemon]]\nname = \"a\"\ncommand = [\"no-such-program\"]\n"),
        &[
            "daemon.0.command: there is no program `no-such-program`, neither in the virtual environment \
           nor where the system has its programs; install it, or correct the name",
        ],
    );
    check(
        &good("[service]\nexec-start-pre = [[\"/no/such/program\"]]\n"),
        &[
            "service.exec-start-pre.0: /no/such/program does not exist; \
           make the file or directory, or correct the path",
        ],
    );
}

#[test]
fn programs_of_cgi_exist() {
    let missing = "does not exist; make the file or directory, or correct the path";
    check(
        &good(
            "[[cgi]]\npath = \"/c\"\ndirectory = \"cgi\"\nhelpers = { \".sh\" = \"sh\", \".lua\" = \"no-such-lua\" }\n",
        ),
        &[
            &format!("cgi.0.directory: HERE/cgi {missing}"),
            "cgi.0.helpers..lua: there is no program `no-such-lua` where the system has its programs; \
           install it, or correct the name",
        ],
    );
    let path = "env = { PATH = \"HERE/venv/bin:HERE\" }";
    check(
        &good(&format!(
            "[[cgi]]\npath = \"/c\"\ndirectory = \"shop\"\n{path}\nhelpers = {{ \".py\" = \"python\", \".sh\" = \"sh\", \".pl\" = \"/no/perl\" }}\n"
        )),
        &[
            &format!("cgi.0.helpers..pl: /no/perl {missing}"),
            "cgi.0.helpers..sh: there is no program `sh` in the directories of `PATH` in `env`; \
           install it, or correct the name",
        ],
    );
}
