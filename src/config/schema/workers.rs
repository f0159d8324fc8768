//! `[workers]`: how many processes and threads run the application.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::cheaper::Cheaper;
use crate::config::value::{ByteSize, TimeSpan};

/// `[workers]`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Workers {
    /// Worker processes, from 1 to 1024.
    pub processes: u32,
    /// Python threads of each worker, from 1 to 1024. As many requests run in one worker at a time.
    pub threads: u32,
    /// Stack of each thread but the first, from 64K to 1G; 0: the system's default.
    pub thread_stack: ByteSize,
    /// Requests after which a worker is replaced; 0: never.
    pub max_requests: u64,
    /// Each worker serves up to so many requests more, at random, so that they are not all replaced at once.
    pub max_requests_delta: u64,
    /// Age at which a worker is replaced; 0: never.
    pub max_worker_lifetime: TimeSpan,
    /// Each worker lives up to so much longer, at random.
    pub max_worker_lifetime_delta: TimeSpan,
    /// Resident memory above which a worker is replaced once its requests are finished; 0: never.
    pub reload_on_rss: ByteSize,
    /// Address space above which a worker is replaced once its requests are finished; 0: never.
    pub reload_on_as: ByteSize,
    /// Resident memory above which a worker is killed at once; 0: never.
    pub evil_reload_on_rss: ByteSize,
    /// How many workers may be on their way out at a time, when it is for one of the reasons above.
    pub recycle_at_once: u32,
    /// Replace a worker when the application has raised an exception, once its requests are finished.
    pub reload_on_exception: bool,
    /// Processors that each worker is bound to, in turn (sched_setaffinity(2)); 0: none.
    pub cpu_affinity: u32,
    /// What runs the application: `threads`, or `gevent`, one greenlet for each request.
    #[serde(rename = "loop")]
    pub event_loop: EventLoop,
    /// `gevent`: requests that run in one worker at a time.
    pub concurrency: u32,
    /// How many workers there are when there is little to do.
    pub cheaper: Cheaper,
}

impl Default for Workers {
    fn default() -> Self {
        Self {
            processes: 1,
            threads: 1,
            thread_stack: ByteSize(0),
            max_requests: 0,
            max_requests_delta: 0,
            max_worker_lifetime: TimeSpan(Duration::ZERO),
            max_worker_lifetime_delta: TimeSpan(Duration::ZERO),
            reload_on_rss: ByteSize(0),
            reload_on_as: ByteSize(0),
            evil_reload_on_rss: ByteSize(0),
            recycle_at_once: 1,
            reload_on_exception: false,
            cpu_affinity: 0,
            event_loop: EventLoop::Threads,
            concurrency: 100,
            cheaper: Cheaper::default(),
        }
    }
}

impl Workers {
    /// Requests that run in one worker at a time.
    pub fn requests_at_once(&self) -> u32 {
        match self.event_loop {
            EventLoop::Gevent => self.concurrency,
            EventLoop::Threads => self.threads,
        }
    }

    /// Whether each request has a greenlet, and all of them one thread.
    pub fn is_green(&self) -> bool {
        self.event_loop == EventLoop::Gevent
    }
}

/// What runs the application in a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum EventLoop {
    /// One request per thread.
    Threads,
    /// One request per greenlet (gevent.org), all in one thread.
    Gevent,
}
