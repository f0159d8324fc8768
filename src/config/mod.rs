//! The settings of one site: schema types, defaults, loading, and errors that point at line and column.
//!
//! Text goes through three stages: TOML with its positions, the schema types (each value already a good one), and
//! settings that were checked against each other and have absolute paths. Only the last leaves this room.

mod schema;
mod value;

pub use schema::*;
pub use value::*;
