//! The reader as the comparison with uWSGI (`tests/convert`) and the fuzz target see it.

use super::{Format, Input, Machine, collected, read, surroundings::Surroundings};

/// What `uwsgi WORDS` would print with `--show-config` among the words: the options in the order in which they were
/// collected, with their values; a flag without a value is `true`.
///
/// # Errors
/// Why uWSGI would not start.
pub fn show_config(
    words: &[&str],
    directory: &str,
    variables: &[(&str, &str)],
) -> Result<Vec<(String, String)>, String> {
    let variables = variables.iter();
    let variables = variables.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let machine = Machine::at(directory.to_owned(), variables.collect());
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    let reader =
        collected(&[Input::CommandLine(words)], &machine).map_err(|error| error.to_string())?;
    if let Some(refusal) = reader.notes.refusals.first() {
        return Err(refusal.clone());
    }
    let items = reader.list.items.into_iter();
    let pairs = items.filter(|item| item.is_named).map(|item| {
        let value = item.pair.value.unwrap_or_else(|| "true".to_owned());
        (item.pair.name, value)
    });
    Ok(pairs.collect())
}

/// Reads bytes as a configuration in each format and as a command line, on a machine where there is nothing but this
/// one file; gives the number of lines that are in the account.
pub fn read_bytes(bytes: &[u8]) -> usize {
    let machine = Empty(bytes);
    let text = |format| Input::Text {
        name: "fuzz".to_owned(),
        text: bytes.to_vec(),
        format,
    };
    let words = String::from_utf8_lossy(bytes);
    let words = words.split('\n').map(str::to_owned).collect();
    let inputs = [
        text(None),
        text(Some(Format::Ini)),
        text(Some(Format::Json)),
        text(Some(Format::Xml)),
        text(Some(Format::Yaml)),
        Input::CommandLine(words),
        Input::Unit {
            path: "/fuzz.service".to_owned(),
        },
        Input::from_argument("/fuzz.ini"),
    ];
    let readings = inputs
        .into_iter()
        .filter_map(|input| read(&[input], &machine).ok());
    readings
        .map(|reading| reading.options.len() + reading.used.len() + reading.notices.len())
        .sum()
}

/// A machine on which every path is the same file.
struct Empty<'a>(&'a [u8]);

impl Surroundings for Empty<'_> {
    fn variables(&self) -> Vec<(String, String)> {
        vec![("HOME".to_owned(), "/home".to_owned())]
    }

    fn directory(&self) -> String {
        "/".to_owned()
    }

    fn host_name(&self) -> String {
        "host".to_owned()
    }

    fn cpus(&self) -> usize {
        1
    }

    fn identity(&self) -> super::Identity {
        super::Identity {
            uid: 1,
            user: "user".to_owned(),
            gid: 1,
            group: "group".to_owned(),
        }
    }

    fn now(&self) -> (u64, u32) {
        (0, 0)
    }

    fn uwsgi_version(&self) -> String {
        "2.0.31".to_owned()
    }

    fn uwsgi_path(&self) -> String {
        "/usr/bin/uwsgi".to_owned()
    }

    fn kind(&self, path: &str) -> Option<super::Kind> {
        (!path.is_empty()).then_some(super::Kind::File)
    }

    fn readable(&self, _path: &str) -> bool {
        true
    }

    fn is_link(&self, _path: &str) -> bool {
        false
    }

    fn inode(&self, _path: &str) -> Option<u64> {
        None
    }

    fn canonical(&self, _path: &str) -> Option<String> {
        None
    }

    fn entries(&self, _path: &str) -> Vec<String> {
        vec!["a.ini".to_owned()]
    }

    fn read(&self, path: &str, _limit: u64) -> std::io::Result<Vec<u8>> {
        if path.starts_with("/fuzz") {
            Ok(self.0.to_vec())
        } else {
            Ok(b"[uwsgi]\nfoo = %(bar)\n".to_vec())
        }
    }

    fn address(&self, _host: &str) -> Option<String> {
        None
    }
}
