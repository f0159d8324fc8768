//! What of the readings is shown, and what a key changes about it. Neither a terminal nor a socket is known here.

mod keys;
#[cfg(test)]
pub(super) mod tests;

use std::{path::PathBuf, time::Duration};

use super::{
    columns::Table,
    rows::{self, Key},
    sites::{Site, Sites},
    source::Reading,
};

pub(super) use keys::{Press, Wish};

/// Lines of a text that is shown in a pane: the stacks of a thousand threads.
const LONGEST: usize = 100_000;

/// All that is on the screen.
#[derive(Debug)]
pub(super) struct Top {
    pub(super) sites: Sites,
    /// How long between two readings.
    pub(super) interval: Duration,
    /// The site whose workers are shown; nothing while all sites are.
    pub(super) site: Option<PathBuf>,
    /// Which of the two tables has the keys.
    pub(super) focus: Focus,
    pub(super) sites_view: View,
    pub(super) workers_view: View,
    pub(super) running_view: View,
    /// What rows have to have in them.
    pub(super) filter: String,
    /// The filter is being written.
    pub(super) is_filtering: bool,
    /// New readings are not taken in.
    pub(super) is_paused: bool,
    /// What lies over the tables.
    pub(super) pane: Option<Pane>,
    /// A remark about the last key.
    pub(super) remark: String,
    /// One site was asked for, so that there is no list to go back to.
    is_alone: bool,
}

/// A table that has the keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Focus {
    /// Sites or workers.
    #[default]
    Upper,
    /// Requests that run.
    Running,
}

/// How a table is looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct View {
    /// The row that the cursor is on; the first one while there is none of this key.
    pub(super) selected: Option<Key>,
    /// Which column it is sorted by.
    pub(super) sort: usize,
    /// In the other direction.
    pub(super) reversed: bool,
}

/// A text over the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Pane {
    /// What the keys do.
    Help,
    /// The stacks of a worker.
    Stack(Stack),
}

/// Where the threads of a worker are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stack {
    /// Which worker, so that the key can ask again.
    pub(super) of: Key,
    pub(super) title: String,
    /// Nothing while the answer is awaited.
    pub(super) lines: Option<Vec<String>>,
    /// How many lines are above the pane.
    pub(super) scroll: usize,
}

impl Top {
    /// Nothing is known yet. With `alone` the site of that socket is all that there will be.
    pub(super) fn new(sites: Sites, alone: Option<PathBuf>, interval: Duration) -> Self {
        Self {
            sites,
            interval,
            is_alone: alone.is_some(),
            site: alone,
            focus: Focus::default(),
            sites_view: View::default(),
            workers_view: View::default(),
            running_view: View::default(),
            filter: String::new(),
            is_filtering: false,
            is_paused: false,
            pane: None,
            remark: String::new(),
        }
    }

    /// A site has said something.
    pub(super) fn take(&mut self, reading: Reading) {
        if !self.is_paused {
            self.sites.take(reading);
        }
    }

    /// The stacks that were asked for, or why there are none.
    pub(super) fn take_stack(&mut self, of: &Key, answer: Result<String, String>) {
        let Some(Pane::Stack(stack)) = &mut self.pane else {
            return;
        };
        if stack.of == *of {
            let text = answer.unwrap_or_else(|reason| reason);
            let lines = text.lines().take(LONGEST).map(super::words::printable);
            stack.lines = Some(lines.collect());
        }
    }

    /// The table above: sites, or the workers of one.
    pub(super) fn upper(&self) -> Table<Key> {
        let (mut table, view) = match self.current() {
            Some((place, site)) => (rows::of_workers(place, site), &self.workers_view),
            None => (rows::of_sites(&self.sites), &self.sites_view),
        };
        let running = self.all_running();
        table.filter(&self.filter, |key| {
            let of_row = |request: &Key| match key {
                Key::Site(place) => request.place() == place,
                _ => request.place() == key.place() && request.worker() == key.worker(),
            };
            running.rows.iter().any(|row| of_row(&row.key))
        });
        table.sort(view.sort, view.reversed);
        table
    }

    /// The table below.
    pub(super) fn running(&self) -> Table<Key> {
        let mut table = self.all_running();
        let view = &self.running_view;
        if (view.sort, view.reversed) != (0, false) {
            table.sort(view.sort, view.reversed);
        }
        table
    }

    /// The site whose workers are shown.
    pub(super) fn current(&self) -> Option<(&PathBuf, &Site)> {
        let place = self.site.as_ref()?;
        Some((place, self.sites.of(place)?))
    }

    pub(super) fn view(&self) -> &View {
        match (self.focus, &self.site) {
            (Focus::Running, _) => &self.running_view,
            (Focus::Upper, Some(_)) => &self.workers_view,
            (Focus::Upper, None) => &self.sites_view,
        }
    }

    fn view_mut(&mut self) -> &mut View {
        match (self.focus, &self.site) {
            (Focus::Running, _) => &mut self.running_view,
            (Focus::Upper, Some(_)) => &mut self.workers_view,
            (Focus::Upper, None) => &mut self.sites_view,
        }
    }

    /// The table that has the keys.
    pub(super) fn focused(&self) -> Table<Key> {
        match self.focus {
            Focus::Upper => self.upper(),
            Focus::Running => self.running(),
        }
    }

    fn all_running(&self) -> Table<Key> {
        let mut table = rows::of_running(&self.sites, self.site.as_ref());
        table.filter(&self.filter, |_| false);
        table
    }
}

impl View {
    /// Where the cursor is.
    pub(super) fn position(&self, table: &Table<Key>) -> usize {
        let selected = self.selected.as_ref();
        let found = selected.and_then(|key| table.rows.iter().position(|row| row.key == *key));
        found.unwrap_or_default()
    }
}
