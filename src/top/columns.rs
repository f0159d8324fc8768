//! Tables whose columns fit into any width: the least important ones go first, one column takes what is left.

/// A column that is as wide as what is in it is no wider than this.
const WIDEST: usize = 60;

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) title: &'static str,
    /// How wide it is; of the one that takes what is left, at least.
    pub(super) width: u16,
    pub(super) kind: Kind,
    /// Which goes first when the width is short; 0 never does.
    pub(super) dispensable: u8,
}

/// What is in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// At the right, the greatest first.
    Number,
    /// At the right, the smallest first.
    Ordinal,
    /// At the left, and the rest of the width.
    Rest,
    /// At the left, in the order of the alphabet.
    Text,
}

/// What stands in a row of a column.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Cell {
    pub(super) text: String,
    /// What it is sorted by; a text by itself.
    pub(super) value: Option<f64>,
}

/// Rows of cells, each known by a key.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table<K> {
    pub(super) columns: &'static [Column],
    pub(super) rows: Vec<Row<K>>,
}

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Row<K> {
    pub(super) key: K,
    pub(super) cells: Vec<Cell>,
    pub(super) tone: Tone,
}

/// How much a row wants attention.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Tone {
    /// Something is wrong.
    Alarm,
    /// Nothing is known.
    Faint,
    #[default]
    Plain,
    /// It may become wrong.
    Warning,
}

/// A column that is shown: which, from where, and how wide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) column: usize,
    pub(super) from: u16,
    pub(super) width: u16,
}

impl Cell {
    pub(super) fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            value: None,
        }
    }

    pub(super) fn number(text: impl Into<String>, value: f64) -> Self {
        Self {
            text: text.into(),
            value: Some(value),
        }
    }

    /// A number in the words of `word`, or a hyphen where there is none.
    pub(super) fn known(number: Option<u64>, word: impl Fn(u64) -> String) -> Self {
        match number {
            Some(number) => Self::number(word(number), number as f64),
            None => Self::text("-"),
        }
    }
}

impl Cell {
    /// As it stands in so many columns: how many blanks before it, and what of it. A number that is cut would be another
    /// number, so it says that it is.
    pub(super) fn placed(text: &str, kind: Kind, room: usize) -> (usize, String) {
        let length = text.chars().count();
        let is_number = matches!(kind, Kind::Number | Kind::Ordinal);
        if is_number && length > room {
            let kept = text.chars().take(room.saturating_sub(1));
            return (0, kept.chain(['+']).take(room).collect());
        }
        let blank = if is_number { room - length } else { 0 };
        (blank, text.chars().take(room).collect())
    }
}

impl<K> Table<K> {
    /// Puts the rows into the order of a column, whose other direction is `reversed`. Rows that are equal in it stay as
    /// they are, so that they do not change places with every reading.
    pub(super) fn sort(&mut self, column: usize, reversed: bool) {
        let Some(kind) = self.columns.get(column).map(|column| column.kind) else {
            return;
        };
        self.rows.sort_by(|one, other| {
            let (Some(one), Some(other)) = (one.cells.get(column), other.cells.get(column)) else {
                return std::cmp::Ordering::Equal;
            };
            let order = match (one.value, other.value) {
                (Some(one), Some(other)) if kind == Kind::Number => other.total_cmp(&one),
                (Some(one), Some(other)) => one.total_cmp(&other),
                // What is not known comes last.
                (one, other) if one.is_some() != other.is_some() => {
                    return other.is_some().cmp(&one.is_some());
                }
                _ => one.text.cmp(&other.text),
            };
            if reversed { order.reverse() } else { order }
        });
    }

    /// The columns that have room: as wide as what is in them if that is possible, else as wide as they are anyway.
    pub(super) fn placed(&self, width: u16) -> Vec<Placed> {
        let content = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.cells.get(column));
            let longest = cells.map(|cell| cell.text.chars().count()).max();
            longest.unwrap_or_default().min(WIDEST) as u16
        };
        let natural: Vec<Column> = { self.columns.iter().enumerate() }
            .map(|(number, column)| Column {
                width: match column.kind {
                    Kind::Rest => column.width,
                    _ => column.width.max(content(number)),
                },
                ..*column
            })
            .collect();
        match needed(&natural) <= width {
            true => fit(&natural, width),
            false => fit(self.columns, width),
        }
    }

    /// Keeps the rows in which a text is, in any case.
    pub(super) fn filter(&mut self, text: &str, also: impl Fn(&K) -> bool) {
        let text = text.to_lowercase();
        let has = |cell: &Cell| cell.text.to_lowercase().contains(&text);
        if !text.is_empty() {
            self.rows
                .retain(|row| row.cells.iter().any(has) || also(&row.key));
        }
    }
}

/// The columns that have room, with a blank between them.
pub(super) fn fit(columns: &[Column], width: u16) -> Vec<Placed> {
    let mut shown: Vec<usize> = (0..columns.len()).collect();
    let columns_of =
        |shown: &[usize]| -> Vec<Column> { shown.iter().map(|column| columns[*column]).collect() };
    while needed(&columns_of(&shown)) > width {
        let last = { shown.iter().enumerate() }
            .filter(|(_, column)| columns[**column].dispensable > 0)
            .max_by_key(|(_, column)| columns[**column].dispensable);
        let Some((at, _)) = last else { break };
        shown.remove(at);
    }
    let rest = width.saturating_sub(needed(&columns_of(&shown)));
    let mut from = 0;
    let mut placed = Vec::new();
    for column in shown {
        let Column {
            width: own, kind, ..
        } = columns[column];
        let rest = if kind == Kind::Rest { rest } else { 0 };
        let own = own.saturating_add(rest);
        placed.push(Placed {
            column,
            from,
            width: own,
        });
        from = own.saturating_add(from).saturating_add(1);
    }
    placed
}

/// How wide they are with a blank between them.
fn needed(columns: &[Column]) -> u16 {
    let widths = columns.iter().map(|column| column.width.saturating_add(1));
    widths.fold(0, u16::saturating_add).saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: &[Column] = &[
        Column {
            title: "NAME",
            width: 6,
            kind: Kind::Rest,
            dispensable: 0,
        },
        Column {
            title: "RATE",
            width: 5,
            kind: Kind::Number,
            dispensable: 1,
        },
        Column {
            title: "STATE",
            width: 7,
            kind: Kind::Text,
            dispensable: 2,
        },
    ];

    #[track_caller]
    fn check_fit(width: u16, expected: &[(usize, u16, u16)]) {
        let placed = fit(COLUMNS, width).into_iter();
        let placed: Vec<_> = placed
            .map(|placed| (placed.column, placed.from, placed.width))
            .collect();
        assert_eq!(placed, expected);
    }

    #[test]
    fn what_can_be_spared_goes_first() {
        check_fit(30, &[(0, 0, 16), (1, 17, 5), (2, 23, 7)]);
        check_fit(20, &[(0, 0, 6), (1, 7, 5), (2, 13, 7)]);
        check_fit(19, &[(0, 0, 13), (1, 14, 5)]);
        check_fit(11, &[(0, 0, 11)]);
        check_fit(0, &[(0, 0, 6)]);
    }

    fn table(rows: &[(&str, Option<u64>)]) -> Table<usize> {
        let rows = rows.iter().enumerate().map(|(key, (name, rate))| Row {
            key,
            cells: vec![
                Cell::text(*name),
                Cell::known(*rate, |rate| rate.to_string()),
                Cell::default(),
            ],
            tone: Tone::Plain,
        });
        Table {
            columns: COLUMNS,
            rows: rows.collect(),
        }
    }

    #[track_caller]
    fn check_sort(column: usize, reversed: bool, expected: &[usize]) {
        let mut table = table(&[("b", Some(1)), ("c", None), ("a", Some(2)), ("d", Some(1))]);
        table.sort(column, reversed);
        let keys: Vec<usize> = table.rows.iter().map(|row| row.key).collect();
        assert_eq!(keys, expected);
    }

    #[test]
    fn rows_are_sorted_and_equal_ones_stay_as_they_are() {
        check_sort(0, false, &[2, 0, 1, 3]);
        check_sort(0, true, &[3, 1, 0, 2]);
        check_sort(1, false, &[2, 0, 3, 1]);
        check_sort(1, true, &[0, 3, 2, 1]);
        check_sort(2, false, &[0, 1, 2, 3]);
        check_sort(9, false, &[0, 1, 2, 3]);
    }

    #[track_caller]
    fn check_cell(text: &str, kind: Kind, room: usize, expected: (usize, &str)) {
        let (blank, shown) = Cell::placed(text, kind, room);
        assert_eq!((blank, shown.as_str()), expected);
    }

    #[test]
    fn numbers_stand_at_the_right_and_are_never_cut_in_silence() {
        check_cell("12", Kind::Number, 5, (3, "12"));
        check_cell("128/1024", Kind::Ordinal, 6, (0, "128/1+"));
        check_cell("12", Kind::Number, 0, (0, ""));
        check_cell("text", Kind::Text, 6, (0, "text"));
        check_cell("text", Kind::Rest, 2, (0, "te"));
    }

    #[test]
    fn a_filter_looks_into_every_cell_and_beyond() {
        let mut one = table(&[("Blog", None), ("shop", None)]);
        one.filter("bLO", |_| false);
        assert_eq!(one.rows.len(), 1);
        let mut none = table(&[("blog", None), ("shop", None)]);
        none.filter("x", |key| *key == 1);
        assert_eq!(none.rows[0].key, 1);
    }
}
