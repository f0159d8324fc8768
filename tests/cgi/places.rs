//! Programs that lead elsewhere (`Location`): to places of the client's, and to places here.

use serde_json::Value;

use super::{ECHO, Programs, saying};
use crate::support::client::request;

#[test]
fn places_elsewhere_are_the_clients_and_places_here_are_ours() {
    let far = saying("Location: http://a.example/b\\n\\n");
    let near = saying("Location: /cgi-bin/echo.py/info?c=d\\n\\n");
    let app = saying("Location: /app?e=f\\n\\n");
    let round = saying("Location: /cgi-bin/round\\n\\n");
    let cgi = Programs::new(
        &[
            ("far", &far),
            ("near", &near),
            ("app", &app),
            ("round", &round),
            ("echo.py", ECHO),
        ],
        "",
    );
    let answer = cgi.site.get("/cgi-bin/far");
    assert_eq!(
        (answer.status, answer.header("Location")),
        (302, Some("http://a.example/b"))
    );
    let told = cgi.site.get("/cgi-bin/near?x").json();
    assert_eq!(
        (&told["env"]["PATH_INFO"], &told["env"]["QUERY_STRING"]),
        (&"/info".into(), &"c=d".into())
    );
    let mut client = cgi.site.address().connect();
    for _ in 0..2 {
        client.send_get("/cgi-bin/app");
        let told = client.answer().json();
        assert_eq!(
            (&told["PATH_INFO"], &told["QUERY_STRING"]),
            (&"/app".into(), &"e=f".into())
        );
    }
    client.send_get("/x");
    assert_eq!(client.answer().json()["PATH_INFO"], "/x");
    assert_eq!(cgi.site.get("/cgi-bin/round").status, 502);
    cgi.site
        .process
        .wait_for_text("send a request round in a circle");
}

/// RFC 3875 section 6.2.2: the answer is that of "a request containing the URL", whatever led to it.
#[test]
fn a_place_here_is_asked_with_get_and_without_a_body() {
    let there = saying("Location: /cgi-bin/echo.py?c=d\\n\\n");
    let app = saying("Location: /app\\n\\n");
    let files = [("there", &*there), ("app", &app), ("echo.py", ECHO)];
    let cgi = Programs::on(&files, "", |site| {
        site.listen("http", "127.0.0.1:0")
            .listen("uwsgi", "127.0.0.1:0")
            .listen("fastcgi", "127.0.0.1:0")
            .listen("scgi", "127.0.0.1:0")
            .setting("request", "post-buffering = \"64K\"")
    });
    let [http, uwsgi, fastcgi, scgi] = [0, 1, 2, 3].map(|number| &cgi.site.addresses[number]);
    let form = [("Content-Type", "a/b")];
    for answer in [
        http.request("POST", "/cgi-bin/there", &form, b"hello"),
        uwsgi.uwsgi(
            "POST",
            "/cgi-bin/there",
            &[("CONTENT_TYPE", "a/b")],
            b"hello",
        ),
        fastcgi.fastcgi(
            "POST",
            "/cgi-bin/there",
            &[("CONTENT_TYPE", "a/b")],
            b"hello",
        ),
        scgi.scgi(
            "POST",
            "/cgi-bin/there",
            &[("CONTENT_TYPE", "a/b")],
            b"hello",
        ),
    ] {
        let told = answer.json();
        let env = &told["env"];
        assert_eq!(
            (&env["REQUEST_METHOD"], &env["QUERY_STRING"]),
            (&"GET".into(), &"c=d".into())
        );
        assert_eq!(
            (&env["CONTENT_TYPE"], &told["body"]),
            (&Value::Null, &"".into())
        );
    }
    let mut client = http.connect();
    let chunked = "POST /cgi-bin/app HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n";
    client.send(&[chunked.as_bytes(), &request("PUT", "/x", &[], b"1234")].concat());
    for (path, method) in [("/app", "GET"), ("/x", "PUT")] {
        let told = client.answer().json();
        assert_eq!(
            (&told["PATH_INFO"], &told["REQUEST_METHOD"]),
            (&path.into(), &method.into())
        );
    }
}

/// Nobody waits for a body that nobody wants.
#[test]
fn a_place_here_is_the_clients_while_its_body_is_to_come() {
    let app = saying("Location: /app?e=f\\n\\n");
    let cookie = saying("Location: /app\\nSet-Cookie: a=b\\n\\n");
    let cgi = Programs::on(&[("app", &app), ("cookie", &cookie)], "", |site| {
        site.setting("request", "post-buffering = \"1K\"")
    });
    let mut client = cgi.site.address().connect();
    client
        .send(b"POST /cgi-bin/app HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nbeginning");
    let answer = client.answer();
    assert_eq!(
        (answer.status, answer.header("Location")),
        (303, Some("/app?e=f"))
    );
    let answer = cgi.site.get("/cgi-bin/cookie");
    assert_eq!(
        (answer.status, answer.header("Location")),
        (302, Some("/app"))
    );
    assert_eq!(answer.header("Set-Cookie"), Some("a=b"));
}
