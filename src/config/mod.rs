//! The settings of one site: schema types, defaults, loading, and errors that point at line and column.
//!
//! Text goes through three stages: TOML with its positions, the schema types (each value already a good one), and
//! settings that were checked against each other and have absolute paths. Only the last leaves this room.

mod check;
mod document;
mod error;
mod explain;
mod json_schema;
mod keys;
mod load;
mod paths;
mod schema;
mod secret;
mod shape;
#[cfg(test)]
mod tests;
mod value;

pub use error::{ConfigError, Part, Position, Problem};
pub(crate) use json_schema::json_schema;
pub(crate) use load::read;
pub use load::{SettingsFile, load, parse};
pub use schema::*;
pub use secret::secret_path;
pub(crate) use shape::{Shape, shape};
pub use value::*;
