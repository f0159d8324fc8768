//! Which answers of the application are compressed (`response.compress`), and what that changes in their heads.

use std::os::fd::OwnedFd;

use rustix::io::{pread, retry_on_intr};

use super::{Exchange, Progress, ResponseHead};
use crate::{
    protocol::http::response::header,
    serve::{compression::Coder, headers},
    static_files::Conditions,
};

/// Bytes of a file that are compressed at a time.
const PIECE: usize = 64 << 10;

/// A body that is compressed while it is sent.
#[derive(Debug)]
pub(super) struct Packing {
    pub(super) coder: Coder,
    /// Whether the application has promised a length, which is that of what it gives and not of what is sent.
    pub(super) is_bounded: bool,
    /// Whether anything was written since the last flush.
    has_news: bool,
}

impl Exchange<'_> {
    /// Whether what is written passes through a coder, so that it takes time.
    pub fn is_compressing(&self) -> bool {
        self.answer.packing.is_some()
    }

    /// The head of an answer that may be compressed, which says so, whether it is or not; with the coder if this client
    /// takes what we have. `None`: the answer is sent as it is to everybody.
    pub(super) fn packed(
        &self,
        head: &ResponseHead,
        length: Option<u64>,
    ) -> Option<(ResponseHead, Option<Coder>)> {
        if self.rules.compress.is_empty() || !self.may_compress(head, length) {
            return None;
        }
        let mut packed = ResponseHead {
            status: head.status.clone(),
            lines: head.lines.clone(),
            facts: head.facts,
        };
        // RFC 9110 section 12.5.5: for those, too, who get it as it is; caches keep both.
        let known = headers::value_of(&packed.lines, "Vary").unwrap_or_default();
        if !has_word(known, "accept-encoding") && known != b"*" {
            header(&mut packed.lines, b"Vary", b"Accept-Encoding");
        }
        let conditions = Conditions::of(&self.request());
        let Some((coder, name)) = Coder::of(conditions.codings()) else {
            return Some((packed, None));
        };
        let tag = headers::value_of(&packed.lines, "ETag").map(<[u8]>::to_vec);
        headers::remove(&mut packed.lines, |name| {
            ["Content-Length", "Accept-Ranges", "ETag"]
                .iter()
                .any(|gone| name.eq_ignore_ascii_case(gone.as_bytes()))
        });
        if let Some(tag) = tag {
            // RFC 9110 section 8.8.1: the same content in other bytes has no strong tag in common.
            let weak = if tag.starts_with(b"W/") {
                &b""[..]
            } else {
                b"W/"
            };
            header(&mut packed.lines, b"ETag", &[weak, &tag].concat());
        }
        header(&mut packed.lines, b"Content-Encoding", name.as_bytes());
        packed.facts.content_length = None;
        Some((packed, Some(coder)))
    }

    /// From now on the body passes through `coder`; `promised` is the length that the application has given it.
    pub(super) fn pack(&mut self, coder: Coder, promised: Option<u64>) {
        if self.is_bodiless() {
            return;
        }
        self.answer.owed = promised.unwrap_or(0);
        self.answer.packing = Some(Packing {
            coder,
            is_bounded: promised.is_some(),
            has_news: false,
        });
    }

    /// Stages bytes of the body, or what comes of them.
    pub(super) fn put(&mut self, data: &[u8]) {
        let Some(packing) = &mut self.answer.packing else {
            return self.stage(data);
        };
        packing.has_news |= !data.is_empty();
        let packed = packing.coder.write(data);
        self.answer.body -= data.len() as u64;
        self.stage_packed(&packed);
    }

    /// Stages what the coder has kept: the client shall have all that was written so far.
    pub(super) fn put_out(&mut self) {
        if let Some(packing) = &mut self.answer.packing
            && packing.has_news
        {
            packing.has_news = false;
            let packed = packing.coder.flush();
            self.stage_packed(&packed);
        }
    }

    /// Stages the end of what is compressed.
    pub(super) fn put_last(&mut self) {
        if let Some(packing) = self.answer.packing.take() {
            self.stage_packed(&packing.coder.finish());
        }
    }

    /// The log counts what is sent.
    fn stage_packed(&mut self, packed: &[u8]) {
        self.answer.body += packed.len() as u64;
        self.stage(packed);
    }

    /// A file behind bytes that the application has written itself is compressed like them.
    pub(super) fn write_file_packed(&mut self, file: &OwnedFd, mut offset: u64, length: u64) {
        let end = offset.saturating_add(length);
        let mut piece = vec![0; PIECE];
        while offset < end {
            let wanted = (end - offset).min(PIECE as u64) as usize;
            let read = retry_on_intr(|| pread(file, &mut piece[..wanted], offset));
            let Ok(read @ 1..) = read else {
                // The client must not take this for the end.
                self.answer.owed = self.answer.owed.max(1);
                return;
            };
            self.write(&piece[..read]);
            offset += read as u64;
            if self.has_staged_enough() && self.flush() == Progress::Full {
                self.wait();
            }
        }
    }

    fn may_compress(&self, head: &ResponseHead, length: Option<u64>) -> bool {
        let value = |name| headers::value_of(&head.lines, name);
        let length = head.facts.content_length.or(length);
        let is_long = length.is_none_or(|length| length > 0 && length >= self.rules.compress_above);
        let has_type = |content_type| {
            let mut types = self.rules.compress.iter();
            types.any(|wanted| wanted.matches(content_type))
        };
        // A part is one of the bytes as they are.
        !matches!(head.facts.status, 100..=199 | 204 | 206 | 304)
            && is_long
            && !head.facts.transfer_encoding
            && value("Content-Type").is_some_and(has_type)
            && value("Content-Encoding").is_none()
            && !value("Cache-Control").is_some_and(|value| has_word(value, "no-transform"))
    }
}

/// Whether a list has this word.
fn has_word(list: &[u8], word: &str) -> bool {
    let mut words = list.split(|&byte| byte == b',').map(<[u8]>::trim_ascii);
    words.any(|one| one.eq_ignore_ascii_case(word.as_bytes()))
}
