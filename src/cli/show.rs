//! Settings as a file that says everything: every key of the schema, in its order, with the value in effect.

use std::fmt::Write;

use toml::{Table, Value};

use crate::config::{Settings, Shape, shape};

/// A text that loads as the same settings. A key that has no value stands there as a comment.
///
/// # Errors
/// A value has no form in TOML; the loader lets none through.
pub(super) fn as_toml(settings: &Settings) -> Result<String, toml::ser::Error> {
    let values = Table::try_from(settings)?;
    let mut text = String::new();
    write_sections(&[], &values, &mut text);
    Ok(text)
}

/// The sections inside of `outer`, which has these values.
fn write_sections(outer: &[&str], values: &Table, text: &mut String) {
    for name in shape(outer).keys().unwrap_or_default() {
        let path = [outer, &[name]].concat();
        let shape = shape(&path);
        match (shape, values.get(*name)) {
            (Shape::Section(_), Some(Value::Table(table))) => {
                write_section(&format!("[{}]", path.join(".")), &path, table, text);
            }
            (Shape::Sections(_), Some(Value::Array(tables))) => {
                for table in tables.iter().filter_map(Value::as_table) {
                    write_section(&format!("[[{}]]", path.join(".")), &path, table, text);
                }
            }
            _ => {}
        }
    }
}

/// The values of a section, then the sections inside of it: TOML knows no way back.
fn write_section(header: &str, path: &[&str], values: &Table, text: &mut String) {
    if !text.is_empty() {
        text.push('\n');
    }
    // Writing to a string cannot fail.
    let _ = writeln!(text, "{header}");
    for key in shape(path).keys().unwrap_or_default() {
        if shape(&[path, &[key]].concat()).keys().is_some() {
            continue;
        }
        let _ = match values.get(*key) {
            Some(value) => writeln!(text, "{key} = {value}"),
            None => writeln!(text, "# {key} is not set"),
        };
    }
    write_sections(path, values, text);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::parse;

    #[track_caller]
    fn check(text: &str) -> String {
        let settings = parse(text, Path::new("/srv/shop/site.toml")).unwrap();
        let shown = as_toml(&settings).unwrap();
        assert_eq!(
            parse(&shown, Path::new("/elsewhere/site.toml")).unwrap(),
            settings
        );
        shown
    }

    #[test]
    fn what_is_shown_loads_as_the_same_settings() {
        check(
            "[app]\nfile = \"app.py\"\nargv = [\"-v\", \"\"]\npython-path = [\"lib\"]\n\
             [app.env]\nA = \"1\"\n\"odd name\" = \"\\u0001 \\\"\"\n\
             [[listen]]\naddress = \":80\"\n[[listen]]\naddress = \"/run/a\"\nmode = \"0600\"\n\
             [http]\nmax-body = 1000\n[timeouts]\nsocket = \"250ms\"\n[log]\nto = [\"stderr\"]\n\
             [workers]\nprocesses = 4\n[workers.cheaper]\nminimum = 2\nidle = \"10min\"\n",
        );
    }

    #[test]
    fn every_key_is_shown_once() {
        let shown = check(
            "app.module = \"a\"\n\
             listen = [{ address = \":80\", sni = [{ host = \"a\", certificate = \"a\", key = \"a\" }], \
             protocol = \"https\", certificate = \"a\", key = \"a\" }]\n\
             mount = [{ path = \"/a\", module = \"a\" }]\n\
             static.expires = [{ type = \"text/css\", after = \"1d\" }]\n\
             cgi = [{ path = \"/a\", directory = \"a\" }]\n\
             route = [{ deny = 403 }]\n\
             timer = [{ name = \"a\", command = [\"a\"], every = 60 }]\n\
             daemon = [{ name = \"a\", command = [\"a\"] }]\n",
        );
        let mut open = vec![Vec::new()];
        while let Some(section) = open.pop() {
            for key in shape(&section).keys().unwrap_or_default() {
                open.push([&section[..], &[key]].concat());
            }
            if shape(&section).keys().is_some() && !section.is_empty() {
                check_shown(&shown, &section);
            }
        }
    }

    #[track_caller]
    fn check_shown(shown: &str, section: &[&str]) {
        let header = format!("[{}]", section.join("."));
        let (_, of_section) = shown.split_once(&header).unwrap();
        let of_section = of_section.split("\n[").next().unwrap();
        for key in shape(section).keys().unwrap() {
            let is_it = |line: &&str| line.trim_start_matches("# ").split(' ').next() == Some(key);
            let times = usize::from(shape(&[section, &[key]].concat()).keys().is_none());
            assert_eq!(
                of_section.lines().filter(is_it).count(),
                times,
                "{header} {key}"
            );
        }
    }
}
