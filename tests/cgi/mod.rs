//! Programs that answer requests (`[[cgi]]`), from the real program.
//!
//! - `answers`: what programs are told, what they say, and what becomes of it.
//! - `ends`: programs that take too long, whose clients go, that crash, or that are too many.
//! - `git`: clones and pushes over git's own program.
//! - `places`: programs that lead elsewhere.
//! - `uploads`: bodies that come slowly, or not to their end.

mod answers;
mod ends;
mod git;
mod places;
mod uploads;

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use tempfile::TempDir;

use crate::support::site::{Running, Site};

/// A site whose `/cgi-bin` is a directory of its own.
struct Programs {
    site: Running,
    tree: TempDir,
}

/// Says which of its variables are asked for, as JSON, and its arguments and directory.
const ECHO: &str = r#"#!/usr/bin/env python3
import json, os, sys
told = dict(os.environ)
body = sys.stdin.buffer.read(int(told.get("CONTENT_LENGTH") or 0))
rest = sys.stdin.buffer.read()
fds = [fd for fd in os.listdir("/proc/self/fd") if os.path.exists(f"/proc/self/fd/{fd}")]
print("Content-Type: application/json\n")
print(json.dumps({"env": told, "argv": sys.argv, "cwd": os.getcwd(), "body": body.decode("latin-1"),
                  "rest": len(rest), "leads": os.getsid(0) == os.getpid(), "fds": sorted(fds, key=int)}))
"#;

impl Programs {
    /// With these programs, and further lines for the section.
    fn new(programs: &[(&str, &str)], lines: &str) -> Self {
        Self::on(programs, lines, |site| site)
    }

    /// The same on a site that is changed.
    fn on(programs: &[(&str, &str)], lines: &str, change: impl FnOnce(Site) -> Site) -> Self {
        let tree = tempfile::tempdir().unwrap();
        for (name, text) in programs {
            write(tree.path(), name, text);
        }
        let section = format!(
            "path = \"/cgi-bin\"\ndirectory = {:?}\n{lines}",
            tree.path()
        );
        let site = Site::app("statics").setting("[cgi]", &section);
        Self {
            site: change(site).start(),
            tree,
        }
    }

    /// Waits until a program has written its number (`echo $$ > NAME`) there, and gives it.
    fn number_in(&self, name: &str) -> u32 {
        let path = self.tree.path().join(name);
        let number = || {
            fs::read_to_string(&path)
                .unwrap_or_default()
                .trim()
                .parse()
                .ok()
        };
        self.site
            .wait_until("a program has begun", || number().is_some());
        number().unwrap()
    }

    fn wait_for_end_of(&self, process: u32) {
        let path = format!("/proc/{process}");
        self.site
            .wait_until("a program has gone", || !Path::new(&path).exists());
    }
}

/// A program that says this.
fn saying(text: &str) -> String {
    format!("#!/bin/sh\nprintf '{text}'\n")
}

/// Writes a program.
fn write(tree: &Path, name: &str, text: &str) {
    let path = tree.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
}
