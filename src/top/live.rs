//! Waits for keys, readings and signals, and draws. Each of them comes from a thread of its own, so that neither a site that
//! does not answer nor a slow terminal holds the others up.

use std::{
    collections::BTreeSet,
    io,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::Duration,
};

use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use rustix::{
    event::{EventfdFlags, eventfd},
    io::{fcntl_dupfd_cloexec, retry_on_intr},
    process::Signal,
};

use crate::sys;

use super::{
    model::{Press, Top, Wish},
    rows::Key,
    screen::Screen,
    sites::Sites,
    source::{Reading, Source},
    view::{self, Palette},
};

/// Why there is no view.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TopError {
    /// Signals cannot be waited for, or there are no threads left.
    #[error("cannot {operation}")]
    Setup {
        /// What failed.
        operation: &'static str,
        /// What the kernel said.
        source: io::Error,
    },
    /// It cannot be drawn upon, or gives no keys.
    #[error("the terminal cannot be used; --once prints a table instead")]
    Terminal(#[source] io::Error),
}

/// What has happened.
enum Happening {
    /// A signal, or the terminal is gone.
    End,
    Key(Press),
    Reading(Reading),
    /// The terminal has another size.
    Resized,
    Stack(Key, Result<String, String>),
    /// No keys come any more.
    TerminalLost(io::Error),
}

/// Shows the sites until somebody wants no more. With `alone` there is one site.
///
/// # Errors
/// The terminal cannot be used.
pub(crate) fn watch(
    source: Arc<dyn Source>,
    sites: Sites,
    alone: Option<PathBuf>,
    interval: Duration,
    has_colours: bool,
) -> Result<(), TopError> {
    let palette = match has_colours {
        true => Palette::Colours,
        false => Palette::Plain,
    };
    let (tell, happened) = mpsc::channel();
    // Before the terminal is taken, so that no signal ends us with it.
    wait_for_signals(&tell)?;
    let mut screen = Screen::take().map_err(TopError::Terminal)?;
    wait_for_keys(&tell)?;
    let _stop = ask_again_and_again(&source, &tell, interval)?;
    let mut top = Top::new(sites, alone, interval);
    let mut next = None;
    loop {
        // Everything that has come meanwhile is one picture.
        for happening in next.take().into_iter().chain(happened.try_iter()) {
            if !act(happening, &mut top, &source, &tell)? {
                return Ok(());
            }
        }
        if !screen.is_taken() {
            return Ok(());
        }
        let drawn = screen.terminal().draw(|frame| {
            let area = frame.area();
            view::draw(&top, area, frame.buffer_mut(), palette);
        });
        drawn.map_err(TopError::Terminal)?;
        // The senders are ours, too, so that this ends with a happening.
        next = happened.recv().ok();
    }
}

/// Gives whether to go on.
fn act(
    happening: Happening,
    top: &mut Top,
    source: &Arc<dyn Source>,
    tell: &Sender<Happening>,
) -> Result<bool, TopError> {
    match happening {
        Happening::End => return Ok(false),
        Happening::Key(press) => match top.press(press) {
            Some(Wish::Quit) => return Ok(false),
            Some(Wish::Stack { of, place, worker }) => {
                let (source, tell) = (Arc::clone(source), tell.clone());
                spawn("stack", move || {
                    let answer = source.stack(&place, worker.worker, worker.generation);
                    // Nobody listens when we have ended.
                    let _ = tell.send(Happening::Stack(of, answer));
                })?;
            }
            None => {}
        },
        Happening::Reading(reading) => top.take(reading),
        Happening::Resized => {}
        Happening::Stack(of, answer) => top.take_stack(&of, answer),
        Happening::TerminalLost(error) => return Err(TopError::Terminal(error)),
    }
    Ok(true)
}

/// Each of them ends us, with the terminal given back.
fn wait_for_signals(tell: &Sender<Happening>) -> Result<(), TopError> {
    const SIGNALS: &[Signal] = &[Signal::HUP, Signal::INT, Signal::QUIT, Signal::TERM];
    let failed = |source: io::Error| TopError::Setup {
        operation: "wait for signals",
        source,
    };
    let wake = || -> io::Result<OwnedFd> {
        let wake = eventfd(0, EventfdFlags::CLOEXEC)?;
        sys::wake_on_signals(fcntl_dupfd_cloexec(&wake, 0)?, SIGNALS)?;
        Ok(wake)
    };
    let (wake, tell) = (wake().map_err(failed)?, tell.clone());
    spawn("signals", move || {
        let mut count = [0; 8];
        let _ = retry_on_intr(|| rustix::io::read(&wake, &mut count));
        let _ = tell.send(Happening::End);
    })
}

fn wait_for_keys(tell: &Sender<Happening>) -> Result<(), TopError> {
    let tell = tell.clone();
    spawn("keys", move || {
        loop {
            let happening = match event::read() {
                Ok(Event::Key(key)) => match press(key) {
                    Some(press) => Happening::Key(press),
                    None => continue,
                },
                Ok(Event::Resize(..)) => Happening::Resized,
                Ok(_) => continue,
                Err(error) => Happening::TerminalLost(error),
            };
            let is_last = matches!(happening, Happening::TerminalLost(_));
            if tell.send(happening).is_err() || is_last {
                return;
            }
        }
    })
}

/// A site that has not answered yet is not asked again. Dropping what comes back ends the asking.
fn ask_again_and_again(
    source: &Arc<dyn Source>,
    tell: &Sender<Happening>,
    interval: Duration,
) -> Result<Sender<()>, TopError> {
    let (stop, stopped) = mpsc::channel::<()>();
    let (source, tell) = (Arc::clone(source), tell.clone());
    spawn("readings", move || ask(&source, &tell, interval, &stopped))?;
    Ok(stop)
}

fn ask(
    source: &Arc<dyn Source>,
    tell: &Sender<Happening>,
    interval: Duration,
    stopped: &Receiver<()>,
) {
    let asked = Arc::new(Asked::default());
    let mut known = BTreeSet::new();
    loop {
        // The socket of a site goes with it, and comes back with it.
        known.extend(source.places());
        for place in &known {
            if !asked.begin(place) {
                continue;
            }
            let (source, tell) = (Arc::clone(source), tell.clone());
            let theirs = (Arc::clone(&asked), place.clone());
            let started = spawn("reading", move || {
                let (asked, place) = theirs;
                let reading = Reading::take(&*source, place.clone());
                asked.end(&place);
                let _ = tell.send(Happening::Reading(reading));
            });
            if started.is_err() {
                // There is no thread left for it: it is asked the next time.
                asked.end(place);
            }
        }
        if stopped.recv_timeout(interval) != Err(RecvTimeoutError::Timeout) {
            return;
        }
    }
}

/// Sites that have not answered yet.
#[derive(Debug, Default)]
struct Asked(Mutex<BTreeSet<PathBuf>>);

impl Asked {
    /// Gives whether it is not being asked already.
    fn begin(&self, place: &Path) -> bool {
        self.set().insert(place.to_owned())
    }

    fn end(&self, place: &Path) {
        self.set().remove(place);
    }

    /// The set is whole whoever panics.
    fn set(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn spawn(name: &str, act: impl FnOnce() + Send + 'static) -> Result<(), TopError> {
    let builder = thread::Builder::new().name(name.to_owned());
    let started = builder.spawn(act).map(drop);
    started.map_err(|source| TopError::Setup {
        operation: "start a thread",
        source,
    })
}

/// What we know of keys.
fn press(key: KeyEvent) -> Option<Press> {
    if key.kind == KeyEventKind::Release {
        return None;
    }
    let press = match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Press::Interrupt,
        KeyCode::Char(_)
            if key
                .modifiers
                .intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) =>
        {
            return None;
        }
        KeyCode::Char(character) => Press::Character(character),
        KeyCode::Backspace | KeyCode::Left => Press::Backspace,
        KeyCode::Down => Press::Down,
        KeyCode::End => Press::End,
        KeyCode::Enter | KeyCode::Right => Press::Enter,
        KeyCode::Esc => Press::Escape,
        KeyCode::Home => Press::Home,
        KeyCode::PageDown => Press::PageDown,
        KeyCode::PageUp => Press::PageUp,
        KeyCode::Tab | KeyCode::BackTab => Press::Tab,
        KeyCode::Up => Press::Up,
        _ => return None,
    };
    Some(press)
}
