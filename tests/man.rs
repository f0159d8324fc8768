//! The manual pages: they are made without complaint, and say what the documents and the program say.

use std::{collections::BTreeSet, fs, process::Command};

use crate::support::{root, site::program};

/// Commands with a help text of their own.
const COMMANDS: [&[&str]; 16] = [
    &["check"],
    &["compare"],
    &["convert-gunicorn"],
    &["convert-ini"],
    &["doctor"],
    &["log", "reopen"],
    &["reload"],
    &["run"],
    &["schema"],
    &["serve"],
    &["status"],
    &["stop"],
    &["top"],
    &["units"],
    &["worker", "recycle"],
    &["worker", "stack"],
];

/// All there are.
const PAGES: [&str; 6] = [
    "hostler.1",
    "hostler-access-log.7",
    "hostler-convert-ini.1",
    "hostler.toml.5",
    "hostler-signals.7",
    "hostler@.service.8",
];

/// Looks like a setting, and is something else.
const FOREIGN: &[&str] = &["options", "service.md", "uwsgi.ini"];

/// Output of a command that must succeed and say nothing else.
#[track_caller]
fn output(command: &mut Command) -> String {
    let output = command
        .output()
        .expect("scdoc and mandoc; `make test` installs them");
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {complaints}");
    assert_eq!(complaints, "", "{command:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The text of a page, every run of white space as one blank.
fn page(name: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join(name);
    let source = root().join("man").join(format!("{name}.scd"));
    let roff = output(Command::new(root().join("tools/manual")).arg(source));
    fs::write(&file, roff).unwrap();
    let complaints = output(Command::new("mandoc").args(["-T", "lint"]).arg(&file));
    assert_eq!(complaints, "");
    let shown = Command::new("man")
        .args(["--warnings=all", "-l"])
        .arg(&file)
        .env("MANPAGER", "cat")
        .output();
    let complaints = shown.expect("man; `make test` installs it").stderr;
    assert_eq!(String::from_utf8_lossy(&complaints), "");
    let text = output(
        Command::new("mandoc")
            .args(["-T", "utf8", "-O", "width=1000"])
            .arg(&file),
    );
    one_line(&without_overstrikes(&text))
}

/// Bold is a character over itself, italic one over an underscore.
fn without_overstrikes(text: &str) -> String {
    let mut plain = String::new();
    for character in text.chars() {
        match character {
            '\u{8}' => _ = plain.pop(),
            other => plain.push(other),
        }
    }
    plain
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A cell of a table as a page has it; what becomes of links is not looked at.
fn plain(cell: &str) -> Option<String> {
    (!cell.contains("](")).then(|| one_line(&cell.replace("**", "").replace('`', "")))
}

/// Cells of the rows of all tables of a document.
fn rows(document: &str) -> Vec<Vec<String>> {
    let text = fs::read_to_string(root().join("docs").join(document)).unwrap();
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.contains("---"));
    let cells = |row: &str| {
        row.trim()
            .trim_matches('|')
            .split(" | ")
            .map(|cell| cell.trim().to_owned())
            .collect()
    };
    rows.map(cells).collect()
}

#[test]
fn every_setting_is_in_its_page_with_its_default() {
    let page = page("hostler.toml.5");
    let settings: Vec<_> = rows("settings.md")
        .into_iter()
        .filter(|row| row.len() == 4 && row[0] != "Key")
        .collect();
    assert!(settings.len() > 100, "{settings:#?}");
    for row in settings {
        let [key, kind, default] = [0, 1, 2].map(|column| row[column].replace('`', ""));
        let default = match default.as_str() {
            "not set" => String::new(),
            "required" => ", required".to_owned(),
            value => format!(", default {value}"),
        };
        let meaning = plain(&row[3])
            .map(|meaning| format!(" {meaning}"))
            .unwrap_or_default();
        let entry = format!(" {key} ({kind}{default}){meaning}");
        assert!(page.contains(&entry), "{entry}");
    }
}

/// Every cell of every table of a document is in the page that is made of it.
#[track_caller]
fn check_tables(document: &str, name: &str, headings: &[&str]) {
    let page = page(name);
    for cell in rows(document)
        .iter()
        .skip(1)
        .flatten()
        .filter_map(|cell| plain(cell))
    {
        let is_title = |title: &&str| *title == cell;
        assert!(
            headings.iter().any(is_title) || page.contains(&cell),
            "{cell}"
        );
    }
}

#[test]
fn the_page_of_the_units_has_what_the_document_has() {
    let headings = [
        "In the settings",
        "In the units",
        "Name",
        "Exposure",
        "For",
        "What it does",
        "I want to",
        "Command",
    ];
    check_tables("service.md", "hostler@.service.8", &headings);
}

#[test]
fn the_page_of_the_access_log_has_what_the_document_has() {
    check_tables(
        "access-log.md",
        "hostler-access-log.7",
        &["Form", "The line", "Variable", "Value"],
    );
}

#[test]
fn the_page_of_the_signals_has_what_the_document_has() {
    let headings = [
        "Code",
        "Meaning",
        "Signal",
        "What happens",
        "Event",
        "Level",
        "Message",
    ];
    check_tables("signals.md", "hostler-signals.7", &headings);
}

/// Words that begin with two hyphens.
fn flags(text: &str) -> BTreeSet<String> {
    let words =
        text.split(|character: char| !character.is_ascii_alphanumeric() && character != '-');
    words
        .filter(|word| word.starts_with("--") && word.len() > 2)
        .map(str::to_owned)
        .collect()
}

/// Whether a page has every flag of these commands, and with its default, and no other flag. Gives what `--help` says.
#[track_caller]
fn check_flags(page: &str, commands: &[&[&str]], others: &[&str]) {
    let mut known: BTreeSet<String> = others.iter().map(|&flag| flag.to_owned()).collect();
    for command in commands {
        let name = format!("hostler {} ", command.join(" "));
        assert!(page.contains(&name) || page.contains(&name[8..]), "{name}");
        let help = one_line(&output(program().args(*command).arg("--help")));
        // Examples may be of other programs.
        known.extend(flags(help.split("Examples:").next().unwrap()));
        let defaults = help
            .split("[default: ")
            .skip(1)
            .filter_map(|rest| rest.split(']').next());
        for default in defaults {
            assert!(page.contains(&format!("Default: {default}.")), "{default}");
        }
    }
    assert_eq!(flags(page), known);
}

#[test]
fn every_command_and_flag_is_in_its_page_with_its_default() {
    let apart = |command: &&[&str]| **command == ["convert-ini"];
    let (convert, commands): (Vec<_>, Vec<_>) =
        COMMANDS.iter().copied().partition(|each| apart(each));
    let main = page("hostler.1");
    check_flags(&main, &commands, &["--version"]);
    check_flags(&page("hostler-convert-ini.1"), &convert, &[]);
    let help = output(program().arg("--help"));
    let listed = help.split("Commands:\n").nth(1).unwrap();
    let listed = listed.split("\n\n").next().unwrap().lines();
    let names: BTreeSet<_> = listed
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert_eq!(names, COMMANDS.iter().map(|command| command[0]).collect());
    assert!(names.iter().all(|name| main.contains(&format!(" {name} "))));
}

/// Names of sections, and of keys with their sections, as the table of the settings has them.
fn keys() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("docs/settings.md")).unwrap();
    let mut section = String::new();
    let mut keys = BTreeSet::new();
    for line in text.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.trim_matches(['[', ']', '`']).to_owned();
            keys.insert(section.clone());
        } else if let Some(row) = line.strip_prefix("| `") {
            keys.insert(format!("{section}.{}", row.split('`').next().unwrap()));
        }
    }
    keys
}

/// What a page calls a key is one, and what it calls a section, too.
#[test]
fn no_page_speaks_of_a_setting_that_there_is_not() {
    let keys = keys();
    let sections: BTreeSet<_> = keys
        .iter()
        .filter_map(|key| key.split('.').next())
        .collect();
    let is_name = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c == '-' || c == '.')
    };
    let mut seen = 0;
    for name in PAGES {
        let page = page(name);
        for word in page.split([' ', '(', ')', ',', ';', ':', '"']) {
            let word = word.trim_end_matches('.');
            let titled = word
                .strip_prefix('[')
                .and_then(|word| word.strip_suffix(']'));
            let titled = titled
                .map(|word| word.trim_matches(['[', ']']))
                .filter(|word| is_name(word));
            let dotted = word
                .split_once('.')
                .filter(|(section, _)| sections.contains(section));
            let meant = titled.or(dotted.map(|_| word)).filter(|word| is_name(word));
            if let Some(meant) = meant.filter(|word| !FOREIGN.contains(word)) {
                assert!(keys.contains(meant), "{name}: {word}");
                seen += 1;
            }
        }
    }
    assert!(seen > 50, "{seen}");
}
