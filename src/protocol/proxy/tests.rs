//! Clients as proxies tell of them; what is no such header is in `tests/wire/proxy`.

use super::{Client, Proxied, parse};

#[track_caller]
fn check(header: &[u8], address: Option<&str>, tls: bool) {
    let client = Client {
        address: address.map(|address| address.parse().unwrap()),
        tls,
    };
    check_client(header, Some(client));
}

#[track_caller]
fn check_client(header: &[u8], client: Option<Client>) {
    let len = header.len();
    let followed = [header, b"GET / HTTP/1.1\r\n"].concat();
    assert_eq!(parse(&followed), Ok(Some(Proxied { len, client })));
    for part in 0..len {
        assert_eq!(parse(&header[..part]), Ok(None), "{part} bytes");
    }
}

fn binary(command: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let length = (rest.len() as u16).to_be_bytes();
    let head = [command, family, length[0], length[1]];
    [&b"\r\n\r\n\0\r\nQUIT\n"[..], &head, rest].concat()
}

const V4: &[u8] = &[192, 0, 2, 7, 198, 51, 100, 1, 0xdd, 0xd5, 1, 0xbb];

#[test]
fn lines() {
    check(
        b"PROXY TCP4 192.0.2.7 198.51.100.1 56789 443\r\n",
        Some("192.0.2.7:56789"),
        false,
    );
    check(
        b"PROXY TCP6 2001:db8::7 ::1 1 65535\r\n",
        Some("[2001:db8::7]:1"),
        false,
    );
    check_client(b"PROXY UNKNOWN\r\n", None);
    check_client(b"PROXY UNKNOWN ffff:f...f:ffff 1 what ever\r\n", None);
}

#[test]
fn binary_headers() {
    check(&binary(0x21, 0x11, V4), Some("192.0.2.7:56789"), false);
    let v6 = [
        &[0x20, 1, 0x0d, 0xb8][..],
        &[0; 11],
        &[7],
        &[0; 16],
        &[0, 1, 0, 80],
    ]
    .concat();
    check(&binary(0x21, 0x21, &v6), Some("[2001:db8::7]:1"), false);
    check(&binary(0x21, 0x31, &[0; 216]), None, false);
}

#[test]
fn a_proxys_own_connections_are_its_own() {
    check_client(&binary(0x20, 0x00, b""), None);
    check_client(&binary(0x20, 0x11, V4), None);
    check_client(&binary(0x20, 0xff, b"anything"), None);
    check_client(&binary(0x21, 0x00, b""), None);
}

#[test]
fn tls_is_a_fact_among_others() {
    let facts = |client: u8| [V4, &[4, 0, 2, 0, 0, 0x20, 0, 5, client, 0, 0, 0, 0]].concat();
    check(
        &binary(0x21, 0x11, &facts(1)),
        Some("192.0.2.7:56789"),
        true,
    );
    check(
        &binary(0x21, 0x11, &facts(0)),
        Some("192.0.2.7:56789"),
        false,
    );
    check(
        &binary(0x21, 0x11, &facts(0xfe)),
        Some("192.0.2.7:56789"),
        false,
    );
}
