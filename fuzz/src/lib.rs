//! What must hold for every request that a decoder accepts, whatever its bytes are. Shared by the fuzz targets; what a
//! single decoder promises is in its target.

use std::collections::HashSet;

use hostler::{
    environ::{Peer, Standard, Variable, header_key, scheme, visit},
    protocol::{Head, Kind, Request},
};

/// Checks that the positions of `head` are in `buffer` and that its environ is one.
pub fn check_accepted(head: &Head, buffer: &[u8]) {
    assert!(head.len <= buffer.len());
    // Nothing after the head may be needed.
    let request = Request {
        head,
        buffer: &buffer[..head.len],
    };
    let peer = Peer {
        server_name: "server",
        server_port: "80",
        remote_addr: "192.0.2.1",
        remote_port: "1",
        tls: false,
        trusted: true,
    };
    assert!(["http", "https"].contains(&scheme(&request, &peer)));
    let mut names = HashSet::new();
    visit(&request, &peer, b"", &mut Vec::new(), |variable, value| {
        let mut name = Vec::new();
        match variable {
            Variable::Header(wire) => header_key(wire, &mut name),
            Variable::Raw(raw) => name.extend_from_slice(raw),
            Variable::Standard(standard) => name.extend_from_slice(standard.name().as_bytes()),
        }
        if head.kind == Kind::Http && variable == Variable::Standard(Standard::PathInfo) {
            check_path(value);
        }
        assert!(names.insert(name.clone()), "{} twice", name.escape_ascii());
    });
    for required in [
        Standard::RequestMethod,
        Standard::ServerName,
        Standard::ServerPort,
        Standard::ServerProtocol,
    ] {
        let is_ping =
            matches!(head.kind, Kind::Uwsgi { modifier1, .. } if modifier1 != 0 && modifier1 != 30);
        assert!(
            is_ping || names.contains(required.name().as_bytes()),
            "no {}",
            required.name()
        );
    }
}

/// No path of an HTTP request leads out of the root.
fn check_path(path: &[u8]) {
    assert!(path == b"*" || path.starts_with(b"/"));
    assert!(
        path.split(|&byte| byte == b'/')
            .all(|segment| segment != b"." && segment != b"..")
    );
}
