//! What a request says to the server itself when a front server has made CGI variables of it: the part that uwsgi,
//! FastCGI and SCGI have in common. How the variables lie in their packets is each protocol's own.

use super::{
    Field, Framing, Head, Refusal, Span, Standard, Version,
    fields::{Names, decimal},
};

/// Variables of one request; uWSGI takes 128. It bounds the work per request.
pub(super) const MAX_VARIABLES: usize = 512;

/// The variables that were read so far. Of a variable that comes twice the last one counts, as in uWSGI.
#[derive(Debug, Default)]
pub(super) struct Variables {
    method: Span,
    target: Span,
    path: Option<Span>,
    document: Span,
    script: Span,
    query: Span,
    version: Version,
    framing: Framing,
    /// Bits of the standard ones.
    seen: u16,
    /// All others.
    names: Names,
}

impl Variables {
    /// None yet; `fields` is where they will be.
    pub(super) fn new(fields: &mut Vec<Field>) -> Self {
        fields.clear();
        Self {
            version: Version::Http10,
            ..Self::default()
        }
    }

    /// Notes one variable and adds it to `fields`.
    ///
    /// # Errors
    /// 400 when it contradicts an earlier one or is no number where one has to be, 431 when it is one too many.
    pub(super) fn add(
        &mut self,
        buffer: &[u8],
        name: Span,
        value: Span,
        fields: &mut Vec<Field>,
    ) -> Result<(), Refusal> {
        if fields.len() == MAX_VARIABLES {
            return Err(Refusal::new(431, "more variables than 512"));
        }
        let text = name.of(buffer);
        let standard = Standard::from_name(text);
        match standard {
            Some(standard) => {
                let bit = 1 << standard.index();
                self.names.repeat |= self.seen & bit != 0;
                self.seen |= bit;
                self.note(buffer, standard, value)?;
            }
            None => {
                if text == b"DOCUMENT_URI" {
                    self.document = value;
                }
                self.names.note(buffer, text, fields);
            }
        }
        fields.push(Field {
            name,
            value,
            standard,
        });
        Ok(())
    }

    fn note(&mut self, buffer: &[u8], standard: Standard, value: Span) -> Result<(), Refusal> {
        match standard {
            Standard::RequestMethod => self.method = value,
            Standard::RequestUri => self.target = value,
            Standard::PathInfo => self.path = Some(value),
            Standard::ScriptName => self.script = value,
            Standard::QueryString => self.query = value,
            Standard::ServerProtocol if value.of(buffer) == b"HTTP/1.0" => {
                self.version = Version::Http10;
            }
            Standard::ServerProtocol => self.version = Version::Http11,
            Standard::ContentLength => {
                let framing = content_length(value.of(buffer))?;
                // The front server sends one. A second one would be a request header that posed as it.
                if self.framing != Framing::None && self.framing != framing {
                    return Err(Refusal::new(
                        400,
                        "CONTENT_LENGTH twice, with different values",
                    ));
                }
                self.framing = framing;
            }
            _ => {}
        }
        Ok(())
    }

    /// Finds PATH_INFO where the front server leaves it to us. In what nginx's own `fastcgi_params` and `scgi_params`
    /// send, DOCUMENT_URI is the whole path, and SCRIPT_NAME a part of it if somebody has set it, else the same. Apache
    /// sends the whole path as SCRIPT_NAME alone, so that we may "correctly determine" how much of it is the script's
    /// (mod_proxy_scgi, `proxy-scgi-pathinfo`).
    pub(super) fn derive_path(&mut self, buffer: &[u8]) {
        if self.path.is_some() {
            return;
        }
        if self.document.of(buffer).is_empty() {
            self.document = self.script;
        }
        let (document, script) = (self.document.of(buffer), self.script.of(buffer));
        let is_below = document
            .strip_prefix(script)
            .is_some_and(|rest| rest.starts_with(b"/"));
        if is_below {
            let start = self.document.start + (self.script.end - self.script.start);
            self.path = Some(Span {
                start,
                ..self.document
            });
        } else if !document.is_empty() {
            self.path = Some(self.document);
            self.script = Span::default();
        }
    }

    /// Writes down what the variables say, all of `head` but its length and kind. `is_request`: there has to be a method.
    ///
    /// # Errors
    /// 400 without a method, 413 for a CONTENT_LENGTH above `body_limit` (0: none).
    pub(super) fn finish(
        self,
        buffer: &[u8],
        is_request: bool,
        body_limit: u64,
        head: &mut Head,
    ) -> Result<(), Refusal> {
        if is_request && self.method.of(buffer).is_empty() {
            return Err(Refusal::new(400, "a packet without REQUEST_METHOD"));
        }
        if let Framing::Length(length) = self.framing
            && body_limit != 0
            && length > body_limit
        {
            return Err(Refusal::new(
                413,
                "a CONTENT_LENGTH above the limit of the body",
            ));
        }
        head.method = self.method;
        head.target = self.target;
        head.path = self.path.unwrap_or_default();
        head.script = self.script;
        head.query = self.query;
        head.authority = Span::default();
        head.version = self.version;
        head.framing = self.framing;
        head.keep_alive = false;
        head.expect_continue = false;
        head.repeats = self.names.repeat;
        head.is_get = false;
        Ok(())
    }
}

/// nginx sends an empty CONTENT_LENGTH where there is no body.
fn content_length(value: &[u8]) -> Result<Framing, Refusal> {
    if value.is_empty() {
        return Ok(Framing::None);
    }
    decimal(value)
        .map(Framing::Length)
        .ok_or(Refusal::new(400, "an invalid CONTENT_LENGTH"))
}
