//! A site served by the program under test: its settings are written, it is started, and found by its log.

use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use super::{address::Address, answer::Answer, process::Process, root, venv};

/// The program under test.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_hostler");

/// A site that is being described. Without `listen` it speaks HTTP on a free port.
pub(crate) struct Site {
    app: String,
    env: Vec<(String, String)>,
    program_env: Vec<(String, String)>,
    listen: Vec<String>,
    sections: Vec<(String, String)>,
    virtualenv: Option<PathBuf>,
}

/// A site that is served.
pub(crate) struct Running {
    /// The supervisor.
    pub(crate) process: Process,
    /// Where it listens, in the order of the settings.
    pub(crate) addresses: Vec<Address>,
    /// Holds the settings and the sockets.
    pub(crate) directory: TempDir,
}

impl Site {
    /// Serves `tests/apps/NAME/app.py`.
    pub(crate) fn app(name: &str) -> Self {
        let apps = root().join("tests/apps");
        Self::new(&format!("module = \"entry:application\"\nchdir = {apps:?}"))
            .env("TEST_APP", name)
    }

    /// With an `[app]` section of its own.
    pub(crate) fn new(app: &str) -> Self {
        Self {
            app: app.to_owned(),
            env: Vec::new(),
            program_env: Vec::new(),
            listen: Vec::new(),
            sections: Vec::new(),
            virtualenv: Some(venv()),
        }
    }

    /// An environment variable of the application.
    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// An environment variable of the program itself.
    pub(crate) fn program_env(mut self, name: &str, value: &str) -> Self {
        self.program_env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The bare application, without the validators around it.
    pub(crate) fn bare(self) -> Self {
        self.env("TEST_BARE", "yes")
    }

    /// One more line for `[app]`.
    pub(crate) fn app_setting(mut self, line: &str) -> Self {
        writeln!(self.app, "\n{line}").unwrap();
        self
    }

    /// A listener; an address that begins with `./` lies in the site's own directory.
    pub(crate) fn listen(self, protocol: &str, address: &str) -> Self {
        self.listen_with(protocol, address, "")
    }

    /// A listener with further keys.
    pub(crate) fn listen_with(mut self, protocol: &str, address: &str, keys: &str) -> Self {
        self.listen.push(format!(
            "protocol = \"{protocol}\"\naddress = \"{address}\"\n{keys}"
        ));
        self
    }

    /// Worker processes and threads of each.
    pub(crate) fn workers(self, processes: u32, threads: u32) -> Self {
        self.setting(
            "workers",
            &format!("processes = {processes}\nthreads = {threads}"),
        )
    }

    /// The lines of a section.
    pub(crate) fn setting(mut self, section: &str, lines: &str) -> Self {
        self.sections.push((section.to_owned(), lines.to_owned()));
        self
    }

    /// Another virtual environment; `None`: the python3 on PATH.
    pub(crate) fn virtualenv(mut self, path: Option<&Path>) -> Self {
        self.virtualenv = path.map(Path::to_owned);
        self
    }

    /// The settings as the program reads them.
    pub(crate) fn settings(&self, directory: &Path) -> String {
        let mut text = format!("[app]\n{}\n", self.app);
        if let Some(virtualenv) = &self.virtualenv {
            writeln!(text, "virtualenv = {virtualenv:?}").unwrap();
        }
        writeln!(text, "[app.env]\nPYTHONDONTWRITEBYTECODE = \"1\"").unwrap();
        for (name, value) in &self.env {
            writeln!(text, "{name} = {value:?}").unwrap();
        }
        for listen in &self.listen {
            writeln!(
                text,
                "[[listen]]\n{}",
                listen.replace("\"./", &format!("\"{}/", directory.display()))
            )
            .unwrap();
        }
        if self.listen.is_empty() {
            writeln!(text, "[[listen]]\naddress = \"127.0.0.1:0\"").unwrap();
        }
        for (section, lines) in &self.sections {
            writeln!(text, "[{section}]\n{lines}").unwrap();
        }
        text
    }

    /// Starts it and waits until it serves.
    pub(crate) fn start(&self) -> Running {
        self.start_by(program())
    }

    /// The same by another command, which is given the arguments of the program.
    pub(crate) fn start_by(&self, command: Command) -> Running {
        let (process, directory) = self.launch_by(command);
        process.wait_for("that it serves", |line| serves(line).then_some(()));
        let listeners = self.listen.len().max(1);
        let addresses = (1..=listeners)
            .map(|nth| process.wait_for_nth("where it listens", nth, listening))
            .collect();
        Running {
            process,
            addresses,
            directory,
        }
    }

    /// Starts it and expects nothing.
    pub(crate) fn launch(&self) -> (Process, TempDir) {
        self.launch_by(program())
    }

    /// The same by another command.
    pub(crate) fn launch_by(&self, mut command: Command) -> (Process, TempDir) {
        let directory = tempfile::Builder::new()
            .prefix("hostler-test-")
            .tempdir()
            .unwrap();
        let file = directory.path().join("site.toml");
        fs::write(&file, self.settings(directory.path())).unwrap();
        let process = Process::start(
            "hostler",
            command
                .env("RUNTIME_DIRECTORY", directory.path())
                .envs(self.program_env.iter().cloned())
                .arg("serve")
                .arg(file),
        );
        (process, directory)
    }
}

impl Running {
    /// Where it listens first.
    pub(crate) fn address(&self) -> &Address {
        &self.addresses[0]
    }

    /// One GET on a connection of its own.
    pub(crate) fn get(&self, target: &str) -> Answer {
        self.address().get(target)
    }

    /// One request on a connection of its own.
    pub(crate) fn request(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        self.address().request(method, target, headers, body)
    }

    /// Processes of the site besides the supervisor.
    pub(crate) fn children(&self) -> Vec<u64> {
        let pid = self.process.pid();
        let list = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        list.split_whitespace()
            .map(|pid| pid.parse().unwrap())
            .collect()
    }

    /// The process of the site that calls itself so. The kernel's list of children may miss some for a moment when
    /// others end.
    pub(crate) fn child_named(&self, name: &str) -> u64 {
        let is_named = |pid: &u64| {
            let comm = fs::read_to_string(format!("/proc/{pid}/comm"));
            comm.is_ok_and(|comm| comm.trim() == name)
        };
        self.wait_for_some(&format!("a process named {name}"), || {
            self.children().into_iter().find(is_named)
        })
    }

    /// How many sockets the workers have open.
    pub(crate) fn open_sockets(&self) -> usize {
        let descriptors = self
            .children()
            .into_iter()
            .filter_map(|pid| fs::read_dir(format!("/proc/{pid}/fd")).ok());
        let targets = descriptors
            .flatten()
            .flatten()
            .filter_map(|entry| fs::read_link(entry.path()).ok());
        targets
            .filter(|target| target.to_string_lossy().starts_with("socket:"))
            .count()
    }

    /// For what announces itself to nobody: looks again and again.
    pub(crate) fn wait_until(&self, what: &str, holds: impl Fn() -> bool) {
        self.wait_for_some(what, || holds().then_some(()));
    }

    fn wait_for_some<T>(&self, what: &str, look: impl Fn() -> Option<T>) -> T {
        let deadline = Instant::now() + super::PATIENCE;
        loop {
            if let Some(found) = look() {
                return found;
            }
            assert!(Instant::now() < deadline, "in vain: {what}");
            thread::park_timeout(Duration::from_millis(10));
        }
    }

    /// A command to this site over its control socket, run to its end.
    pub(crate) fn control(&self, arguments: &[&str]) -> Output {
        let mut command = program();
        command.env("RUNTIME_DIRECTORY", self.directory.path());
        command.args(arguments).output().unwrap()
    }

    /// The file with the settings.
    pub(crate) fn file(&self) -> PathBuf {
        self.directory.path().join("site.toml")
    }

    /// Writes other settings into the file.
    pub(crate) fn rewrite(&self, site: &Site) {
        fs::write(self.file(), site.settings(self.directory.path())).unwrap();
    }
}

/// The program, in an environment that says nothing of the machine it runs on.
pub(crate) fn program() -> Command {
    let extension = Path::new(PROGRAM).with_file_name("lib_hostler.so");
    assert!(
        extension.exists(),
        "{} is missing; `cargo test` alone does not build it: run `cargo build --workspace` first",
        extension.display()
    );
    let mut command = Command::new(PROGRAM);
    for name in [
        "NOTIFY_SOCKET",
        "LISTEN_FDS",
        "LISTEN_PID",
        "JOURNAL_STREAM",
        "VIRTUAL_ENV",
        "PYTHONPATH",
        "PYTHONHOME",
    ] {
        command.env_remove(name);
    }
    // Root would put control sockets into /run.
    command.env("RUNTIME_DIRECTORY", "/nonexistent");
    command
}

/// The log line that tells where a listener is bound.
pub(crate) fn listening(line: &str) -> Option<Address> {
    let (_, address) = line
        .split_once("listening")
        .and_then(|(_, fields)| fields.split_once("address="))?;
    Some(Address(
        address
            .split_whitespace()
            .next()?
            .trim_matches('"')
            .to_owned(),
    ))
}

/// Whether the line says that a generation serves.
pub(crate) fn serves(line: &str) -> bool {
    line.contains("supervisor: ready") || line.contains("supervisor: reloaded ")
}
