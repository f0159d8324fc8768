//! The control socket, asked directly: a process for each question would be a load of its own.

use std::{
    io::{BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::{Value, json};

use crate::support::PATIENCE;

/// Asks the site that runs in `directory`, and gives the reply.
pub(crate) fn ask(directory: &Path, command: &Value) -> Value {
    let mut stream = UnixStream::connect(directory.join("control.sock")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let line = json!({"protocol": 1, "version": env!("CARGO_PKG_VERSION"), "site": null, "file": null, "command": command});
    stream.write_all(format!("{line}\n").as_bytes()).unwrap();
    let mut reply = String::new();
    BufReader::new(stream).read_line(&mut reply).unwrap();
    let reply: Value = serde_json::from_str(&reply).unwrap();
    reply["reply"].clone()
}

/// Reloads, and waits for the outcome.
pub(crate) fn reload(directory: &Path) -> Value {
    ask(directory, &json!({"reload": {"wait": true}}))
}

/// The status.
pub(crate) fn status(directory: &Path) -> Value {
    ask(directory, &json!("status"))["status"].clone()
}

/// Processes of the workers that serve.
pub(crate) fn serving(directory: &Path) -> Vec<u32> {
    let status = status(directory);
    let workers = status["workers"].as_array().unwrap().iter();
    let serving = workers.filter(|worker| worker["state"] == "serving");
    serving
        .map(|worker| worker["pid"].as_u64().unwrap() as u32)
        .collect()
}

/// Watches how many workers there are.
pub(crate) struct Census {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Counts>,
}

/// What it has seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counts {
    /// Fewest workers that accepted connections at a time.
    pub(crate) fewest_serving: usize,
    /// Most workers that there were at a time, in whatever state.
    pub(crate) most: usize,
}

impl Census {
    pub(crate) fn start(directory: &Path) -> Self {
        let (stop, directory) = (Arc::new(AtomicBool::new(false)), directory.to_owned());
        let thread = thread::spawn({
            let stop = Arc::clone(&stop);
            move || count(&directory, &stop)
        });
        Self { stop, thread }
    }

    pub(crate) fn finish(self) -> Counts {
        self.stop.store(true, Relaxed);
        self.thread.join().unwrap()
    }
}

fn count(directory: &PathBuf, stop: &AtomicBool) -> Counts {
    let mut counts = Counts {
        fewest_serving: usize::MAX,
        most: 0,
    };
    while !stop.load(Relaxed) {
        let status = status(directory);
        let workers = status["workers"].as_array().unwrap();
        let serving = workers.iter().filter(|worker| worker["state"] == "serving");
        counts.fewest_serving = counts.fewest_serving.min(serving.count());
        counts.most = counts.most.max(workers.len());
        thread::park_timeout(Duration::from_millis(20));
    }
    counts
}
