//! Records that are no part of the request that is being read: what other requests and the protocol itself want, and
//! what is answered.

use super::{
    ABORT_REQUEST, BEGIN_REQUEST, DATA, END_REQUEST, GET_VALUES, GET_VALUES_RESULT, PARAMS, Record,
    STDIN, UNKNOWN_TYPE, header, length,
};
use crate::protocol::Refusal;

/// Flag of a request after which the connection stays open.
pub(super) const KEEP_CONN: u8 = 1;
/// The role of an application that answers requests; the others are not ours.
const RESPONDER: u16 = 1;
/// Content of a record that asks for the server's values. There are three that one may ask for.
const MAX_VALUES: usize = 1 << 10;

/// How a request ended: it was answered.
pub(super) const REQUEST_COMPLETE: u8 = 0;
/// How a request ended: another one is being answered on the connection.
const CANT_MPX_CONN: u8 = 1;
/// How a request ended: nobody here has the role it asks for.
const UNKNOWN_ROLE: u8 = 3;

pub(super) const ABORTED: Refusal = Refusal::new(400, "the front server aborted the request");
const MALFORMED: Refusal = Refusal::new(400, "a record that begins a request and is malformed");

/// Refuses a record of which the header alone says that it cannot be taken.
pub(super) fn check(record: Record) -> Result<(), Refusal> {
    match record.kind {
        BEGIN_REQUEST if record.length != 8 || record.id == 0 => Err(MALFORMED),
        GET_VALUES if record.length > MAX_VALUES => Err(Refusal::new(
            431,
            "a record of more than 1 KiB that asks for values",
        )),
        _ => Ok(()),
    }
}

/// A request begins where there is none: whether it is one for us. If not, that is said in `replies`.
///
/// # Errors
/// Status 0: the connection was for this request alone.
pub(super) fn begins(
    record: Record,
    content: &[u8],
    replies: &mut Vec<u8>,
) -> Result<bool, Refusal> {
    let Some((&[high, low, flags], _)) = content.split_first_chunk::<3>() else {
        return Err(MALFORMED);
    };
    if u16::from_be_bytes([high, low]) == RESPONDER {
        return Ok(true);
    }
    end_request(replies, record.id, UNKNOWN_ROLE);
    if flags & KEEP_CONN == 0 {
        return Err(Refusal::new(0, "a request for another role than responder"));
    }
    Ok(false)
}

/// Answers a record that is for nobody's request, or should not be for ours (`is_ours`).
pub(super) fn answer(
    record: Record,
    content: &[u8],
    is_ours: bool,
    replies: &mut Vec<u8>,
) -> Result<(), Refusal> {
    match record.kind {
        BEGIN_REQUEST if is_ours => {
            return Err(Refusal::new(400, "a request that begins twice"));
        }
        BEGIN_REQUEST => end_request(replies, record.id, CANT_MPX_CONN),
        GET_VALUES => values(replies, content),
        // Section 3.3 of the specification: what is for a request that is not there is ignored. The others are streams
        // of the same request, which are empty in the role of a responder or have ended.
        ABORT_REQUEST | PARAMS | STDIN | DATA => {}
        kind => {
            replies.extend_from_slice(&header(UNKNOWN_TYPE, 0, 8));
            replies.extend_from_slice(&[kind, 0, 0, 0, 0, 0, 0, 0]);
        }
    }
    Ok(())
}

/// Says that a request has ended, with an application's status of 0.
pub(super) fn end_request(out: &mut Vec<u8>, id: u16, how: u8) {
    out.extend_from_slice(&header(END_REQUEST, id, 8));
    out.extend_from_slice(&[0, 0, 0, 0, how, 0, 0, 0]);
}

/// Tells, if that is asked for, that requests do not share a connection. How many connections there may be depends on
/// descriptors and memory, so those two values are left out, as the specification lets us.
fn values(replies: &mut Vec<u8>, asked: &[u8]) {
    const NAME: &[u8] = b"FCGI_MPXS_CONNS";
    let mut told = Vec::new();
    let mut at = 0;
    while let Some((name, value)) = pair(asked, &mut at) {
        if name == NAME && value.is_empty() && told.is_empty() {
            told = [&[NAME.len() as u8, 1], NAME, b"0"].concat();
        }
    }
    replies.extend_from_slice(&header(GET_VALUES_RESULT, 0, told.len() as u16));
    replies.extend_from_slice(&told);
}

/// The pair at `at`, which moves behind it; `None` at the end, or where there is no whole pair.
fn pair<'c>(content: &'c [u8], at: &mut usize) -> Option<(&'c [u8], &'c [u8])> {
    let (name, next) = length(content, *at)?;
    let (value, start) = length(content, next)?;
    let name_end = start.checked_add(name)?;
    let end = name_end.checked_add(value)?;
    *at = end;
    Some((content.get(start..name_end)?, content.get(name_end..end)?))
}
