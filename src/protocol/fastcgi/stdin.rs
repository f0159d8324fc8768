//! The body of a request: its STDIN stream, decoded piece by piece in constant memory, and what comes between.

use super::{ABORT_REQUEST, BEGIN_REQUEST, GET_VALUES, HEADER, Record, STDIN, other};
use crate::protocol::Refusal;

/// Records between those of the body that are no part of it. Each may cost an answer, which the front server may leave
/// unread.
const MAX_OTHERS: u16 = 256;

/// Decoder of one body.
#[derive(Debug, Clone)]
pub struct Stdin {
    id: u16,
    /// The header that is being read, and how much of it is there.
    header: [u8; HEADER],
    have: usize,
    /// The record that is being read.
    record: Option<Record>,
    /// Bytes of its content, then of its padding, that are still to come.
    left: usize,
    padding: usize,
    /// Of a CONTENT_LENGTH, what is still to come.
    owed: Option<u64>,
    /// Bytes of body that may still come.
    allowed: u64,
    others: u16,
    complete: bool,
    /// Most bodies have none, and no memory for them.
    aside: Option<Box<Aside>>,
}

/// What there is of records that are no part of the body.
#[derive(Debug, Clone, Default)]
struct Aside {
    content: Vec<u8>,
    replies: Vec<u8>,
}

const TOO_LONG: Refusal = Refusal::new(400, "a body longer than its CONTENT_LENGTH");
const TOO_SHORT: Refusal = Refusal::new(400, "a body that ends before its CONTENT_LENGTH");

impl Stdin {
    /// A decoder for the body of request `id`, of `length` bytes if that was said, and of at most `limit`; 0: no limit.
    pub fn new(id: u16, length: Option<u64>, limit: u64) -> Self {
        Self {
            id,
            header: [0; HEADER],
            have: 0,
            record: None,
            left: 0,
            padding: 0,
            owed: length,
            allowed: if limit == 0 { u64::MAX } else { limit },
            others: 0,
            complete: false,
            aside: None,
        }
    }

    /// Whether the stream has ended; what follows belongs to the next request.
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// Bytes of body still to come, if that was said.
    pub fn left(&self) -> Option<u64> {
        if self.complete { Some(0) } else { self.owed }
    }

    /// What has to be said in return to records between those of the body, if anything; it is given once.
    pub fn replies(&mut self) -> Option<Vec<u8>> {
        let replies = &mut self.aside.as_mut()?.replies;
        (!replies.is_empty()).then(|| std::mem::take(replies))
    }

    /// Consumes from `input` and appends body to `out` until `out` is `room` bytes long; gives the number of bytes
    /// consumed. A full `out` does not keep it from consuming what is no body.
    ///
    /// # Errors
    /// 400 for what is not FastCGI or comes out of turn, or a body of another length than was said; 413 for one above
    /// the limit; 431 for too much that is no body.
    pub fn decode(
        &mut self,
        input: &[u8],
        out: &mut Vec<u8>,
        room: usize,
    ) -> Result<usize, Refusal> {
        let mut at = 0;
        while !self.complete {
            let rest = &input[at..];
            let used = match self.record {
                None => self.read_header(rest)?,
                Some(record) if self.left > 0 => {
                    let used = self.left.min(rest.len());
                    let used = self.content(record, &rest[..used], out, room);
                    self.left -= used;
                    used
                }
                Some(_) => {
                    let used = self.padding.min(rest.len());
                    self.padding -= used;
                    used
                }
            };
            at += used;
            if !self.close_record()? && used == 0 {
                break;
            }
        }
        Ok(at)
    }

    /// Takes in what there is of a header.
    fn read_header(&mut self, input: &[u8]) -> Result<usize, Refusal> {
        let used = (HEADER - self.have).min(input.len());
        self.header[self.have..self.have + used].copy_from_slice(&input[..used]);
        self.have += used;
        if self.have == HEADER {
            let record = Record::read(&self.header)?;
            self.begin_record(record)?;
            self.have = 0;
            self.record = Some(record);
            (self.left, self.padding) = (record.length, record.padding);
        }
        Ok(used)
    }

    fn begin_record(&mut self, record: Record) -> Result<(), Refusal> {
        other::check(record)?;
        let is_ours = record.id == self.id;
        if is_ours && record.kind == ABORT_REQUEST {
            return Err(other::ABORTED);
        }
        if !(is_ours && record.kind == STDIN) {
            self.others += 1;
            return match self.others > MAX_OTHERS {
                true => Err(Refusal::new(431, "more than 256 records that are no body")),
                false => Ok(()),
            };
        }
        let length = record.length as u64;
        if let Some(owed) = &mut self.owed {
            *owed = owed.checked_sub(length).ok_or(TOO_LONG)?;
            if length == 0 && *owed > 0 {
                return Err(TOO_SHORT);
            }
        }
        self.allowed = self
            .allowed
            .checked_sub(length)
            .ok_or(Refusal::new(413, "a body above the limit of the body"))?;
        Ok(())
    }

    /// Takes in content; gives how much of it.
    fn content(&mut self, record: Record, input: &[u8], out: &mut Vec<u8>, room: usize) -> usize {
        if record.id == self.id && record.kind == STDIN {
            let take = input.len().min(room.saturating_sub(out.len()));
            out.extend_from_slice(&input[..take]);
            return take;
        }
        // What others are about, `other::check` has kept small; content that nobody looks at is not kept.
        if matches!(record.kind, BEGIN_REQUEST | GET_VALUES) {
            let aside = self.aside.get_or_insert_default();
            aside.content.extend_from_slice(input);
        }
        input.len()
    }

    /// Ends the record if nothing of it is missing; gives whether it did.
    fn close_record(&mut self) -> Result<bool, Refusal> {
        let Some(record) = self.record.filter(|_| self.left + self.padding == 0) else {
            return Ok(false);
        };
        self.record = None;
        let is_ours = record.id == self.id;
        if is_ours && record.kind == STDIN {
            self.complete = record.length == 0;
            return Ok(true);
        }
        let aside = self.aside.get_or_insert_default();
        let content = std::mem::take(&mut aside.content);
        other::answer(record, &content, is_ours, &mut aside.replies)?;
        Ok(true)
    }
}
