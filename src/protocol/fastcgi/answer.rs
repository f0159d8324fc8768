//! What goes back to the front server: records of the STDOUT stream, and the end of a request.

use super::{
    HEADER, STDOUT, header,
    other::{REQUEST_COMPLETE, end_request},
};

/// Largest content of one record.
pub const MAX_CONTENT: usize = 0xffff;

/// Leaves room for the header of a record that begins at the end of `out`; gives its position, for [`seal`].
pub fn open(out: &mut Vec<u8>) -> usize {
    let at = out.len();
    out.extend_from_slice(&[0; HEADER]);
    at
}

/// Makes records of all that was appended since [`open`] gave `at`: one as a rule, more if it does not hold all.
pub fn seal(out: &mut Vec<u8>, at: usize, id: u16) {
    let length = out.len() - at - HEADER;
    if length == 0 {
        // An empty record would be the end of the stream.
        return out.truncate(at);
    }
    if length > MAX_CONTENT {
        let rest = out.split_off(at + HEADER + MAX_CONTENT);
        for piece in rest.chunks(MAX_CONTENT) {
            out.extend_from_slice(&stdout_header(id, piece.len()));
            out.extend_from_slice(piece);
        }
    }
    out[at..at + HEADER].copy_from_slice(&stdout_header(id, length.min(MAX_CONTENT)));
}

/// The header of a STDOUT record with so much content, at most [`MAX_CONTENT`].
pub fn stdout_header(id: u16, length: usize) -> [u8; HEADER] {
    debug_assert!(length <= MAX_CONTENT);
    header(STDOUT, id, length as u16)
}

/// Ends the STDOUT stream and the request.
pub fn end(out: &mut Vec<u8>, id: u16) {
    out.extend_from_slice(&header(STDOUT, id, 0));
    end_request(out, id, REQUEST_COMPLETE);
}

/// A whole answer, `stdout` being all that is said.
pub fn complete(id: u16, stdout: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(stdout.len() + 5 * HEADER);
    let at = open(&mut out);
    out.extend_from_slice(stdout);
    seal(&mut out, at, id);
    end(&mut out, id);
    out
}
