//! The loop: it waits for whatever may happen (`sources`), and hands it to the lifecycle. There is no decision in it.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use rustix::process::{self, getpid, set_child_subreaper};
use tokio::{runtime, sync::mpsc};

use tracing::warn;

use crate::{scoreboard::now_us, sys::ignore_by_handler, systemd::Notifier};

use super::{
    Reread, Site, SupervisorError,
    children::Children,
    control::{Recorder, Server, Waiting},
    dumps::Dumps,
    generation::Generation,
    https::Rotation,
    lifecycle::{Event, Lifecycle, WorkerId},
    log::LogKeeper,
    memory::OomKills,
    metrics::Past,
    reap::reap,
    setup,
    side::{Side, clients::CLIENTS},
    sources::{Sources, Wake, watchdog},
    succession::{Change, Succession},
    watch::{Watch, Wish},
};

/// Everything that lives as long as the service.
pub(super) struct Supervisor {
    pub(super) site: String,
    /// The settings file, absolute.
    pub(super) file: Option<String>,
    pub(super) reread: Reread,
    pub(super) started: Instant,
    pub(super) lifecycle: Lifecycle,
    pub(super) children: Children,
    pub(super) generations: BTreeMap<u32, Generation>,
    /// Generation and slot of each worker.
    pub(super) workers: BTreeMap<WorkerId, (u32, u32)>,
    pub(super) notifier: Notifier,
    pub(super) oom_kills: OomKills,
    /// A generation that has become the current one since files were last watched.
    pub(super) promoted: Option<u32>,
    pub(super) waiting: Waiting,
    pub(super) dumps: Dumps,
    pub(super) recorder: Recorder,
    pub(super) stats: Side,
    pub(super) metrics: Side,
    /// Of the metrics, what outlives generations.
    pub(super) past: Past,
    /// `None`: somebody else does it.
    pub(super) rotation: Option<Rotation>,
    pub(super) succession: Succession,
    pub(super) log: LogKeeper,
}

/// Serves until told to stop, and gives the exit code.
pub(crate) fn run(site: Site) -> Result<u8, SupervisorError> {
    // One thread: processes are forked from here, and a zygote's parent-death signal is about the thread.
    let runtime = runtime::Builder::new_current_thread().enable_all().build();
    runtime
        .map_err(setup("make a runtime"))?
        .block_on(serve(site))
}

async fn serve(site: Site) -> Result<u8, SupervisorError> {
    // Workers are orphans of a process in the middle; this makes them our children.
    set_child_subreaper(Some(getpid()))
        .map_err(|errno| setup("adopt orphaned processes")(errno.into()))?;
    let watch = Watch::new(&site.settings);
    let watch = watch.map_err(setup("watch the application's files"))?;
    let children = Children::new().map_err(setup("make an epoll instance"))?;
    let (questions, asked) = mpsc::channel(CLIENTS);
    let succession = Succession::new(&site.interpreter.extension, site.predecessor);
    let (mut succession, heard) = succession?;
    let mut sources = Sources::new(&children, watch, asked, heard)?;
    if !succession.is_waiting() {
        // Whoever sees it may send signals, which are handled by now.
        sources.control = Server::open(&site.name, Default::default());
        succession.note_control(sources.control.as_ref());
        sources.watchdog = watchdog();
    }
    // It means nothing to us, and its default effect is the end.
    ignore_by_handler(&[process::Signal::USR2]).map_err(setup("handle signals"))?;
    let rotation = Rotation::new(&site.https, Instant::now());
    let generation = Generation::new(
        site.settings,
        site.interpreter,
        site.listeners,
        site.stats,
        site.metrics,
        site.https,
    )
    .map_err(setup("make shared memory"))?;
    let plan = generation.plan();
    if plan.cheaper.exit_on_idle && !plan.is_activated {
        tracing::warn!(
            "exit-on-idle has no effect: not every listening socket is the service manager's, so nobody would start us again"
        );
    }
    tracing::info!(
        application = %generation.application(),
        python = %generation.interpreter.python.display(),
        processes = generation.settings.workers.processes,
        threads = generation.settings.workers.requests_at_once(),
        "loading the application"
    );
    let first = succession.first_generation();
    let (mut lifecycle, actions) = Lifecycle::start(plan, first, now_us(), Duration::ZERO);
    let is_waiting = succession.is_waiting();
    if is_waiting {
        lifecycle.await_reign();
    }
    let mut supervisor = Supervisor {
        site: site.name,
        file: site.file,
        reread: site.reread,
        started: Instant::now(),
        lifecycle,
        children,
        generations: BTreeMap::from([(first, generation)]),
        workers: BTreeMap::new(),
        notifier: match is_waiting {
            true => Notifier::default(),
            false => Notifier::from_environment(),
        },
        oom_kills: OomKills::new(),
        promoted: None,
        waiting: Waiting::default(),
        dumps: Dumps::default(),
        recorder: Recorder::default(),
        stats: Side::new(questions.clone()),
        metrics: Side::new(questions),
        past: Past::default(),
        rotation: Some(rotation),
        succession,
        log: LogKeeper::new(site.log_files),
    };
    if !is_waiting {
        supervisor.serve_sides(first);
    }
    let mut events = Default::default();
    for action in actions {
        supervisor.perform(action, &mut events);
    }
    let mut code = events
        .into_iter()
        .find_map(|event| supervisor.happen(event));
    while code.is_none() {
        supervisor.update(&mut sources);
        let wake = sources.wait(supervisor.wake_at()).await;
        code = supervisor.hear(wake)?;
    }
    if let Some(control) = sources.control.take() {
        // Its socket goes with it, and the directory after that.
        supervisor.succession.note_control(None);
        control.finish().await;
    }
    Ok(code.unwrap_or_default())
}

impl Supervisor {
    fn wake_at(&self) -> Option<Instant> {
        let rules = self.lifecycle.wake_at().map(|time| self.started + time);
        let mut generations = self.generations.values();
        let has_tickets = generations.any(|generation| generation.https.is_used());
        let rotation = self.rotation.as_ref().filter(|_| has_tickets);
        let rotation = rotation.map(Rotation::due);
        let others = self.notifier.due().into_iter().chain(rotation);
        let log = self.log.due(self.lifecycle.is_asleep(), Instant::now());
        let others = others.chain(log);
        rules.into_iter().chain(others).min()
    }

    /// What is waited for changes with who is in charge. What is watched changes with the current generation, and with
    /// what it loads.
    fn update(&mut self, sources: &mut Sources) {
        match self.succession.change() {
            Some(Change::Abdicated) => sources.rest(),
            Some(Change::Crowned(control)) => {
                sources.control = Server::open(&self.site, control);
                self.succession.note_control(sources.control.as_ref());
                sources.watchdog = watchdog();
            }
            None => {}
        }
        let promoted = self.promoted.take();
        let Some(watch) = &mut sources.watch else {
            return;
        };
        if let Some(generation) = promoted.and_then(|number| self.generations.get(&number))
            && let Err(error) = watch.follow(&generation.settings)
        {
            warn!(%error, "the application's files cannot be watched");
        }
        watch.add_loaded(&self.children.take_loaded());
    }

    /// Takes in everything that has happened. Exits are collected before the channels are read and told after it: so
    /// the last words of a process are heard before its end.
    fn hear(&mut self, wake: Wake) -> Result<Option<u8>, SupervisorError> {
        if let Some(rotation) = &mut self.rotation {
            rotation.turn(Instant::now());
        }
        self.keep_log(Instant::now());
        let exits = reap();
        let messages = self.children.events().map_err(setup("read the channels"))?;
        let wake = match wake {
            Wake::Asked(asked) => Vec::from_iter(self.answer(asked)),
            Wake::Look => vec![Event::Tick],
            Wake::MemoryPressure => vec![Event::MemoryPressure],
            Wake::Reload => vec![Event::ReloadRequested],
            Wake::Reopen => vec![Event::ReopenRequested],
            Wake::Side(question) => {
                self.answer_side(question);
                Vec::new()
            }
            Wake::Stop(signal) => vec![Event::StopRequested(signal)],
            Wake::Watchdog => {
                if self.lifecycle.is_alive() {
                    self.notifier.watchdog();
                }
                Vec::new()
            }
            Wake::Wished(wishes) => wishes.into_iter().map(event).collect(),
            Wake::Word(word) => Vec::from_iter(self.hear_word(word)),
        };
        let events = messages.into_iter().chain(exits).chain(wake);
        Ok(events.fold(None, |code, event| code.or(self.happen(event))))
    }
}

fn event(wish: Wish) -> Event {
    match wish {
        Wish::RecycleWorkers => Event::RecycleRequested { slot: None },
        Wish::Reload => Event::ReloadRequested,
        Wish::ReopenLog => Event::ReopenRequested,
    }
}
