//! What the metrics tell of that is gone: counters must not begin anew because a generation has.

use std::collections::BTreeMap;

use crate::{
    config::Mount,
    metrics::Responses,
    scoreboard::{ROWS, Totals},
};

use crate::supervisor::{generation::Generation, lifecycle::Report};

/// Who answers what no application does: files, redirections, programs, errors.
const NOBODY: &str = "none";
/// Where `[app]` is.
const APP: &str = "/";
/// The applications beyond those that have a row.
const REST: &str = "rest";

/// What was done by all generations that are gone.
#[derive(Debug, Default)]
pub(in crate::supervisor) struct Past {
    pub(super) sum: Sum,
    pub(super) reloads_done: u64,
    pub(super) reloads_failed: u64,
}

/// What was done by some generations.
#[derive(Debug, Clone, Default)]
pub(super) struct Sum {
    pub(super) done: Totals,
    /// By who answered.
    responses: BTreeMap<String, [u64; 5]>,
}

impl Past {
    /// This generation is over.
    pub(in crate::supervisor) fn bury(&mut self, generation: &Generation) {
        self.sum.add(generation);
    }

    /// Counts what no process counts.
    pub(in crate::supervisor) fn note(&mut self, report: &Report) {
        match report {
            Report::Reloaded { .. } => self.reloads_done += 1,
            Report::ReloadFailed { .. } => self.reloads_failed += 1,
            _ => {}
        }
    }
}

impl Sum {
    /// With what all workers of a generation have done.
    pub(super) fn add(&mut self, generation: &Generation) {
        let mut done = Totals::default();
        for slot in 0..generation.scoreboard.len() {
            done += &generation.totals(slot);
        }
        for (row, name) in names(&generation.settings.mount).into_iter().enumerate() {
            let sums = self.responses.entry(name).or_default();
            for (sum, count) in sums.iter_mut().zip(done.statuses.row(row)) {
                *sum += count;
            }
        }
        self.done += &done;
    }

    pub(super) fn responses(&self) -> Responses {
        let responses = self.responses.iter();
        responses
            .map(|(name, counts)| (name.clone(), *counts))
            .collect()
    }
}

/// What the rows of the scoreboard are called.
fn names(mounts: &[Mount]) -> Vec<String> {
    let mounted = mounts.iter().map(|mount| {
        let path = mount.path.strip_suffix('/').unwrap_or(&mount.path);
        match (&mount.host, path) {
            (None, "") => APP.to_owned(),
            (None, path) => path.to_owned(),
            (Some(host), "") => format!("{}/", host.to_ascii_lowercase()),
            (Some(host), path) => format!("{}{path}", host.to_ascii_lowercase()),
        }
    });
    let mut names: Vec<String> = [NOBODY, APP].map(str::to_owned).into();
    names.extend(mounted.take(ROWS - 3));
    if mounts.len() > ROWS - 3 {
        names.push(REST.to_owned());
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mount(host: Option<&str>, path: &str) -> Mount {
        Mount {
            host: host.map(str::to_owned),
            path: path.to_owned(),
            ..Mount::default()
        }
    }

    #[test]
    fn rows_are_called_as_their_mounts() {
        let mounts = [
            mount(None, "/blog/"),
            mount(Some("Example.com"), ""),
            mount(Some("example.com"), "/a"),
            mount(None, ""),
        ];
        let expected = ["none", "/", "/blog", "example.com/", "example.com/a", "/"];
        assert_eq!(names(&mounts), expected);
    }

    #[test]
    fn there_are_no_more_names_than_rows() {
        let names = |count| names(&vec![mount(None, "/x"); count]);
        assert_eq!(names(ROWS - 3).len(), ROWS - 1);
        for count in [ROWS - 2, ROWS * 2] {
            assert_eq!(names(count).len(), ROWS);
            assert_eq!(names(count).last().map(String::as_str), Some("rest"));
        }
    }
}
