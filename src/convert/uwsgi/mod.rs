//! uWSGI's configuration: `read` collects options as uWSGI does, `translate` finds what each has become.

mod debian;
mod names;
mod options;
mod read;
mod reading;
#[cfg(test)]
mod tests;
mod translate;

pub(crate) use options::page;
pub use read::outside;
pub(crate) use read::{Input, Machine, ReadError, Surroundings};
pub(crate) use translate::{Conversion, Start};

/// Converts a configuration.
///
/// # Errors
/// An input that cannot be read at all. Whatever else is wrong is in the account.
pub(crate) fn convert(
    inputs: &[Input],
    start: &Start,
    surroundings: &dyn Surroundings,
) -> Result<Conversion, ReadError> {
    let mut all = Vec::new();
    if start.debian {
        all.push(debian::defaults(&start.site));
    }
    all.extend_from_slice(inputs);
    let reading = read::read(&all, surroundings)?;
    let mut start = start.clone();
    // A unit says where its command is started.
    let is_of_unit = |option: &&reading::Applied| {
        option.name == "chdir" && option.origin.source.ends_with(".service")
    };
    if let Some(option) = reading.options.iter().find(is_of_unit) {
        start.directory = option.value.clone().into();
    }
    Ok(translate::translate(&reading, &start))
}
