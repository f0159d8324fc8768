//! The settings of one site: schema types, defaults, loading, and errors that point at line and column.

mod schema;
mod value;

pub use schema::*;
pub use value::*;
