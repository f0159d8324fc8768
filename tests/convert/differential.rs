//! `uwsgi --show-config` and our reader, side by side.

use std::{env, fs, path::Path, process::Command};

use hostler::convert_outside::show_config;

use super::generate::{Case, DATA, Random};
use crate::support::root;

/// Cases of an ordinary run: uWSGI needs some ten milliseconds for each.
const CASES: usize = 500;

/// Says how many cases are to be tried instead.
const VARIABLE: &str = "HOSTLER_CONVERT_CASES";

/// All that is in the environment.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("A", "1"),
    ("B", "%(k0)"),
    ("UWSGI_K3", "e"),
    ("UWSGI_LOG_FORMAT", "%(k3)"),
];

/// What uWSGI prints, if it comes that far.
fn uwsgi(words: &[&str], directory: &Path) -> Option<String> {
    let program = root().join("target/venv/test/bin/uwsgi");
    let output = Command::new(program)
        .args(&words[1..])
        .current_dir(directory)
        .env_clear()
        .envs(ENVIRONMENT)
        .output()
        .expect("uWSGI, which `make venvs` installs");
    let text = String::from_utf8_lossy(&output.stderr).into_owned()
        + &String::from_utf8_lossy(&output.stdout);
    let (_, list) = text.split_once(";uWSGI instance configuration\n[uwsgi]\n")?;
    let (list, _) = list.split_once(";end of configuration\n")?;
    Some(list.to_owned())
}

#[test]
fn our_reader_and_uwsgi_agree() {
    let cases = env::var(VARIABLE).map_or(CASES, |cases| cases.parse().expect(VARIABLE));
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in DATA {
        fs::write(directory.path().join(name), text).unwrap();
    }
    let mut random = Random(0x1234_5678_9abc_def1);
    let (mut compared, mut refused) = (0, 0);
    for number in 0..cases {
        let case = Case::new(&mut random);
        for (name, text) in &case.files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        let ours = show_config(
            &case.words,
            directory.path().to_str().unwrap(),
            &ENVIRONMENT,
        );
        // uWSGI would not come back from it.
        if ours
            .as_ref()
            .is_err_and(|error| error.contains("is there a circle"))
        {
            continue;
        }
        let theirs = uwsgi(&case.words, directory.path());
        let ours = ours.map(|pairs| {
            let lines = pairs
                .iter()
                .map(|(name, value)| format!("{name} = {value}\n"));
            lines.collect::<String>()
        });
        match (&ours, &theirs) {
            (Ok(ours), Some(theirs)) if ours == theirs => compared += 1,
            (Err(_), None) => refused += 1,
            _ => panic!(
                "case {number}: {:?}\n{}\nours:\n{}\n\nuWSGI:\n{}",
                case.words,
                case.files
                    .iter()
                    .map(|(name, text)| format!("--- {name}\n{text}\n"))
                    .collect::<String>(),
                ours.unwrap_or_else(|error| error),
                theirs.unwrap_or_else(|| "does not start".to_owned()),
            ),
        }
    }
    assert!(
        compared > cases / 2 && refused < cases / 3,
        "{compared} compared, {refused} refused"
    );
}
