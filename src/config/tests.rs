//! The loader as its users see it: whole texts in, settings or the exact line of an error out.
//!
//! Apart from the files it tests because each error crosses several of them.

use std::path::{Path, PathBuf};

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
fn settings_survive_json_and_toml() {
    let settings = site(concat!(
        "[[listen]]\nprotocol = \"uwsgi\"\naddress = \"unix:/run/shop.sock\"\nmode = \"660\"\nowner = \"www\"\n",
        "[http]\nkeep-alive = 0\nheader-timeout = \"1min 30s\"\nmax-body = \"1.5G\"\n",
        "trusted-proxies = [\"10.0.0.0/8\", \"unix\"]\n",
        "[workers]\nthread-stack = 65536\n[log]\nto = [\"journal\"]\nlevel = \"debug\"\n",
    ));
    let json = serde_json::to_string(&settings).unwrap();
    assert_eq!(serde_json::from_str::<Settings>(&json).unwrap(), settings);
    let toml = toml::to_string(&settings).unwrap();
    assert_eq!(
        parse(&toml, Path::new("/elsewhere/site.toml")).unwrap(),
        settings
    );
}

#[test]
fn each_key_of_each_section_misspelt_leads_back_to_itself() {
    for section in shape(&[]).keys().unwrap() {
        let (open, close) = match shape(&[section]) {
            shape::Shape::Sections(_) => ("[[", "]]"),
            _ => ("[", "]"),
        };
        for key in shape(&[section]).keys().unwrap() {
            // A letter too many in the middle is nearer to its own key than to any other.
            let (start, end) = key.split_at(key.len() / 2);
            let wrong = format!("{start}x{end}");
            check_error(
                &format!("{open}{section}{close}\n  {wrong} = 1\n"),
                &format!(
                    ":2:3: unknown key `{wrong}` in {open}{section}{close}; did you mean `{key}`?"
                ),
            );
        }
        check_error(
            &format!("[{section}x]\n"),
            &format!(":1:2: unknown section [{section}x]; did you mean {open}{section}{close}?"),
        );
    }
}

#[test]
fn a_key_in_the_wrong_place_is_sent_home() {
    check_app_error(
        "threads = 4",
        ":2:1: unknown key `threads` in [app]; it belongs to [workers]",
    );
    check_app_error(
        "  buffer-size = 4",
        ":2:3: unknown key `buffer-size` in [app]; it belongs to [http] or [uwsgi]",
    );
    check_error(
        "threads = 4",
        ":1:1: unknown key `threads` outside of a section; it belongs to [workers]",
    );
    check_error(
        "proceses = 4",
        ":1:1: unknown key `proceses` outside of a section; did you mean `processes` in [workers]?",
    );
    check_listen_error(
        "proceses = 4",
        ":6:1: unknown key `proceses` in [[listen]]; did you mean `processes` in [workers]?",
    );
}

#[test]
fn a_key_that_resembles_none_gets_the_list() {
    check_error_behind(
        "[workers]\nmules = 4",
        ":6:1: unknown key `mules` in [workers]; known are `processes`, `threads`, `thread-stack`",
    );
    check_error(
        "[spooler]",
        ":1:2: unknown section [spooler]; there are [app], [[listen]], [http], [uwsgi], [workers], \
         [timeouts], [request], [response], [log]",
    );
}

#[test]
fn the_first_error_of_the_file_is_told() {
    check_error(
        "[workers]\nx = 1\n[app]\nx = 1\n",
        &format!(
            ":2:1: unknown key `x` in [workers]; known are {}",
            "`processes`, `threads`, `thread-stack`"
        ),
    );
}

#[test]
fn sections_are_written_as_such() {
    check_error(
        "app = 1",
        ":1:1: `app` is a section; write [app], and its keys below",
    );
    check_error(
        "workers = [4, 2]",
        ":1:1: there is one [workers]; write it in single brackets",
    );
    check_error(
        "[[workers]]",
        ":1:3: there is one [workers]; write it in single brackets",
    );
    let double = "write [[listen]] in double brackets, once for each, and its keys below";
    check_error("[listen]\naddress = \":80\"", &format!(":1:2: {double}"));
    check_error("listen = \":80\"", &format!(":1:1: {double}"));
    check_error("listen = [\":80\"]", &format!(":1:11: {double}"));
    check_error(
        "listen = []\n[app]\nmodule = \"a\"",
        ":1:10: nothing is listened on; \
         write [[listen]], and address = \"127.0.0.1:8000\" below",
    );
}

#[test]
fn what_is_not_toml_is_told_in_one_line() {
    check_error(
        "[app\nx = 1",
        ":1:5: this is not TOML: unclosed table, expected `]`",
    );
    check_error(
        "[app]\nmodule = shop",
        ":2:10: `shop` stands without quotes; write \"shop\"",
    );
    check_error("[app]\nmodule =", ":2:9: the value is missing behind `=`");
    check_error(
        "[app]\nmodule: 'shop'",
        ":2:9: this is not TOML: key with no value, expected `=`",
    );
    check_error(
        "[workers]\nthreads = 08",
        ":2:11: this is not TOML: unexpected leading zero",
    );
    check_error(
        "[app]\nmodule = 'a'\nmodule = 'b'",
        ":3:1: `module` is given twice; keep one",
    );
    check_error(
        "[app]\nmodule = 'a'\n[app]",
        ":3:2: `app` is given twice; keep one",
    );
}

#[test]
fn a_byte_order_mark_is_no_column() {
    check_error(
        "\u{feff}app = 1",
        ":1:1: `app` is a section; write [app], and its keys below",
    );
}

#[test]
fn values_of_the_wrong_type_name_key_expected_and_found() {
    let time = ": `socket`: expected a time span like \"30s\", found";
    check_error_behind(
        "[timeouts]\nsocket = true",
        &format!(":6:10{time} a boolean"),
    );
    check_error_behind(
        "[timeouts]\nsocket = 1.5",
        &format!(":6:10{time} the number 1.5"),
    );
    check_error_behind(
        "[timeouts]\nsocket = -4",
        &format!(":6:10{time} the number -4"),
    );
    check_error_behind("[timeouts]\nsocket = []", &format!(":6:10{time} a list"));
    check_error_behind(
        "[timeouts]\nsocket = 07:32:00",
        &format!(":6:10{time} a date"),
    );
    check_error_behind(
        "[timeouts]\nsocket = { s = 4 }",
        &format!(":6:10{time} a table"),
    );
    check_error_behind(
        "[request]\nspool-above = false",
        ":6:15: `spool-above`: expected a size like \"64K\", found a boolean",
    );
    check_error_behind(
        "[workers]\nthreads = \"4\"",
        ":6:11: `threads`: expected a whole number from 0 to 4294967295, found a string",
    );
    check_error_behind(
        "[workers]\nthreads = -1",
        ":6:11: `threads`: expected a whole number from 0 to 4294967295, found the number -1",
    );
    check_error_behind(
        "[http]\ntrusted-proxies = [\"unix\",\n 8]",
        ":7:2: `trusted-proxies`: expected a network like \"10.0.0.0/8\", or \"unix\", found the number 8",
    );
}

#[test]
fn values_of_the_wrong_type_in_app_and_listen() {
    check_app_error(
        "module = 1",
        ":2:10: `module`: expected a string, found the number 1",
    );
    check_app_error(
        "file = true",
        ":2:8: `file`: expected a path in quotes, found a boolean",
    );
    check_app_error(
        "lazy-apps = 1",
        ":2:13: `lazy-apps`: expected a boolean, found the number 1",
    );
    check_app_error(
        "argv = \"-v\"",
        ":2:8: `argv`: expected a list in square brackets, found a string",
    );
    check_app_error(
        "env = \"A=b\"",
        ":2:7: `env`: expected a table like { NAME = \"value\" }, found a string",
    );
    check_app_error(
        "env = { A = 1 }",
        ":2:13: `A`: expected a string, found the number 1",
    );
    check_listen_error(
        "address = 80",
        ":6:11: `address`: expected an address like \"127.0.0.1:8000\" or \"/run/site.sock\", \
         found the number 80",
    );
    check_listen_error(
        "address = \"/a\"\nmode = 0o660",
        ":7:8: `mode`: expected a file mode in quotes like \"0660\", found the number 0o660",
    );
    check_listen_error("backlog = 5", ":5:1: [[listen]] needs the key `address`");
}

#[test]
fn values_that_are_not_well_formed_keep_their_own_reason() {
    check_error_behind(
        "[timeouts]\nstart = \"5 fortnights\"",
        ":6:9: `start`: `5 fortnights` is not a time span: `fortnights` is not a unit; \
         units are us, ms, s, min, h, d, w, as in \"1min 30s\"",
    );
    check_listen_error(
        "address = \"localhost:99999\"",
        ":6:11: `address`: `localhost:99999` is not an address: \
         the port 99999 is out of range; ports go from 0 to 65535",
    );
    check_error_behind(
        "[uwsgi]\nbuffer-size = \"64k\\n\"",
        ":6:15: `buffer-size`: `64k\\n` is not a size: `k` is not a suffix; \
         suffixes are K, M, G, T (base 1024), as in \"64K\"",
    );
}

#[test]
fn words_of_a_fixed_set_are_compared_with_it() {
    check_listen_error(
        "protocol = \"htpp\"",
        ":6:12: `protocol` cannot be \"htpp\"; did you mean \"http\"?",
    );
    check_listen_error(
        "protocol = \"fastcgi\"",
        ":6:12: `protocol` cannot be \"fastcgi\"; known are `http`, `uwsgi`",
    );
    check_error_behind(
        "[log]\nlevel = \"warn\"",
        ":6:9: `level` cannot be \"warn\"; did you mean \"warning\"?",
    );
    check_error_behind(
        "[log]\nto = [\"stdrr\"]",
        ":6:7: `to` cannot be \"stdrr\"; did you mean \"stderr\"?",
    );
    check_error_behind(
        "[log]\nlevel = 3",
        ":6:9: `level`: expected a string, found the number 3",
    );
    check_error_behind(
        "[log]\nlevel = {}",
        ":6:9: `level`: expected a string, found a table",
    );
}

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
    for callable in ["", "a.b", "1st", "app(1)", "a:b"] {
        check_app_error(
            &format!("module = \"shop:{callable}\""),
            &format!(
                ":2:10: `{callable}` is not the name of a callable; write for example \"application\""
            ),
        );
    }
    let factory = parse(
        "app.file = \"a.py\"\napp.callable = \"make()\"\nlisten = [{ address = \":0\" }]",
        Path::new("/a"),
    );
    assert_eq!(factory.unwrap().app.callable_name(), "make()");
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
