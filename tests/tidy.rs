//! Rules about the code itself: who uses whom, how files begin, how long they are, what is linked.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::support::{root, site::PROGRAM};

/// Lines of a file; more is the signal to split it.
const LONGEST: usize = 400;

/// Files that may be longer, with the reason.
const LONG: &[(&str, &str)] = &[];

/// All files under `directory` whose name ends so, target/ excepted.
fn files(directory: &str, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![root().join(directory)];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|found| found == extension) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty());
    found
}

fn rust_files() -> impl Iterator<Item = (String, String)> {
    let all = ["src", "tests"]
        .into_iter()
        .flat_map(|directory| files(directory, "rs"));
    all.map(|path| (name(&path), fs::read_to_string(&path).unwrap()))
}

fn name(path: &Path) -> String {
    path.strip_prefix(root())
        .unwrap()
        .to_str()
        .unwrap()
        .to_owned()
}

/// The room of a file of the library: `config` for `src/config/load.rs` and for `src/config.rs`.
fn room_of(name: &str) -> Option<&str> {
    let rest = name.strip_prefix("src/")?;
    let first = rest.split('/').next()?;
    let room = first.strip_suffix(".rs").unwrap_or(first);
    (!["lib", "main", "worker"].contains(&room)).then_some(room)
}

/// The first names behind each `crate::` of the code: of `crate::{a::B, c}` they are `a` and `c`.
fn used_rooms(text: &str) -> BTreeSet<String> {
    let code: String = text
        .lines()
        .map(|line| line.split("//").next().unwrap_or(""))
        .collect::<Vec<_>>()
        .join("\n");
    let mut rooms = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => rooms.extend(group_names(group)),
            None => _ = rooms.insert(identifier(rest)),
        }
    }
    rooms
}

/// First names of the items of a `{...}` of a `use`.
fn group_names(group: &str) -> Vec<String> {
    let mut names = Vec::new();
    let (mut depth, mut item) = (0, String::new());
    for character in group.chars() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(identifier(std::mem::take(&mut item).trim())),
            _ if depth == 0 => item.push(character),
            _ => {}
        }
    }
    names.push(identifier(item.trim()));
    names.retain(|name| !name.is_empty());
    names
}

fn identifier(text: &str) -> String {
    text.chars()
        .take_while(|character| character.is_alphanumeric() || *character == '_')
        .collect()
}

/// The rooms, and those that each may use, from the table in ARCHITECTURE.md; `None` stands for all.
fn rooms() -> BTreeMap<String, Option<BTreeSet<String>>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let rows = text
        .lines()
        .skip_while(|line| !line.ends_with("| May use |"))
        .skip(2);
    let rows = rows.take_while(|line| line.starts_with("| "));
    let rooms: BTreeMap<_, _> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            let allowed = cells[2].split(", ").filter(|name| !name.is_empty());
            let allowed = allowed
                .map(|name| name.trim_matches('`').to_owned())
                .collect();
            (
                cells[0].trim_matches('`').to_owned(),
                (cells[2] != "all").then_some(allowed),
            )
        })
        .collect();
    assert!(
        rooms.len() > 10,
        "the table of rooms is read wrongly: {rooms:?}"
    );
    rooms
}

#[test]
fn rooms_use_only_the_rooms_they_may() {
    let rooms = rooms();
    let mut wrong = Vec::new();
    for (name, text) in rust_files() {
        let Some(room) = room_of(&name) else { continue };
        let allowed = rooms
            .get(room)
            .unwrap_or_else(|| panic!("{name} is in no room of ARCHITECTURE.md"));
        let Some(allowed) = allowed else { continue };
        let used = used_rooms(&text);
        let used = used
            .iter()
            .filter(|used| *used != room && rooms.contains_key(*used));
        wrong.extend(
            used.filter(|used| !allowed.contains(*used))
                .map(|used| format!("{name} uses {used}")),
        );
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// A room that does not use another any more may not use it either.
#[test]
fn rooms_use_the_rooms_they_may() {
    let mut used: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (name, text) in rust_files() {
        if let Some(room) = room_of(&name) {
            used.entry(room.to_owned())
                .or_default()
                .extend(used_rooms(&text));
        }
    }
    for (room, allowed) in rooms() {
        let Some(used) = used.get(&room) else {
            continue;
        };
        let unused: Vec<String> = allowed
            .unwrap_or_default()
            .difference(used)
            .cloned()
            .collect();
        assert!(unused.is_empty(), "{room} does not use {unused:?}");
    }
}

#[test]
fn imports_are_read_as_the_compiler_reads_them() {
    let text = "use crate::{\n    config::{self, App},\n    sys,\n};\nlet x = crate::ipc::Start; // crate::cli\nuse crate::serve;";
    let expected = ["config", "ipc", "serve", "sys"].map(str::to_owned);
    assert_eq!(used_rooms(text), BTreeSet::from(expected));
}

/// ARCHITECTURE.md: what has to be small and to have one thread before a fork must not use it.
#[test]
fn tokio_stays_in_the_supervisor() {
    let wrong: Vec<String> = rust_files()
        .filter(|(name, text)| {
            name.starts_with("src/")
                && text.contains("tokio::")
                && room_of(name) != Some("supervisor")
        })
        .map(|(name, _)| name)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The tests that ARCHITECTURE.md names as holding an invariant.
#[test]
fn every_invariant_has_its_test() {
    let document = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let table = document
        .split("| Held by |")
        .nth(1)
        .expect("the table of invariants")
        .split("\n## ")
        .next()
        .unwrap();
    let quoted = table.split('`').skip(1).step_by(2);
    let tests =
        quoted.filter(|name| name.matches('_').count() > 1 && !name.contains([':', '/', ' ']));
    let code: String = rust_files().map(|(_, text)| text).collect();
    let missing: Vec<&str> = tests
        .filter(|name| !code.contains(&format!("fn {name}(")))
        .collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn every_file_opens_with_what_lives_in_it() {
    let wrong: Vec<String> = rust_files()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(name, _)| name)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_python_file_opens_with_what_it_is() {
    let all = ["tests", "benches"]
        .into_iter()
        .flat_map(|directory| files(directory, "py"));
    let silent = all.filter(|path| {
        !fs::read_to_string(path)
            .unwrap()
            .trim_start_matches(|c| c != '"')
            .starts_with("\"\"\"")
    });
    let wrong: Vec<String> = silent.map(|path| name(&path)).collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn files_are_short() {
    let wrong: Vec<String> = rust_files()
        .map(|(name, text)| (text.lines().count(), name))
        .filter(|(lines, name)| *lines > LONGEST && !LONG.iter().any(|(long, _)| long == name))
        .map(|(lines, name)| format!("{name}: {lines} lines"))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn nothing_is_left_for_later() {
    let wrong: Vec<String> = rust_files()
        .filter(|(name, text)| {
            name != "tests/tidy.rs"
                && ["TODO", "FIXME", "todo!(", "unimplemented!("]
                    .iter()
                    .any(|mark| text.contains(mark))
        })
        .map(|(name, _)| name)
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn needed_libraries(path: &Path) -> String {
    let output = Command::new("readelf")
        .arg("--dynamic")
        .arg(path)
        .output()
        .expect("readelf, of binutils");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .filter(|line| line.contains("(NEEDED)"))
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn neither_half_is_linked_to_a_libpython() {
    for file in [
        Path::new(PROGRAM).to_owned(),
        Path::new(PROGRAM).with_file_name("lib_hostler.so"),
    ] {
        let needed = needed_libraries(&file);
        assert!(
            needed.contains("libc.so") && !needed.contains("libpython"),
            "{}: {needed}",
            file.display()
        );
    }
}

fn dependencies(package: &str) -> String {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args([
            "tree",
            "--package",
            package,
            "--edges",
            "normal",
            "--prefix",
            "none",
            "--locked",
            "--offline",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_program_contains_no_python() {
    assert!(
        dependencies("hostler-worker").contains("\npyo3 v"),
        "this test looks for the wrong name"
    );
    let program = dependencies("hostler");
    assert!(
        program.starts_with("hostler v") && !program.contains("pyo3"),
        "{program}"
    );
}
