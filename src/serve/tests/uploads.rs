//! Large bodies that come while the application reads them, from clients that wait, go on or leave in the middle.

use super::*;

const PIECE: usize = 100_000;
const PIECES: usize = 10;

/// Answers each piece of the body as soon as it has come.
fn acknowledge(exchange: &mut Exchange<'_>) {
    commit(exchange, Some(PIECES as u64));
    let mut piece = vec![0; PIECE];
    for _ in 0..PIECES {
        let word = match read_all(exchange, &mut piece) {
            PIECE => b".",
            _ => b"?",
        };
        exchange.write(word);
        exchange.flush();
    }
}

/// Reads until `piece` is full or the body fails or ends; gives how many bytes came.
fn read_all(exchange: &mut Exchange<'_>, piece: &mut [u8]) -> usize {
    let mut read = 0;
    while let Ok(count @ 1..) = read_some(exchange, &mut piece[read..]) {
        read += count;
    }
    read
}

/// Answers when all of the body has come.
fn greet(exchange: &mut Exchange<'_>) {
    let mut body = vec![0; PIECE * PIECES];
    let expected = if exchange.request().method() == b"POST" {
        PIECE * PIECES
    } else {
        0
    };
    assert_eq!(read_all(exchange, &mut body), expected);
    hello(exchange);
}

/// The head of a request with a body of all pieces.
fn head() -> String {
    let length = format!("\r\nContent-Length: {}\r\n\r\n", PIECE * PIECES);
    GET.replace("GET", "POST").replace("\r\n\r\n", &length)
}

/// A client that has sent it.
fn begin(site: &Site) -> TcpStream {
    let mut client = site.connect();
    client.write_all(head().as_bytes()).unwrap();
    client
}

fn site(answer: Answer) -> Site {
    Site::with(answer, |settings| {
        settings.request.post_buffering = ByteSize(0);
    })
}

#[test]
fn a_client_that_waits_in_the_middle_of_its_body_is_answered() {
    let site = site(acknowledge);
    let mut client = begin(&site);
    for _ in 0..PIECES {
        client.write_all(&[b'x'; PIECE]).unwrap();
        until(&mut client, ".");
    }
}

#[test]
fn the_next_request_of_the_connection_need_not_be_large() {
    let site = site(greet);
    let mut client = site.connect();
    for _ in 0..3 {
        client.write_all(head().as_bytes()).unwrap();
        client.write_all(&vec![b'x'; PIECE * PIECES]).unwrap();
        until(&mut client, "hello");
        client.write_all(GET.as_bytes()).unwrap();
        until(&mut client, "hello");
    }
}

#[test]
fn a_client_that_leaves_in_the_middle_of_its_body_is_noticed() {
    let site = site(acknowledge);
    let mut client = begin(&site);
    client.write_all(&[b'x'; PIECE + 1]).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    assert!(until_closed(&mut client).contains("\r\n\r\n.?"));
}
