//! The same request to two servers, and what differs in their answers: how a move from one server to another is tried.
//!
//! `requests` is what is asked, `server` who is asked, `client` asks, `difference` judges. The client is ours and not the
//! engine's: it speaks the protocols from the other side, waits, and takes in what servers send that our own codecs
//! would refuse. Nothing here prints.

mod answer;
mod client;
mod connection;
mod difference;
mod error;
mod excerpt;
mod packet;
mod requests;
mod rules;
mod server;
#[cfg(test)]
mod tests;

pub(crate) use answer::Answer;
pub(crate) use difference::Difference;
pub(crate) use error::{CompareError, Failure};
pub(crate) use requests::{Header, Request, Requests};
pub(crate) use rules::Rules;
pub(crate) use server::Server;

use std::time::{Duration, Instant};

use difference::Side;

/// Who is asked, and how.
#[derive(Debug)]
pub(crate) struct Comparison {
    /// The server that is known to be right.
    pub(crate) old: Server,
    /// The server that shall take its place.
    pub(crate) new: Server,
    /// Header fields of every request that does not have one of the same name.
    pub(crate) headers: Vec<Header>,
    /// Whether both are told that the client came over TLS, as a front server would.
    pub(crate) https: bool,
    /// How long one answer may take, from connecting to its last byte.
    pub(crate) timeout: Duration,
    /// What is not compared.
    pub(crate) rules: Rules,
}

/// What one request gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Of the old server.
    pub(crate) old: Timed,
    /// Of the new server.
    pub(crate) new: Timed,
    /// Empty: the answers are equal.
    pub(crate) differences: Vec<Difference>,
}

/// An answer, or why there is none, and how long that took.
#[derive(Debug)]
pub(crate) struct Timed {
    /// The answer.
    pub(crate) answer: Result<Answer, Failure>,
    /// From connecting to its last byte.
    pub(crate) took: Duration,
}

impl Comparison {
    /// Asks the old server, then the new one.
    pub(crate) fn compare(&self, request: &Request) -> Outcome {
        let request = &self.complete(request);
        let old = self.ask(&self.old, request);
        let new = self.ask(&self.new, request);
        let host = request.value("host").unwrap_or_default();
        let sides = [(&old, &self.old), (&new, &self.new)].map(|(timed, server)| Side {
            answer: timed.answer.as_ref(),
            names: [server.authority(), host],
        });
        let differences = self.rules.differences(&request.method, sides);
        Outcome {
            old,
            new,
            differences,
        }
    }

    /// The request with the header fields of all requests and with a Host, which is the same for both servers: an
    /// application that writes it into its answers would otherwise make all of them differ.
    fn complete(&self, request: &Request) -> Request {
        let mut request = request.clone();
        let own = request.headers.len();
        for header in &self.headers {
            let is_own = |known: &Header| known.name.eq_ignore_ascii_case(&header.name);
            if !request.headers[..own].iter().any(is_own) {
                request.headers.push(header.clone());
            }
        }
        if request.value("host").is_none() {
            request.headers.insert(
                0,
                Header {
                    name: "Host".to_owned(),
                    value: self.old.authority().to_owned(),
                },
            );
        }
        request
    }

    fn ask(&self, server: &Server, request: &Request) -> Timed {
        let start = Instant::now();
        let answer = client::ask(server, request, self.https, start + self.timeout);
        Timed {
            answer,
            took: start.elapsed(),
        }
    }
}
