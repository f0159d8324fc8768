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
