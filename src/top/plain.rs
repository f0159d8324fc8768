//! The tables as plain text, for whoever wants one look and no screen.

use std::io::{self, IsTerminal};

use ratatui::crossterm::terminal;

use super::{
    columns::{Cell, Table},
    rows::{self, Key},
    sites::Sites,
};

/// Requests that are shown at most; --json has all of them.
const REQUESTS: usize = 20;

/// Columns of the terminal that standard output is; of anything else, which has no end, as many as there can be.
pub(crate) fn width() -> u16 {
    let is_terminal = io::stdout().is_terminal();
    let size = is_terminal.then(terminal::size).and_then(Result::ok);
    size.map_or(u16::MAX, |(columns, _)| columns)
}

/// Sites, the workers of each of them that has some, and the requests that have been running longest, in lines of at most
/// so many columns.
pub(crate) fn as_table(sites: &Sites, width: u16) -> String {
    let mut text = String::new();
    write(&rows::of_sites(sites), width, &mut text);
    for (place, site) in sites.iter() {
        let mut workers = rows::of_workers(place, site);
        workers.sort(0, false);
        if !workers.rows.is_empty() {
            text.push_str(&format!(
                "\nworkers of {}\n",
                super::words::printable(&site.name)
            ));
            write(&workers, width, &mut text);
        }
    }
    let mut running = rows::of_running(sites, None);
    if !running.rows.is_empty() {
        let beyond = running.rows.len().saturating_sub(REQUESTS);
        running.rows.truncate(REQUESTS);
        text.push_str("\nrunning requests\n");
        write(&running, width, &mut text);
        if beyond > 0 {
            text.push_str(&format!("and {beyond} more\n"));
        }
    }
    text
}

fn write(table: &Table<Key>, width: u16, text: &mut String) {
    let places = table.placed(width);
    let titles = table.columns.iter().map(|column| column.title).collect();
    let rows = table.rows.iter().map(|row| {
        let cells = row.cells.iter().map(|cell| cell.text.as_str());
        cells.collect::<Vec<_>>()
    });
    for cells in [titles].into_iter().chain(rows) {
        let mut line = String::new();
        for place in &places {
            let from = usize::from(place.from).saturating_sub(line.chars().count());
            line.extend(std::iter::repeat_n(' ', from));
            let kind = table.columns[place.column].kind;
            let (blank, cell) = Cell::placed(cells[place.column], kind, place.width.into());
            line.extend(std::iter::repeat_n(' ', blank));
            line.push_str(&cell);
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
}

#[cfg(test)]
mod tests;
