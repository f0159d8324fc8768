//! What is said on the control socket: one request and one reply for each connection, a line of JSON each.
//!
//! The number of the protocol stands in both, so that a program and a service of different versions, which meet after
//! an upgrade, can tell each other so. It changes when an older side would misunderstand a newer one; a field that an
//! older side may ignore does not change it.

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::status::Status;

/// Which protocol this is.
const PROTOCOL: u32 = 1;
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What a client wants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Command {
    /// Open the log anew.
    LogReopen,
    /// Replace the worker of this number.
    Recycle {
        /// As the status shows it.
        worker: u32,
    },
    /// Load settings and application anew.
    Reload {
        /// Answer when it has ended, and how.
        wait: bool,
    },
    /// Tell what the threads of the worker of this number are at.
    Stack {
        /// As the status shows it.
        worker: u32,
        /// As the status shows it, too; without it the current one's worker is meant, or else an older one.
        #[serde(default)]
        generation: Option<u32>,
    },
    /// Tell what is going on.
    Status,
    /// Finish what runs, and end.
    Stop,
}

/// The first and only line of a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Request {
    /// The site that the client means; a service of another name refuses.
    pub(crate) site: Option<String>,
    /// The settings file that the client means, absolute; a service of the same name with another file refuses.
    pub(crate) file: Option<String>,
    /// What it wants.
    pub(crate) command: Command,
}

/// The answer to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Reply {
    /// It is done, or it goes on without the client.
    Accepted,
    /// It was tried and did not succeed.
    Failed {
        /// One line.
        reason: String,
        /// Python's traceback, empty when there is none.
        traceback: String,
    },
    /// It was not tried.
    Refused {
        /// One line.
        reason: String,
    },
    /// The new generation serves alone.
    Reloaded {
        /// Its number.
        generation: u32,
        /// How many serve.
        workers: u32,
        /// What else people should know.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// Where the threads of a worker are, as Python writes it.
    Stack {
        /// Of each thread a few lines, the innermost call first.
        text: String,
    },
    /// What is going on.
    Status(Box<Status>),
}

/// Why a line is no message of this protocol.
#[derive(Debug, thiserror::Error)]
pub(crate) enum MessageError {
    /// It is something else.
    #[error("what was said on the control socket cannot be understood")]
    Malformed(#[source] serde_json::Error),
    /// The other side is of another time.
    #[error(
        "the service runs hostler {theirs}, and this is hostler {VERSION}: their control protocols differ; send it SIGHUP, and the reload upgrades it"
    )]
    Protocol {
        /// Its version.
        theirs: String,
    },
    /// It is of this protocol, and from a version that has more to say.
    #[error(
        "hostler {VERSION} does not know what hostler {theirs} says; if another one was installed since the service has started, a reload upgrades it"
    )]
    Unknown {
        /// Its version.
        theirs: String,
    },
}

/// What each line has around its content.
#[derive(Debug, Serialize, Deserialize)]
struct Line<T> {
    protocol: u32,
    version: String,
    #[serde(flatten)]
    content: T,
}

/// The part that every protocol has.
#[derive(Debug, Deserialize)]
struct Beginning {
    protocol: u32,
    version: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    reply: Reply,
}

impl Request {
    /// As a line.
    pub(crate) fn encode(&self) -> Result<Vec<u8>, MessageError> {
        encode(self)
    }

    /// From a line.
    pub(crate) fn decode(line: &[u8]) -> Result<Self, MessageError> {
        decode(line)
    }
}

impl Reply {
    /// As a line.
    pub(crate) fn encode(self) -> Result<Vec<u8>, MessageError> {
        encode(&Answer { reply: self })
    }

    /// From a line.
    pub(crate) fn decode(line: &[u8]) -> Result<Self, MessageError> {
        decode(line).map(|Answer { reply }| reply)
    }

    pub(in crate::supervisor) fn refused(reason: impl Into<String>) -> Self {
        Self::Refused {
            reason: reason.into(),
        }
    }
}

fn encode(content: &impl Serialize) -> Result<Vec<u8>, MessageError> {
    let line = Line {
        protocol: PROTOCOL,
        version: VERSION.to_owned(),
        content,
    };
    let mut bytes = serde_json::to_vec(&line).map_err(MessageError::Malformed)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// The number is compared first: what follows it may be unknown here.
fn decode<T: DeserializeOwned>(line: &[u8]) -> Result<T, MessageError> {
    let beginning: Beginning = serde_json::from_slice(line).map_err(MessageError::Malformed)?;
    if beginning.protocol != PROTOCOL {
        return Err(MessageError::Protocol {
            theirs: beginning.version,
        });
    }
    let line: Result<Line<T>, _> = serde_json::from_slice(line);
    let line = line.map_err(|error| match beginning.version == VERSION {
        true => MessageError::Malformed(error),
        false => MessageError::Unknown {
            theirs: beginning.version,
        },
    })?;
    Ok(line.content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(command: Command) {
        let request = Request {
            site: Some("shop".to_owned()),
            file: Some("/etc/hostler/shop.toml".to_owned()),
            command,
        };
        let line = request.encode().unwrap();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        assert_eq!(Request::decode(&line).unwrap(), request);
    }

    #[test]
    fn commands_survive_the_way() {
        check(Command::LogReopen);
        check(Command::Recycle { worker: 3 });
        check(Command::Reload { wait: true });
        check(Command::Stack {
            worker: 3,
            generation: Some(2),
        });
        check(Command::Status);
        check(Command::Stop);
    }

    #[track_caller]
    fn check_reply(reply: Reply) {
        let line = reply.clone().encode().unwrap();
        assert_eq!(Reply::decode(&line).unwrap(), reply);
    }

    #[test]
    fn replies_survive_the_way() {
        check_reply(Reply::Accepted);
        check_reply(Reply::refused("no"));
        check_reply(Reply::Reloaded {
            generation: 2,
            workers: 4,
            note: None,
        });
        check_reply(Reply::Failed {
            reason: "LookupError".to_owned(),
            traceback: "Traceback:\n  File".to_owned(),
        });
        check_reply(Reply::Stack {
            text: "Thread 1:\n  File".to_owned(),
        });
        check_reply(Reply::Status(Box::default()));
    }

    #[test]
    fn a_request_is_what_a_person_would_write() {
        let line = br#"{"protocol": 1, "version": "any", "command": {"reload": {"wait": false}}}"#;
        let expected = Request {
            site: None,
            file: None,
            command: Command::Reload { wait: false },
        };
        assert_eq!(Request::decode(line).unwrap(), expected);
    }

    /// A service that has not been restarted since the program became newer has less to say.
    #[test]
    fn what_an_older_service_does_not_tell_is_left_out() {
        let line = br#"{"protocol": 1, "version": "any", "reply": {"status": {"site": "shop", "workers": [{}],
            "listeners": [{"address": "a"}]}}}"#;
        let Reply::Status(status) = Reply::decode(line).unwrap() else {
            panic!("no status")
        };
        assert_eq!((status.site.as_str(), status.workers.len()), ("shop", 1));
    }

    #[test]
    fn another_protocol_is_told_apart_from_nonsense() {
        let other = br#"{"protocol": 2, "version": "9.9.9", "command": "dance"}"#;
        let error = Request::decode(other).unwrap_err();
        assert!(matches!(error, MessageError::Protocol { theirs } if theirs == "9.9.9"));
        let newer = br#"{"protocol": 1, "version": "9.9.9", "command": "dance"}"#;
        let error = Request::decode(newer).unwrap_err();
        assert!(matches!(error, MessageError::Unknown { theirs } if theirs == "9.9.9"));
        let ours = format!(r#"{{"protocol": 1, "version": "{VERSION}", "command": "dance"}}"#);
        for nonsense in [&b"GET / HTTP/1.1"[..], b"", ours.as_bytes()] {
            let error = Request::decode(nonsense).unwrap_err();
            assert!(matches!(error, MessageError::Malformed(_)));
        }
    }
}
