//! The answer where no application is: 404, and the log says which ones there are.

use std::fmt::Write;

use tracing::info;

use super::{
    exchange::{Exchange, ResponseHead},
    mounts::Mounts,
};
use crate::{
    environ,
    protocol::http::response::{header, reason_phrase},
};

const NOT_FOUND: u16 = 404;

impl Mounts {
    /// Answers a request for which there is no application.
    pub(super) fn say_nobody(&self, exchange: &mut Exchange<'_>) {
        let request = exchange.request();
        let (host, target) = (
            environ::host(&request).escape_ascii(),
            request.target().escape_ascii(),
        );
        let there_are = self.to_string();
        info!(%host, %target, there_are, "no application answers there; the client gets 404");
        match self.is_development {
            true => self.say_places(exchange),
            false => exchange.say_words(ResponseHead::default(), NOT_FOUND),
        }
        exchange.finish();
    }

    fn say_places(&self, exchange: &mut Exchange<'_>) {
        let phrase = reason_phrase(NOT_FOUND);
        let page = self.page(phrase);
        let mut head = ResponseHead {
            status: format!("{NOT_FOUND} {phrase}").into_bytes(),
            ..ResponseHead::default()
        };
        header(
            &mut head.lines,
            b"Content-Type",
            b"text/html; charset=utf-8",
        );
        exchange.commit(&head, Some(page.len() as u64));
        exchange.write(page.as_bytes());
    }

    /// For whoever develops the site: what could have been asked for.
    fn page(&self, title: &str) -> String {
        let mut page = format!(
            "<!doctype html><meta charset=\"utf-8\"><title>{title}</title>\n<h1>{title}</h1>\n\
             <p>No application answers here. There are:</p>\n<ul>\n"
        );
        for place in self.places() {
            // Writing to a string cannot fail.
            let _ = writeln!(page, "<li><code>{}</code></li>", escaped(&place));
        }
        page.push_str("</ul>\n<p>This page is shown because py-autoreload is on.</p>\n");
        page
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}
