//! The document that uWSGI's stats server gives out, made of what the supervisor knows and what workers have written
//! into the scoreboard.
//!
//! Pure: `facts` is what has to be known, `tally` keeps what a worker's predecessors in its place have done, `document`
//! is the JSON, field by field and in uWSGI's order, so that programs made for uWSGI read it. Who collects the facts and
//! who serves the document is in the supervisor.

mod document;
mod facts;
mod tally;

#[cfg(test)]
mod tests;

pub(crate) use document::Document;
pub(crate) use facts::{Facts, Phase, Socket, Worker};
pub(crate) use tally::Tally;
