//! What a new user types, as it stands in README.md and in docs/first-site.md: from the package and a Django project to a
//! page behind nginx.
//!
//! The box has no network, and its Debian 13 is a bare one. What would be fetched comes from where the tests have it
//! (`prepare`); everything else is the real thing.

use std::fs;

use super::{
    machine::{Machine, address},
    on_each_system,
};
use crate::support::{package::package, root};

on_each_system!(with crate::systemd::package::on: the_first_site, the_readme);

/// Block of a document, with the language that it is marked with.
type Block<'t> = (&'t str, &'t str);

fn blocks(text: &str) -> Vec<Block<'_>> {
    let blocks = text.split("\n```").skip(1).step_by(2);
    blocks
        .map(|block| block.split_once('\n').unwrap())
        .collect()
}

/// Stand-ins for what needs a network or is not in a bare tree, in /usr/local/bin. Each does what a user would notice of
/// the real one.
const STAND_INS: [(&str, &str); 5] = [
    // The other packages are there.
    (
        "apt-get",
        "for word; do case \"$word\" in\n\
         *hostler_*.deb) dpkg --install /opt/hostler/target/package/tests/hostler_*-1_*.deb;;\nesac; done",
    ),
    (
        "sudo",
        "user=root\nif [ \"$1\" = -u ]; then user=$2; shift 2; fi\n\
         if [ \"$1 $2 $3\" = \"python3 -m venv\" ]; then set -- make-environment \"$4\"; fi\n\
         exec setpriv --reuid=\"$user\" --regid=\"$user\" --init-groups \"$@\"",
    ),
    // An environment whose pip installs from target/venv/libraries.
    (
        "make-environment",
        "python3 -m venv --without-pip \"$1\"\n\
         version=$(python3 -c 'import sys; print(\"%d.%d\" % sys.version_info[:2])')\n\
         printf '#!/bin/sh -e\\n[ \"$*\" = \"install django\" ]\\n\
         echo /opt/venv/libraries/%s >%s/lib/python%s/site-packages/installed.pth\\n' \"$version\" \"$1\" \"$version\" >\"$1/bin/pip\"\n\
         printf '#!/bin/sh\\nexec %s/bin/python -m django \"$@\"\\n' \"$1\" >\"$1/bin/django-admin\"\n\
         chmod +x \"$1/bin/pip\" \"$1/bin/django-admin\"",
    ),
    (
        "adduser",
        "[ \"$1 $2 $3\" = \"--system --group --home\" ]\nexec useradd --system --user-group --create-home --home-dir \"$4\" \"$5\"",
    ),
    (
        "curl",
        "for url; do :; done\nexec python3 -c 'import sys, urllib.request as u; print(u.urlopen(sys.argv[1]).read().decode(), end=\"\")' \"$url\"",
    ),
];

/// Puts the stand-ins where the real ones are not, and nginx where there is none.
fn prepare(machine: &Machine) {
    package("deb", 1);
    for (name, script) in STAND_INS {
        let is_there = machine
            .run(&["sh", "-c", &format!("command -v {name}")])
            .code
            == Some(0);
        let needs_network = ["apt-get", "sudo"].contains(&name);
        if needs_network || !is_there {
            let path = format!("/usr/local/bin/{name}");
            machine.write(&path, &format!("#!/bin/sh -e\n{script}\n"));
            machine.succeed(&["chmod", "755", &path]);
        }
    }
    if machine.run(&["test", "-x", "/usr/sbin/nginx"]).code != Some(0) {
        borrow_nginx(machine);
    }
    machine.succeed(&["systemctl", "start", "nginx.service"]);
}

/// This machine's, with its own libraries and the configuration that a fresh one has.
fn borrow_nginx(machine: &Machine) {
    let params = fs::read_to_string("/etc/nginx/uwsgi_params").expect("nginx is missing");
    machine.write("/etc/nginx/uwsgi_params", &params);
    let conf = "user www-data;\npid /run/nginx.pid;\nevents {}\n\
                http { access_log off; include /etc/nginx/sites-enabled/*; }\n";
    machine.write("/etc/nginx/nginx.conf", conf);
    machine.succeed(&[
        "mkdir",
        "-p",
        "/etc/nginx/sites-enabled",
        "/var/log/nginx",
        "/var/lib/nginx",
    ]);
    let script = "#!/bin/sh\nset -- /opt/usr/lib/*-linux-gnu/ld-linux-*.so.*\n\
                  exec \"$1\" --library-path \"$(dirname \"$1\")\" /opt/usr/sbin/nginx -g 'daemon off;'\n";
    machine.write("/usr/local/sbin/nginx", script);
    machine.succeed(&["chmod", "755", "/usr/local/sbin/nginx"]);
    let unit = "[Service]\nExecStart=/usr/local/sbin/nginx\nExecReload=/bin/kill -HUP $MAINPID\n";
    machine.write("/etc/systemd/system/nginx.service", unit);
    machine.succeed(&["systemctl", "daemon-reload"]);
}

/// nginx(8) says that it has reloaded before it has, and people type more slowly than programs.
const UNTIL_RELOADED: &str = "until page=$(curl --silent http://localhost/) && ! [[ $page = *'Welcome to nginx'* ]]; \
                              do read -t 0.05 <> <(:) || true; done";

/// Types a block; it ends with `code`, and with 0 it stops at the first command that fails.
#[track_caller]
fn type_block(machine: &Machine, text: &str, code: i32) -> String {
    let reload = "systemctl reload nginx";
    let text = text.replace(reload, &format!("{reload}\n{UNTIL_RELOADED}"));
    let options = if code == 0 { "-ec" } else { "-c" };
    let done = machine.run(&["bash", options, &text]);
    assert_eq!(
        done.code,
        Some(code),
        "{text}{}{}{}",
        done.stdout,
        done.stderr,
        machine.log()
    );
    done.stdout
}

/// What follows in a document is about the reload of a broken application; its last command shows the old page.
const FAILS: &str = "# fails";

fn the_first_site(machine: &Machine) {
    prepare(machine);
    let text = fs::read_to_string(root().join("docs/first-site.md")).unwrap();
    let mut pages = Vec::new();
    for (language, content) in blocks(&text) {
        match language {
            "nginx" => machine.write("/etc/nginx/sites-enabled/shop", content),
            "toml" => {
                let file = machine.succeed(&["cat", "/etc/hostler/shop.toml"]);
                let (before, _) = file.split_once("[service]").unwrap();
                machine.write("/etc/hostler/shop.toml", &format!("{before}{content}"));
            }
            "sh" => {
                // systemctl(1): 3 is a unit that is not active.
                let code = if content.starts_with("systemctl status") {
                    3
                } else {
                    0
                };
                let typed = match content.contains(FAILS) {
                    true => content.replace(FAILS, "&& exit 9 || true"),
                    false => content.to_owned(),
                };
                pages.push(type_block(machine, &typed, code));
            }
            other => panic!("{other} is not typed"),
        }
    }
    let said = |text: &str| pages.iter().filter(|page| page.contains(text)).count();
    assert_eq!(
        (
            said("Hello from the shop"),
            said("Good morning from the shop")
        ),
        (1, 2),
        "{pages:#?}"
    );
    assert_eq!(said("hostler-timer-clean-up@shop.timer"), 1, "{pages:#?}");
    assert_eq!(
        said("ModuleNotFoundError: No module named 'nothing'"),
        1,
        "{pages:#?}"
    );
    assert!(
        pages
            .iter()
            .any(|page| page.contains("shop.toml: all is well")),
        "{pages:#?}"
    );
}

/// How a command of the README is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// As it stands.
    Typed,
    /// It serves until it is ended.
    Serves,
    /// Not here, for this reason.
    Elsewhere(&'static str),
}

/// Every command of README.md, in its order.
const README: [(&str, Way); 18] = [
    (
        "make run",
        Way::Elsewhere("it builds a release; `examples` serves the same site"),
    ),
    ("make test", Way::Elsewhere("it is what runs this")),
    ("hostler run shop.wsgi --http :8000", Way::Serves),
    ("hostler run app.py:app --threads 4 --reload", Way::Serves),
    ("hostler check site.toml", Way::Typed),
    ("hostler serve site.toml", Way::Serves),
    ("apt-get install --yes ./hostler_*.deb", Way::Typed),
    ("adduser --system --group --home /srv/shop shop", Way::Typed),
    ("systemctl daemon-reload", Way::Typed),
    ("systemctl enable --now hostler@shop.socket", Way::Typed),
    ("systemctl reload nginx", Way::Typed),
    ("curl --silent http://localhost/", Way::Typed),
    ("hostler doctor shop", Way::Typed),
    ("hostler status shop", Way::Typed),
    (
        "hostler top",
        Way::Elsewhere("it wants a terminal; `top` gives it one"),
    ),
    ("hostler reload shop", Way::Typed),
    ("hostler worker recycle 1 shop", Way::Typed),
    ("hostler convert-ini uwsgi.ini -o shop.toml", Way::Typed),
];

/// The commands of a block, without what is said behind them.
fn commands(content: &str) -> Vec<&str> {
    let commands = content.lines().filter_map(|line| line.split(" #").next());
    commands
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .collect()
}

/// Where the commands of the README are typed.
const HERE: &str = "/srv/try";

/// What the README takes for granted: a project with its environment, the Django example, an old configuration.
fn provide(machine: &Machine) {
    // Its first commands are for those who have built hostler themselves.
    machine.succeed(&["apt-get", "install", "./hostler_1.deb"]);
    let application = "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'Hello']\n";
    machine.write(&format!("{HERE}/shop/wsgi.py"), application);
    machine.write(
        &format!("{HERE}/app.py"),
        &application.replace("application", "app"),
    );
    machine.write(
        &format!("{HERE}/uwsgi.ini"),
        "[uwsgi]\nmodule = shop.wsgi\nhttp-socket = :8000\n",
    );
    let example = format!("cp -r /opt/hostler/examples/django/. {HERE}/");
    let environment = format!(
        "rm -rf {HERE}/.venv && make-environment {HERE}/.venv && {HERE}/.venv/bin/pip install django"
    );
    let migrate = format!("cd {HERE} && .venv/bin/python manage.py migrate --verbosity 0");
    for command in [example, environment, migrate] {
        machine.succeed(&["sh", "-ec", &command]);
    }
}

/// What the README takes for granted where it says "with a Django project".
fn provide_project(machine: &Machine) {
    let as_shop = ["sudo", "-u", "shop"];
    for command in [
        "make-environment /srv/shop/.venv",
        "/srv/shop/.venv/bin/pip install django",
        "/srv/shop/.venv/bin/django-admin startproject shop /srv/shop",
    ] {
        let words: Vec<&str> = as_shop.into_iter().chain(command.split(' ')).collect();
        machine.succeed(&words);
    }
}

/// Starts what stays in the foreground, as somebody with the environment activated; asks for a page, and ends it.
fn serves(machine: &Machine, number: usize, command: &str) {
    let unit = format!("typed-{number}");
    let (unit_option, directory) = (
        format!("--unit={unit}"),
        format!("--working-directory={HERE}"),
    );
    let environment = format!("--setenv=VIRTUAL_ENV={HERE}/.venv");
    machine.succeed(&[
        "systemd-run",
        &unit_option,
        &directory,
        &environment,
        "sh",
        "-c",
        command,
    ]);
    machine.wait_for_entry(&["-u", &unit], "ready");
    let answer = machine.inside(|| address(8000).get("/"));
    assert_eq!(
        answer.status,
        200,
        "{command}: {}{}",
        answer.text(),
        machine.log()
    );
    machine.succeed(&["systemctl", "stop", &unit]);
}

fn the_readme(machine: &Machine) {
    prepare(machine);
    // What is tried first in the README is tried with a build; the package comes later, and does no harm to it.
    machine.succeed(&["apt-get", "install", "./hostler_*.deb"]);
    provide(machine);
    let text = fs::read_to_string(root().join("README.md")).unwrap();
    let mut rows = README.iter().enumerate();
    for (language, content) in blocks(&text) {
        let path = content
            .strip_prefix("# ")
            .and_then(|rest| rest.lines().next());
        if let Some(path) = path.filter(|path| path.starts_with("/etc/")) {
            machine.write(path, content);
        }
        for command in commands(content).iter().filter(|_| language == "sh") {
            let (number, (expected, way)) = rows.next().expect("a row for each command");
            assert_eq!(
                command, expected,
                "README.md has another command than the table here"
            );
            match way {
                Way::Elsewhere(reason) => assert!(!reason.is_empty()),
                Way::Serves => serves(machine, number, command),
                Way::Typed => _ = type_block(machine, &format!("cd {HERE}; {command}"), 0),
            }
            if command.starts_with("adduser") {
                provide_project(machine);
            }
        }
    }
    assert_eq!(rows.next(), None, "README.md does not have it any more");
}
