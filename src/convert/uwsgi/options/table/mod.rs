//! The rows, by name in the order of their bytes; in four files, because one would be too long to read.

mod first;
mod fourth;
mod second;
mod third;

use super::Rule;

/// Sorted in themselves, and one behind the other.
pub(super) static TABLES: [&[(&str, Rule)]; 4] =
    [first::TABLE, second::TABLE, third::TABLE, fourth::TABLE];
