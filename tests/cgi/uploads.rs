//! Bodies that come slowly, or not to their end, while the program that reads them runs.

use std::fs;

use super::{Programs, write};
use crate::support::{address::Address, certificates::Certificates, client::Client};

/// Gives back what it gets, at once.
const CAT: &str =
    "#!/bin/sh\necho $$ > number\nprintf 'Content-Type: text/plain\\n\\n'\nexec cat\n";
/// Says nothing before it has everything.
const COUNT: &str =
    "#!/bin/sh\necho $$ > number\nprintf 'Content-Type: text/plain\\n\\n%s' $(wc -c)\n";
/// Answers, and does not care for what it is sent.
const EARLY: &str = "#!/bin/sh\nprintf 'Status: 413\\nContent-Type: text/plain\\n\\ntoo much'\n";

/// Programs whose bodies are streamed, with lines for `[[cgi]]` and `[timeouts]`; one thread of Python.
fn programs(certificates: &Certificates, cgi: &str, lines: &str) -> (Programs, [Address; 2]) {
    let files = [("cat", CAT), ("count", COUNT), ("early", EARLY)];
    let cgi = Programs::on(&files, cgi, |site| {
        site.workers(1, 1)
            .listen("http", "127.0.0.1:0")
            .listen_with("https", "127.0.0.1:0", &certificates.keys("localhost"))
            .setting("request", "post-buffering = \"1K\"")
            .setting("timeouts", lines)
    });
    let [http, https] = [0, 1].map(|number| &cgi.site.addresses[number]);
    let addresses = [http.clone(), https.over_tls()];
    (cgi, addresses)
}

/// Begins an upload of so many bytes.
fn begin(address: &Address, program: &str, length: usize) -> Client {
    let mut client = address.connect();
    let head =
        format!("POST /cgi-bin/{program} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n");
    client.send(head.as_bytes());
    client
}

/// Reads so many bytes of a body in chunks.
fn read(client: &mut Client, length: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bytes.len() < length {
        bytes.extend(client.chunk().unwrap());
    }
    bytes
}

/// Before another program writes its number there.
fn forget(cgi: &Programs) {
    fs::remove_file(cgi.tree.path().join("number")).unwrap();
}

/// Each piece has gone through the program before the next one is sent; meanwhile others are served.
#[test]
fn pieces_reach_the_program_as_they_come() {
    let certificates = Certificates::of(&["localhost"]);
    let (cgi, addresses) = programs(&certificates, "", "");
    for address in addresses {
        let piece = [b'x'; 3000];
        let mut client = begin(&address, "cat", 5 * piece.len());
        assert_eq!(client.head().status, 200);
        for _ in 0..5 {
            client.send(&piece);
            assert_eq!(read(&mut client, piece.len()), piece);
            assert_eq!(cgi.site.get("/x").status, 200);
        }
        assert_eq!(client.chunk(), Some(Vec::new()));
        client.send_get("/x");
        assert_eq!(client.answer().status, 200);
    }
}

/// The client has `timeouts.socket`, and not the seconds that its program has.
#[test]
fn a_client_that_sends_slowly_is_waited_for() {
    let certificates = Certificates::of(&["localhost"]);
    let (cgi, addresses) = programs(&certificates, "timeout = 4", "socket = 60");
    let stuck = "#!/bin/sh\nsleep 1000\n";
    write(cgi.tree.path(), "stuck", stuck);
    for address in addresses {
        let mut client = begin(&address, "count", 3000);
        client.send(&[b'x'; 2000]);
        // Meanwhile another program has been silent for too long.
        assert_eq!(cgi.site.get("/cgi-bin/stuck").status, 504);
        client.send(&[b'x'; 1000]);
        assert_eq!(client.answer().text(), "3000");
    }
}

#[test]
fn a_client_that_sends_no_more_gets_408_and_its_program_ends() {
    let certificates = Certificates::of(&["localhost"]);
    let (cgi, addresses) = programs(&certificates, "", "socket = 1");
    for address in addresses {
        let mut client = begin(&address, "count", 3000);
        client.send(&[b'x'; 2000]);
        let number = cgi.number_in("number");
        assert_eq!(client.answer().status, 408);
        cgi.wait_for_end_of(number);
        forget(&cgi);
    }
}

#[test]
fn a_client_that_leaves_in_the_middle_takes_its_program_with_it() {
    let certificates = Certificates::of(&["localhost"]);
    let (cgi, addresses) = programs(&certificates, "", "");
    for address in addresses {
        let mut client = begin(&address, "cat", 100_000);
        client.send(&[b'x'; 2000]);
        assert_eq!(client.head().status, 200);
        assert_eq!(read(&mut client, 2000).len(), 2000);
        let number = cgi.number_in("number");
        drop(client);
        cgi.wait_for_end_of(number);
        forget(&cgi);
        assert_eq!(cgi.site.get("/x").status, 200);
    }
}

#[test]
fn an_answer_may_come_before_the_body() {
    let certificates = Certificates::of(&["localhost"]);
    let (cgi, addresses) = programs(&certificates, "", "");
    for address in addresses {
        let mut client = begin(&address, "early", 10_000_000);
        client.send(&[b'x'; 2000]);
        let answer = client.answer();
        assert_eq!(
            (answer.status, answer.text().as_str()),
            (413, "too much"),
            "{}",
            address.0
        );
        assert_eq!(answer.header("Connection"), Some("close"));
        assert_eq!(cgi.site.get("/x").status, 200);
    }
}
