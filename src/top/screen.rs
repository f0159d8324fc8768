//! The terminal while it is ours: taken in raw mode with a screen of its own, and given back whatever ends us.

use std::{
    io::{self, Stdout, Write},
    panic,
    sync::Once,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
};

use ratatui::{
    Terminal,
    backend::CrosstermBackend,
    crossterm::{
        cursor::Show,
        execute,
        terminal::{
            Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode,
            enable_raw_mode,
        },
    },
};

/// Whether the terminal is ours now. There is one terminal, so there is one of these.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);
static HOOK: Once = Once::new();

/// The terminal; dropping it gives it back.
pub(super) struct Screen(Terminal<CrosstermBackend<Stdout>>);

impl Screen {
    /// Takes the terminal that standard output is.
    ///
    /// # Errors
    /// It does not do what terminals do.
    pub(super) fn take() -> io::Result<Self> {
        // A panic tells about itself before anything is dropped: what it says has to be read afterwards.
        HOOK.call_once(|| {
            let tell = panic::take_hook();
            panic::set_hook(Box::new(move |information| {
                give_back();
                tell(information);
            }));
        });
        enable_raw_mode()?;
        IS_TAKEN.store(true, SeqCst);
        // From here on dropping gives it back, also when what follows fails.
        let screen = Terminal::new(CrosstermBackend::new(io::stdout())).map(Self);
        if screen.is_err() {
            give_back();
        }
        let screen = screen?;
        // The library's own way to clear asks the terminal where its cursor is, and not each answers.
        execute!(io::stdout(), EnterAlternateScreen, Clear(ClearType::All))?;
        Ok(screen)
    }

    /// Whether it is ours still; a thread that panicked has given it back.
    pub(super) fn is_taken(&self) -> bool {
        IS_TAKEN.load(SeqCst)
    }

    pub(super) fn terminal(&mut self) -> &mut Terminal<CrosstermBackend<Stdout>> {
        &mut self.0
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Once, whoever comes first. Nothing can be done where the terminal is gone.
fn give_back() {
    if IS_TAKEN.swap(false, SeqCst) {
        let mut stdout = io::stdout();
        let _ = execute!(stdout, LeaveAlternateScreen, Show);
        let _ = stdout.flush();
        let _ = disable_raw_mode();
    }
}

#[cfg(test)]
mod tests;
