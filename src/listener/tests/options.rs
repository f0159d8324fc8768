//! What accepted connections inherit: keepalive, buffers, and whether they are shown before they have said anything.

use std::net::TcpStream;

use rustix::net::sockopt::{socket_keepalive, socket_recv_buffer_size, socket_send_buffer_size};

use super::*;

/// What the listener, and so each connection, has: keepalive, and at least these buffers (the kernel doubles them).
#[track_caller]
fn check_options(listeners: &Listeners, keepalive: bool, least: usize) {
    let socket = listeners.iter().next().unwrap();
    assert_eq!(socket_keepalive(socket).unwrap(), keepalive);
    assert!(socket_send_buffer_size(socket).unwrap() >= least);
    assert!(socket_recv_buffer_size(socket).unwrap() >= least);
}

#[test]
fn buffers_and_keepalive_are_as_the_settings_say() {
    let plain = at("127.0.0.1:0");
    let wanted = Listen {
        tcp_keepalive: true,
        send_buffer: ByteSize(150 << 10),
        receive_buffer: ByteSize(150 << 10),
        ..plain.clone()
    };
    check_options(&bound(std::slice::from_ref(&wanted)), true, 300 << 10);
    let before = bound(std::slice::from_ref(&plain));
    check_options(&before, false, 0);
    let after = before.rebind(std::slice::from_ref(&wanted), DEFER).unwrap();
    assert!(after.apply(&[wanted], DEFER).is_empty());
    check_options(&before, true, 300 << 10);
}

/// Whether a connection without data is shown to whoever accepts.
#[track_caller]
fn check_shown(defer_accept: bool, expected: bool) {
    let listen = Listen {
        defer_accept,
        ..at("127.0.0.1:0")
    };
    let listeners = bound(&[listen]);
    let listener = listeners.iter().next().unwrap();
    let _client = TcpStream::connect(&listener.bound).unwrap();
    assert_eq!(rustix::net::accept(listener).is_ok(), expected);
}

#[test]
fn connections_are_shown_at_once_when_the_settings_say_so() {
    check_shown(false, true);
    check_shown(true, false);
}
