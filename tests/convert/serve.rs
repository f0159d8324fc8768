//! Converted and then run: the same answers as uWSGI gives with the original.

use std::{
    fs,
    net::TcpListener,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use rustix::process::{Pid, Signal, kill_process_group};
use tempfile::TempDir;

use super::shapes::{Ask, Door, SHAPES, Shape};
use crate::support::{
    address::Address,
    answer::Answer,
    certificates::Certificates,
    process::Process,
    site::{program, serves},
    venv,
};

/// A directory with the files of a shape, and a port that was free.
struct Place {
    /// Certificate and key of `localhost`, for those that ask for them.
    certificates: Option<Certificates>,
    directory: PathBuf,
    port: u16,
    _holder: TempDir,
}

impl Place {
    fn new(shape: &Shape) -> Self {
        let holder = tempfile::tempdir().unwrap();
        let wants_keys = shape.text.contains("@KEYS@");
        let place = Self {
            certificates: wants_keys.then(|| Certificates::of(&["localhost"])),
            directory: holder.path().canonicalize().unwrap().join("site"),
            port: TcpListener::bind("127.0.0.1:0")
                .unwrap()
                .local_addr()
                .unwrap()
                .port(),
            _holder: holder,
        };
        let configuration = [(shape.file, shape.text)];
        let files = shape.files.iter().chain(&configuration);
        for (name, text) in files.filter(|(name, _)| !name.is_empty()) {
            let path = place.directory.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, place.fill(text)).unwrap();
        }
        place
    }

    fn fill(&self, text: &str) -> String {
        let keys = self.certificates.as_ref().map(|keys| keys.path(""));
        let keys = keys.unwrap_or_default();
        text.replace("@DIR@", self.directory.to_str().unwrap())
            .replace("@PORT@", &self.port.to_string())
            .replace("@VENV@", venv().to_str().unwrap())
            .replace("@KEYS@", keys.to_str().unwrap().trim_end_matches('/'))
    }

    fn words(&self, shape: &Shape) -> Vec<String> {
        shape.command.iter().map(|word| self.fill(word)).collect()
    }

    fn ask(&self, ask: &Ask) -> Answer {
        let Ask {
            method,
            target,
            with,
            body,
            ..
        } = ask;
        match ask.door {
            Door::FastCgi(address) => {
                Address(self.fill(address)).fastcgi(method, target, with, body)
            }
            Door::Scgi(address) => Address(self.fill(address)).scgi(method, target, with, body),
            Door::Http(address) => Address(self.fill(address)).request(method, target, with, body),
            Door::Uwsgi(address) => Address(self.fill(address)).uwsgi(method, target, with, body),
        }
    }
}

fn start_uwsgi(shape: &Shape, place: &Place) -> Process {
    let mut command = Command::new(venv().join("bin/uwsgi"));
    command
        .current_dir(&place.directory)
        .process_group(0)
        .env("PYTHONDONTWRITEBYTECODE", "1");
    match shape.file {
        "" => command.args(place.words(shape)),
        file => command.arg(file),
    };
    let process = Process::start("uwsgi", &mut command);
    process.wait_for_text("spawned uWSGI worker 1");
    process
}

/// Ends all of uWSGI at once. Asked politely, it waits for workers that are asked before they listen to signals.
fn end(mut uwsgi: Process) {
    let group = i32::try_from(uwsgi.pid()).unwrap();
    kill_process_group(Pid::from_raw(group).unwrap(), Signal::KILL).unwrap();
    uwsgi.wait();
}

fn convert(shape: &Shape, place: &Place) -> PathBuf {
    let settings = place.directory.join("site.toml");
    let mut command = program();
    command
        .current_dir(&place.directory)
        .args(["convert-ini", "-o", "site.toml"]);
    match shape.file {
        "" => command.arg("--").arg("uwsgi").args(place.words(shape)),
        file => command.arg(file),
    };
    let output = command.output().unwrap();
    let code = output.status.code();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        matches!(code, Some(0 | 2)),
        "{}: {code:?} {told}",
        shape.name
    );
    settings
}

fn start_hostler(settings: &Path) -> Process {
    let directory = settings.parent().unwrap();
    let mut command = program();
    command
        .current_dir(directory)
        .env("RUNTIME_DIRECTORY", directory)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .arg("serve")
        .arg(settings);
    let process = Process::start("hostler", &mut command);
    process.wait_for("that it serves", |line| serves(line).then_some(()));
    process
}

/// What is compared of an answer.
fn traits(ask: &Ask, place: &Place, answer: &Answer) -> Vec<String> {
    let mut traits = vec![answer.status.to_string()];
    for name in ask.headers {
        traits.push(format!("{name}: {}", answer.header(name).unwrap_or("-")));
    }
    if ask.compare_body {
        let text = answer.text();
        let without_place = text.replace(&*place.directory.to_string_lossy(), "DIR");
        traits.push(without_place.replace(&place.port.to_string(), "PORT"));
    }
    traits
}

#[test]
fn what_was_converted_answers_as_the_original_does() {
    assert!(SHAPES.len() >= 12);
    let mut different = Vec::new();
    for shape in SHAPES {
        let (old, new) = (Place::new(shape), Place::new(shape));
        let settings = convert(shape, &new);
        let uwsgi = start_uwsgi(shape, &old);
        let _hostler = start_hostler(&settings);
        for ask in shape.asks {
            let theirs = traits(ask, &old, &old.ask(ask));
            let ours = traits(ask, &new, &new.ask(ask));
            if theirs != ours {
                let Ask { method, target, .. } = ask;
                different.push(format!(
                    "{}: {method} {target}:\n  uWSGI   {theirs:?}\n  hostler {ours:?}",
                    shape.name
                ));
            }
        }
        end(uwsgi);
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}
