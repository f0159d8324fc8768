//! What programs are told, what they say, and what becomes of it.

use serde_json::Value;

use super::{ECHO, Programs, saying, write};
use crate::support::{
    certificates::Certificates,
    client::request,
    uwsgi::{packet, variables_with},
};

fn site(programs: &[(&str, &str)]) -> Programs {
    Programs::new(programs, "")
}

#[test]
fn a_program_is_told_what_the_rfc_says() {
    let cgi = Programs::on(
        &[("deep/echo.py", ECHO)],
        "env = { OWN = \"yes\" }",
        |site| site.env("SECRET", "x").program_env("OTHER", "x"),
    );
    let headers = [("X-A", "1"), ("Proxy", "http://x"), ("Content-Type", "a/b")];
    let target = "/cgi-bin/deep/echo.py/x%20y?a+b";
    let told = cgi.site.request("POST", target, &headers, b"hello").json();
    let env = &told["env"];
    let root = cgi.tree.path().to_str().unwrap();
    for (name, expected) in [
        ("GATEWAY_INTERFACE", "CGI/1.1"),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("REQUEST_METHOD", "POST"),
        ("QUERY_STRING", "a+b"),
        ("SCRIPT_NAME", "/cgi-bin/deep/echo.py"),
        ("PATH_INFO", "/x y"),
        ("CONTENT_LENGTH", "5"),
        ("CONTENT_TYPE", "a/b"),
        ("REMOTE_ADDR", "127.0.0.1"),
        ("HTTP_X_A", "1"),
        ("OWN", "yes"),
    ] {
        assert_eq!(env[name], expected, "{name}");
    }
    assert_eq!(env["DOCUMENT_ROOT"], root);
    assert_eq!(env["PATH_TRANSLATED"], format!("{root}/x y"));
    assert_eq!(env["SCRIPT_FILENAME"], format!("{root}/deep/echo.py"));
    assert_eq!(told["cwd"], format!("{root}/deep"));
    for name in [
        "HTTP_PROXY",
        "SECRET",
        "OTHER",
        "HOME",
        "PYTHONDONTWRITEBYTECODE",
    ] {
        assert_eq!(env[name], Value::Null, "{name}");
    }
    assert_eq!((&told["body"], &told["rest"]), (&"hello".into(), &0.into()));
}

#[test]
fn a_program_is_alone() {
    let cgi = site(&[("echo.py", ECHO)]);
    let told = cgi.site.get("/cgi-bin/echo.py?a+b").json();
    assert_eq!(told["leads"], true);
    assert_eq!(told["fds"], serde_json::json!(["0", "1", "2"]));
    assert_eq!(told["argv"].as_array().unwrap().len(), 1);
}

#[test]
fn a_body_without_a_length_gets_one() {
    let cgi = site(&[("echo.py", ECHO)]);
    let mut client = cgi.site.address().connect();
    client.send(b"POST /cgi-bin/echo.py HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n");
    client.send(b"3\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n");
    let told = client.answer().json();
    assert_eq!(told["env"]["CONTENT_LENGTH"], "7");
    assert_eq!(told["env"]["HTTP_TRANSFER_ENCODING"], Value::Null);
    assert_eq!(told["body"], "abcdefg");
}

/// In memory, in a file, streamed, and in chunks that are more than is read beforehand.
#[test]
fn large_bodies_come_whole() {
    let count = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n%s ' $CONTENT_LENGTH\nwc -c\n";
    let lines = "post-buffering = \"1M\"\nspool-above = \"256K\"";
    let cgi = Programs::on(&[("count", count)], "", |site| {
        site.setting("request", lines)
    });
    for size in [1, 100 << 10, 700 << 10, 5 << 20] {
        let body = vec![b'x'; size];
        let answer = cgi.site.request("POST", "/cgi-bin/count", &[], &body);
        assert_eq!(answer.text(), format!("{size} {size}\n"));
        let mut client = cgi.site.address().connect();
        let head = "POST /cgi-bin/count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
        client.send(format!("{head}{size:x}\r\n").as_bytes());
        client.send(&body);
        client.send(b"\r\n0\r\n\r\n");
        assert_eq!(client.answer().text(), format!("{size} {size}\n"));
    }
}

/// Gives back what it gets, at once.
const CAT: &str = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nexec cat\n";

/// With and without encryption; nothing is read beforehand.
#[test]
fn large_answers_come_whole_while_their_bodies_go() {
    let certificates = Certificates::of(&["localhost"]);
    let keys = certificates.keys("localhost");
    let cgi = Programs::on(&[("cat", CAT)], "", |site| {
        site.listen("http", "127.0.0.1:0")
            .listen_with("https", "127.0.0.1:0", &keys)
            .setting("request", "post-buffering = \"1K\"")
    });
    let body: Vec<u8> = (0..1_500_000_u32)
        .flat_map(|number| (number as u16).to_le_bytes())
        .collect();
    for address in [cgi.site.address().clone(), cgi.site.addresses[1].over_tls()] {
        let answer = address.request("POST", "/cgi-bin/cat", &[], &body);
        assert!(answer.whole && answer.body == body, "{}", address.0);
    }
}

#[test]
fn answers_are_framed_and_the_connection_goes_on() {
    let short = saying("Content-Type: text/plain\\nContent-Length: 2\\n\\nok");
    let long = saying("Content-Type: text/plain\\nStatus: 201 Made\\nX-A: b\\n\\nhello");
    let cgi = site(&[("short", &short), ("long", &long)]);
    let mut client = cgi.site.address().connect();
    for _ in 0..3 {
        client.send_get("/cgi-bin/short");
        let answer = client.answer();
        assert_eq!(
            (answer.header("Content-Length"), answer.text()),
            (Some("2"), "ok".into())
        );
        client.send_get("/cgi-bin/long");
        let answer = client.answer();
        assert_eq!((answer.status, answer.reason.as_str()), (201, "Made"));
        assert_eq!(answer.header("Transfer-Encoding"), Some("chunked"));
        assert_eq!(
            (answer.header("X-A"), answer.text()),
            (Some("b"), "hello".into())
        );
        client.send_get("/elsewhere");
        assert_eq!(client.answer().json()["PATH_INFO"], "/elsewhere");
    }
    client.send(
        &[
            request("GET", "/cgi-bin/long", &[], b""),
            request("GET", "/x", &[], b""),
        ]
        .concat(),
    );
    assert_eq!(client.answer().text(), "hello");
    assert_eq!(client.answer().json()["PATH_INFO"], "/x");
    assert_eq!(
        cgi.site.request("HEAD", "/cgi-bin/long", &[], b"").text(),
        ""
    );
}

#[test]
fn what_is_no_answer_is_502_and_the_log_says_why() {
    let programs = [
        (
            "nothing",
            "#!/bin/sh\n".to_owned(),
            "ended before the empty line",
        ),
        (
            "half",
            saying("Content-Type: a/b\\n"),
            "ended before the empty line",
        ),
        ("hello", saying("hello\\n"), "is not `Name: value`"),
        ("nph", saying("HTTP/1.1 200 OK\\n\\n"), "nph-"),
        ("untyped", saying("X-A: b\\n\\n"), "neither Content-Type"),
        (
            "crash",
            "#!/bin/sh\nkill -SEGV $$\n".to_owned(),
            "signal: 11",
        ),
        (
            "missing",
            "#!/no/such/interpreter\n".to_owned(),
            "cannot be started",
        ),
    ];
    let files: Vec<_> = programs
        .iter()
        .map(|(name, text, _)| (*name, text.as_str()))
        .collect();
    let cgi = site(&files);
    for (name, _, why) in &programs {
        let answer = cgi.site.get(&format!("/cgi-bin/{name}"));
        assert_eq!(answer.status, 502, "{name}");
        let is_told =
            |line: &str| (line.contains(why) && line.contains(&format!("/{name}"))).then_some(());
        cgi.site.process.wait_for("why", is_told);
    }
}

#[test]
fn what_may_not_run_is_403_and_what_is_not_there_404() {
    let cgi = site(&[("a.cgi", &saying("Content-Type: a/b\\n\\n"))]);
    write(cgi.tree.path(), "plain", "text");
    let plain = cgi.tree.path().join("plain");
    std::fs::set_permissions(plain, std::os::unix::fs::PermissionsExt::from_mode(0o644)).unwrap();
    assert_eq!(cgi.site.get("/cgi-bin/plain").status, 403);
    cgi.site
        .process
        .wait_for_text("it is not executable, and cgi.helpers names nothing");
    for path in ["none", "", "a.cgi%00.x", "%2e%2e%2f%2e%2e/etc/passwd", ".x"] {
        let answer = cgi.site.get(&format!("/cgi-bin/{path}"));
        let is_applications = answer.header("X-Application").is_some();
        // What has climbed out of the prefix is nobody's but the application's.
        let expected = if path.contains("etc") {
            (200, true)
        } else {
            (404, false)
        };
        assert_eq!((answer.status, is_applications), expected, "{path}");
    }
    assert_eq!(cgi.site.get("/cgi-binary").status, 200);
}

#[test]
fn errors_of_programs_are_in_the_log_with_the_name_of_their_request() {
    let program = "#!/bin/sh\necho one problem >&2\nprintf 'Content-Type: a/b\\n\\nok'\nprintf 'and another' >&2\n";
    let cgi = Programs::on(&[("a", program)], "", |site| {
        site.setting("http", "request-id-header = \"X-Request-ID\"")
    });
    let answer = cgi.site.get("/cgi-bin/a");
    let name = answer.header("X-Request-ID").unwrap().to_owned();
    for text in ["one problem", "and another"] {
        let line = cgi.site.process.wait_for_text(text);
        assert!(line.contains(&name), "{line}");
    }
}

#[test]
fn programs_answer_over_every_protocol() {
    let tree = [("echo.py", ECHO)];
    let cgi = Programs::on(&tree, "", |site| {
        site.listen("uwsgi", "127.0.0.1:0")
            .listen("fastcgi", "127.0.0.1:0")
            .listen("scgi", "127.0.0.1:0")
    });
    let [uwsgi, fastcgi, scgi] = [0, 1, 2].map(|number| &cgi.site.addresses[number]);
    let target = "/cgi-bin/echo.py/x?y";
    let told = [
        uwsgi
            .uwsgi("POST", target, &[("LD_PRELOAD", "/x")], b"hello")
            .json(),
        fastcgi
            .fastcgi("POST", target, &[("LD_PRELOAD", "/x")], b"hello")
            .json(),
        scgi.scgi("POST", target, &[("LD_PRELOAD", "/x")], b"hello")
            .json(),
    ];
    for told in told {
        let env = &told["env"];
        assert_eq!(
            (&env["SCRIPT_NAME"], &env["PATH_INFO"]),
            (&"/cgi-bin/echo.py".into(), &"/x".into())
        );
        assert_eq!(
            (&env["CONTENT_LENGTH"], &told["body"]),
            (&"5".into(), &"hello".into())
        );
        assert_eq!(env["LD_PRELOAD"], Value::Null);
    }
}

/// `uwsgi_modifier1 9` of nginx, as it was for uWSGI.
#[test]
fn a_front_server_may_ask_for_a_program_and_nothing_else() {
    let cgi = Programs::on(&[("echo.py", ECHO)], "", |site| {
        site.listen("uwsgi", "127.0.0.1:0")
    });
    let ask = |target: &str| {
        let mut client = cgi.site.address().connect();
        client.send(&packet(9, 0, &variables_with("GET", target, &[], b"")));
        client.answer()
    };
    assert_eq!(
        ask("/cgi-bin/echo.py").json()["env"]["REQUEST_METHOD"],
        "GET"
    );
    assert_eq!(ask("/application").status, 404);
}
