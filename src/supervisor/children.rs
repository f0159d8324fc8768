//! Who there is: the sockets to zygotes and workers, and the pipes for their stacks, watched together.

use std::{
    collections::BTreeMap,
    io, mem,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    path::PathBuf,
    time::Duration,
};

use rustix::{
    buffer::spare_capacity,
    event::{Timespec, epoll},
    io::retry_on_intr,
};
use serde::de::DeserializeOwned;

use crate::{
    ipc::{Channel, FromWorker, FromZygote, IpcError, LoadFailure, ToWorker, ToZygote},
    scoreboard::now_us,
};

use super::{
    generation::one_line,
    lifecycle::{Event, WorkerId, ZygoteId},
    output::Output,
    stacks::{Progress, Stacks},
};

/// Everything that is ready is read so many times before others have their turn: a process that writes without end must
/// not keep the supervisor from its work.
const ROUNDS: usize = 16;

/// Who is at the other end of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Peer {
    Worker(WorkerId),
    Zygote(ZygoteId),
}

/// Every channel that is open. The loop waits for this to become readable instead of for each of them.
pub(super) struct Children {
    epoll: OwnedFd,
    /// By the number under which epoll knows them.
    channels: BTreeMap<u64, (Peer, Channel)>,
    /// Files that applications were loaded from, told and not yet taken.
    loaded: Vec<PathBuf>,
    /// By the number under which epoll knows them.
    stacks: BTreeMap<u64, (WorkerId, Stacks)>,
    /// By the number under which epoll knows them.
    outputs: BTreeMap<u64, Output>,
    last_output: u64,
}

impl AsFd for Children {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

impl Children {
    pub(super) fn new() -> io::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        Ok(Self {
            epoll,
            channels: BTreeMap::new(),
            loaded: Vec::new(),
            stacks: BTreeMap::new(),
            outputs: BTreeMap::new(),
            last_output: 0,
        })
    }

    pub(super) fn add_zygote(&mut self, id: ZygoteId, channel: Channel) -> io::Result<()> {
        self.add(Peer::Zygote(id), channel)
    }

    pub(super) fn add_worker(
        &mut self,
        id: WorkerId,
        channel: Channel,
        stacks: Stacks,
    ) -> io::Result<()> {
        self.add(Peer::Worker(id), channel)?;
        let number = stacks_number(id);
        let data = epoll::EventData::new_u64(number);
        epoll::add(&self.epoll, &stacks, data, epoll::EventFlags::IN)?;
        self.stacks.insert(number, (id, stacks));
        Ok(())
    }

    /// Logs what comes from there, until nobody can write any more.
    pub(super) fn add_output(&mut self, output: Output) -> io::Result<()> {
        self.last_output += 1;
        let number = self.last_output << 2 | 3;
        let data = epoll::EventData::new_u64(number);
        epoll::add(&self.epoll, &output, data, epoll::EventFlags::IN)?;
        self.outputs.insert(number, output);
        Ok(())
    }

    /// What a worker has written of its stacks since the last time.
    pub(super) fn take_stacks(&mut self, id: WorkerId) -> String {
        let stacks = self.stacks.get_mut(&stacks_number(id));
        stacks.map(|(_, stacks)| stacks.take()).unwrap_or_default()
    }

    /// The same, which stays.
    pub(super) fn stacks(&self, id: WorkerId) -> String {
        let stacks = self.stacks.get(&stacks_number(id));
        stacks.map(|(_, stacks)| stacks.text()).unwrap_or_default()
    }

    /// Closes our end, which tells the zygote to go if it still exists.
    pub(super) fn forget_zygote(&mut self, id: ZygoteId) {
        self.channels.remove(&Peer::Zygote(id).number());
    }

    /// Closes our end, which tells the worker to drain if it still exists.
    pub(super) fn forget_worker(&mut self, id: WorkerId) {
        self.channels.remove(&Peer::Worker(id).number());
        self.stacks.remove(&stacks_number(id));
    }

    pub(super) fn tell_zygote(
        &self,
        id: ZygoteId,
        message: &ToZygote,
        fds: &[BorrowedFd<'_>],
    ) -> Result<(), IpcError> {
        let found = self.channels.get(&Peer::Zygote(id).number());
        found.map_or(Err(IpcError::Closed), |(_, channel)| {
            channel.send(message, fds)
        })
    }

    pub(super) fn tell_worker(&self, id: WorkerId, message: &ToWorker) -> Result<(), IpcError> {
        let found = self.channels.get(&Peer::Worker(id).number());
        found.map_or(Err(IpcError::Closed), |(_, channel)| {
            channel.send(message, &[])
        })
    }

    /// Tells everybody the same; gives who could not be told and why.
    pub(super) fn tell_all(
        &self,
        zygotes: &ToZygote,
        workers: &ToWorker,
        fds: &[BorrowedFd<'_>],
    ) -> Vec<IpcError> {
        let told = self.channels.values().map(|(peer, channel)| match peer {
            Peer::Worker(_) => channel.send(workers, fds),
            Peer::Zygote(_) => channel.send(zygotes, fds),
        });
        told.filter_map(Result::err).collect()
    }

    /// Files that applications were loaded from since the last time, with `reload.py-autoreload`.
    pub(super) fn take_loaded(&mut self) -> Vec<PathBuf> {
        mem::take(&mut self.loaded)
    }

    /// Reads everything that has been said. A peer that has closed, or whose words make no sense, is not heard again.
    pub(super) fn events(&mut self) -> io::Result<Vec<Event>> {
        let mut events = Vec::new();
        for _ in 0..ROUNDS {
            let mut ready = Vec::with_capacity(64);
            let at_once = Timespec::default();
            retry_on_intr(|| epoll::wait(&self.epoll, spare_capacity(&mut ready), Some(&at_once)))?;
            if ready.is_empty() {
                break;
            }
            for number in ready.iter().map(|event| event.data.u64()) {
                if let Some((peer, channel)) = self.channels.get(&number)
                    && !peer.read_all(channel, &mut events, &mut self.loaded)
                {
                    self.channels.remove(&number);
                }
                self.read_stacks(number, &mut events);
                if let Some(output) = self.outputs.get_mut(&number)
                    && !output.read()
                {
                    self.outputs.remove(&number);
                }
            }
        }
        Ok(events)
    }

    fn read_stacks(&mut self, number: u64, events: &mut Vec<Event>) {
        let Some((worker, stacks)) = self.stacks.get_mut(&number) else {
            return;
        };
        match stacks.read() {
            Progress::Closed => _ = self.stacks.remove(&number),
            Progress::Complete => events.push(Event::Dumped(*worker)),
            Progress::Unfinished => {}
        }
    }

    fn add(&mut self, peer: Peer, channel: Channel) -> io::Result<()> {
        channel.set_nonblocking()?;
        let data = epoll::EventData::new_u64(peer.number());
        epoll::add(&self.epoll, &channel, data, epoll::EventFlags::IN)?;
        self.channels.insert(peer.number(), (peer, channel));
        Ok(())
    }
}

impl Peer {
    fn number(self) -> u64 {
        match self {
            Self::Worker(id) => id.0 << 2,
            Self::Zygote(id) => u64::from(id.0) << 2 | 1,
        }
    }

    /// Gives whether the channel is still of use.
    fn read_all(
        self,
        channel: &Channel,
        events: &mut Vec<Event>,
        loaded: &mut Vec<PathBuf>,
    ) -> bool {
        loop {
            let event = match self {
                Self::Worker(id) => {
                    receive(channel).map(|message| from_worker(id, message, loaded))
                }
                Self::Zygote(id) => {
                    receive(channel).map(|message| from_zygote(id, message, loaded))
                }
            };
            match event {
                Received::Closed => {
                    events.extend(self.closed());
                    return false;
                }
                Received::Message(event) => events.extend(event),
                Received::Nothing => return true,
                Received::Nonsense(error) => {
                    events.push(self.misunderstood(&error));
                    return false;
                }
            }
        }
    }

    /// A zygote that closes its channel ends, which is seen by its exit.
    fn closed(self) -> Option<Event> {
        match self {
            Self::Worker(id) => Some(Event::ControlClosed(id)),
            Self::Zygote(_) => None,
        }
    }

    fn misunderstood(self, error: &IpcError) -> Event {
        let failure = LoadFailure {
            reason: one_line(error),
            traceback: String::new(),
        };
        match self {
            Self::Worker(worker) => Event::WorkerFailed { worker, failure },
            Self::Zygote(zygote) => Event::LoadFailed { zygote, failure },
        }
    }
}

/// None of those that peers have.
fn stacks_number(worker: WorkerId) -> u64 {
    worker.0 << 2 | 2
}

enum Received<T> {
    Closed,
    Message(T),
    Nonsense(IpcError),
    Nothing,
}

impl<T> Received<T> {
    fn map<U>(self, make: impl FnOnce(T) -> U) -> Received<U> {
        match self {
            Self::Closed => Received::Closed,
            Self::Message(message) => Received::Message(make(message)),
            Self::Nonsense(error) => Received::Nonsense(error),
            Self::Nothing => Received::Nothing,
        }
    }
}

fn receive<T: DeserializeOwned>(channel: &Channel) -> Received<T> {
    match channel.recv() {
        Ok(Some((message, _))) => Received::Message(message),
        Ok(None) => Received::Closed,
        Err(error) if error.is_would_block() => Received::Nothing,
        Err(error) => Received::Nonsense(error),
    }
}

/// The files of modules are no event: no rule depends on them.
fn from_zygote(zygote: ZygoteId, message: FromZygote, loaded: &mut Vec<PathBuf>) -> Option<Event> {
    let event = match message {
        FromZygote::Failed(failure) => Event::LoadFailed { zygote, failure },
        FromZygote::ForkRefused { slot, reason } => Event::ForkRefused {
            zygote,
            slot,
            reason,
        },
        FromZygote::Forked { slot, pid } => Event::Forked { zygote, slot, pid },
        FromZygote::Modules(files) => {
            loaded.extend(files);
            return None;
        }
        FromZygote::Ready { python } => Event::Loaded { zygote, python },
        FromZygote::Unsupported { reason } => Event::Unsupported { zygote, reason },
    };
    Some(event)
}

fn from_worker(worker: WorkerId, message: FromWorker, loaded: &mut Vec<PathBuf>) -> Option<Event> {
    let event = match message {
        FromWorker::Draining => Event::WorkerDraining(worker),
        FromWorker::Exhausted => Event::WorkerExhausted(worker),
        FromWorker::Failed(failure) => Event::WorkerFailed { worker, failure },
        FromWorker::Modules(files) => {
            loaded.extend(files);
            return None;
        }
        FromWorker::Raised => Event::WorkerRaised(worker),
        FromWorker::Rung { at_us } => Event::Rung {
            ago: Duration::from_micros(now_us().saturating_sub(at_us)),
        },
        FromWorker::Ready => Event::WorkerReady { worker, pid: None },
    };
    Some(event)
}

#[cfg(test)]
mod tests;
