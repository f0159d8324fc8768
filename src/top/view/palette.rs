//! How things look: with few colours, which every terminal has and its owner has chosen, or with none.

use ratatui::style::{Color, Modifier, Style};

use crate::top::columns::Tone;

/// What may be used to set things apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::top) enum Palette {
    /// Colours, where they say something.
    Colours,
    /// Bold, faint and reversed letters alone.
    Plain,
}

impl Palette {
    pub(super) fn head(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn foot(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn warning(self) -> Style {
        self.tone(Tone::Warning)
    }

    pub(super) fn title(self, is_sorted: bool) -> Style {
        let style = Style::new().add_modifier(Modifier::UNDERLINED);
        match is_sorted {
            true => style.add_modifier(Modifier::BOLD),
            false => style,
        }
    }

    pub(super) fn row(self, tone: Tone, has_cursor: bool) -> Style {
        let style = self.tone(tone);
        match has_cursor {
            true => style.add_modifier(Modifier::REVERSED),
            false => style,
        }
    }

    fn tone(self, tone: Tone) -> Style {
        let style = Style::new();
        match (self, tone) {
            (_, Tone::Plain) => style,
            (Self::Colours, Tone::Alarm) => style.fg(Color::Red).add_modifier(Modifier::BOLD),
            (Self::Colours, Tone::Warning) => style.fg(Color::Yellow),
            (Self::Plain, Tone::Alarm | Tone::Warning) => style.add_modifier(Modifier::BOLD),
            (_, Tone::Faint) => style.add_modifier(Modifier::DIM),
        }
    }
}
