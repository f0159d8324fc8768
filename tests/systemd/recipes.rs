//! The recipes of docs/recipes.md, tried as they stand there.

use std::{fs, path::Path, process::Command};

use super::{machine::Machine, machine::System, on, on_each_system};
use crate::support::root;

on_each_system!(
    on_demand,
    secrets,
    several_sites,
    tls_without_a_front_server
);

const SERVICE: &str = "hostler@shop.service";

/// Puts the files of a recipe where their first lines say, and types what is to be typed.
fn cook(machine: &Machine, title: &str) {
    for user in ["shop", "blog"] {
        machine.succeed(&["useradd", "--system", "--user-group", user]);
    }
    machine.succeed(&["cp", "-r", "/srv/app", "/srv/shop"]);
    let text = fs::read_to_string(root().join("docs/recipes.md")).unwrap();
    let (_, recipe) = text.split_once(&format!("\n## {title}\n")).unwrap();
    let recipe = recipe.split("\n## ").next().unwrap();
    for block in recipe.split("```").skip(1).step_by(2) {
        let (language, content) = block.split_once('\n').unwrap();
        match content
            .strip_prefix("# ")
            .and_then(|rest| rest.split_once('\n'))
        {
            Some((path, _)) => machine.write(path, content),
            None => assert_eq!(language, "sh", "{content}"),
        }
        if language == "sh" {
            machine.succeed(&["sh", "-ec", content]);
        }
    }
}

/// nginx is where this machine has it; the tree of Debian 13 is a bare one.
#[test]
fn behind_nginx() {
    on(System::Here, |machine| {
        let conf = "user www-data;\nevents {}\nhttp { access_log off; include conf.d/*.conf; }\n";
        machine.write("/etc/nginx/nginx.conf", conf);
        cook(machine, "Behind nginx");
        machine.succeed(&["systemctl", "start", "nginx.service"]);
        let identity = machine.get(8080, "/identity");
        let uid = machine.succeed(&["id", "-u", "shop"]);
        assert_eq!(identity["uid"].to_string(), uid.trim());
        // Others may not knock.
        let knock =
            "import socket; socket.socket(socket.AF_UNIX).connect('/run/hostler/shop.sock')";
        let other = machine.run(&[
            "setpriv",
            "--reuid=blog",
            "--clear-groups",
            "python3",
            "-c",
            knock,
        ]);
        assert!(other.stderr.contains("PermissionError"), "{other:?}");
    });
}

fn tls_without_a_front_server(machine: &Machine) {
    let directory = tempfile::tempdir().unwrap();
    certificate(directory.path());
    for name in ["fullchain.pem", "privkey.pem"] {
        let text = fs::read_to_string(directory.path().join(name)).unwrap();
        machine.write(&format!("/etc/ssl/shop/{name}"), &text);
    }
    machine.succeed(&["chmod", "600", "/etc/ssl/shop/privkey.pem"]);
    cook(machine, "TLS without a front server");
    let ask = "import ssl, urllib.request\n\
        trust = ssl.create_default_context(cafile='/etc/ssl/shop/fullchain.pem')\n\
        print(urllib.request.urlopen('https://localhost/a', context=trust).read().decode())";
    assert_eq!(
        machine.succeed(&["python3", "-c", ask]),
        "{\"path\": \"/a\"}\n"
    );
}

/// One for `localhost` that vouches for itself.
fn certificate(directory: &Path) {
    let made = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:P-256",
            "-nodes",
        ])
        .args([
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
            "-addext",
            "subjectAltName=DNS:localhost",
        ])
        .args(["-keyout", "privkey.pem", "-out", "fullchain.pem"])
        .current_dir(directory)
        .output();
    assert!(made.unwrap().status.success());
}

fn secrets(machine: &Machine) {
    cook(machine, "Secrets");
    let identity = machine.get(8000, "/identity");
    assert_eq!(identity["environ"]["DATABASE_PASSWORD"], "correct horse");
    let shown = machine.succeed(&["systemctl", "show", SERVICE]);
    assert!(!shown.contains("correct horse"));
}

fn several_sites(machine: &Machine) {
    cook(machine, "Several sites");
    for (port, user) in [(8000, "shop"), (8001, "blog")] {
        let uid = machine.succeed(&["id", "-u", user]);
        assert_eq!(
            machine.get(port, "/identity")["uid"].to_string(),
            uid.trim()
        );
    }
    assert_eq!(
        machine.property(SERVICE, "MemoryMax"),
        (512_u64 << 20).to_string()
    );
    assert_eq!(
        machine.property("hostler.slice", "MemoryMax"),
        (4_u64 << 30).to_string()
    );
}

fn on_demand(machine: &Machine) {
    cook(machine, "On demand");
    assert_eq!(machine.property(SERVICE, "ActiveState"), "inactive");
    assert_eq!(machine.get(8000, "/a")["path"], "/a");
    // Ten minutes are too long for a test; that it ends is tried with a second, in `sockets`.
    assert_eq!(machine.property(SERVICE, "ActiveState"), "active");
}
