//! What the documents say of the program is true: every setting with its default, every message, every link.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::support::{root, site::program};

/// Section and key, and the default as it is written in TOML; `None`: the key is not set.
type Defaults = BTreeMap<(String, String), Option<String>>;

/// What a file must have, and one of each section that there can be several of; everything else in `check --show` is a
/// default.
const SMALLEST: &str = "app.module = \"x\"\n\
    listen = [{ address = \":1\", sni = [{ host = \"x\", certificate = \"x\", key = \"x\" }], \
                protocol = \"https\", certificate = \"x\", key = \"x\" }]\n\
    mount = [{ path = \"/x\", module = \"x\" }]\n\
    static.expires = [{ type = \"x/x\", after = 1 }]\n\
    cgi = [{ path = \"/x\", directory = \"x\" }]\n\
    route = [{ deny = 404 }]\n\
    timer = [{ name = \"x\", command = [\"x\"], every = 1 }]\n\
    daemon = [{ name = \"x\", command = [\"x\"] }]\n";

/// What that file gives, and nobody has by default; `None`: the key is not set.
const GIVEN: [(&str, &str, Option<&str>); 10] = [
    ("app", "module", None),
    ("listen", "protocol", Some("\"http\"")),
    ("listen", "certificate", None),
    ("listen", "key", None),
    ("mount", "path", Some("\"\"")),
    ("mount", "module", None),
    ("static.expires", "type", None),
    ("cgi", "directory", None),
    ("route", "deny", None),
    ("timer", "every", Some("\"0\"")),
];

/// Keys without which their section is not complete.
const NEEDED: [(&str, &str); 10] = [
    ("listen", "address"),
    ("listen.sni", "host"),
    ("listen.sni", "certificate"),
    ("listen.sni", "key"),
    ("static.expires", "after"),
    ("cgi", "path"),
    ("timer", "name"),
    ("timer", "command"),
    ("daemon", "name"),
    ("daemon", "command"),
];

/// Stands in the document where a key has no default.
const REQUIRED: &str = "required";

fn defaults_of_the_program() -> Defaults {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("site.toml");
    fs::write(&file, SMALLEST).unwrap();
    let output = program()
        .args(["check", "--show"])
        .arg(&file)
        .output()
        .unwrap();
    let mut defaults = Defaults::new();
    let mut section = String::new();
    for line in String::from_utf8(output.stdout).unwrap().lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = name.trim_matches(['[', ']']).to_owned();
        } else if let Some(key) = line
            .strip_prefix("# ")
            .and_then(|rest| rest.strip_suffix(" is not set"))
        {
            defaults.insert((section.clone(), key.to_owned()), None);
        } else if let Some((key, value)) = line.split_once(" = ") {
            defaults.insert((section.clone(), key.to_owned()), Some(value.to_owned()));
        }
    }
    assert!(defaults.len() > 20, "{defaults:?}");
    defaults
}

fn defaults_of_the_document() -> Defaults {
    let mut defaults = Defaults::new();
    let mut section = String::new();
    for line in fs::read_to_string(root().join("docs/settings.md"))
        .unwrap()
        .lines()
    {
        if let Some(title) = line.strip_prefix("## ") {
            section = title.trim_matches(['[', ']']).to_owned();
        } else if let Some(row) = line.strip_prefix("| `") {
            let cells: Vec<&str> = row.split(" | ").collect();
            let default = match cells[2] {
                "not set" => None,
                "required" => Some(REQUIRED.to_owned()),
                value => Some(value.trim_matches('`').to_owned()),
            };
            defaults.insert(
                (section.clone(), cells[0].trim_end_matches('`').to_owned()),
                default,
            );
        }
    }
    defaults
}

#[test]
fn every_setting_is_documented_with_its_default() {
    let mut program = defaults_of_the_program();
    for (section, key, default) in GIVEN {
        let default = default.map(str::to_owned);
        assert!(
            program
                .insert((section.into(), key.into()), default)
                .is_some()
        );
    }
    for (section, key) in NEEDED {
        let key = (section.to_owned(), key.to_owned());
        assert!(program.insert(key, Some(REQUIRED.to_owned())).is_some());
    }
    assert_eq!(defaults_of_the_document(), program);
}

fn sources() -> String {
    let mut text = String::new();
    let mut directories = vec![root().join("src")];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                text += &fs::read_to_string(path).unwrap();
            }
        }
    }
    text
}

/// Messages in the tables of a text, each in the column of this number.
fn messages(text: &str, column: usize) -> Vec<&str> {
    let rows = text
        .lines()
        .filter(|line| line.starts_with("| ") && !line.contains("---"));
    let cells = rows.filter_map(|row| row.split(" | ").nth(column));
    cells
        .flat_map(|cell| cell.split('`').skip(1).step_by(2))
        .collect()
}

/// The table under "What the log says", and those of the limits: whoever searches the log for these words has to find
/// them.
#[test]
fn every_documented_message_is_logged() {
    let sources = sources();
    let document = |name| fs::read_to_string(root().join("docs").join(name)).unwrap();
    let (signals, limits) = (document("signals.md"), document("limits.md"));
    let table = signals
        .split("## What the log says")
        .nth(1)
        .expect("the table of messages");
    let table = table.split("\n## ").next().unwrap();
    let (signals, limits) = (messages(table, 2), messages(&limits, 1));
    assert!(
        signals.len() > 10 && limits.len() > 10,
        "{signals:?} {limits:?}"
    );
    let unknown: Vec<&str> = [signals, limits]
        .concat()
        .into_iter()
        .filter(|message| !sources.contains(&format!("\"{message}")))
        .collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}

fn documents() -> Vec<PathBuf> {
    let directories = [
        "",
        "docs",
        "benches",
        "examples/django",
        "examples/flask",
        "examples/grafana",
        "fuzz",
        "tests/wire",
    ];
    let entries = directories
        .iter()
        .flat_map(|directory| fs::read_dir(root().join(directory)).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .collect()
}

/// Targets of the links of a document that stay in the repository.
fn links(text: &str) -> Vec<&str> {
    let targets = text
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next());
    targets
        .filter(|target| !target.contains("://") && !target.starts_with('#'))
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut broken = Vec::new();
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        let here: &Path = document.parent().unwrap();
        let targets = links(&text)
            .into_iter()
            .map(|target| target.split('#').next().unwrap());
        broken.extend(
            targets
                .filter(|target| !here.join(target).exists())
                .map(|target| format!("{}: {target}", document.display())),
        );
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

/// Lines of the blocks that people type, without what is said behind them; those that end with a backslash joined.
fn typed(text: &str) -> Vec<String> {
    let blocks = text.split("\n```sh\n").skip(1);
    let blocks = blocks.filter_map(|rest| rest.split("\n```").next());
    let lines = blocks.flat_map(|block| {
        let joined = block.replace("\\\n", " ");
        joined.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let commands = lines.map(|line| line.split(" #").next().unwrap().trim().to_owned());
    commands.filter(|line| !line.is_empty()).collect()
}

/// A command of ours and what is behind it, where a line has one.
fn of_ours(line: &str) -> Option<Vec<&str>> {
    let (_, rest) = line.split_once("hostler ").filter(|(before, _)| {
        ["", "sudo ", "podman "].contains(before) || before.ends_with("; ")
    })?;
    Some(rest.split_whitespace().collect())
}

/// README.md and docs/first-site.md are typed by `systemd::first_steps`, docs/recipes.md by `systemd::recipes`; all others
/// name commands and flags that there are.
#[test]
fn every_command_of_the_documents_exists() {
    let mut seen = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).unwrap();
        for line in typed(&text) {
            let Some(words) = of_ours(&line).filter(|words| !words[0].starts_with('-')) else {
                continue;
            };
            let nested = ["worker", "log"].contains(&words[0]);
            let command = &words[..if nested { 2 } else { 1 }];
            let output = program().args(command).arg("--help").output().unwrap();
            let help = String::from_utf8(output.stdout).unwrap();
            let ours = words.iter().take_while(|word| **word != "--");
            let unknown: Vec<_> = ours
                .filter(|word| word.starts_with("--") && !help.contains(*word))
                .collect();
            assert!(
                output.status.success() && unknown.is_empty(),
                "{}: {line}: {unknown:?}",
                document.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen}");
}
