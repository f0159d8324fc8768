//! What the site is doing, in numbers: OpenMetrics for Prometheus and its like, and a page for people.
//!
//! Pure: `facts` is what has to be known, `text` the exposition, metric by metric as docs/metrics.md names them, `live` what
//! the page polls, and `page` the page. Who collects the facts and who serves all this is in the supervisor.

mod exposition;
mod facts;
mod live;
mod page;
mod text;

#[cfg(test)]
mod tests;

pub(crate) use facts::{Facts, Memory, Responses, Running, Socket, Worker};
pub(crate) use live::live;
pub(crate) use page::Page;
pub(crate) use text::{CONTENT_TYPE, text};
