//! What the clients of the stats address are told: one document for each connection.

use std::{io, os::fd::OwnedFd};

use tokio::{io::unix::AsyncFd, sync::mpsc, task::yield_now};

use crate::{
    stats::{Document, Facts},
    supervisor::{
        memory::memory,
        side::{
            Question,
            clients::{self, Client},
        },
    },
};

/// What uWSGI answers with `stats-http`; the end of the connection is the end of the document.
const HEAD: &[u8] = b"HTTP/1.0 200 OK\r\nConnection: close\r\n\
    Access-Control-Allow-Origin: *\r\nContent-Type: application/json\r\n\r\n";

/// Serves until the task is aborted.
pub(in crate::supervisor) async fn serve(
    socket: AsyncFd<OwnedFd>,
    http: bool,
    questions: mpsc::Sender<Question>,
) {
    clients::accept(socket, |client| talk(client, http, questions.clone())).await;
}

/// One document for each connection; over HTTP it makes no difference what is asked for.
async fn talk(client: Client, http: bool, questions: mpsc::Sender<Question>) -> io::Result<()> {
    let mut answer = Vec::new();
    if http {
        client.head().await?;
        answer.extend_from_slice(HEAD);
    }
    let facts = clients::ask(&questions, Question::Stats).await?;
    answer.append(&mut Document::new(&measured(facts).await).encode()?);
    client.tell(&answer).await
}

/// Adds the memory of the processes. The loop has its turn between any two of them.
async fn measured(mut facts: Facts) -> Facts {
    for worker in facts.workers.iter_mut().filter(|worker| worker.pid != 0) {
        if let Some(memory) = memory(worker.pid) {
            worker.rss = memory.rss;
            worker.vsz = memory.address_space;
        }
        yield_now().await;
    }
    facts
}
