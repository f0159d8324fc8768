//! Sites at the ends of the scale: with nothing to do, and with very many workers.

mod idle;
mod many;
