//! The settings of a site as the request path needs them: plain numbers, computed once.

use std::time::Duration;

use crate::{
    config::{ByteSize, MediaType, Settings, TimeSpan, TrustedProxy},
    protocol::{
        Kind,
        http::{head::Limits, response},
    },
};

use super::{
    access::AccessRules,
    engine::EngineError,
    headers::Edits,
    mounts::{Mounts, Place},
    pages::Pages,
    request_id::Header,
    route::Router,
    watch::{TOO_LATE, Words},
};

/// Unread request bodies up to here are read and dropped, so that the connection lives on.
const DISCARD: u64 = 256 << 10;

/// The settings as the request path needs them.
pub(super) struct Rules {
    pub(super) http: Limits,
    /// Most bytes of variables that a front server may send with a request.
    pub(super) variables: usize,
    pub(super) body_limit: u64,
    pub(super) read_ahead: u64,
    pub(super) spool_above: u64,
    pub(super) keep_alive_ms: u64,
    pub(super) header_ms: u64,
    pub(super) body_ms: u64,
    pub(super) send_ms: u64,
    pub(super) socket: Duration,
    pub(super) buffering: u64,
    pub(super) discard: u64,
    pub(super) trusted: Vec<TrustedProxy>,
    /// Microseconds that a request may take; 0: no limit.
    pub(super) harakiri_us: u64,
    /// Microseconds from which on a request is slow; 0: none is.
    pub(super) slow_us: u64,
    /// Whether some requests are not the application's.
    pub(super) answers_alone: bool,
    pub(super) router: Router,
    pub(super) pages: Pages,
    /// Whether files that the application names are sent in place of what it says.
    pub(super) sends_named_files: bool,
    /// Headers that every answer gets or loses.
    pub(super) edits: Edits,
    /// Media types of answers that are compressed.
    pub(super) compress: Vec<MediaType>,
    /// In bytes; shorter ones are not.
    pub(super) compress_above: u64,
    /// Which requests are logged.
    pub(super) access: AccessRules,
    /// Where a request's name stands, in what proxies send and in answers.
    pub(super) request_id: Header,
    /// Whether answers have it.
    pub(super) answer_request_id: bool,
    pub(super) traceparent: Header,
    /// Where there is an application to choose.
    pub(super) mounts: Option<Mounts>,
}

impl Rules {
    pub(super) fn new(settings: &Settings) -> Result<Self, EngineError> {
        let router = Router::new(settings).map_err(EngineError::MediaTypes)?;
        let pages =
            Pages::load(&settings.response, router.files()).map_err(EngineError::ErrorPage)?;
        let ms = |span: TimeSpan| u64::try_from(span.0.as_millis()).unwrap_or(u64::MAX >> 1);
        let size = |size: ByteSize| usize::try_from(size.0).unwrap_or(usize::MAX);
        let edits = &settings.response;
        Ok(Self {
            http: Limits {
                head: size(settings.http.buffer_size),
                body: settings.http.max_body.0,
            },
            variables: size(settings.uwsgi.buffer_size),
            body_limit: settings.http.max_body.0,
            read_ahead: settings.request.post_buffering.0,
            spool_above: settings.request.spool_above.0,
            keep_alive_ms: ms(settings.http.keep_alive),
            header_ms: ms(settings.http.header_timeout),
            body_ms: ms(settings.http.body_timeout),
            send_ms: ms(settings.http.send_timeout),
            socket: settings.timeouts.socket.0,
            buffering: settings.response.buffering.0,
            discard: DISCARD,
            trusted: settings.http.trusted_proxies.clone(),
            harakiri_us: u64::try_from(settings.limits.harakiri.0.as_micros()).unwrap_or(0),
            slow_us: u64::try_from(settings.log.slow.0.as_micros()).unwrap_or(0),
            answers_alone: !router.is_empty(),
            router,
            pages,
            sends_named_files: settings.response.x_sendfile,
            edits: Edits::new(&edits.add_headers, &edits.remove_headers),
            compress: settings.response.compress.clone(),
            compress_above: settings.response.compress_above.0,
            access: AccessRules::new(&settings.log),
            request_id: Header::of_request_id(&settings.http),
            answer_request_id: settings.http.request_id_header.is_some(),
            traceparent: Header::new("traceparent"),
            mounts: Mounts::new(settings),
        })
    }

    /// What an application at this place has of the path.
    pub(super) fn mount(&self, place: Option<Place>) -> &[u8] {
        match (&self.mounts, place) {
            (Some(mounts), Some(place)) => mounts.path(place),
            _ => b"",
        }
    }

    /// A complete answer of our own: the site's page for the status, or its name, with the headers that every answer has.
    pub(super) fn canned(&self, kind: Kind, status: u16, is_head: bool, date: &str) -> Vec<u8> {
        let mut answer = response::canned(kind, status, self.pages.of(status), is_head, date);
        response::add_lines(&mut answer, self.edits.added());
        answer
    }

    /// What the client of a request is told that was ended.
    pub(super) fn too_late(&self) -> Words {
        let (media_type, body) = self.pages.of(TOO_LATE);
        Words {
            media_type: media_type.to_owned(),
            body: body.to_vec(),
            lines: self.edits.added().to_vec(),
        }
    }

    /// Whether a request that took so long is told of for that.
    pub(super) fn is_slow(&self, took_us: u64) -> bool {
        self.slow_us != 0 && took_us >= self.slow_us
    }

    /// Until when a request that begins now may run, as the scoreboard has it.
    pub(super) fn deadline(&self, now_us: u64) -> u64 {
        match self.harakiri_us {
            0 => 0,
            limit => now_us.saturating_add(limit),
        }
    }
}
