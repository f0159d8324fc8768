//! The rows, by name in the order of their bytes; in four files, named by their last row, because one would be too long
//! to read.

mod to_fiber;
mod to_max_fd;
mod to_set_ph;
mod to_zmq_socket;

use super::Rule;

/// Sorted in themselves, and one behind the other.
pub(super) static TABLES: [&[(&str, Rule)]; 4] = [
    to_fiber::TABLE,
    to_max_fd::TABLE,
    to_set_ph::TABLE,
    to_zmq_socket::TABLE,
];
