//! A site that has served, and what was changed since: the service, nginx, the application and its sandbox.

use super::{SERVICE, enabled, entries, is_well, says};
use crate::systemd::{machine::Machine, on_each_system, settings};

on_each_system!(
    a_change_that_wants_a_restart,
    nginx_that_was_not_reloaded,
    what_only_the_sandbox_forbids,
);

/// What `[service]` says counts from a start on, which a reload is not.
fn a_change_that_wants_a_restart(machine: &Machine) {
    enabled(machine, &settings(8000));
    machine.succeed(&["systemctl", "start", SERVICE]);
    is_well(machine);
    let changed = settings(8000) + "[service]\nlimit-nofile = 4096\n";
    machine.site("shop", &changed);
    machine.succeed(&["systemctl", "reload", SERVICE]);
    machine.wait_for_entry(
        &["-u", SERVICE],
        "systemctl daemon-reload, then systemctl restart",
    );
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
