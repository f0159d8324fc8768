//! Values that are well formed and break a rule.

use super::*;

#[test]
fn the_application_is_named_once() {
    let missing = "the application is missing; \
         write module = \"package.module\" or file = \"app.py\" in [app]";
    check_app_error("", &format!(":1:1: {missing}"));
    check_error("", &format!(": {missing}"));
    check_app_error(
        "module = \"a\"\nfile = \"a.py\"",
        ":3:1: `module` and `file` both name the application; keep one",
    );
    check_app_error(
        "module = \"a:app\"\ncallable = \"b\"",
        ":3:1: `module` names the callable already, `app`; keep one",
    );
}

#[test]
fn names_of_modules_and_callables_are_such() {
    check_app_error(
        "module = \"shop/wsgi.py:app\"",
        ":2:10: `shop/wsgi.py` is a file; write file = \"shop/wsgi.py\" in place of `module`",
    );
    for module in ["", ".shop", "shop.", "my shop"] {
        check_app_error(
            &format!("module = \"{module}\""),
            &format!(
                ":2:10: `{module}` is not the name of a module; write for example \"shop.wsgi\""
            ),
        );
    }
    for callable in ["", "a.", "1st", "app(1)", "a:b"] {
        check_app_error(
            &format!("module = \"shop:{callable}\""),
            &format!(
                ":2:10: `{callable}` is not the name of a callable; write for example \"application\""
            ),
        );
    }
    let factory = parse(
        "app.file = \"a.py\"\napp.callable = \"site.make()\"\nlisten = [{ address = \":0\" }]",
        Path::new("/a"),
    );
    assert_eq!(factory.unwrap().app.callable_name(), "site.make()");
}

#[test]
fn paths_arguments_and_variables_can_be_handed_on() {
    let app = "module = \"a\"\n";
    for key in ["chdir", "virtualenv"] {
        check_app_error(
            &format!("{app}{key} = \"\""),
            &format!(
                ":3:{}: the path is empty; write one, or leave the key out",
                key.len() + 4
            ),
        );
    }
    check_app_error(
        &format!("{app}python-path = [\"lib\", \"a\\u0000\"]"),
        ":3:23: a path cannot contain a NUL",
    );
    check_app_error(
        &format!("{app}argv = [\"\\u0000\"]"),
        ":3:9: the value cannot contain a NUL",
    );
    check_app_error(
        &format!("{app}[app.env]\n\"A=B\" = \"\""),
        ":4:1: `A=B` is not the name of an environment variable",
    );
    check_app_error(
        &format!("{app}env = {{ A = \"\\u0000\" }}"),
        ":3:13: the value cannot contain a NUL",
    );
}

#[test]
fn listeners_are_there_once_and_their_files_are_files() {
    check_error(
        "[app]\nmodule = \"a\"",
        ": nothing is listened on; write [[listen]], and address = \"127.0.0.1:8000\" below",
    );
    check_listen_error(
        "address = \"*:80\"",
        ":6:11: :80 is listened on twice; remove one [[listen]]",
    );
    for (key, value) in [
        ("mode", "0660"),
        ("owner", "www-data"),
        ("group", "www-data"),
    ] {
        check_listen_error(
            &format!("address = \"@shop\"\n{key} = \"{value}\""),
            &format!(":7:1: `{key}` is for sockets with a path, and @shop has none"),
        );
    }
    check_listen_error(
        "address = \"/a\"\ngroup = \"\"",
        ":7:9: `group` is empty; write a name or a number, or leave it out",
    );
    check_listen_error(
        "address = \"/a\"\nbacklog = 0",
        ":7:11: `backlog` goes from 1 to 65535, not 0",
    );
    assert_eq!(
        site("[[listen]]\naddress = \":0\"\n[[listen]]\naddress = \":0\"")
            .listen
            .len(),
        3
    );
}

#[test]
fn numbers_keep_within_their_range() {
    for key in ["processes", "threads"] {
        for number in [0, 1025] {
            check_error_behind(
                &format!("[workers]\n{key} = {number}"),
                &format!(
                    ":6:{}: `{key}` goes from 1 to 1024, not {number}",
                    key.len() + 4
                ),
            );
        }
    }
    check_error_behind(
        "[workers]\nthread-stack = \"4K\"",
        ":6:16: `thread-stack` goes from 64K to 1G, not 4K",
    );
    check_error_behind(
        "[http]\nbuffer-size = 1023",
        ":6:15: `buffer-size` goes from 1K to 1M, not 1023",
    );
    check_error_behind(
        "[uwsgi]\nbuffer-size = \"65K\"",
        ":6:15: `buffer-size` goes from 4K to 64K, not 65K",
    );
}

#[test]
fn timeouts_leave_some_time() {
    for (section, key, example) in [
        ("http", "header-timeout", "10s"),
        ("http", "body-timeout", "1min"),
        ("http", "send-timeout", "1min"),
        ("timeouts", "socket", "4s"),
        ("timeouts", "start", "90s"),
    ] {
        check_error_behind(
            &format!("[{section}]\n{key} = 0"),
            &format!(
                ":6:{}: `{key}` leaves no time at all; write for example \"{example}\"",
                key.len() + 4
            ),
        );
    }
    assert!(
        site("[timeouts]\nreload-mercy = 0\n")
            .timeouts
            .reload_mercy
            .0
            .is_zero()
    );
}

#[test]
fn limits_are_such_that_a_worker_can_live() {
    check_error_behind(
        "[limits]\nlimit-as = \"63M\"",
        ":6:12: `limit-as` goes from 64M to 1E, not 63M",
    );
    check_error_behind(
        "[limits]\nmax-fd = 63",
        ":6:10: `max-fd` goes from 64 to 2147483584, not 63",
    );
    let limits = site("[limits]\nlimit-as = 0\nmax-fd = 0\nharakiri = \"500ms\"").limits;
    assert_eq!((limits.limit_as.0, limits.max_fd), (0, 0));
}

#[test]
fn recycling_goes_together() {
    check_error_behind(
        "[workers]\nmax-requests-delta = 5",
        ":6:1: `max-requests-delta` is added to `max-requests`, which is not set; set it too",
    );
    check_error_behind(
        "[workers]\nmax-worker-lifetime-delta = 5",
        ":6:1: `max-worker-lifetime-delta` is added to `max-worker-lifetime`, \
         which is not set; set it too",
    );
    check_error_behind(
        "[workers]\nreload-on-rss = \"400M\"\nevil-reload-on-rss = \"300M\"",
        ":7:22: `evil-reload-on-rss` kills at 300M, before `reload-on-rss` (400M) \
         can do anything; make it the larger one",
    );
    check_error_behind(
        "[workers]\nrecycle-at-once = 0",
        ":6:19: `recycle-at-once` goes from 1 to 1024, not 0",
    );
}

/// Two processes, and the line below in `[workers.cheaper]`, as line 8.
#[track_caller]
fn check_cheaper_error(line: &str, expected: &str) {
    check_error_behind(
        &format!("[workers]\nprocesses = 2\n[workers.cheaper]\n{line}"),
        expected,
    );
}

#[test]
fn the_number_of_workers_has_room_to_adapt() {
    check_cheaper_error(
        "minimum = 2",
        ":8:11: `minimum` must be less than `processes` of [workers], which is 2, not 2",
    );
    check_cheaper_error(
        "initial = 2",
        ":8:1: `initial` needs `minimum`: without it there are always `processes` workers",
    );
    check_cheaper_error(
        "minimum = 1\ninitial = 3",
        ":9:11: `initial` goes from 1 to 2, not 3",
    );
    for key in ["step", "overload", "backlog", "busyness-multiplier"] {
        check_cheaper_error(
            &format!("{key} = 0"),
            &format!(":8:{}: `{key}` goes from 1 to 65535, not 0", key.len() + 4),
        );
    }
    check_cheaper_error(
        "busyness-max = 101",
        ":8:16: `busyness-max` goes from 1 to 100, not 101",
    );
    check_cheaper_error(
        "busyness-min = 50",
        ":8:16: `busyness-min` must be less than `busyness-max`, which is 50, not 50",
    );
    check_cheaper_error(
        "rss-limit-soft = \"2G\"\nrss-limit-hard = \"1G\"",
        ":9:18: `rss-limit-hard` is 1G, and `rss-limit-soft` (2G) may not be above it",
    );
    check_cheaper_error(
        "exit-on-idle = true",
        ":8:1: `exit-on-idle` needs `idle`; write for example idle = \"10min\"",
    );
    check_cheaper_error(
        "idle = 60",
        ":8:1: `idle` does nothing alone; set `minimum`, or exit-on-idle = true",
    );
}

#[test]
fn functions_and_files_can_be_found() {
    for function in ["hooks", "hooks:", ":f", "hooks.py:f", "hooks:f()"] {
        check_app_error(
            &format!("module = \"a\"\npost-fork = \"{function}\""),
            &format!(
                ":3:13: `{function}` does not name a function of a module; \
                 write for example \"shop.hooks:connect\""
            ),
        );
    }
    check_error_behind(
        "[reload]\ntouch-reload = [\"a\", \"\"]",
        ":6:22: the path is empty; write one, or leave the key out",
    );
}

#[test]
fn a_form_of_access_entries_is_read_with_the_settings() {
    let form = "`%(urii) %(status)` is not a form of access entries";
    check_error_behind(
        "[log]\naccess-format = \"%(urii) %(status)\"",
        &format!(
            ":6:17: `access-format`: {form}: there is no variable `%(urii)`; did you mean `%(uri)`?"
        ),
    );
}

#[test]
fn syslog_gets_a_name_that_it_can_have() {
    let way = "is no name for syslog; write up to 48 letters, digits and signs";
    for name in ["", "a b", "\u{e9}"] {
        check_error_behind(
            &format!("[log]\nsyslog-identifier = \"{name}\""),
            &format!(":6:21: `{name}` {way}"),
        );
    }
}
