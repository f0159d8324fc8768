//! Answers to a command line that does not name a command: help, version, or what is wrong, in one line.

use std::process::ExitCode;

use clap::error::ErrorKind;

use super::{error::CliError, exit::Exit, output};

/// Prints what was asked for, or turns the parser's complaint into an error.
pub(super) fn answer(error: &clap::Error) -> Result<ExitCode, CliError> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            output::print(&error.render().to_string())?;
            Ok(Exit::Success.into())
        }
        _ => Err(CliError::Usage {
            message: complaint(error),
        }),
    }
}

/// The complaint with the parser's hints, without the usage that it prints below.
fn complaint(error: &clap::Error) -> String {
    if matches!(
        error.kind(),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
    ) {
        return "a command is missing".to_owned();
    }
    let text = error.render().to_string();
    let mut message = String::new();
    for line in text.lines().map(str::trim) {
        if line.starts_with("Usage:") || line.starts_with("For more information") {
            break;
        }
        match (line.strip_prefix("error: "), line.strip_prefix("tip: ")) {
            (Some(what), _) => message.push_str(what),
            (_, Some(tip)) => message.extend(["; ", tip]),
            _ if line.is_empty() => {}
            _ => message.extend([" ", line]),
        }
    }
    message
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::arguments::Arguments;

    #[track_caller]
    fn check(line: &str, expected: &str) {
        let error = Arguments::try_parse_from(line.split(' ')).unwrap_err();
        assert_eq!(complaint(&error), expected);
    }

    #[test]
    fn complaints_are_one_line() {
        check("hostler", "a command is missing");
        check(
            "hostler serv x",
            "unrecognized subcommand 'serv'; a similar subcommand exists: 'serve'",
        );
        check(
            "hostler serve",
            "the following required arguments were not provided: <FILE>",
        );
        check("hostler serve a b", "unexpected argument 'b' found");
        check(
            "hostler run a --proceses 2",
            "unexpected argument '--proceses' found; a similar argument exists: '--processes'",
        );
        check(
            "hostler run a --threads 0",
            "invalid value '0' for '--threads <N>': 0 is not in 1..=1024",
        );
        check(
            "hostler run a --http 80000",
            "invalid value '80000' for '--http <ADDR>': `80000` is not an address: \
             write \"127.0.0.1:80000\", or \":80000\" for every address of the machine",
        );
    }

    #[test]
    fn asking_for_help_is_no_error() {
        let error = Arguments::try_parse_from(["hostler", "--help"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::DisplayHelp);
    }
}
