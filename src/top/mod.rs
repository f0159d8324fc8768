//! `hostler top`: from readings of running sites to what a person or a program sees of them.
//!
//! `window` makes rates and percentiles of two readings, `sites` remembers the readings of each site, `rows` makes tables
//! of them. The tables go to a terminal (`model` is what is shown of them and what keys do, `view` draws it, `live` waits),
//! to standard output (`plain`), or become a `document`. How a site is asked is not known here: [`Source`] does it.

mod columns;
mod document;
mod live;
mod model;
mod plain;
mod rows;
mod screen;
mod sites;
mod source;
mod view;
mod window;
mod words;

pub(crate) use document::Document;
pub(crate) use live::{TopError, watch};
pub(crate) use plain::{as_table, width};
pub(crate) use sites::{Sites, causes};
pub(crate) use source::{Source, Trouble};
pub(crate) use words::{duration, latency, printable, size};
