//! Pieces that come quickly may leave together, and none of them waits for the next one to be made.

use crate::support::{client::request, site::Site, uwsgi};

const HTTP: usize = 2;

/// Rounds, some of which meet the worker's threads at a moment in which they keep something.
const ROUNDS: u32 = 30;

/// TCP and Unix sockets, for HTTP and for the uwsgi protocol.
fn site(threads: u32) -> Site {
    Site::app("chunks")
        .bare()
        .workers(1, threads)
        .setting("request", "post-buffering = \"0\"")
        .listen("http", "127.0.0.1:0")
        .listen("http", "./http.sock")
        .listen("uwsgi", "127.0.0.1:0")
        .listen("uwsgi", "./uwsgi.sock")
}

/// The application says the last thing when the client has sent its body, which it does when everything before has come:
/// if anything of that were kept, neither would go on.
fn check(path: &str, times: usize) {
    let numbers = (0..10).map(|number| format!("{number},").repeat(times));
    let expected = numbers.collect::<String>().into_bytes();
    for threads in [1, 4] {
        let site = site(threads).start();
        for (number, address) in site.addresses.iter().enumerate() {
            for _ in 0..ROUNDS {
                let mut client = address.connect();
                let mut sent = match number < HTTP {
                    true => request("POST", path, &[("Connection", "close")], b"ok"),
                    false => uwsgi::request("POST", path, &[], b"ok"),
                };
                let body = sent.split_off(sent.len() - 2);
                client.send(&sent);
                let is_chunked = client.head().header("Transfer-Encoding").is_some();
                assert_eq!(is_chunked, number < HTTP);
                let mut came = Vec::new();
                while is_chunked && came.len() < expected.len() {
                    came.extend(client.chunk().unwrap());
                }
                if !is_chunked {
                    came = client.read(expected.len());
                }
                assert_eq!(came, expected, "{path}, {threads} threads, {address:?}");
                client.send(&body);
                let end = if is_chunked {
                    "2\r\nok\r\n0\r\n\r\n"
                } else {
                    "ok"
                };
                assert_eq!(client.rest(), end.as_bytes());
            }
        }
    }
}

#[test]
fn quick_pieces_come_before_the_next_one_is_made() {
    check("/quick", 1);
}

#[test]
fn large_ones_too() {
    check("/large", 10_000);
}

#[test]
fn and_what_was_written() {
    check("/written", 1);
}

/// What is kept at that moment is the worker's own, although the child has a copy.
#[test]
fn a_fork_sends_nothing_twice() {
    for threads in [1, 4] {
        let site = site(threads).start();
        let mut client = site.address().connect();
        for _ in 0..ROUNDS {
            client.send_get("/forked");
            assert_eq!(client.answer().text(), "0,1,2,3,4,5,6,7,8,9,parent");
        }
    }
}
