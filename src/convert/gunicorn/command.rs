//! gunicorn's command line: options to settings, as its parser (Python's argparse) takes them.

use serde_json::Value;

use crate::convert::account::Origin;

use super::{
    gather::Given,
    settings::{self, Kind, Setting},
};

/// What is said of any other command line.
pub(super) const NOT_GUNICORN: &str = "it does not start gunicorn";

/// What a command line says.
#[derive(Debug, Default)]
pub(super) struct Command {
    /// In their order; an option that may be repeated is one setting.
    pub(super) given: Vec<Given>,
    /// The application.
    pub(super) app: Option<String>,
    /// The program, where the line began with it.
    pub(super) program: Option<String>,
}

impl Command {
    /// The settings file that it names.
    pub(super) fn config(&self) -> Option<&str> {
        let config = self.given.iter().rfind(|given| given.name == "config")?;
        config.value.as_str()
    }
}

/// Reads a whole command line: `gunicorn ...`, `/path/to/gunicorn ...`, `python -m gunicorn ...`.
///
/// # Errors
/// It is not one of gunicorn's, or has an option that gunicorn would refuse.
pub(super) fn parse(words: &[String], origin: &Origin) -> Result<Command, String> {
    let starts = words.iter().position(|word| is_gunicorn(word));
    let starts = starts.ok_or(NOT_GUNICORN)?;
    let mut command = options(&words[starts + 1..], origin)?;
    command.program = match starts {
        0 => words.first().cloned(),
        _ => words[..starts].iter().find(|word| is_python(word)).cloned(),
    };
    Ok(command)
}

/// Reads options without the program: what stands in `GUNICORN_CMD_ARGS`.
pub(super) fn options(words: &[String], origin: &Origin) -> Result<Command, String> {
    let mut command = Command::default();
    let mut words = words.iter().map(String::as_str);
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            None | Some("") => set_app(&mut command, word),
            Some("-") => words.by_ref().for_each(|word| set_app(&mut command, word)),
            Some(name) => option(&mut command, name, &mut words, origin)?,
        }
    }
    Ok(command)
}

/// The program by its file name, and the module that `python -m` runs.
fn is_gunicorn(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    matches!(name, "gunicorn" | "gunicorn3") || word == "gunicorn.app.wsgiapp"
}

fn is_python(word: &str) -> bool {
    let name = word.rsplit('/').next().unwrap_or(word);
    name.starts_with("python") || name.starts_with("pypy")
}

/// gunicorn takes the first and leaves the rest.
fn set_app(command: &mut Command, word: &str) {
    command.app.get_or_insert_with(|| word.to_owned());
}

/// One word that begins with a hyphen, which `name` is without.
fn option<'w>(
    command: &mut Command,
    name: &str,
    words: &mut (impl Iterator<Item = &'w str> + Clone),
    origin: &Origin,
) -> Result<(), String> {
    if name.starts_with('-') {
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (name, None),
        };
        let setting = long(&format!("-{name}"))?;
        return set(command, setting, value, words, origin);
    }
    // Letters without a value may stand together; what follows one with a value is its value.
    let mut rest = name;
    while let Some(letter) = rest.chars().next() {
        rest = &rest[letter.len_utf8()..];
        let flag = format!("-{letter}");
        let setting = with_flag(&flag).ok_or_else(|| format!("gunicorn has no option {flag}"))?;
        if matches!(setting.kind, Kind::Switch | Kind::Off) {
            set(command, setting, None, words, origin)?;
        } else {
            let value = (!rest.is_empty()).then_some(rest);
            return set(command, setting, value, words, origin);
        }
    }
    Ok(())
}

/// The setting of a long option, which may be cut as long as no other begins so.
fn long(flag: &str) -> Result<&'static Setting, String> {
    if let Some(setting) = with_flag(flag) {
        return Ok(setting);
    }
    let begins = |setting: &&Setting| setting.flags.iter().any(|known| known.starts_with(flag));
    let candidates: Vec<_> = settings::all().iter().filter(begins).collect();
    match candidates[..] {
        [setting] => Ok(setting),
        [] => Err(format!("gunicorn has no option {flag}")),
        _ => Err(format!("{flag} is short for several options")),
    }
}

fn with_flag(flag: &str) -> Option<&'static Setting> {
    let mut all = settings::all().iter();
    all.find(|setting| setting.flags.contains(&flag))
}

fn set<'w>(
    command: &mut Command,
    setting: &'static Setting,
    inline: Option<&str>,
    words: &mut (impl Iterator<Item = &'w str> + Clone),
    origin: &Origin,
) -> Result<(), String> {
    let name = setting.name;
    let value = value_of(setting, inline, words)?;
    let known = command.given.iter_mut().find(|given| given.name == name);
    match (known, setting.kind) {
        (Some(known), Kind::List) => {
            if let Value::Array(list) = &mut known.value {
                list.push(value);
            }
        }
        (Some(known), _) => known.value = value,
        (None, kind) => command.given.push(Given {
            name: name.to_owned(),
            value: match kind {
                Kind::List => Value::from(vec![value]),
                _ => value,
            },
            origin: origin.clone(),
            local: false,
        }),
    }
    Ok(())
}

/// The value of an option: behind `=` or its letter, else the next word.
fn value_of<'w>(
    Setting { name, kind, .. }: &Setting,
    inline: Option<&str>,
    words: &mut (impl Iterator<Item = &'w str> + Clone),
) -> Result<Value, String> {
    match (kind, inline) {
        (Kind::Switch, None) => return Ok(Value::Bool(true)),
        (Kind::Off, None) => return Ok(Value::Bool(false)),
        (Kind::Switch | Kind::Off, Some(value)) => {
            return Err(format!(
                "the option of {name} takes no value, not `{value}`"
            ));
        }
        (_, Some(value)) => return Ok(Value::from(value)),
        (_, None) => {}
    }
    match (words.clone().next().filter(|word| is_value(word)), kind) {
        (Some(value), _) => {
            words.next();
            Ok(Value::from(value))
        }
        (None, Kind::Optional) => Ok(Value::from("auto")),
        (None, _) => Err(format!("the option of {name} has no value")),
    }
}

/// argparse takes a word with a hyphen for an option, but for negative numbers.
fn is_value(word: &str) -> bool {
    match word.strip_prefix('-') {
        Some(rest) => rest.is_empty() || rest.parse::<f64>().is_ok(),
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, String> {
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let origin = Origin {
            source: "command line".into(),
            line: None,
        };
        parse(&words, &origin)
    }

    /// The settings as JSON, and the application.
    #[track_caller]
    fn check(line: &str, expected: &str, app: Option<&str>) {
        let command = read(line).unwrap();
        let given: Vec<String> = command
            .given
            .iter()
            .map(|given| format!("{}={}", given.name, given.value))
            .collect();
        assert_eq!(
            (given.join(" "), command.app.as_deref()),
            (expected.to_owned(), app)
        );
    }

    #[test]
    fn options_are_settings() {
        check(
            "gunicorn shop.wsgi -b 0.0.0.0:8000 -w 4",
            r#"bind=["0.0.0.0:8000"] workers="4""#,
            Some("shop.wsgi"),
        );
        check(
            "/srv/venv/bin/gunicorn --bind=:80 --bind unix:/run/a -w2 -Dn shop --preload a:b c",
            r#"bind=[":80","unix:/run/a"] workers="2" daemon=true proc_name="shop" preload_app=true"#,
            Some("a:b"),
        );
        check(
            "python3 -m gunicorn a --log-file - --no-sendfile",
            r#"errorlog="-" sendfile=false"#,
            Some("a"),
        );
        check(
            "gunicorn --proxy-protocol -t 5 -- a",
            r#"proxy_protocol="auto" timeout="5""#,
            Some("a"),
        );
        check(
            "gunicorn --graceful 5 a",
            r#"graceful_timeout="5""#,
            Some("a"),
        );
        check("gunicorn -w 1 -w 2", r#"workers="2""#, None);
    }

    #[test]
    fn the_program_is_known() {
        let program = |line| read(line).unwrap().program;
        assert_eq!(
            program("/a/bin/gunicorn b").as_deref(),
            Some("/a/bin/gunicorn")
        );
        assert_eq!(
            program("env A=b /a/bin/python -m gunicorn b").as_deref(),
            Some("/a/bin/python")
        );
    }

    #[test]
    fn what_gunicorn_refuses_is_refused() {
        let fault = |line| read(line).unwrap_err();
        assert_eq!(fault("uvicorn a"), "it does not start gunicorn");
        assert_eq!(
            fault("gunicorn --wrkers 2"),
            "gunicorn has no option --wrkers"
        );
        assert_eq!(fault("gunicorn -x"), "gunicorn has no option -x");
        assert_eq!(
            fault("gunicorn --log"),
            "--log is short for several options"
        );
        assert_eq!(fault("gunicorn -w"), "the option of workers has no value");
        assert_eq!(
            fault("gunicorn --preload=1"),
            "the option of preload_app takes no value, not `1`"
        );
    }
}
