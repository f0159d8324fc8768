//! uWSGI's configuration: `read` collects options as uWSGI does, `translate` finds what each has become.

mod names;
mod options;
mod read;
mod reading;
mod translate;

pub(crate) use read::{Format, Identity, Input, Kind, Machine, ReadError, Surroundings};
