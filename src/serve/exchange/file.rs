//! Files as answers: parts of them where the application offers parts (`Accept-Ranges`), and files that it only names
//! (`X-Sendfile`, `X-Accel-Redirect`).

use std::os::fd::OwnedFd;

use tracing::warn;

use super::{Exchange, ResponseHead};
use crate::{
    environ,
    protocol::http::response::{header, reason_phrase},
    serve::headers,
    static_files::{Conditions, Found, FoundFile, Piece, Range, Reply, parts},
};

const SENDFILE: &str = "X-Sendfile";
const ACCEL: &str = "X-Accel-Redirect";
/// Headers of the application that do not hold for the file that it names; nginx drops the same ones.
const NOT_OF_THE_FILE: [&str; 7] = [
    SENDFILE,
    ACCEL,
    "Accept-Ranges",
    "Content-Length",
    "Content-Range",
    "ETag",
    "Last-Modified",
];

impl Exchange<'_> {
    /// Commits `head` with `length` bytes of a file, from `offset` on, as its body, and queues them; or the parts that
    /// the client asks for, where the application has said `Accept-Ranges: bytes`. They never pass through the
    /// application's thread (PEP 3333, "Optional Platform-Specific File Handling").
    pub fn send_file(&mut self, head: &ResponseHead, file: OwnedFd, offset: u64, length: u64) {
        if self.answers_with_named_file(head) {
            return;
        }
        match self.wanted_parts(head, length) {
            None => {
                self.commit_as_it_is(head, Some(length));
                self.write_file(file, offset, length);
            }
            Some(reply) => {
                let mut head = ResponseHead {
                    lines: reply.lines,
                    facts: head.facts,
                    ..ResponseHead::default()
                };
                head.facts.content_length = None;
                self.say(head, reply.status, reply.body, &file, offset);
            }
        }
    }

    /// Commits `head` with another status, and queues pieces of a file that begin at `base` of it; without any, the
    /// words for the status. Content-Length must not be among the lines.
    pub(in crate::serve) fn say(
        &mut self,
        mut head: ResponseHead,
        status: u16,
        body: Vec<Piece>,
        file: &OwnedFd,
        base: u64,
    ) {
        if body.is_empty() && status != 304 {
            return self.say_words(head, status);
        }
        set_status(&mut head, status);
        self.commit_as_it_is(&head, Some(body.iter().map(Piece::length).sum()));
        for piece in body {
            match piece {
                _ if self.is_bodiless() => break,
                Piece::Bytes(bytes) => self.write(&bytes),
                Piece::File(Range { offset, length }) => match file.try_clone() {
                    Ok(file) => self.write_file(file, base + offset, length),
                    Err(error) => {
                        warn!(%error, "a file cannot be sent whole");
                        break;
                    }
                },
            }
        }
    }

    /// Commits `head` with a status of our own, and the site's page for it or its name as the body.
    pub(in crate::serve) fn say_words(&mut self, mut head: ResponseHead, status: u16) {
        let (content_type, body) = self.rules.pages.of(status);
        headers::remove(&mut head.lines, |name| is(name, "Content-Type"));
        header(&mut head.lines, b"Content-Type", content_type.as_bytes());
        set_status(&mut head, status);
        self.commit_as_it_is(&head, Some(body.len() as u64));
        self.write(body);
    }

    /// The parts of a body of `length` bytes that the client wants, if the application offers parts: of a 200 whose
    /// length is that of the file.
    fn wanted_parts(&self, head: &ResponseHead, length: u64) -> Option<Reply> {
        let value = |name| headers::value_of(&head.lines, name);
        let is_offered = value("Accept-Ranges")?.eq_ignore_ascii_case(b"bytes")
            && head.facts.status == 200
            && head.facts.content_length.is_none_or(|said| said == length)
            && self.request().method() == b"GET";
        let conditions = Conditions::of(&self.request());
        let is_as_it_was = match conditions.if_range() {
            b"" => true,
            // RFC 9110 section 13.1.5: equal to the letter, and a weak tag equals nothing.
            known if known.starts_with(b"W/") => false,
            known => [value("ETag"), value("Last-Modified")].contains(&Some(known)),
        };
        if !is_offered || !is_as_it_was {
            return None;
        }
        let content_type = value("Content-Type").unwrap_or_default();
        let content_type = String::from_utf8_lossy(content_type).into_owned();
        let mut lines = head.lines.clone();
        headers::remove(&mut lines, |name| {
            is(name, "Content-Length") || is(name, "Content-Type")
        });
        parts(lines, &conditions, content_type, length)
    }

    /// Answers with the file that the application names in `head`. Gives whether it names one.
    pub(super) fn answers_with_named_file(&mut self, head: &ResponseHead) -> bool {
        if !self.rules.sends_named_files {
            return false;
        }
        let files = self.rules.router.files();
        let found = if let Some(path) = headers::value_of(&head.lines, SENDFILE) {
            files.named(path)
        } else if let Some(url) = headers::value_of(&head.lines, ACCEL) {
            let path = url.split(|&byte| byte == b'?').next().unwrap_or_default();
            files.internal(&environ::unescaped(path))
        } else {
            return false;
        };
        let mut head = ResponseHead {
            status: head.status.clone(),
            lines: head.lines.clone(),
            facts: head.facts,
        };
        headers::remove(&mut head.lines, |name| {
            NOT_OF_THE_FILE.iter().any(|one| is(name, one))
        });
        (head.facts.content_length, head.facts.transfer_encoding) = (None, false);
        match found {
            Found::File(found) => self.say_named(head, found),
            Found::Denied => self.miss(head, 403),
            Found::Directory | Found::Nothing => self.miss(head, 404),
        }
        self.answer.is_replaced = true;
        true
    }

    fn say_named(&mut self, mut head: ResponseHead, found: FoundFile<'_>) {
        let request = self.request();
        let is_head = request.method() == b"HEAD";
        let is_plain = head.facts.status == 200 && (is_head || request.method() == b"GET");
        let conditions = match is_plain {
            true => Conditions::of(&request),
            false => Conditions::default(),
        };
        let files = self.rules.router.files();
        let (reply, open) = files.reply(found, request.target(), &conditions, is_head);
        let Reply {
            status,
            mut lines,
            body,
        } = reply;
        if body.len() > 1 {
            // The type of an answer in parts is its own.
            headers::remove(&mut head.lines, |name| is(name, "Content-Type"));
        }
        // What the application says of type and caching counts more than what the file's name says.
        headers::remove(&mut lines, |name| {
            let name = String::from_utf8_lossy(name);
            name != "Vary" && headers::value_of(&head.lines, &name).is_some()
        });
        head.lines.extend_from_slice(&lines);
        let status = if is_plain { status } else { head.facts.status };
        self.say(head, status, body, &open.file, 0);
    }

    /// The application names a file that cannot be sent.
    fn miss(&mut self, head: ResponseHead, status: u16) {
        let target = self.request().target().escape_ascii().to_string();
        warn!(%target, status, "the application names a file that is not below a directory of [static] or of response.internal, or cannot be read");
        self.say_words(head, status);
    }
}

fn is(name: &[u8], other: &str) -> bool {
    name.eq_ignore_ascii_case(other.as_bytes())
}

/// Another status than the application's has its own words.
fn set_status(head: &mut ResponseHead, status: u16) {
    if head.facts.status != status || head.status.is_empty() {
        head.facts.status = status;
        head.status = format!("{status} {}", reason_phrase(status)).into_bytes();
    }
}
