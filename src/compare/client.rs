//! One request on a connection of its own, and its answer.

use std::{
    io::{self, Write},
    time::Instant,
};

use super::{
    Answer, Failure, Request, Server, answer, connection::Connection, packet, server::Wire,
};

/// Sends the request and takes in the whole answer, before the deadline. No redirect is followed.
pub(super) fn ask(
    server: &Server,
    request: &Request,
    https: bool,
    deadline: Instant,
) -> Result<Answer, Failure> {
    let head = match server.wire {
        Wire::Http => head(request, https),
        Wire::Uwsgi => packet::encode(request, https)?,
    };
    let mut connection =
        Connection::open(&server.place, deadline).map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => Failure::TimedOut,
            _ => Failure::Connect(error),
        })?;
    let sent = connection.write_all(&[&head, request.body.as_slice()].concat());
    let answer = answer::receive(&mut connection, &request.method);
    match (answer, sent) {
        // A server that refuses a body answers before it has read it, and that answer counts.
        (Ok(answer), _) => Ok(answer),
        (Err(Failure::Closed | Failure::Io(_)), Err(error))
            if error.kind() != io::ErrorKind::TimedOut =>
        {
            Err(Failure::Io(error))
        }
        (Err(failure), _) => Err(failure),
    }
}

/// The head of an HTTP/1.1 request.
fn head(request: &Request, https: bool) -> Vec<u8> {
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.target);
    for header in &request.headers {
        head += &format!("{}: {}\r\n", header.name, header.value);
    }
    if https && request.value("x-forwarded-proto").is_none() {
        head += "X-Forwarded-Proto: https\r\n";
    }
    if let Some(length) = request.length() {
        head += &format!("Content-Length: {length}\r\n");
    }
    head += "Connection: close\r\n\r\n";
    head.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: &str, https: bool, expected: &str) {
        let request = Request {
            method: method.to_owned(),
            target: "/a".to_owned(),
            ..Request::default()
        };
        assert_eq!(String::from_utf8(head(&request, https)).unwrap(), expected);
    }

    #[test]
    fn heads_say_what_has_to_be_said() {
        check("GET", false, "GET /a HTTP/1.1\r\nConnection: close\r\n\r\n");
        check(
            "POST",
            true,
            "POST /a HTTP/1.1\r\nX-Forwarded-Proto: https\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
        );
    }
}
