//! `[workers]`, and how long and how large things may be.

use crate::convert::gunicorn::gather::Given;

use super::{Site, Told, not_needed, not_possible, values::callable};

/// gunicorn's kinds of workers, as far as the difference matters.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// They run coroutines (ASGI).
    Asgi(String),
    /// Another library of green threads.
    Eventlet,
    Gevent,
    /// Somebody's own.
    Other(String),
    /// One request at a time.
    Sync,
    /// A pool of threads.
    Threads,
}

/// Heads up to this size are taken anyway.
const HEAD: u64 = 64 << 10;
/// The most that `http.buffer-size` takes.
const LARGEST_HEAD: &str = "1M";
/// Header fields of one request that are taken.
const FIELDS: u64 = 128;
/// Processes and threads that the schema takes.
const MOST: u64 = 1024;

impl Site<'_> {
    /// gunicorn's defaults that are not ours.
    pub(super) fn make_workers(&mut self) {
        let given = |name| self.values.given(name).is_some();
        let [timeout, graceful, keepalive, connections] = [
            "timeout",
            "graceful_timeout",
            "keepalive",
            "worker_connections",
        ]
        .map(given);
        if !timeout && self.kind() == Kind::Sync {
            let why = "gunicorn's default: a worker that serves one request for longer is killed.";
            self.keep_default("limits", "harakiri", "30s", why);
        }
        if !graceful {
            for key in ["reload-mercy", "worker-reload-mercy"] {
                self.keep_default(
                    "timeouts",
                    key,
                    "30s",
                    "gunicorn's default for graceful_timeout.",
                );
            }
        }
        if !keepalive && self.kind() != Kind::Sync {
            self.keep_default("http", "keep-alive", "2s", "gunicorn's default.");
        }
        if self.kind() == Kind::Gevent && !connections {
            self.keep_default(
                "workers",
                "concurrency",
                1000,
                "gunicorn's default for worker_connections.",
            );
        }
    }

    pub(super) fn worker_setting(&mut self, name: &str) -> Option<Told> {
        Some(match name {
            "workers" => self.counted("processes", "workers"),
            "threads" => match self.kind() {
                Kind::Gevent | Kind::Eventlet | Kind::Asgi(_) => {
                    not_needed("it is about worker_class gthread, and there is another one")
                }
                _ => self.counted("threads", "threads"),
            },
            "worker_class" => self.class(),
            "worker_connections" => self.connections(),
            "max_requests" => self.keep_number("workers", "max-requests", name),
            "max_requests_jitter" => match self.values.number("max_requests") {
                0 => not_needed("without max_requests it says nothing"),
                _ => self.keep_number("workers", "max-requests-delta", name),
            },
            "timeout" => self.timeout(),
            "graceful_timeout" => self.mercy(),
            "keepalive" => match self.kind() {
                Kind::Sync => not_needed(
                    "gunicorn's sync workers keep no connection; here an idle connection takes no thread",
                ),
                _ => self.keep("http", "keep-alive", seconds(self.values.number(name))),
            },
            "limit_request_line" | "limit_request_field_size" => self.head_limit(name),
            "limit_request_fields" => match self.values.number(name) {
                1..=FIELDS => not_needed("at most 128 header fields are taken anyway"),
                _ => not_possible(
                    "more than 128 header fields are not taken",
                    "fewer of them, which is what clients send",
                ),
            },
            _ => return None,
        })
    }

    fn connections(&mut self) -> Told {
        match self.kind() {
            Kind::Gevent => {
                let connections = self.values.number("worker_connections").max(1);
                self.keep("workers", "concurrency", toml_number(connections))
            }
            _ => {
                not_needed("connections that wait take no thread, and their number is not limited")
            }
        }
    }

    fn mercy(&mut self) -> Told {
        let time = seconds(self.values.number("graceful_timeout"));
        self.keep("timeouts", "worker-reload-mercy", time.clone());
        self.keep("timeouts", "reload-mercy", time)
            .remark("it is timeouts.worker-reload-mercy as well, for reloads")
    }

    fn kind(&self) -> Kind {
        let raw = self.values.raw("worker_class");
        let class = match callable(&raw) {
            Some(name) => name.to_owned(),
            None => self
                .values
                .text("worker_class")
                .unwrap_or_else(|| "sync".to_owned()),
        };
        let class = class
            .strip_prefix("egg:gunicorn#")
            .map(str::to_owned)
            .unwrap_or(class);
        let is_threaded = self.values.number("threads") > 1;
        match class.as_str() {
            "sync" | "gunicorn.workers.sync.SyncWorker" if !is_threaded => Kind::Sync,
            "sync"
            | "gthread"
            | "gunicorn.workers.sync.SyncWorker"
            | "gunicorn.workers.gthread.ThreadWorker" => Kind::Threads,
            "asgi" => Kind::Asgi(class),
            _ if class.starts_with("gevent") || class.starts_with("gunicorn.workers.ggevent") => {
                Kind::Gevent
            }
            _ if class.contains("eventlet") => Kind::Eventlet,
            _ if [
                "uvicorn",
                "Uvicorn",
                "aiohttp",
                "hypercorn",
                "daphne",
                "asgi",
            ]
            .iter()
            .any(|known| class.contains(known)) =>
            {
                Kind::Asgi(class)
            }
            _ => Kind::Other(class),
        }
    }

    fn class(&mut self) -> Told {
        match self.kind() {
            Kind::Sync => {
                not_needed("one request at a time for each worker is what there is without threads")
            }
            Kind::Threads => match self.values.number("threads") {
                0 | 1 => not_needed("with one thread there is one request at a time"),
                _ => not_needed("workers.threads says it"),
            },
            Kind::Gevent => self.keep("workers", "loop", "gevent"),
            Kind::Eventlet => not_possible(
                "eventlet is not supported",
                "[workers] loop = \"gevent\", or threads: processes times threads is the number of requests at a time",
            ),
            Kind::Asgi(class) => not_possible(
                &format!("{class} runs ASGI applications, and hostler serves WSGI"),
                "the WSGI application of the framework (Django: wsgi.py, Starlette and FastAPI: none); else keep \
                 gunicorn or uvicorn for this site",
            ),
            Kind::Other(class) => not_possible(
                &format!("the worker class {class} is gunicorn's alone"),
                "[workers] threads: processes times threads is the number of requests at a time",
            ),
        }
    }

    /// gunicorn's timeout is how long a worker may give no sign of life. A sync worker gives none while it serves a
    /// request, so for it that is the time of a request; other workers give theirs from another thread.
    fn timeout(&mut self) -> Told {
        let timeout = self.values.number("timeout");
        match (self.kind(), timeout) {
            (Kind::Sync | Kind::Other(_), 0) => not_needed("0 is no limit, which limits.harakiri has anyway"),
            (Kind::Sync | Kind::Other(_), _) => self
                .keep("limits", "harakiri", seconds(timeout))
                .remark(
                    "in gunicorn it is how long a worker may be silent, which for sync workers is the time of a request",
                ),
            _ => not_needed(
                "for workers with threads or an event loop it limits no request; timeouts.stuck finds a site that \
                 hangs, and limits.harakiri would limit requests",
            ),
        }
    }

    fn counted(&mut self, key: &str, name: &str) -> Told {
        let number = self.values.number(name);
        let told = self.keep("workers", key, toml_number(number.clamp(1, MOST)));
        match number {
            0 | 1..=MOST => told,
            _ => told.check(format!("there are at most {MOST}, not {number}")),
        }
    }

    fn keep_number(&mut self, section: &str, key: &str, name: &str) -> Told {
        let number = toml_number(self.values.number(name));
        self.keep(section, key, number)
    }

    fn head_limit(&mut self, name: &str) -> Told {
        match self.values.number(name) {
            1..=HEAD => not_needed("http.buffer-size limits the whole head to 64K"),
            _ => self.keep("http", "buffer-size", LARGEST_HEAD),
        }
    }

    /// Whether anything was said of it.
    pub(super) fn given(&self, name: &str) -> Option<&Given> {
        self.values.given(name)
    }
}

fn seconds(number: u64) -> String {
    format!("{number}s")
}

/// TOML's numbers have 63 bits.
fn toml_number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
