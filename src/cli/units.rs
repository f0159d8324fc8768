//! `hostler units`, and what the program does as `hostler-generator`.

use std::{
    env,
    ffi::{OsStr, OsString},
    path::{self, Path, PathBuf},
    process::ExitCode,
};

use crate::{
    config,
    systemd::units::{Places, SiteName, Unit, UnitsError, generate, tell, units, write},
};

use super::{arguments::UnitsArguments, error::CliError, exit::Exit, output};

/// By this name the program is a generator (systemd.generator(7)).
const GENERATOR: &str = "hostler-generator";

/// Another root than `/`, for tests.
const ROOT: &str = "HOSTLER_GENERATOR_ROOT";

/// Prints the units of a site, or writes them.
///
/// # Errors
/// The settings cannot be used, or the units cannot be written.
pub(super) fn show(arguments: &UnitsArguments) -> Result<ExitCode, CliError> {
    let settings = config::load(&arguments.file)?;
    let source = path::absolute(&arguments.file).map_err(CliError::WorkingDirectory)?;
    let path = source.clone();
    let site = SiteName::of_file(&source).ok_or(UnitsError::Name { path })?;
    let units = units(&site, &settings, &source);
    match &arguments.output {
        Some(directory) => write(&units, directory)?,
        None => output::print(&printed(&units))?,
    }
    Ok(Exit::Success.into())
}

/// Whether the program was called as the generator.
pub(super) fn is_generator(name: Option<&OsStr>) -> bool {
    let name = name.and_then(|name| Path::new(name).file_name());
    name == Some(OsStr::new(GENERATOR))
}

/// Makes the units of all sites in the directory that systemd names: the first of three, for units of usual priority.
pub(super) fn run_generator(mut arguments: impl Iterator<Item = OsString>) -> ExitCode {
    let root = env::var_os(ROOT).unwrap_or_else(|| "/".into());
    let Some(output) = arguments.next().map(PathBuf::from) else {
        tell(
            "",
            "the directory for the units is missing; systemd gives three",
        );
        return Exit::Usage.into();
    };
    let broken = match generate(&Places::below(Path::new(&root)), &output) {
        Ok(broken) => broken,
        Err(error) => {
            tell("", &output::chain(&error));
            return Exit::Failure.into();
        }
    };
    for site in broken {
        let reason = output::chain(&site.error);
        tell(
            &site.site,
            &match site.kept {
                true => format!("{reason}; the last good units of the site stay"),
                false => format!("{reason}; the site has no socket"),
            },
        );
    }
    Exit::Success.into()
}

/// Each with its name above, as `systemctl cat` shows them.
fn printed(units: &[Unit]) -> String {
    let units = units.iter();
    let units = units.map(|unit| format!("# {}\n{}", unit.path.display(), unit.text));
    units.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: bool) {
        assert_eq!(is_generator(Some(OsStr::new(name))), expected);
    }

    #[test]
    fn the_program_is_a_generator_by_its_name() {
        check("/usr/lib/systemd/system-generators/hostler-generator", true);
        check("hostler-generator", true);
        check("/usr/bin/hostler", false);
        assert!(!is_generator(None));
    }

    #[test]
    fn units_are_printed_under_their_names() {
        let unit = |path: &str| Unit {
            path: path.into(),
            text: "[Unit]\n".to_owned(),
        };
        let printed = printed(&[unit("a.timer"), unit("a.service")]);
        assert_eq!(printed, "# a.timer\n[Unit]\n\n# a.service\n[Unit]\n");
    }
}
