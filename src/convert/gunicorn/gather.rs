//! Everything that a configuration says, from wherever gunicorn takes it, the strongest last.
//!
//! gunicorn asks, in this order: variables that change its defaults, the settings file, `GUNICORN_CMD_ARGS`, the command
//! line; a socket from systemd replaces every address. What comes later replaces what came before.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::convert::account::{Notice, Origin, Remark};

use super::{
    GunicornError, Input,
    command::{self, Command},
    evaluate::{Evaluated, evaluate, is_module},
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
    /// Whether the value depends on the machine where it was found out.
    pub(super) local: bool,
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
    if let Some(path) = input.file.as_ref().filter(is_unit) {
        gathered.unit = Some(unit::read(path)?);
    }
    let unit = gathered.unit.as_ref();
    let line = command_line(input, unit)?;
    let environment = unit.map_or_else(|| input.environment.clone(), pairs);
    let arguments = arguments(&environment)?;
    let file = input.file.as_deref().filter(|_| unit.is_none());
    gathered.directory = directory(input, unit, file);
    gathered.directory_is_guessed = file.is_some() && input.command.is_empty();
    let configured = line.config().or(arguments.config());
    let found = settings_file(input, file, configured, &gathered.directory);
    if found.is_none() && line.program.is_none() {
        return Err(GunicornError::Missing { path: USUAL.into() });
    }
    let evaluated = match &found {
        Some((_, file)) => run(input, file, &gathered.directory, &line, &environment)?,
        None => Evaluated::default(),
    };
    let by_name = |program: Option<&str>| program.and_then(virtualenv_of);
    gathered.virtualenv = evaluated
        .virtualenv
        .clone()
        .or_else(|| by_name(line.program.as_deref()))
        .or_else(|| by_name(input.python.as_deref()?.to_str()));
    gathered.add_defaults(&environment);
    gathered.add_file(found.map(|(named, _)| named), evaluated);
    gathered.set_app(input, &line);
    gathered.given.extend(arguments.given);
    gathered.given.extend(line.given);
    gathered.add_socket();
    gathered.add_doubts();
    Ok(gathered)
}

/// The settings file as it is named, and where it is: a name on our command line counts from here, one in the
/// configuration from where gunicorn starts, which is also where it looks by itself.
fn settings_file(
    input: &Input,
    file: Option<&Path>,
    configured: Option<&str>,
    directory: &Path,
) -> Option<(PathBuf, PathBuf)> {
    if let Some(file) = file {
        return Some((file.to_owned(), input.directory.join(file)));
    }
    let configured = configured.map(|name| name.strip_prefix("file:").unwrap_or(name));
    let named = PathBuf::from(configured.unwrap_or(USUAL));
    if is_module(&named) {
        return Some((named.clone(), named));
    }
    let path = directory.join(&named);
    (configured.is_some() || path.exists()).then_some((named, path))
}

impl Gathered {
    /// Variables that change gunicorn's defaults.
    fn add_defaults(&mut self, environment: &[(String, String)]) {
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
                    local: false,
                });
            }
        }
    }

    /// What the settings file has set. gunicorn ignores names that it does not know; those that are one letter away
    /// from a setting are told of.
    fn add_file(&mut self, file: Option<PathBuf>, evaluated: Evaluated) {
        let source = file.unwrap_or_default().display().to_string();
        for assigned in evaluated.settings {
            if settings::named(&assigned.name).is_some() || is_misspelt(&assigned) {
                self.given.push(Given {
                    origin: place(&source, assigned.line),
                    name: assigned.name,
                    value: assigned.value,
                    local: assigned.local,
                });
            }
        }
    }

    fn set_app(&mut self, input: &Input, line: &Command) {
        self.app = match (&input.app, &line.app) {
            (Some(name), _) => Some((name.clone(), place("command line", None))),
            (None, Some(name)) => Some((name.clone(), origin_of_command(self.unit.as_ref()))),
            (None, None) => None,
        };
    }

    /// The addresses of a socket unit, which are stronger than anything else.
    fn add_socket(&mut self) {
        let socket = self.unit.as_ref().and_then(|unit| unit.socket.as_ref());
        let Some((socket, binds)) = socket.map(|socket| (socket, socket.binds())) else {
            return;
        };
        if let Some((_, line)) = binds.first() {
            self.given.push(Given {
                name: "bind".to_owned(),
                origin: place(&socket.path.display().to_string(), Some(*line)),
                value: binds.into_iter().map(|(bind, _)| bind).collect(),
                local: false,
            });
        }
    }

    fn add_doubts(&mut self) {
        let Some(unit) = &self.unit else { return };
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
