//! What is answered without the application, in the sandbox that is shipped: CGI programs, files, and whatever goes from
//! one worker to another.

use super::{
    machine::{Machine, address},
    on_each_system,
};
use crate::support::answer::Answer;

on_each_system!(
    files_are_sent_and_requests_handed_over,
    programs_end_when_they_must,
    programs_run_in_the_sandbox,
);

const SERVICE: &str = "hostler@shop.service";

const APPLICATION: &str = r#"
import os, time

def application(environ, start_response):
    path = environ["PATH_INFO"]
    headers = [("Content-Type", "text/plain")]
    if path == "/wait":
        print("waits", environ["QUERY_STRING"], flush=True)
        while not os.path.exists("/var/lib/hostler/shop/go"):
            time.sleep(0.01)
    if path == "/sent":
        headers.append(("X-Sendfile", "/srv/files/large"))
    start_response("200 OK", headers)
    return [path.encode()]
"#;

/// Says what the sandbox lets it do.
const PROBE: &str = r#"
import json, os, sys

def attempt(action):
    try:
        return action()
    except OSError as error:
        return error.strerror

seen = {
    "uid": os.getuid(),
    "body": len(sys.stdin.buffer.read()),
    "home": attempt(lambda: open("/home/me/secret").read()),
    "srv": attempt(lambda: open("/srv/written", "w").write("x")),
    "state": attempt(lambda: open("/var/lib/hostler/shop/written", "w").write("x")),
    "tmp": attempt(lambda: open("/tmp/written", "w").write("x")),
    "privileges": [line.split()[1] for line in open("/proc/self/status") if line.startswith(("NoNewPrivs", "Seccomp:"))],
    "environ": sorted(os.environ),
}
print("Content-Type: application/json\n")
print(json.dumps(seen))
"#;

/// Two workers with one thread each, which read no body beforehand.
fn start(machine: &Machine) {
    machine.succeed(&["useradd", "--system", "--user-group", "shop"]);
    machine.write("/srv/shop/app.py", APPLICATION);
    machine.write("/srv/cgi/probe.py", PROBE);
    machine.write(
        "/srv/cgi/stuck",
        "#!/bin/sh\necho $$ >/var/lib/hostler/shop/number\nsleep 1000\n",
    );
    machine.write(
        "/srv/cgi/count",
        "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nexec wc -c\n",
    );
    machine.write("/srv/files/large", &"large".repeat(200_000));
    machine.write("/srv/public/a.css", "a {}");
    machine.write("/home/me/secret", "secret");
    machine.succeed(&["chmod", "755", "/srv/cgi/stuck", "/srv/cgi/count"]);
    machine.site(
        "shop",
        "[app]\nfile = \"/srv/shop/app.py\"\n[workers]\nprocesses = 2\nthreads = 1\n\
         [service]\nuser = \"shop\"\n[[listen]]\naddress = \"127.0.0.1:8000\"\n\
         [request]\npost-buffering = \"1M\"\nspool-above = \"64K\"\n\
         [response]\nx-sendfile = true\ninternal = { \"/protected\" = \"/srv/files\" }\n\
         [static]\nmap = { \"/static\" = \"/srv/public\" }\n\
         [[cgi]]\npath = \"/cgi-bin\"\ndirectory = \"/srv/cgi\"\nhelpers = { \".py\" = \"python3\" }\n\
         [[cgi]]\npath = \"/stuck\"\nfile = \"/srv/cgi/stuck\"\ntimeout = 1\n",
    );
    machine.succeed(&["systemctl", "start", "hostler@shop.socket", SERVICE]);
}

fn get(machine: &Machine, target: &str) -> Answer {
    machine.inside(|| address(8000).get(target))
}

fn post(machine: &Machine, target: &str, length: usize) -> Answer {
    let body = vec![b'x'; length];
    machine.inside(|| address(8000).request("POST", target, &[], &body))
}

fn programs_run_in_the_sandbox(machine: &Machine) {
    start(machine);
    let uid = machine.succeed(&["id", "-u", "shop"]);
    let seen = get(machine, "/cgi-bin/probe.py").json();
    assert_eq!(seen["uid"].to_string(), uid.trim());
    assert_eq!(seen["srv"], "Read-only file system");
    assert_ne!(seen["home"], "secret");
    assert_eq!((&seen["state"], &seen["tmp"]), (&1.into(), &1.into()));
    assert!(!machine.outside("/tmp/written").exists());
    // Seccomp: 2 is that of a filter.
    assert_eq!(seen["privileges"], serde_json::json!(["1", "2"]));
    let environ = seen["environ"].as_array().unwrap();
    let told = |name: &str| environ.iter().any(|known| known == name);
    assert!(told("SCRIPT_FILENAME") && !told("NOTIFY_SOCKET") && !told("RUNTIME_DIRECTORY"));
    // In memory, in a file, and streamed.
    for length in [1_000, 500_000, 3_000_000] {
        let told = post(machine, "/cgi-bin/count", length).text();
        assert_eq!(told.trim(), length.to_string());
    }
}

fn programs_end_when_they_must(machine: &Machine) {
    start(machine);
    assert_eq!(get(machine, "/stuck").status, 504);
    let is_gone = "while test -e /proc/$(cat /var/lib/hostler/shop/number); do sleep 0.1; done";
    machine.succeed(&["sh", "-c", is_gone]);
    machine.succeed(&["systemctl", "stop", SERVICE]);
    assert_eq!(machine.property(SERVICE, "Result"), "success");
}

/// Of two workers one is kept: what comes to it goes to the other. Then both are, and files are served all the same.
fn files_are_sent_and_requests_handed_over(machine: &Machine) {
    start(machine);
    assert_eq!(get(machine, "/sent").text(), "large".repeat(200_000));
    let mut clients: Vec<_> = (0..2)
        .map(|nth| {
            let mut client = machine.inside(|| address(8000).connect());
            client.send_get(&format!("/wait?{nth}"));
            machine.wait_for_entry(&["-u", SERVICE], &format!("waits {nth}"));
            for _ in 0..10 {
                assert_eq!(get(machine, "/static/a.css").text(), "a {}");
                if nth == 0 {
                    assert_eq!(get(machine, "/application").text(), "/application");
                }
            }
            client
        })
        .collect();
    machine.write("/var/lib/hostler/shop/go", "");
    for client in &mut clients {
        assert_eq!(client.answer().text(), "/wait");
    }
}
