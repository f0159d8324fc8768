//! Every wrong turn on the way to a site, and that `hostler doctor` says what to do; what systemd and the journal say of
//! it, too.

use serde_json::Value;

use super::{machine::Machine, on_each_system, settings};

on_each_system!(
    a_change_that_wants_a_restart,
    a_denial_is_found_in_the_audit_log,
    a_file_that_the_user_may_not_read,
    a_missing_daemon_reload,
    a_missing_virtual_environment,
    a_port_that_is_taken,
    a_site_that_is_well,
    a_wrong_module_name,
    nginx_and_the_socket,
    nginx_that_was_not_reloaded,
    what_only_the_sandbox_forbids,
);

const SERVICE: &str = "hostler@shop.service";
const SOCKET: &str = "hostler@shop.socket";

/// What the doctor says of the site `shop`: `GRADE TOPIC: MESSAGE -> ADVICE` each.
fn entries(machine: &Machine) -> Vec<String> {
    let done = machine.run(&["hostler", "doctor", "--json", "shop"]);
    let report: Value = serde_json::from_str(&done.stdout).unwrap_or_else(|_| panic!("{done:?}"));
    let code = if report["grade"] == "wrong" { 1 } else { 0 };
    assert_eq!(done.code, Some(code), "{done:?}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let line = |entry: &Value| {
        let [grade, topic, message, advice] =
            ["grade", "topic", "message", "advice"].map(|key| text(&entry[key]));
        format!("{grade} {topic}: {message} -> {advice}")
    };
    report["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(line)
        .collect()
}

/// The doctor says this, all of it in one entry.
#[track_caller]
fn says(machine: &Machine, expected: &[&str]) {
    let entries = entries(machine);
    let is_it = |entry: &String| expected.iter().all(|text| entry.contains(text));
    assert!(entries.iter().any(is_it), "{expected:?}: {entries:#?}");
}

/// The doctor finds nothing wrong.
#[track_caller]
fn is_well(machine: &Machine) {
    let entries = entries(machine);
    let wrong = entries.iter().find(|entry| entry.starts_with("wrong"));
    assert_eq!(wrong, None, "{entries:#?}");
}

/// The first connection would wait until the site starts: it is started without waiting, and what it says awaited.
#[track_caller]
fn journal_says(machine: &Machine, text: &str) {
    machine.succeed(&["systemctl", "start", "--no-block", SERVICE]);
    machine.wait_for_entry(&["-u", SERVICE], text);
}

fn enabled(machine: &Machine, settings: &str) {
    machine.site("shop", settings);
    machine.succeed(&["systemctl", "enable", "--now", SOCKET]);
}

fn a_site_that_is_well(machine: &Machine) {
    machine.succeed(&["rm", "-rf", "/etc/nginx"]);
    machine.site("shop", &settings(8000));
    says(
        machine,
        &[
            "wrong units:",
            "is inactive: nobody listens for the site -> systemctl enable --now hostler@shop.socket",
        ],
    );
    machine.succeed(&["systemctl", "start", SOCKET]);
    says(
        machine,
        &[
            "warning units:",
            "will not be after the next boot -> systemctl enable hostler@shop.socket",
        ],
    );
    machine.succeed(&["systemctl", "enable", SOCKET]);
    says(
        machine,
        &["good units:", "starts with the first connection"],
    );
    is_well(machine);
    assert_eq!(machine.get(8000, "/a")["path"], "/a");
    machine.wait_for(SERVICE, "ActiveState", |state| state == "active");
    says(
        machine,
        &["good sockets: 127.0.0.1:8000 is open for shop, http"],
    );
    says(
        machine,
        &["good application: /srv/app/app.py can be imported by hostler, with Python 3."],
    );
    says(machine, &["good permissions: hostler may use every file"]);
    is_well(machine);
    let text = machine.succeed(&["hostler", "doctor", "/etc/hostler/shop.toml"]);
    assert!(
        text.starts_with("/etc/hostler/shop.toml: all is well\n"),
        "{text}"
    );
}

fn a_wrong_module_name(machine: &Machine) {
    let wrong = settings(8000).replace(
        "file = \"/srv/app/app.py\"",
        "module = \"shap.wsgi\"\nchdir = \"/srv/app\"",
    );
    enabled(machine, &wrong);
    let what = "there is no module shap, where shap.wsgi should be";
    says(
        machine,
        &[
            "wrong application:",
            what,
            "-> correct app.module, app.chdir or app.python-path",
        ],
    );
    journal_says(machine, what);
    says(
        machine,
        &["wrong units: hostler@shop.service does not start", what],
    );
    machine.site("shop", &settings(8000));
    machine.succeed(&["systemctl", "restart", SERVICE]);
    is_well(machine);
}

fn a_missing_virtual_environment(machine: &Machine) {
    let with = |line: &str| settings(8000).replace("[workers]", &format!("{line}\n[workers]"));
    enabled(machine, &with("virtualenv = \"/srv/app/.venv\""));
    let what = "virtualenv /srv/app/.venv does not exist; make it: python3 -m venv /srv/app/.venv";
    says(
        machine,
        &[
            "wrong settings: /etc/hostler/shop.toml:3:14: virtualenv /srv/app/.venv does not exist",
            "-> make it: python3 -m venv /srv/app/.venv",
        ],
    );
    journal_says(machine, what);
    let status = machine.run(&["systemctl", "status", SERVICE]).stdout;
    assert!(status.contains(what), "{status}");
    // Without one, what is installed in another one is missing.
    machine.site("shop", &settings(8000));
    machine.write("/srv/app/app.py", "import flask_of_the_shop\n");
    says(
        machine,
        &[
            "wrong application:",
            "No module named 'flask_of_the_shop' (/srv/app/app.py, line 1)",
            "set app.virtualenv",
        ],
    );
}

fn a_file_that_the_user_may_not_read(machine: &Machine) {
    enabled(machine, &settings(8000));
    for (command, expected) in [
        (
            ["chmod", "600", "/srv/app/app.py"],
            [
                "hostler may not read /srv/app/app.py (-rw------- root root)",
                "chgrp hostler /srv/app/app.py && chmod g+r /srv/app/app.py",
            ],
        ),
        (
            ["chmod", "700", "/srv/app"],
            [
                "hostler may not enter /srv/app (drwx------ root root)",
                "-> chmod o+x /srv/app",
            ],
        ),
        (
            ["chmod", "600", "/etc/hostler/shop.toml"],
            [
                "hostler may not read /etc/hostler/shop.toml (-rw------- root root); its settings needs it",
                "chmod g+r",
            ],
        ),
    ] {
        machine.succeed(&command);
        says(machine, &[&["wrong permissions:"], &expected[..]].concat());
        let [path, mode] = [
            command[2],
            if command[2] == "/srv/app" {
                "755"
            } else {
                "644"
            },
        ];
        machine.succeed(&["chmod", mode, path]);
        is_well(machine);
    }
    machine.succeed(&["chmod", "700", "/srv/app"]);
    journal_says(machine, "may not be read by whoever runs the site");
}

fn a_port_that_is_taken(machine: &Machine) {
    let other =
        "import socket, time\nhere = socket.create_server(('127.0.0.1', 8000))\ntime.sleep(3600)";
    machine.write("/srv/other.py", other);
    machine.succeed(&["systemd-run", "--unit=other", "python3", "/srv/other.py"]);
    machine.wait_for("other.service", "ActiveState", |state| state == "active");
    machine.site("shop", &settings(8000));
    // It is active before it listens.
    let listens = [
        "python3",
        "-c",
        "import socket, time\nwhile socket.socket().connect_ex(('127.0.0.1', 8000)): time.sleep(0.01)",
    ];
    machine.succeed(&listens);
    says(
        machine,
        &[
            "wrong sockets: 127.0.0.1:8000 is in use by python3 (process ",
            " of other.service)",
            "-> systemctl stop other.service; or choose another address",
        ],
    );
    assert_ne!(machine.run(&["systemctl", "start", SOCKET]).code, Some(0));
    says(
        machine,
        &[
            "wrong units: hostler@shop.socket has failed (resources)",
            "Address already in use",
        ],
    );
    machine.succeed(&["systemctl", "stop", "other.service"]);
    machine.succeed(&["systemctl", "enable", "--now", SOCKET]);
    is_well(machine);
}

fn a_missing_daemon_reload(machine: &Machine) {
    machine.write("/etc/hostler/shop.toml", &settings(8000));
    says(
        machine,
        &[
            "wrong units: systemd has not read the settings yet",
            "-> systemctl daemon-reload",
        ],
    );
    machine.succeed(&["systemctl", "daemon-reload"]);
    machine.succeed(&["systemctl", "enable", "--now", SOCKET]);
    is_well(machine);
    machine.write("/etc/hostler/shop.toml", &settings(8001));
    says(
        machine,
        &[
            "wrong units: the settings have changed since systemd has read them (hostler@shop.socket.d/50-hostler.conf)",
            "-> systemctl daemon-reload",
        ],
    );
    machine.succeed(&["systemctl", "daemon-reload"]);
    says(
        machine,
        &[
            "wrong sockets: hostler@shop.socket is active and nobody listens on 127.0.0.1:8001",
            "systemctl restart hostler@shop.socket",
        ],
    );
    machine.succeed(&["systemctl", "restart", SOCKET]);
    is_well(machine);
    // What a person forgets, systemd and hostler say as well.
    machine.write("/etc/hostler/shop.toml", &settings(8002));
    journal_says(machine, "systemctl daemon-reload");
}

fn nginx_and_the_socket(machine: &Machine) {
    let listen = "[[listen]]\nprotocol = \"uwsgi\"\naddress = \"/run/hostler/shop.sock\"\n";
    let (app, _) = settings(8000)
        .split_once("[[listen]]")
        .map(|(app, rest)| (app.to_owned(), rest.to_owned()))
        .unwrap();
    let conf = |location: &str| {
        let text =
            format!("user www-data;\nhttp {{ server {{ location / {{\n{location}\n}} }} }}\n");
        machine.write("/etc/nginx/nginx.conf", &text);
    };
    machine.write(
        "/etc/nginx/uwsgi_params",
        "uwsgi_param REQUEST_METHOD $request_method;\n",
    );
    enabled(machine, &format!("{app}{listen}"));
    conf("include uwsgi_params; uwsgi_pass unix:/run/hostler/shop.sock;");
    says(
        machine,
        &[
            "wrong permissions: www-data may not connect to /run/hostler/shop.sock (srw-rw---- hostler hostler); /etc/nginx/nginx.conf:3 needs it",
            "`group` of [[listen]]",
        ],
    );
    machine.site("shop", &format!("{app}{listen}group = \"www-data\"\n"));
    says(
        machine,
        &[
            "wrong sockets: /run/hostler/shop.sock is srw-rw---- hostler hostler, and the settings say mode 0660 and hostler www-data",
            "systemctl restart hostler@shop.socket",
        ],
    );
    machine.succeed(&["systemctl", "restart", SOCKET]);
    says(
        machine,
        &["good nginx: /etc/nginx/nginx.conf:3 passes requests to /run/hostler/shop.sock, uwsgi"],
    );
    is_well(machine);
    conf("proxy_pass http://unix:/run/hostler/shop.sock;");
    says(
        machine,
        &[
            "wrong nginx: /etc/nginx/nginx.conf:3 has proxy_pass to /run/hostler/shop.sock, where uwsgi is spoken",
            "uwsgi_pass unix:/run/hostler/shop.sock;",
        ],
    );
    conf("uwsgi_pass unix:/run/shop/shop.sock;");
    says(
        machine,
        &[
            "wrong nginx:",
            "passes requests to /run/shop/shop.sock, and the site listens on /run/hostler/shop.sock",
        ],
    );
}

/// What `[service]` says counts from a start on, which a reload is not.
fn a_change_that_wants_a_restart(machine: &Machine) {
    enabled(machine, &settings(8000));
    machine.succeed(&["systemctl", "start", SERVICE]);
    is_well(machine);
    let changed = settings(8000) + "[service]\nlimit-nofile = 4096\n";
    machine.site("shop", &changed);
    machine.succeed(&["systemctl", "reload", SERVICE]);
    let expected = [
        "wrong units: what hostler@shop.service is told has changed since it was started: [service]",
        "-> systemctl restart hostler@shop.service",
    ];
    says(machine, &expected);
    machine.succeed(&["systemctl", "restart", SERVICE]);
    is_well(machine);
    let own = "/etc/systemd/system/hostler@shop.service.d/own.conf";
    machine.write(own, "[Service]\nNice=3\n");
    machine.succeed(&["systemctl", "daemon-reload"]);
    let expected = [
        &format!("warning units: {own} has changed since hostler@shop.service was started"),
        "-> systemctl restart hostler@shop.service",
    ];
    says(machine, &expected);
    machine.succeed(&["systemctl", "restart", SERVICE]);
    let entries = entries(machine);
    assert!(
        !entries.iter().any(|entry| entry.contains("own.conf")),
        "{entries:#?}"
    );
}

/// The import is tried where the service would do it: what nobody forbids but the sandbox is found, and a credential is
/// there.
fn what_only_the_sandbox_forbids(machine: &Machine) {
    let app = "import os\n\
        open('/srv/app/written', 'w').write('')\n\
        def application(environ, start_response):\n    return []\n";
    machine.succeed(&["chmod", "777", "/srv/app"]);
    machine.write("/srv/app/writes.py", app);
    let writes = settings(8000).replace("/srv/app/app.py", "/srv/app/writes.py");
    enabled(machine, &writes);
    says(
        machine,
        &[
            "wrong application: only in the sandbox of the service:",
            "Read-only file system: '/srv/app/written' (/srv/app/writes.py, line 2)",
            "-> give back what it needs: relax, read-write-paths or credentials of [service]",
        ],
    );
    machine.write("/etc/hostler-secret", "sesame\n");
    machine.succeed(&["chmod", "600", "/etc/hostler-secret"]);
    let app = app.replace("write('')", "write(os.environ['SECRET'])");
    machine.write("/srv/app/writes.py", &app);
    let given = "[service]\nread-write-paths = [\"/srv/app\"]\n\
        credentials = { key = \"/etc/hostler-secret\" }\nenv-credentials = { SECRET = \"key\" }\n";
    machine.site("shop", &(writes.clone() + given));
    says(
        machine,
        &[
            "good application: /srv/app/writes.py can be imported by hostler, with Python 3.",
            "in the sandbox of the service",
        ],
    );
    assert_eq!(machine.succeed(&["cat", "/srv/app/written"]), "sesame");
    machine.site(
        "shop",
        &(writes + "[service]\nread-write-paths = [\"/srv/gone\"]\n"),
    );
    says(
        machine,
        &[
            "wrong sandbox: systemd cannot make a process as that of hostler@shop.service: its view of the file system cannot be made",
            "journalctl -t systemd -g hostler-doctor",
        ],
    );
    // Nothing is left of the trials.
    let units = machine.succeed(&["systemctl", "list-units", "--all", "hostler-doctor*"]);
    assert!(units.contains("0 loaded units listed"), "{units}");
    let left = "ls -d /run/hostler-doctor* /run/systemd/system/hostler-doctor* 2>/dev/null || true";
    assert_eq!(machine.succeed(&["sh", "-c", left]), "");
}

/// A process that stands for nginx: its child is what a reload would replace.
fn nginx_that_was_not_reloaded(machine: &Machine) {
    let conf = "/etc/nginx/nginx.conf";
    let pass = "http { server { location / {\nproxy_pass http://127.0.0.1:8000;\n} } }\n";
    machine.succeed(&["rm", "-rf", "/etc/nginx"]);
    machine.write(conf, pass);
    machine.write(
        "/etc/systemd/system/nginx.service",
        "[Service]\nExecStart=/bin/sh -c 'sleep infinity & wait'\n",
    );
    enabled(machine, &settings(8000));
    machine.succeed(&["systemctl", "start", "nginx.service"]);
    let complaint = "warning nginx: /etc/nginx/nginx.conf has changed since nginx has read it";
    let complains = || {
        entries(machine)
            .iter()
            .any(|entry| entry.starts_with(complaint))
    };
    assert!(!complains());
    machine.succeed(&["touch", "-d", "+1 hour", conf]);
    says(
        machine,
        &[complaint, "-> nginx -t && systemctl reload nginx"],
    );
    machine.succeed(&["touch", conf]);
    machine.succeed(&["systemctl", "restart", "nginx.service"]);
    assert!(!complains());
}

/// There is no security module in the box; the log of one is there.
fn a_denial_is_found_in_the_audit_log(machine: &Machine) {
    enabled(machine, &settings(8000));
    let now = machine.succeed(&["date", "+%s"]);
    let line = |rest: &str| format!("type=AVC msg=audit({}.123:45): {rest}\n", now.trim());
    let nginx = line(
        "avc:  denied  { name_connect } for  pid=1 comm=\"nginx\" dest=8000 scontext=system_u:system_r:httpd_t:s0 tcontext=a tclass=tcp_socket permissive=0",
    );
    let python = line(
        "apparmor=\"DENIED\" operation=\"open\" profile=\"hostler\" name=\"/srv/app/app.py\" pid=1 comm=\"python3\"",
    );
    let stranger = line(
        "apparmor=\"DENIED\" operation=\"open\" profile=\"cups\" name=\"/etc/cups\" pid=1 comm=\"cupsd\"",
    );
    machine.write(
        "/var/log/audit/audit.log",
        &[nginx, python, stranger].concat(),
    );
    says(
        machine,
        &[
            "wrong denials: SELinux has denied nginx",
            "-> setsebool -P httpd_can_network_connect 1",
        ],
    );
    says(
        machine,
        &[
            "wrong denials: AppArmor has denied python3 (hostler) to open /srv/app/app.py",
            "/etc/apparmor.d/local/hostler",
        ],
    );
    assert!(!entries(machine).iter().any(|entry| entry.contains("cups")));
}
