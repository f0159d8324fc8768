//! What holds for HTTP and for bodies: times, sizes, and the addresses of a router.

use super::{
    super::options::{Kind, refusals},
    Applied, Outcome, Topic,
    engine::Translation,
    typed, value,
};

/// The addresses that a router passes requests on to.
pub(in crate::convert::uwsgi) static HTTP_TO: Topic = Topic {
    documentation: "not needed for the site's own socket; other servers are not possible",
    slot: None,
    early: false,
    run: http_to,
};

pub(in crate::convert::uwsgi) static BUFFER: Topic = Topic {
    documentation: "kept: `uwsgi.buffer-size` and `http.buffer-size`, where it is more than they are",
    slot: Some("buffer-size"),
    early: false,
    run: buffer,
};

pub(in crate::convert::uwsgi) static POST_BUFFERING: Topic = Topic {
    documentation: "kept: `request.post-buffering` and `request.spool-above`",
    slot: Some("post-buffering"),
    early: false,
    run: post_buffering,
};

pub(in crate::convert::uwsgi) static HTTP_TIMEOUT: Topic = Topic {
    documentation: "kept: `http.body-timeout` and `http.send-timeout`",
    slot: Some("http-timeout"),
    early: false,
    run: http_timeout,
};

pub(in crate::convert::uwsgi) static HTTP_KEEPALIVE: Topic = Topic {
    documentation: "kept: `http.keep-alive`",
    slot: Some("http-keepalive"),
    early: false,
    run: http_keepalive,
};

fn http_to(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let target = value::text(&option.value).value;
    let (target, _) = super::sockets::address(translation, &target);
    match super::sockets::same_address(translation, &target) {
        Some(_) => Outcome::not_needed("it is a socket of the site itself"),
        None => Outcome::refused(&refusals::HTTP_PROXY),
    }
}

/// The largest packet and head that hostler takes without a key, and at all.
const PACKET: (u64, u64) = (32 << 10, 64 << 10);

const HEAD: (u64, u64) = (64 << 10, 1 << 20);

fn buffer(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let read = match value::number(&option.value, Kind::Bytes) {
        Ok(read) => read,
        Err(unread) => return translation.no_number(option, "uwsgi.buffer-size", &unread),
    };
    let size = read.value.next_multiple_of(1 << 10);
    if size <= PACKET.0 {
        return Outcome::not_needed("packets of 32K and heads of 64K are taken anyway")
            .notes(read.notes);
    }
    let outcome = translation.keep("uwsgi", "buffer-size", typed::bytes(size.min(PACKET.1)));
    if size > HEAD.0 {
        translation.keep("http", "buffer-size", typed::bytes(size.min(HEAD.1)));
    }
    let outcome = outcome.notes(read.notes);
    match size > PACKET.1 {
        true => outcome
            .note("the uwsgi protocol cannot say more than 64K; heads of HTTP may have up to 1M"),
        false => outcome,
    }
}

/// uWSGI takes in every body before the application runs, and those from this size on go to a file.
fn post_buffering(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let read = match value::number(&option.value, Kind::Bytes) {
        Ok(read) => read,
        Err(unread) => return translation.no_number(option, "request.post-buffering", &unread),
    };
    if read.value == 0 {
        return Outcome::not_needed("it was off");
    }
    let most = translation.last("limit-post");
    let most = most.and_then(|option| value::number(&option.value, Kind::Bytes).ok());
    let most = most.map_or(1 << 30, |read| read.value.max(1));
    translation.keep("request", "spool-above", typed::bytes(read.value));
    translation
        .keep("request", "post-buffering", typed::bytes(most))
        .notes(read.notes)
        .note("as in uWSGI bodies are read before the application runs, and larger ones wait in a file (request.spool-above)")
}

fn http_timeout(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let read = match value::number(&option.value, Kind::Seconds) {
        Ok(read) if read.value > 0 => read,
        Ok(_) => return Outcome::not_needed("there is no time without end"),
        Err(unread) => return translation.no_number(option, "http.body-timeout", &unread),
    };
    translation.keep("http", "send-timeout", typed::seconds(read.value));
    let outcome = translation.keep("http", "body-timeout", typed::seconds(read.value));
    let outcome = outcome.notes(read.notes);
    match translation.last("harakiri") {
        Some(_) => outcome,
        None => outcome.note(
            "uWSGI also gave up a request for which the application took longer; `limits.harakiri` does that here",
        ),
    }
}

fn http_keepalive(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = value::text(&option.value).value;
    if super::remarks::is_off(&text) {
        return translation.keep("http", "keep-alive", "0");
    }
    match value::number(&text, Kind::Seconds) {
        Ok(read) if read.value > 1 => {
            let seconds = typed::seconds(read.value);
            translation
                .keep("http", "keep-alive", seconds)
                .notes(read.notes)
        }
        _ => Outcome::not_needed("connections are kept alive anyway"),
    }
}
