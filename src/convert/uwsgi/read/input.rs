//! What can be read: files, texts, command lines, systemd units.

/// Something that holds a configuration of uWSGI, or a part of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// The words of a command line; the first may be the program.
    CommandLine(Vec<String>),
    /// A file, as `--ini` and the like read it.
    File {
        /// As it was given.
        path: String,
        /// `prod` of `old.ini:prod`.
        section: Option<String>,
    },
    /// A text that is in no file, such as standard input.
    Text {
        /// How it is called in messages.
        name: String,
        /// Its bytes.
        text: Vec<u8>,
        /// `None`: whatever it looks like.
        format: Option<Format>,
    },
    /// A systemd unit: the command line in its `ExecStart=`, with its environment and directory.
    Unit {
        /// As it was given.
        path: String,
    },
}

impl Input {
    /// What an argument like `old.ini`, `old.ini:prod` or `old.service` means.
    pub(crate) fn from_argument(argument: &str) -> Self {
        if argument.ends_with(".service") {
            return Self::Unit {
                path: argument.to_owned(),
            };
        }
        // The last colon counts, as it does for uWSGI.
        let (path, section) = match argument.rsplit_once(':') {
            Some((path, section)) if !path.is_empty() && !section.contains('/') => {
                (path, Some(section).filter(|section| !section.is_empty()))
            }
            _ => (argument, None),
        };
        Self::File {
            path: path.to_owned(),
            section: section.map(str::to_owned),
        }
    }
}

/// How a configuration is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Sections in brackets, `key = value`.
    Ini,
    /// An object for each section.
    Json,
    /// Elements below `<uwsgi>`.
    Xml,
    /// A mapping for each section.
    Yaml,
}

impl Format {
    /// From the ending of a file's name, as `include` and arguments of the command line do it.
    pub(super) fn of_name(name: &str) -> Option<Self> {
        let ending = name.rsplit_once('.')?.1;
        match ending {
            "ini" => Some(Self::Ini),
            "json" | "js" => Some(Self::Json),
            "xml" => Some(Self::Xml),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }

    /// From the first thing in a text that is no comment.
    pub(super) fn of_text(text: &str) -> Self {
        let text = text.trim_start_matches('\u{feff}');
        let first = text
            .lines()
            .map(str::trim)
            .find(|line| !line.is_empty() && !line.starts_with(['#', ';']));
        match first {
            // `{{ x }}` and `{% x %}` are marks of templates, which are ini files nearly always.
            Some(line)
                if line.starts_with('{') && !line.starts_with("{{") && !line.starts_with("{%") =>
            {
                Self::Json
            }
            Some(line) if line.starts_with('<') && !line.starts_with("<%") => Self::Xml,
            Some("---") => Self::Yaml,
            Some(line) if line.ends_with(':') && !line.contains('=') => Self::Yaml,
            _ => Self::Ini,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_argument_names_a_file_and_maybe_a_section() {
        let check = |argument: &str, path: &str, section: Option<&str>| {
            let expected = Input::File {
                path: path.to_owned(),
                section: section.map(str::to_owned),
            };
            assert_eq!(Input::from_argument(argument), expected);
        };
        check("old.ini", "old.ini", None);
        check("old.ini:prod", "old.ini", Some("prod"));
        check("old.ini:", "old.ini", None);
        check("/etc/a:b/old.ini", "/etc/a:b/old.ini", None);
    }

    #[test]
    fn a_text_is_what_it_looks_like() {
        let check = |text, expected| assert_eq!(Format::of_text(text), expected, "{text}");
        check("[uwsgi]\na = b", Format::Ini);
        check("; x\n\na = b", Format::Ini);
        check("{% if x %}\n[uwsgi]", Format::Ini);
        check("# x\nuwsgi:\n  a: b", Format::Yaml);
        check(" {\"uwsgi\": {}}", Format::Json);
        check("<uwsgi>", Format::Xml);
    }
}
