//! What programs are told of a request.

use std::path::PathBuf;

use super::*;

fn programs() -> Programs {
    let section =
        "path = \"/cgi-bin\"\ndirectory = \"/var/cgi\"\nenv = { OWN = \"1\", TZ = \"UTC\" }";
    let mut programs = Programs::new(&[toml::from_str(section).unwrap()]);
    programs.inherited = vec![("PATH", "/bin".into()), ("TZ", "Etc/Unknown".into())];
    programs
}

fn environment(told: &[(&[u8], &str)], info: &str, call: Call<'_>) -> Environment {
    let program = Program {
        section: 0,
        file: PathBuf::from("/var/cgi/a.cgi"),
        helper: None,
        name: b"/cgi-bin/a.cgi".to_vec(),
        info: info.into(),
    };
    let mut environment = Environment::default();
    for (name, value) in told {
        environment.visit(Variable::Raw(name), value.as_bytes());
    }
    environment.complete(&programs(), &program, call)
}

const CALL: Call<'_> = Call {
    script: b"",
    length: None,
    added: &[],
};

#[track_caller]
fn check(environment: &Environment, expected: &[(&str, Option<&str>)]) {
    for (name, value) in expected {
        assert_eq!(environment.value(name), value.map(OsStr::new), "{name}");
    }
}

#[test]
fn a_program_knows_where_it_is() {
    let call = Call {
        script: b"/shop/",
        ..CALL
    };
    check(
        &environment(&[], "/x y", call),
        &[
            ("SCRIPT_NAME", Some("/shop/cgi-bin/a.cgi")),
            ("SCRIPT_FILENAME", Some("/var/cgi/a.cgi")),
            ("PATH_INFO", Some("/x y")),
            ("PATH_TRANSLATED", Some("/var/cgi/x y")),
            ("DOCUMENT_ROOT", Some("/var/cgi")),
            ("GATEWAY_INTERFACE", Some("CGI/1.1")),
            ("REDIRECT_STATUS", Some("200")),
            ("QUERY_STRING", Some("")),
        ],
    );
}

#[test]
fn what_there_is_not_is_not_set() {
    let told: &[(&[u8], &str)] = &[
        (b"PATH_INFO", "/cgi-bin/a.cgi"),
        (b"CONTENT_LENGTH", "0"),
        (b"CONTENT_TYPE", ""),
        (b"HTTP_TRANSFER_ENCODING", "chunked"),
    ];
    let names = [
        "PATH_INFO",
        "PATH_TRANSLATED",
        "CONTENT_LENGTH",
        "CONTENT_TYPE",
        "HTTP_TRANSFER_ENCODING",
    ];
    check(
        &environment(told, "", CALL),
        &names.map(|name| (name, None)),
    );
}

#[test]
fn the_length_is_that_of_what_the_program_reads() {
    let call = Call {
        length: Some(7),
        ..CALL
    };
    let environment = environment(&[(b"CONTENT_LENGTH", "9")], "", call);
    check(&environment, &[("CONTENT_LENGTH", Some("7"))]);
}

#[test]
fn no_request_tells_a_program_what_to_load() {
    let told: &[(&[u8], &str)] = &[
        (b"LD_PRELOAD", "/tmp/x.so"),
        (b"PATH", "/tmp"),
        (b"BASH_ENV", "/tmp/x"),
        (b"UWSGI_FILE", "/tmp/x"),
        (b"HTTP_PROXY", "http://x"),
        (b"HTTP_A=B", "1"),
        (b"HTTP_NUL", "1\0"),
        (b"", "1"),
    ];
    let environment = environment(told, "/a\0b", CALL);
    check(
        &environment,
        &[
            ("LD_PRELOAD", None),
            ("PATH", Some("/bin")),
            ("BASH_ENV", None),
            ("UWSGI_FILE", None),
            ("HTTP_PROXY", None),
            ("HTTP_NUL", None),
            ("PATH_INFO", None),
        ],
    );
    let has_names =
        |(name, _): (OsString, OsString)| !name.is_empty() && !name.as_bytes().contains(&b'=');
    assert!(environment.pairs().all(has_names));
}

#[test]
fn settings_and_routes_say_more() {
    let added = [("MARK".to_owned(), b"2".to_vec())];
    let call = Call {
        added: &added,
        ..CALL
    };
    let told: &[(&[u8], &str)] = &[(b"REMOTE_USER", "eve"), (b"SSL_CLIENT_VERIFY", "SUCCESS")];
    check(
        &environment(told, "", call),
        &[
            ("OWN", Some("1")),
            ("TZ", Some("UTC")),
            ("MARK", Some("2")),
            ("REMOTE_USER", Some("eve")),
            ("SSL_CLIENT_VERIFY", Some("SUCCESS")),
        ],
    );
}
