//! The image for containers, without an engine for them: the steps of packaging/container/Containerfile, and of the one
//! that docs/container.md shows on top of it, are taken in an overlay of the tree of Debian 13 (`make tree`), and what
//! comes of them runs as an engine would run it: process 1 of its own namespace, a root that is read-only, its user,
//! no capability.

use std::{collections::BTreeMap, fmt::Write, fs, path::Path, process::Command, time::Instant};

use rustix::process::Signal;
use tempfile::TempDir;

use crate::support::{
    PATIENCE,
    address::Address,
    answer::Answer,
    process::{Process, Watched},
    root,
    site::{PROGRAM, listening, serves},
};

/// Words of steps that need a network, and why the tree does without them.
const FETCHES: [(&str, &str); 2] = [
    ("apt-get", "the tree has python3"),
    ("pip install", "the application needs nothing"),
];

/// What the steps of an image come to.
#[derive(Debug, Default)]
struct Image {
    /// Commands for a shell, with the root of the image in `$root`.
    steps: String,
    environment: BTreeMap<String, String>,
    directory: String,
    user: String,
    stop_signal: String,
    command: Vec<String>,
}

impl Image {
    /// Takes the steps of the last stage of a Containerfile; `context` is where its files are, `built` what an earlier
    /// stage has made.
    fn take(&mut self, text: &str, context: &Path, built: &Path) {
        let joined = text.replace("\\\n", " ");
        let last = joined.rsplit("\nFROM ").next().unwrap();
        let lines = last.lines().skip(1).map(str::trim);
        for line in lines.filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let (word, rest) = line.split_once(' ').unwrap();
            match word {
                "CMD" => self.command = serde_json::from_str(rest).unwrap(),
                "COPY" => self.copy(rest, context, built),
                "ENV" => {
                    let (name, value) = rest.split_once('=').unwrap();
                    self.environment.insert(name.to_owned(), value.to_owned());
                }
                "EXPOSE" => {}
                "RUN" => self.run(rest),
                "STOPSIGNAL" => self.stop_signal = rest.to_owned(),
                "USER" => self.user = rest.to_owned(),
                "WORKDIR" => self.directory = rest.to_owned(),
                other => panic!("{other} is not taken"),
            }
        }
    }

    fn copy(&mut self, rest: &str, context: &Path, built: &Path) {
        let words: Vec<&str> = rest.split_whitespace().collect();
        let (from, to) = match words[..] {
            ["--from=build", from, to] => {
                let name = Path::new(from).file_name().unwrap();
                assert!(from.starts_with("/src/target/release/"), "{from}");
                (built.join(name).display().to_string(), to)
            }
            [".", to] => (format!("{}/.", context.display()), to),
            _ => panic!("{rest}"),
        };
        writeln!(
            self.steps,
            "mkdir -p $root$(dirname {to}); cp -r {from} $root{to}"
        )
        .unwrap();
    }

    fn run(&mut self, rest: &str) {
        let is_fetched = FETCHES
            .iter()
            .any(|(words, reason)| rest.contains(words) && !reason.is_empty());
        if !is_fetched {
            writeln!(self.steps, "chroot $root sh -ec '{rest}'").unwrap();
        }
    }

    /// A script that makes the root, and becomes the command in it. `$1` is the tree, `$2` a directory for the rest.
    fn script(&self, writable: &str) -> String {
        let (user, group) = self.user.split_once(':').unwrap();
        let environment: String = self
            .environment
            .iter()
            .map(|(name, value)| format!("{name}={value} "))
            .collect();
        format!(
            "set -e\nmount --make-rprivate /\nwork=$2\nmount -t tmpfs none $work\n\
             mkdir $work/upper $work/work $work/root\nroot=$work/root\n\
             mount -t overlay none -o lowerdir=$1,upperdir=$work/upper,workdir=$work/work $root\n\
             {steps}mount --rbind /dev $root/dev\nmount -t proc none $root/proc\n{writable}\n\
             mount -o remount,ro $root\n\
             exec chroot $root env -i PATH=/usr/bin:/bin {environment}sh -c 'cd {directory}; exec setpriv \
             --reuid={user} --regid={group} --clear-groups --no-new-privs --bounding-set=-all --inh-caps=-all \
             {command}'\n",
            steps = self.steps,
            directory = self.directory,
            command = self.command.join(" "),
        )
    }
}

/// A container that serves.
struct Container {
    process: Process,
    address: Address,
    image: Image,
    _directory: TempDir,
}

impl Container {
    /// The image with `tests/apps/outside` in it; `None`, loudly, where it cannot be run.
    fn start(writable: &str) -> Option<Self> {
        let tree = root().join("target/trees/trixie");
        if !rustix::process::geteuid().is_root() || !tree.join("usr").exists() {
            eprintln!(
                "NOT TESTED, only root can, with the tree that `make tree` builds: a container"
            );
            return None;
        }
        let (context, directory) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let app = root().join("tests/apps/outside/app.py");
        fs::copy(app, context.path().join("app.py")).unwrap();
        let settings =
            "[app]\nfile = \"app.py\"\nchdir = \".\"\n[[listen]]\naddress = \"127.0.0.1:0\"\n";
        fs::write(context.path().join("site.toml"), settings).unwrap();
        let image = image(context.path());
        let mut command = Command::new("unshare");
        command
            .args(["--mount", "--pid", "--fork", "--kill-child"])
            .args(["sh", "-c", &image.script(writable), "sh"])
            .arg(&tree)
            .arg(directory.path());
        let process = Process::start("container", &mut command);
        process.wait_for("that it serves", |line| serves(line).then_some(()));
        let address = process.wait_for("where it listens", listening);
        Some(Self {
            process,
            address,
            image,
            _directory: directory,
        })
    }

    fn get(&self, target: &str) -> Answer {
        self.address.get(target)
    }

    /// Process 1 of the container, as we see it.
    fn first(&self) -> Watched {
        let pid = self.process.pid();
        let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        Watched::new(children.trim().parse().unwrap())
    }
}

/// Both Containerfiles, one on top of the other.
fn image(context: &Path) -> Image {
    let mut image = Image::default();
    let built = Path::new(PROGRAM).parent().unwrap();
    let base = fs::read_to_string(root().join("packaging/container/Containerfile")).unwrap();
    image.take(&base, root(), built);
    let text = fs::read_to_string(root().join("docs/container.md")).unwrap();
    let (_, block) = text.split_once("\n```dockerfile").unwrap();
    let (block, _) = block.split_once("\n```").unwrap();
    image.take(block, context, built);
    image
}

#[test]
fn an_image_serves_as_nobody_in_a_root_that_is_read_only() {
    let Some(container) = Container::start("") else {
        return;
    };
    assert_eq!(container.get("/parent").text(), "1");
    let seen = container.get("/status").json();
    assert_eq!(seen["Uid"], ["10001"; 4].join("\t"));
    assert_eq!(seen["CapEff"], "0000000000000000");
    assert_eq!(container.get("/writes").text(), "EROFS");
    // What others leave behind is reaped.
    for _ in 0..3 {
        assert_eq!(container.get("/orphan").status, 200);
    }
    let first = container.first();
    first.signal(Signal::HUP);
    container.process.wait_for_text("ready after the reload");
    let deadline = Instant::now() + PATIENCE;
    while container.get("/zombies").text() != "0" {
        assert!(Instant::now() < deadline, "nobody reaps");
    }
}

#[test]
fn an_image_stops_as_it_is_told() {
    let Some(mut container) = Container::start("") else {
        return;
    };
    assert_eq!(container.image.stop_signal, "SIGTERM");
    let first = container.first();
    first.signal(Signal::TERM);
    assert_eq!(container.process.wait().code(), Some(0));
    let output = container.process.output();
    assert!(output.contains("every request was finished"), "{output}");
}

#[test]
fn a_place_for_the_control_socket_is_used() {
    let Some(container) = Container::start("mount -t tmpfs -o mode=1777 none $root/run/hostler")
    else {
        return;
    };
    container
        .process
        .wait_for_text("control socket path=/run/hostler/control.sock");
}
