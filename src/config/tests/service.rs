//! `[service]`, `[[timer]]`, and what a socket unit can do: values that systemd would refuse.

use super::*;

#[test]
fn a_whole_service_is_read() {
    let service = site(concat!(
        "[service]\nuser = \"shop\"\nafter = [\"postgresql.service\"]\nmemory-max = \"2G\"\n",
        "cpu-quota = \"150%\"\nread-write-paths = [\"media\"]\nrelax = [\"jit\", \"system-calls\"]\n",
        "credentials = { key = \"key.pem\" }\nenv-credentials = { SECRET = \"key\" }\n",
    ))
    .service;
    assert_eq!(service.user.as_deref(), Some("shop"));
    assert_eq!(service.cpu_quota, Some(Percent(150)));
    assert_eq!(
        service.read_write_paths,
        [PathBuf::from("/etc/hostler/media")]
    );
    assert_eq!(service.relax, [Relaxation::Jit, Relaxation::SystemCalls]);
    assert_eq!(
        service.credentials["key"],
        PathBuf::from("/etc/hostler/key.pem")
    );
}

/// The line stands alone in `[service]`, as line 6.
#[track_caller]
fn check_service_error(line: &str, expected: &str) {
    check_error_behind(&format!("[service]\n{line}"), expected);
}

#[test]
fn names_are_such_that_systemd_takes_them() {
    for name in ["", "a b", "a:b", "-a"] {
        check_service_error(
            &format!("user = \"{name}\""),
            &format!(":6:8: `{name}` is neither a name nor a number; write for example \"shop\""),
        );
    }
    for unit in ["postgresql", ".service", "a b.service", "a.conf"] {
        check_service_error(
            &format!("after = [\"{unit}\"]"),
            &format!(
                ":6:10: `{unit}` is not the name of a unit; write for example \"postgresql.service\""
            ),
        );
    }
    check_service_error(
        "environment = { \"A-B\" = \"\" }",
        ":6:17: `A-B` is not the name of an environment variable; use letters, digits and `_`",
    );
    check_service_error(
        "environment = { A = \"\\u0007\" }",
        ":6:21: the value contains a control character, which systemd refuses; put it into app.env",
    );
    check_service_error(
        "credentials = { \"a:b\" = \"/x\" }",
        ":6:17: `a:b` is not the name of a credential; write for example \"db-password\"",
    );
    check_service_error(
        "env-credentials = { A = \"..\" }",
        ":6:25: `..` is not the name of a credential; write for example \"db-password\"",
    );
}

#[test]
fn limits_and_relaxations_exist() {
    check_service_error("nice = 20", ":6:8: `nice` goes from -20 to 19, not 20");
    check_service_error(
        "limit-nofile = 1",
        ":6:16: `limit-nofile` goes from 64 to 2147483584, not 1",
    );
    check_service_error(
        "relax = [\"gpu\"]",
        ":6:10: `relax` cannot be \"gpu\"; known are `address-families`, `devices`, `home`, `jit`, \
         `namespaces`, `processes`, `ptrace`, `system-calls`, `tmp`, `users`",
    );
    check_service_error(
        "cpu-quota = \"half\"",
        ":6:13: `cpu-quota`: `half` is not a percentage: write a whole number and `%`, for example \"150%\"",
    );
}

#[test]
fn sockets_have_what_their_kind_can_have() {
    check_listen_error(
        "address = \"/a\"\nfreebind = true",
        ":7:1: `freebind` is for sockets with a port, and /a has none",
    );
    check_listen_error(
        "address = \"@a\"\nreuse-port = true",
        ":7:1: `reuse-port` is for sockets with a port, and @a has none",
    );
    check_listen_error(
        "address = \":81\"\nname = \"a:b\"",
        ":7:8: `a:b` cannot be the name of a socket; use letters, digits and signs other than `:` and `%`",
    );
    check_listen_error(
        "address = \":81\"\nname = \"web\"\n[[listen]]\naddress = \":82\"\nname = \"web\"",
        ":10:8: two sockets are called `web`; rename one",
    );
}

/// The lines stand alone in `[[timer]]`, from line 6 on.
#[track_caller]
fn check_timer_error(lines: &str, expected: &str) {
    check_error_behind(&format!("[[timer]]\n{lines}"), expected);
}

#[test]
fn timers_have_a_name_a_command_and_a_time() {
    let good = "name = \"a\"\ncommand = [\"true\"]";
    check_timer_error(
        good,
        ":5:1: a timer without a time; write for example on-calendar = [\"daily\"] or every = \"1h\"",
    );
    check_timer_error(
        "name = \"a b\"\ncommand = [\"true\"]\nevery = 60",
        ":6:8: `a b` cannot be a part of the name of a unit; use up to 64 letters, digits, `-`, `_` and `.`",
    );
    check_timer_error(
        &format!("{good}\nevery = 60\n[[timer]]\n{good}\nevery = 60"),
        ":10:8: there are two timers called `a`; rename one",
    );
    check_timer_error(
        "name = \"a\"\ncommand = []\nevery = 60",
        ":7:11: the command is empty; write for example [\"python\", \"manage.py\"]",
    );
    for program in ["", "bin/true", "@true", "-/bin/true", "/bin/true\\n"] {
        check_timer_error(
            &format!("name = \"a\"\ncommand = [\"{program}\"]\nevery = 60"),
            &format!(
                ":7:11: `{program}` is not a program; write an absolute path, or the name of a program"
            ),
        );
    }
    check_timer_error(
        &format!("{good}\non-calendar = [\"daily\\n\"]"),
        ":8:16: `daily\\n` is not a calendar event; write for example \"*-*-* 03:15:00\" (systemd.time(7))",
    );
    check_timer_error(
        &format!("{good}\nevery = 60\npersistent = true"),
        ":9:1: `persistent` is about `on-calendar`, which is not set",
    );
}

#[test]
fn daemons_have_a_name_and_a_command() {
    let daemon = |lines: &str| format!("[[daemon]]\n{lines}");
    check_error_behind(
        &daemon("name = \"a/b\"\ncommand = [\"true\"]"),
        ":6:8: `a/b` cannot be a part of the name of a unit; use up to 64 letters, digits, `-`, `_` and `.`",
    );
    let good = "name = \"a\"\ncommand = [\"true\"]";
    check_error_behind(
        &daemon(&format!("{good}\n[[daemon]]\n{good}")),
        ":9:8: there are two daemons called `a`; rename one",
    );
    check_error_behind(
        &daemon("name = \"a\"\ncommand = []"),
        ":7:11: the command is empty; write for example [\"python\", \"manage.py\"]",
    );
}

#[test]
fn directives_are_lines_that_hostler_leaves_alone() {
    let directives = |inner: &str| format!("directives = {{ {inner} }}");
    check_service_error(
        &directives("User = \"a\""),
        ":6:16: `User=` is what service.user says; write it there",
    );
    check_service_error(
        &directives("Type = \"simple\""),
        ":6:16: `Type=` is set by hostler, which could not work otherwise; remove it",
    );
    check_service_error(
        &directives("\"IO Weight\" = \"50\""),
        ":6:16: `IO Weight` is not the name of a directive; write for example IOWeight = \"50\"",
    );
    for value in ["50\\nUser=root", "50\\\\"] {
        check_service_error(
            &directives(&format!("IOWeight = \"{value}\"")),
            ":6:27: the value of a directive is one line; write a list for several",
        );
    }
    check_service_error(
        "exec-start-pre = [[\"-true\"]]",
        ":6:19: `-true` is not a program; write an absolute path, or the name of a program",
    );
}
