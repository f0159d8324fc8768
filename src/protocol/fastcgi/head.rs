//! From the first record of a request to the end of its variables.
//!
//! The variables may be split between records anywhere, and other records may lie between them. So they are put
//! together at the beginning of the connection's buffer, behind the record that began the request, and positions in the
//! buffer name them like those of any other protocol.

use super::{
    ABORT_REQUEST, BEGIN_REQUEST, HEADER, PARAMS, Record, STDIN, length,
    other::{self, KEEP_CONN},
};
use crate::protocol::{Field, Framing, Head, Kind, Parsed, Refusal, Span, variables::Variables};

/// Bytes of the record that begins a request, without padding.
const BEGIN: usize = HEADER + 8;

/// Reads the records that `input` begins with. `taken` is 0 for a new request and belongs to the caller between calls:
/// so much of the beginning of `input` is the request so far. `limit` is for the variables, `body_limit` (0: none) for
/// `CONTENT_LENGTH`, both in bytes. What has to be said in return is appended to `replies`. `head` is filled on
/// [`Parsed::Complete`] alone, its memory is reused.
///
/// # Errors
/// 400 for what is not FastCGI or comes out of turn, 413 and 431 for what is above a limit. Status 0: the connection
/// has to be closed when the replies are out.
pub fn parse(
    input: &mut Vec<u8>,
    taken: &mut usize,
    limit: usize,
    body_limit: u64,
    head: &mut Head,
    replies: &mut Vec<u8>,
) -> Result<Parsed, Refusal> {
    let mut at = *taken;
    loop {
        let Some(record) = next(input, at, *taken, limit)? else {
            input.drain(*taken..at);
            return Ok(Parsed::Incomplete);
        };
        let content = at + HEADER..at + HEADER + record.length;
        let is_ours = active(input, *taken) == Some(record.id);
        match record.kind {
            PARAMS if is_ours && record.length == 0 => {
                at += record.total();
                return finish(input, *taken, at, body_limit, head);
            }
            PARAMS if is_ours => {
                input.copy_within(content, *taken);
                *taken += record.length;
            }
            BEGIN_REQUEST if *taken == 0 => {
                if other::begins(record, &input[content], replies)? {
                    input.copy_within(at..at + BEGIN, 0);
                    *taken = BEGIN;
                }
            }
            STDIN if is_ours => {
                return Err(Refusal::new(400, "a body before the end of the variables"));
            }
            ABORT_REQUEST if is_ours => return Err(other::ABORTED),
            _ => other::answer(record, &input[content], is_ours, replies)?,
        }
        at += record.total();
    }
}

/// The request that the buffer begins with, if one has begun: its id. `taken` is what [`parse`] knows it by.
pub fn active(input: &[u8], taken: usize) -> Option<u16> {
    (taken >= BEGIN).then(|| u16::from_be_bytes([input[2], input[3]]))
}

/// The record at `at`, if all of it is there. What its header says too much of is refused before it comes.
fn next(input: &[u8], at: usize, taken: usize, limit: usize) -> Result<Option<Record>, Refusal> {
    let rest = &input[at..];
    // A browser would otherwise wait for an answer to a record that never ends.
    if taken == 0 && rest.len() >= 4 && is_http(rest) {
        return Err(Refusal::new(
            400,
            "an HTTP request came to a listener of the FastCGI protocol",
        ));
    }
    let Some((header, _)) = rest.split_first_chunk::<HEADER>() else {
        return Ok(None);
    };
    let record = Record::read(header)?;
    other::check(record)?;
    if record.kind == PARAMS
        && active(input, taken) == Some(record.id)
        && taken - BEGIN + record.length > limit
    {
        return Err(Refusal::new(431, "variables above the limit"));
    }
    Ok((rest.len() >= record.total()).then_some(record))
}

/// Whether these bytes look like the beginning of an HTTP request.
pub fn is_http(bytes: &[u8]) -> bool {
    let begin = bytes.get(..4);
    begin.is_some_and(|begin| {
        begin
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || *byte == b' ')
    })
}

/// The variables are complete; `at` is where the body begins.
fn finish(
    input: &[u8],
    taken: usize,
    at: usize,
    body_limit: u64,
    head: &mut Head,
) -> Result<Parsed, Refusal> {
    let mut variables = read(&input[..taken], &mut head.fields)?;
    variables.derive_path(input);
    variables.finish(input, true, body_limit, head)?;
    let id = u16::from_be_bytes([input[2], input[3]]);
    (head.len, head.kind) = (at, Kind::Fastcgi { id });
    head.keep_alive = input[HEADER + 2] & KEEP_CONN != 0;
    let length = match head.framing {
        Framing::Length(length) => Some(length),
        _ => None,
    };
    head.framing = Framing::Stdin { id, length };
    Ok(Parsed::Complete)
}

/// Reads the variables, which fill `buffer` from [`BEGIN`] on, into `fields`.
fn read(buffer: &[u8], fields: &mut Vec<Field>) -> Result<Variables, Refusal> {
    let mut variables = Variables::new(fields);
    let mut at = BEGIN;
    while at < buffer.len() {
        let (name, value) = pair(buffer, at).ok_or(Refusal::new(
            400,
            "a variable without a name, or longer than its stream",
        ))?;
        at = value.end as usize;
        variables.add(buffer, name, value, fields)?;
    }
    Ok(variables)
}

/// Name and value at `at`: both lengths, then both.
fn pair(buffer: &[u8], at: usize) -> Option<(Span, Span)> {
    let (name, at) = length(buffer, at)?;
    let (value, start) = length(buffer, at)?;
    let (middle, end) = (start + name, start + name + value);
    (name > 0 && end <= buffer.len()).then_some((
        Span {
            start: start as u32,
            end: middle as u32,
        },
        Span {
            start: middle as u32,
            end: end as u32,
        },
    ))
}
