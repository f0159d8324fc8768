//! uWSGI's configuration: `read` collects options as uWSGI does, `translate` finds what each has become.

mod names;
mod read;
mod reading;

pub use read::outside;
pub(crate) use read::{Format, Identity, Input, Kind, Machine, ReadError, Surroundings};
