//! Words on the terminal. The only place of the program that writes to standard output.

use std::{
    error::Error,
    io::{self, Read, Write},
    iter,
};

use super::error::CliError;

/// Writes a text to standard output.
///
/// # Errors
/// The device takes no more. That the reader has gone (`hostler check --show | head`) is no error: it has what it
/// wanted. `println!` would panic in both cases.
pub(super) fn print(text: &str) -> Result<(), CliError> {
    offer(text).map(drop)
}

/// Writes a text to standard output, and gives whether anybody reads what comes next.
///
/// # Errors
/// As [`print`].
pub(super) fn offer(text: &str) -> Result<bool, CliError> {
    let mut stdout = io::stdout().lock();
    match stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush())
    {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(CliError::Output(error)),
        Ok(()) => Ok(true),
    }
}

/// All of standard input.
///
/// # Errors
/// It cannot be read.
pub(super) fn read_all() -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Writes what belongs to an error and is longer than its line, before it.
pub(super) fn tell_before(text: &str) {
    let text = text.trim_end();
    if !text.is_empty() {
        // There is nobody left to tell when this fails.
        let _ = writeln!(io::stderr(), "{text}");
    }
}

/// Writes what is wrong, one of several things, to standard error, as one line.
pub(super) fn complain(text: &str) {
    // There is nobody left to tell when this fails.
    let _ = writeln!(io::stderr(), "error: {text}");
}

/// Writes a remark to standard error, as one line.
pub(super) fn note(text: &str) {
    // There is nobody left to tell when this fails.
    let _ = writeln!(io::stderr(), "note: {text}");
}

/// Writes an error and its causes to standard error, as one line.
pub(super) fn tell(error: &dyn Error) {
    // There is nobody left to tell when this fails.
    let _ = writeln!(io::stderr(), "error: {}", chain(error));
}

/// The number of what the kernel said (errno(3)), if it is among the causes.
pub(super) fn errno(error: &(dyn Error + 'static)) -> Option<u32> {
    let causes = iter::successors(Some(error), |&error| error.source());
    let mut said = causes.filter_map(|error| error.downcast_ref::<io::Error>()?.raw_os_error());
    said.next().and_then(|number| u32::try_from(number).ok())
}

/// An error and its causes, outermost first.
pub(super) fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ConfigError;

    #[test]
    fn causes_follow_on_the_same_line() {
        let error = unreadable(io::Error::other("the disk is gone"));
        let expected = "site.toml: cannot be read: the disk is gone";
        assert_eq!(chain(&error), expected);
    }

    #[test]
    fn what_the_kernel_said_has_a_number() {
        assert_eq!(errno(&unreadable(io::Error::from_raw_os_error(2))), Some(2));
        assert_eq!(errno(&unreadable(io::Error::other("no kernel"))), None);
    }

    fn unreadable(source: io::Error) -> CliError {
        CliError::Config(ConfigError::Unreadable {
            path: "site.toml".into(),
            source,
        })
    }
}
