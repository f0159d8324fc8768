//! Draws what the model shows into a buffer of cells, however small it is.

mod head;
mod help;
mod palette;
#[cfg(test)]
mod tests;

use ratatui::{
    buffer::Buffer,
    layout::{Position, Rect},
    style::Style,
};

use super::{
    columns::{Cell, Column, Placed, Table},
    model::{Focus, Pane, Stack, Top, View},
    rows::Key,
};

pub(super) use palette::Palette;

/// Lines of a table that is worth its room: the titles and a row.
const LEAST: u16 = 2;

/// Draws everything.
pub(super) fn draw(top: &Top, area: Rect, buffer: &mut Buffer, palette: Palette) {
    let mut area = area.intersection(buffer.area);
    for line in head::lines(top) {
        let style = palette.head();
        write(buffer, take_top(&mut area, 1), &line, style);
    }
    // The line of the keys goes last when there is no room.
    if area.height > LEAST {
        let foot = take_bottom(&mut area, 1);
        write(buffer, foot, &head::foot(top), palette.foot());
        for line in head::troubles(top) {
            if area.height > LEAST {
                write(buffer, take_bottom(&mut area, 1), &line, palette.warning());
            }
        }
    }
    match &top.pane {
        Some(Pane::Help) => text(buffer, area, "keys", help::LINES.iter().copied(), palette),
        Some(Pane::Stack(stack)) => draw_stack(stack, area, buffer, palette),
        None => draw_tables(top, area, buffer, palette),
    }
}

fn draw_stack(stack: &Stack, area: Rect, buffer: &mut Buffer, palette: Palette) {
    let lines = stack.lines.as_deref();
    let waiting = ["asking ..."];
    let waiting = waiting.iter().filter(|_| lines.is_none()).copied();
    let lines = lines.unwrap_or_default().iter().map(String::as_str);
    let shown = waiting.chain(lines).skip(stack.scroll);
    text(buffer, area, &stack.title, shown, palette);
}

fn draw_tables(top: &Top, mut area: Rect, buffer: &mut Buffer, palette: Palette) {
    let (upper, running) = (top.upper(), top.running());
    let is_upper = top.focus == Focus::Upper;
    let upper_view = match top.site {
        Some(_) => &top.workers_view,
        None => &top.sites_view,
    };
    // With no room for two of them there is the one that has the keys.
    if area.height < 2 * LEAST + 1 {
        match is_upper {
            true => table(buffer, area, &upper, upper_view, true, palette),
            false => table(buffer, area, &running, &top.running_view, true, palette),
        }
        return;
    }
    let wanted = |table: &Table<Key>| table.rows.len().min(usize::from(u16::MAX / 2)) as u16 + 1;
    let spare = area.height.saturating_sub(wanted(&running) + 1);
    let half = (area.height / 2).max(spare).max(LEAST);
    let above = wanted(&upper).max(LEAST).min(half);
    table(
        buffer,
        take_top(&mut area, above),
        &upper,
        upper_view,
        is_upper,
        palette,
    );
    let title = match running.rows.len() {
        0 => "no request runs".to_owned(),
        1 => "1 request runs".to_owned(),
        count => format!("{count} requests run"),
    };
    let line = take_top(&mut area, 1);
    write(buffer, line, &title, palette.head());
    table(
        buffer,
        area,
        &running,
        &top.running_view,
        !is_upper,
        palette,
    );
}

/// Titles, and as many rows as there is room for; the one with the cursor is among them.
fn table(
    buffer: &mut Buffer,
    mut area: Rect,
    table: &Table<Key>,
    view: &View,
    has_keys: bool,
    palette: Palette,
) {
    let columns = table.placed(area.width);
    let titles = take_top(&mut area, 1);
    for place in &columns {
        let column = &table.columns[place.column];
        let is_sorted = place.column == view.sort;
        let style = palette.title(is_sorted);
        cell(buffer, titles, column, *place, column.title, style);
    }
    let position = view.position(table);
    let above = (position + 1).saturating_sub(area.height.into());
    for (number, row) in table.rows.iter().enumerate().skip(above) {
        if area.height == 0 {
            return;
        }
        let line = take_top(&mut area, 1);
        let style = palette.row(row.tone, has_keys && number == position);
        buffer.set_style(line, style);
        for place in &columns {
            let column = &table.columns[place.column];
            cell(
                buffer,
                line,
                column,
                *place,
                &row.cells[place.column].text,
                style,
            );
        }
    }
}

fn cell(buffer: &mut Buffer, line: Rect, column: &Column, place: Placed, text: &str, style: Style) {
    let room = line.width.saturating_sub(place.from).min(place.width);
    let (blank, text) = Cell::placed(text, column.kind, room.into());
    let part = Rect {
        x: line.x + place.from + blank as u16,
        width: room - blank as u16,
        ..line
    };
    write(buffer, part, &text, style);
}

/// A text under its title.
fn text<'t>(
    buffer: &mut Buffer,
    mut area: Rect,
    title: &str,
    lines: impl Iterator<Item = &'t str>,
    palette: Palette,
) {
    let title = format!("{title} (Esc closes)");
    write(buffer, take_top(&mut area, 1), &title, palette.title(true));
    for line in lines.take(area.height.into()) {
        write(buffer, take_top(&mut area, 1), line, Style::new());
    }
}

/// One line, cut where the room ends.
fn write(buffer: &mut Buffer, line: Rect, text: &str, style: Style) {
    if line.width > 0 && buffer.area.contains(Position::new(line.x, line.y)) && line.height > 0 {
        buffer.set_stringn(line.x, line.y, text, line.width.into(), style);
    }
}

fn take_top(area: &mut Rect, height: u16) -> Rect {
    let height = height.min(area.height);
    let taken = Rect { height, ..*area };
    area.y += height;
    area.height -= height;
    taken
}

fn take_bottom(area: &mut Rect, height: u16) -> Rect {
    let height = height.min(area.height);
    area.height -= height;
    Rect {
        y: area.y + area.height,
        height,
        ..*area
    }
}
