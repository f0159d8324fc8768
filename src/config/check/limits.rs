//! The rules of `[limits]`.

use super::within;
use crate::config::{error::Problem, schema::Limits, value::ByteSize};

/// An interpreter needs more address space than this for itself.
const LEAST_ADDRESS_SPACE: ByteSize = ByteSize(64 << 20);
/// The kernel's own limit on `fs.nr_open`.
const MOST_DESCRIPTORS: u64 = 0x7fff_ffc0;

pub(super) fn check(limits: &Limits) -> Result<(), Problem> {
    if limits.limit_as != ByteSize(0) {
        let sizes = LEAST_ADDRESS_SPACE..=ByteSize(1 << 60);
        within(&["limits", "limit-as"], limits.limit_as, sizes)?;
    }
    if limits.max_fd != 0 {
        within(&["limits", "max-fd"], limits.max_fd, 64..=MOST_DESCRIPTORS)?;
    }
    Ok(())
}
