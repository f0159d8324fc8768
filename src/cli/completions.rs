//! `hostler completions`: what a shell completes behind `hostler`, made of the command line's own types. Packages install
//! it; whoever has installed hostler in another way asks for it.

use std::process::ExitCode;

use clap::{Args, CommandFactory, ValueEnum};
use clap_complete::Shell;

use super::{arguments::Arguments, error::CliError, exit::Exit, output};

#[derive(Debug, Args)]
pub(super) struct CompletionsArguments {
    /// The shell
    shell: CompletedShell,
}

/// Those that packages bring completions for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum CompletedShell {
    Bash,
    Fish,
    Zsh,
}

/// Prints the completions for one shell.
///
/// # Errors
/// Standard output cannot be written to.
pub(super) fn print(arguments: &CompletionsArguments) -> Result<ExitCode, CliError> {
    let shell = match arguments.shell {
        CompletedShell::Bash => Shell::Bash,
        CompletedShell::Fish => Shell::Fish,
        CompletedShell::Zsh => Shell::Zsh,
    };
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "hostler", &mut text);
    output::print(&String::from_utf8_lossy(&text))?;
    Ok(Exit::Success.into())
}
