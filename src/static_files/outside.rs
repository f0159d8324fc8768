//! What a fuzz target needs of this room: an answer made of whatever a client says about a file. No interface.

use super::{
    condition::{Conditions, Validators},
    reply::{Entity, Piece, reply},
};

/// An answer: its status, its header lines, its length, and offset and length of each part of the file in it.
pub type Answer = (u16, Vec<u8>, u64, Vec<(u64, u64)>);

/// Answers a GET for a file of `size` bytes that was changed ten seconds after 1970 began. The headers are
/// `Accept-Encoding`, `If-Match`, `If-Modified-Since`, `If-None-Match`, `If-Range`, `If-Unmodified-Since` and `Range`,
/// empty ones not given.
pub fn answer(headers: [&[u8]; 7], size: u64) -> Answer {
    let [
        accept_encoding,
        if_match,
        if_modified_since,
        if_none_match,
        if_range,
        if_unmodified_since,
        range,
    ] = headers;
    let conditions = Conditions {
        accept_encoding,
        if_match,
        if_modified_since,
        if_none_match,
        if_range,
        if_unmodified_since,
        range,
    };
    let entity = Entity {
        content_type: "text/plain".to_owned(),
        coding: conditions
            .codings()
            .next()
            .map_or("", |coding| coding.name()),
        size,
        ..Entity::default()
    };
    let validators = Validators {
        tag: "\"a\"".to_owned(),
        modified: 10,
    };
    let answer = reply(&conditions, &entity, &validators, false, 1_000_000);
    let length = answer.body.iter().map(Piece::length).sum();
    let parts = answer.body.iter().filter_map(|piece| match piece {
        Piece::Bytes(_) => None,
        Piece::File(range) => Some((range.offset, range.length)),
    });
    (answer.status, answer.lines, length, parts.collect())
}
