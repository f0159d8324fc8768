//! The interpreters of this machine, and bare virtual environments of each.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use tempfile::TempDir;

/// One installed CPython.
#[derive(Debug, Clone)]
pub(crate) struct Interpreter {
    pub(crate) program: PathBuf,
    pub(crate) version: (u32, u32, u32),
    /// Whether it has its code in a libpython; Debian's has all of it in the program.
    pub(crate) shared: bool,
}

/// The oldest that we serve.
pub(crate) const OLDEST: (u32, u32, u32) = (3, 9, 0);

/// Every interpreter that we serve.
pub(crate) fn supported() -> impl Iterator<Item = Interpreter> {
    interpreters()
        .into_iter()
        .filter(|interpreter| interpreter.version >= OLDEST)
}

/// Every interpreter in HOSTLER_TEST_PYTHONS (programs, with colons between them); without it Debian's own, those of
/// pyenv, and each `python3.X` on PATH. Each installation counts once.
pub(crate) fn interpreters() -> Vec<Interpreter> {
    let programs = match env::var_os("HOSTLER_TEST_PYTHONS") {
        Some(list) => env::split_paths(&list).collect(),
        None => usual_places(),
    };
    let mut found = BTreeMap::new();
    for program in programs {
        if let Some((installation, interpreter)) = probe(&program) {
            found.entry(installation).or_insert(interpreter);
        }
    }
    assert!(!found.is_empty(), "there is no Python to test with");
    found.into_values().collect()
}

fn usual_places() -> Vec<PathBuf> {
    let mut programs = vec![PathBuf::from("/usr/bin/python3")];
    let pyenv = env::var_os("PYENV_ROOT").map_or_else(
        || env::home_dir().unwrap_or_default().join(".pyenv"),
        PathBuf::from,
    );
    for version in fs::read_dir(pyenv.join("versions"))
        .into_iter()
        .flatten()
        .flatten()
    {
        programs.push(version.path().join("bin/python3"));
    }
    for directory in env::split_paths(&env::var_os("PATH").unwrap_or_default()) {
        programs.extend(
            (6..=20)
                .map(|minor| directory.join(format!("python3.{minor}")))
                .filter(|path| path.exists()),
        );
    }
    programs
}

/// Asks a program what it is; one that does not run is none (pyenv's shims of versions that are not chosen).
fn probe(program: &Path) -> Option<(String, Interpreter)> {
    const QUESTION: &str = "import sys; \
        print(*sys.version_info[:3], int('/libpython' in open('/proc/self/maps').read()), sys.base_prefix)";
    let output = Command::new(program)
        .args(["-c", QUESTION])
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?;
    let words: Vec<&str> = text.trim().splitn(5, ' ').collect();
    let number = |index: usize| words.get(index)?.parse::<u32>().ok();
    let interpreter = Interpreter {
        program: program.to_owned(),
        version: (number(0)?, number(1)?, number(2)?),
        shared: number(3)? == 1,
    };
    Some((
        format!("{} {:?}", words.get(4)?, interpreter.version),
        interpreter,
    ))
}

impl Interpreter {
    /// A new virtual environment of it, with nothing installed.
    pub(crate) fn venv(&self) -> TempDir {
        let directory = tempfile::Builder::new()
            .prefix("hostler-venv-")
            .tempdir()
            .unwrap();
        let made = Command::new(&self.program)
            .args(["-m", "venv", "--without-pip"])
            .arg(directory.path())
            .output()
            .unwrap();
        assert!(
            made.status.success(),
            "{self:?}: {}",
            String::from_utf8_lossy(&made.stderr)
        );
        directory
    }
}
