//! Everything that a configuration says, from wherever gunicorn takes it, the strongest last.
//!
//! gunicorn asks, in this order: variables that change its defaults, the settings file, `GUNICORN_CMD_ARGS`, the command
//! line. What comes later replaces what came before.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::convert::account::{Notice, Origin, Remark};

use super::{
    GunicornError, Input,
    command::{self, Command},
    evaluate::{Evaluated, evaluate},
    settings,
    unit::{self, Unit},
    words,
};

/// Where gunicorn looks for its settings.
const USUAL: &str = "gunicorn.conf.py";

/// Variables that change a default, and the setting that they change.
const DEFAULTS: &[(&str, &str)] = &[
    ("FORWARDED_ALLOW_IPS", "forwarded_allow_ips"),
    ("PORT", "bind"),
    ("WEB_CONCURRENCY", "workers"),
];

/// One setting where it was given.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Given {
    /// As it was written; not every one is a setting.
    pub(super) name: String,
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// All there is.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    /// The weakest first.
    pub(super) given: Vec<Given>,
    /// The application on the command line.
    pub(super) app: Option<(String, Origin)>,
    /// Where gunicorn was started.
    pub(super) directory: PathBuf,
    /// Whether nothing but the place of the file says so.
    pub(super) directory_is_guessed: bool,
    /// The virtual environment that gunicorn runs in.
    pub(super) virtualenv: Option<PathBuf>,
    /// The unit that starts it.
    pub(super) unit: Option<Unit>,
    /// What belongs to no setting.
    pub(super) notices: Vec<Notice>,
}

/// Reads everything that `input` names, and runs the settings file.
pub(super) fn gather(input: &Input) -> Result<Gathered, GunicornError> {
    let mut gathered = Gathered::default();
    let is_unit = |path: &&PathBuf| path.extension().is_some_and(|kind| kind == "service");
    let unit = input.file.as_ref().filter(is_unit);
    if let Some(path) = unit {
        gathered.unit = Some(unit::read(path)?);
    }
    let line = command_line(input, gathered.unit.as_ref())?;
    let environment = match &gathered.unit {
        Some(unit) => pairs(unit),
        None => input.environment.clone(),
    };
    let arguments = arguments(&environment)?;
    let file = match unit {
        Some(_) => None,
        None => input.file.as_deref(),
    };
    gathered.directory = directory(input, gathered.unit.as_ref(), file);
    gathered.directory_is_guessed = file.is_some() && input.command.is_empty();
    let named = line.config().or(arguments.config()).map(PathBuf::from);
    let file = file
        .map(Path::to_owned)
        .or(named)
        .map(|file| gathered.directory.join(file));
    let usual = gathered.directory.join(USUAL);
    let file = file.or(Some(usual).filter(|usual| usual.exists()));
    if file.is_none() && line.program.is_none() {
        return Err(GunicornError::Missing { path: USUAL.into() });
    }
    let evaluated = match &file {
        Some(file) => run(input, file, &gathered.directory, &line, &environment)?,
        None => Evaluated::default(),
    };
    let by_program = line.program.as_deref().and_then(virtualenv_of);
    gathered.virtualenv = evaluated.virtualenv.clone().or(by_program).or_else(|| {
        let python = input.python.as_deref()?.to_str()?;
        virtualenv_of(python)
    });
    gathered.add(
        &environment,
        file.as_deref(),
        evaluated,
        arguments,
        line,
        input,
    );
    Ok(gathered)
}

impl Gathered {
    fn add(
        &mut self,
        environment: &[(String, String)],
        file: Option<&Path>,
        evaluated: Evaluated,
        arguments: Command,
        line: Command,
        input: &Input,
    ) {
        for (variable, setting) in DEFAULTS {
            if let Some((_, value)) = environment.iter().rfind(|(name, _)| name == variable) {
                let value = match *setting {
                    "bind" => format!("0.0.0.0:{value}"),
                    _ => value.clone(),
                };
                self.given.push(Given {
                    name: (*setting).to_owned(),
                    value: Value::from(value),
                    origin: place(&format!("${variable}"), None),
                });
            }
        }
        let source = file
            .map(|file| file.display().to_string())
            .unwrap_or_default();
        for assigned in evaluated.settings {
            if settings::named(&assigned.name).is_some() || is_misspelt(&assigned) {
                self.given.push(Given {
                    origin: place(&source, assigned.line),
                    name: assigned.name,
                    value: assigned.value,
                });
            }
        }
        let app = |app: &str, origin| Some((app.to_owned(), origin));
        let origin = line.given.first().map(|given| given.origin.clone());
        self.app = match (&input.app, &line.app) {
            (Some(name), _) => app(name, place("command line", None)),
            (None, Some(name)) => app(name, origin.unwrap_or(self.origin_of_command())),
            (None, None) => None,
        };
        self.given.extend(arguments.given);
        self.given.extend(line.given);
        if let Some(unit) = &self.unit {
            let source = unit.path.display().to_string();
            self.notices
                .extend(unit.doubts.iter().map(|(line, text)| Notice {
                    origin: place(&source, Some(*line)),
                    remark: Remark {
                        text: text.clone(),
                        needs_human: true,
                    },
                }));
        }
    }

    fn origin_of_command(&self) -> Origin {
        origin_of_command(self.unit.as_ref())
    }
}

fn origin_of_command(unit: Option<&Unit>) -> Origin {
    match unit {
        Some(unit) => place(&unit.path.display().to_string(), Some(unit.command_line)),
        None => place("command line", None),
    }
}

fn place(source: &str, line: Option<u32>) -> Origin {
    Origin {
        source: source.into(),
        line,
    }
}

/// The command line of the unit, or the one behind `--`.
fn command_line(input: &Input, unit: Option<&Unit>) -> Result<Command, GunicornError> {
    let origin = origin_of_command(unit);
    let words = unit.map_or(&input.command, |unit| &unit.command);
    if words.is_empty() {
        return Ok(Command::default());
    }
    command::parse(words, &origin).map_err(|reason| GunicornError::Command {
        source_name: origin.to_string(),
        reason,
    })
}

/// What stands in `GUNICORN_CMD_ARGS`.
fn arguments(environment: &[(String, String)]) -> Result<Command, GunicornError> {
    const NAME: &str = "GUNICORN_CMD_ARGS";
    let Some((_, text)) = environment.iter().rfind(|(name, _)| name == NAME) else {
        return Ok(Command::default());
    };
    let origin = place("$GUNICORN_CMD_ARGS", None);
    let command = words::split(text).and_then(|words| command::options(&words, &origin));
    command.map_err(|reason| GunicornError::Command {
        source_name: NAME.to_owned(),
        reason,
    })
}

fn pairs(unit: &Unit) -> Vec<(String, String)> {
    let pairs = unit.environment.iter();
    pairs
        .map(|(name, value, _)| (name.clone(), value.clone()))
        .collect()
}

/// Where gunicorn was started: where the unit says, where the file lies that it finds by itself, else here.
fn directory(input: &Input, unit: Option<&Unit>, file: Option<&Path>) -> PathBuf {
    if let Some(unit) = unit {
        // systemd's own default.
        return PathBuf::from(unit.directory.as_deref().unwrap_or("/"));
    }
    let is_usual = |file: &&Path| file.file_name().is_some_and(|name| name == USUAL);
    let beside = file.filter(is_usual).and_then(Path::parent);
    input.directory.join(beside.unwrap_or(Path::new("")))
}

fn run(
    input: &Input,
    file: &Path,
    directory: &Path,
    line: &Command,
    environment: &[(String, String)],
) -> Result<Evaluated, GunicornError> {
    let beside = line.program.as_deref().and_then(virtualenv_of);
    let beside = beside.map(|directory| directory.join("bin/python"));
    let python = match (&input.python, beside.filter(|python| python.exists())) {
        (Some(python), _) => python.clone(),
        (None, Some(python)) => python,
        (None, None) => PathBuf::from("python3"),
    };
    // The directory of a unit need not be on this machine.
    let directory = if directory.is_dir() {
        directory
    } else {
        &input.directory
    };
    evaluate(&python, file, directory, environment)
}

/// The environment whose `bin` has this program.
fn virtualenv_of(program: &str) -> Option<PathBuf> {
    let bin = Path::new(program).parent()?;
    let prefix = bin.parent().filter(|_| bin.ends_with("bin"))?;
    let is_system = ["", "/", "/usr", "/usr/local"]
        .iter()
        .any(|known| prefix == Path::new(known));
    (!is_system && prefix.is_absolute()).then(|| prefix.to_owned())
}

/// Whether a name of the file is one letter away from a setting, and has a value that one could have.
fn is_misspelt(assigned: &super::evaluate::Assigned) -> bool {
    let is_plain = !assigned.value.is_object();
    assigned.line.is_some() && is_plain && settings::nearest(&assigned.name).is_some()
}
