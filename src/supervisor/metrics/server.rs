//! What the clients of the metrics address are answered, over HTTP, one request for each connection.

use std::{
    collections::BTreeMap,
    io,
    os::fd::OwnedFd,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::{
    io::unix::AsyncFd,
    sync::{Mutex, mpsc},
    task::yield_now,
};

use crate::{
    metrics::{self, CONTENT_TYPE, Facts, Page},
    supervisor::{
        control::Memory,
        memory::cpu_us,
        side::{
            Question,
            clients::{self, Client},
        },
    },
};

use super::routes::{Route, Unroutable, Wanted, wanted};

/// What a worker takes is measured once in this time, however many ask: the kernel walks through all of its pages for it.
const WEIGHED_FOR: Duration = Duration::from_secs(5);

const TEXT: &str = "text/plain; charset=utf-8";

/// Serves until the task is aborted.
pub(in crate::supervisor) async fn serve(
    socket: AsyncFd<OwnedFd>,
    page: bool,
    questions: mpsc::Sender<Question>,
) {
    let scales = Arc::new(Mutex::new(Scales::default()));
    let talk = |client| talk(client, page, questions.clone(), Arc::clone(&scales));
    clients::accept(socket, talk).await;
}

async fn talk(
    client: Client,
    page: bool,
    questions: mpsc::Sender<Question>,
    scales: Arc<Mutex<Scales>>,
) -> io::Result<()> {
    let head = client.head().await?;
    let Wanted { route, is_head } = match wanted(&head, page) {
        Ok(wanted) => wanted,
        Err(why) => return client.tell(&refusal(why).encode(false)).await,
    };
    // That somebody answers is the loop's answer, also to who asks for health.
    let facts = clients::ask(&questions, Question::Metrics).await?;
    let answer = match route {
        Route::Health => Answer::new("200 OK", TEXT, "ok\n"),
        Route::Ready if facts.is_ready => Answer::new("200 OK", TEXT, "ready\n"),
        Route::Ready => {
            let why = format!("not ready: {}\n", facts.state);
            Answer::new("503 Service Unavailable", TEXT, why)
        }
        Route::Page => page_answer()?,
        Route::Metrics => {
            let facts = scales.lock().await.weigh(facts).await;
            let text = metrics::text(facts).map_err(io::Error::other)?;
            Answer::new("200 OK", CONTENT_TYPE, text)
        }
        Route::Live => {
            let facts = scales.lock().await.weigh(facts).await;
            let json = metrics::live(&facts).map_err(io::Error::other)?;
            Answer::new("200 OK", "application/json", json)
        }
    };
    client.tell(&answer.encode(is_head)).await
}

fn page_answer() -> io::Result<Answer> {
    let mut random = [0; 16];
    // As many as 256 come at once (getrandom(2)).
    rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty())?;
    let Page { html, policy } = Page::new(u128::from_ne_bytes(random));
    Ok(Answer {
        policy: Some(policy),
        ..Answer::new("200 OK", "text/html; charset=utf-8", html)
    })
}

fn refusal(why: Unroutable) -> Answer {
    let (status, words) = match why {
        Unroutable::Nonsense => ("400 Bad Request", "this is no request over HTTP/1\n"),
        Unroutable::NotFound => (
            "404 Not Found",
            "here are /metrics, /healthz and /readyz, and / with page = true in [metrics]\n",
        ),
        Unroutable::NotRead => ("405 Method Not Allowed", "nothing can be changed here\n"),
    };
    Answer::new(status, TEXT, words)
}

/// A response.
struct Answer {
    status: &'static str,
    kind: &'static str,
    /// Content-Security-Policy.
    policy: Option<String>,
    body: String,
}

impl Answer {
    fn new(status: &'static str, kind: &'static str, body: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            policy: None,
            body: body.into(),
        }
    }

    fn encode(&self, is_head: bool) -> Vec<u8> {
        let Self {
            status,
            kind,
            policy,
            body,
        } = self;
        let mut text = format!(
            "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
             Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n\
             Cross-Origin-Resource-Policy: same-origin\r\nConnection: close\r\n",
            body.len()
        );
        if status.starts_with("405") {
            text += "Allow: GET, HEAD\r\n";
        }
        if let Some(policy) = policy {
            text += &format!("Content-Security-Policy: {policy}\r\n");
        }
        text += "\r\n";
        if !is_head {
            text += body;
        }
        text.into_bytes()
    }
}

/// What the processes take, as it was measured last.
#[derive(Default)]
struct Scales {
    weighed: Option<Instant>,
    /// By process.
    found: BTreeMap<i32, Memory>,
}

impl Scales {
    /// Adds what has to be measured in other processes. The loop has its turn between any two of them.
    async fn weigh(&mut self, mut facts: Facts) -> Facts {
        if self.weighed.is_none_or(|at| at.elapsed() >= WEIGHED_FOR) {
            self.found.clear();
            let workers = facts.workers.iter().map(|worker| worker.pid);
            for pid in workers.chain(facts.zygote).filter(|pid| *pid != 0) {
                self.found
                    .extend(Memory::of(pid).map(|memory| (pid, memory)));
                yield_now().await;
            }
            self.weighed = Some(Instant::now());
        }
        let mut shared = Vec::new();
        for worker in &mut facts.workers {
            worker.cpu_us = cpu_us(worker.pid);
            let found = self.found.get(&worker.pid);
            worker.memory = found.map(|memory| metrics::Memory {
                rss: memory.rss,
                pss: memory.pss,
                shared: memory.shared,
            });
            shared.extend(found.filter(|_| worker.generation == facts.generation));
        }
        let zygote = facts.zygote.and_then(|pid| self.found.get(&pid));
        facts.preload_saved = zygote.map(|zygote| Memory::saved(*zygote, &shared));
        facts
    }
}
