//! What keys do.

use std::path::PathBuf;

use crate::top::{rows::Key, window::WorkerKey};

use super::{Focus, Pane, Stack, Top};

/// Rows that a page is.
const PAGE: usize = 10;
/// Longest filter, in characters.
const LONGEST: usize = 100;

/// A key that was pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::top) enum Press {
    Backspace,
    Character(char),
    Down,
    End,
    Enter,
    Escape,
    Home,
    /// Ctrl-C.
    Interrupt,
    PageDown,
    PageUp,
    Tab,
    Up,
}

/// What has to be done outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::top) enum Wish {
    /// End.
    Quit,
    /// Ask a worker for its stacks; the answer is for this row.
    Stack {
        of: Key,
        place: PathBuf,
        worker: WorkerKey,
    },
}

impl Top {
    /// A key was pressed.
    pub(in crate::top) fn press(&mut self, press: Press) -> Option<Wish> {
        self.remark.clear();
        match press {
            Press::Interrupt => Some(Wish::Quit),
            _ if self.is_filtering => {
                self.write_filter(press);
                None
            }
            _ if self.pane.is_some() => self.press_in_pane(press),
            _ => self.press_in_tables(press),
        }
    }

    fn write_filter(&mut self, press: Press) {
        match press {
            Press::Character(character) if self.filter.chars().count() < LONGEST => {
                self.filter.push(character);
            }
            Press::Backspace => _ = self.filter.pop(),
            Press::Enter => self.is_filtering = false,
            Press::Escape => {
                self.is_filtering = false;
                self.filter.clear();
            }
            _ => {}
        }
    }

    fn press_in_pane(&mut self, press: Press) -> Option<Wish> {
        match press {
            Press::Escape | Press::Backspace | Press::Character('q') => self.pane = None,
            Press::Character('?' | 'h') => self.pane = Some(Pane::Help),
            Press::Character('d') => {
                if let Some(Pane::Stack(stack)) = &self.pane {
                    return self.dump(stack.of.clone());
                }
            }
            _ => {
                if let Some(Pane::Stack(stack)) = &mut self.pane {
                    let last = stack
                        .lines
                        .as_ref()
                        .map_or(0, |lines| lines.len().saturating_sub(1));
                    stack.scroll = moved(press, stack.scroll, last);
                }
            }
        }
        None
    }

    fn press_in_tables(&mut self, press: Press) -> Option<Wish> {
        match press {
            Press::Character('q') => return Some(Wish::Quit),
            Press::Character('?' | 'h') => self.pane = Some(Pane::Help),
            Press::Character('/') => self.is_filtering = true,
            Press::Character(' ' | 'p') => self.is_paused = !self.is_paused,
            Press::Character('s') => self.sort_by_next(),
            Press::Character('r') => {
                let view = self.view_mut();
                view.reversed = !view.reversed;
            }
            Press::Character('d') => return self.dump_selected(),
            Press::Tab => {
                self.focus = match self.focus {
                    Focus::Upper => Focus::Running,
                    Focus::Running => Focus::Upper,
                };
            }
            Press::Enter => self.open(),
            Press::Escape | Press::Backspace => self.close(),
            _ => self.move_cursor(press),
        }
        None
    }

    fn sort_by_next(&mut self) {
        let columns = self.focused().columns.len();
        let view = self.view_mut();
        view.sort = (view.sort + 1) % columns;
        view.reversed = false;
    }

    fn move_cursor(&mut self, press: Press) {
        let table = self.focused();
        let last = table.rows.len().saturating_sub(1);
        let position = moved(press, self.view().position(&table), last);
        let key = table.rows.into_iter().nth(position).map(|row| row.key);
        self.view_mut().selected = key;
    }

    /// The row that the cursor is on.
    fn selected(&self) -> Option<Key> {
        let table = self.focused();
        let position = self.view().position(&table);
        table.rows.into_iter().nth(position).map(|row| row.key)
    }

    fn open(&mut self) {
        if self.site.is_none() && self.focus == Focus::Upper {
            self.site = self.selected().map(|key| key.place().clone());
        }
    }

    /// One thing after the other: the filter, the site.
    fn close(&mut self) {
        if !self.filter.is_empty() {
            self.filter.clear();
        } else if !self.is_alone {
            self.site = None;
        }
    }

    fn dump_selected(&mut self) -> Option<Wish> {
        let selected = self.selected();
        if selected.as_ref().is_none_or(|key| key.worker().is_none()) {
            self.remark = "choose a worker first: Enter shows those of a site".to_owned();
            return None;
        }
        self.dump(selected?)
    }

    fn dump(&mut self, of: Key) -> Option<Wish> {
        let worker = of.worker()?;
        let place = of.place().clone();
        let name = self.sites.of(&place).map(|site| site.name.as_str());
        let title = format!(
            "stacks of worker {} of {}, pid {}",
            worker.worker,
            super::super::words::printable(name.unwrap_or_default()),
            worker.pid
        );
        self.pane = Some(Pane::Stack(Stack {
            of: of.clone(),
            title,
            lines: None,
            scroll: 0,
        }));
        Some(Wish::Stack { of, place, worker })
    }
}

/// Where a cursor goes from a position.
fn moved(press: Press, position: usize, last: usize) -> usize {
    let position = position.min(last);
    match press {
        Press::Up | Press::Character('k') => position.saturating_sub(1),
        Press::Down | Press::Character('j') => (position + 1).min(last),
        Press::PageUp => position.saturating_sub(PAGE),
        Press::PageDown => (position + PAGE).min(last),
        Press::Home | Press::Character('g') => 0,
        Press::End | Press::Character('G') => last,
        _ => position,
    }
}
