//! What a supervisor leaves to its heir: sockets, each with the use that it had, and a few facts.

use std::os::fd::{BorrowedFd, OwnedFd};

use serde::{Deserialize, Serialize};

use crate::listener::{Heirloom, ListenError, Listeners};

/// The first message to an heir. Programs of different versions speak so, see [`super::message`].
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub(in crate::supervisor) struct Estate {
    /// Version of the program before it.
    pub(super) version: String,
    /// Number of its first generation: they are counted on.
    pub(super) generation: u32,
    /// Its predecessor stays its parent, and ends with it.
    pub(super) is_child: bool,
    /// The directory of the control socket was made for it, and goes with it.
    pub(super) made_directory: bool,
    /// One for each descriptor but the last, which is that of the keys of session tickets.
    pub(super) sockets: Vec<Left>,
}

/// A socket that is left.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(in crate::supervisor) struct Left {
    purpose: Purpose,
    socket: Heirloom,
}

/// Who listens there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Purpose {
    Control,
    Listen,
    Metrics,
    Stats,
    /// Something of a newer version, which does without it.
    #[serde(other)]
    Unknown,
}

/// Sockets by what they are for.
#[derive(Default)]
pub(super) struct Sockets {
    /// The control socket, if there is one.
    pub(super) control: Listeners,
    /// Those that applications serve.
    pub(super) listen: Listeners,
    /// Those where metrics are given out.
    pub(super) metrics: Listeners,
    /// Those where stats are given out.
    pub(super) stats: Listeners,
}

impl Sockets {
    /// What is left, and the descriptors of that in the same order.
    pub(super) fn leave(&self) -> (Vec<Left>, Vec<BorrowedFd<'_>>) {
        let all = [
            (Purpose::Control, &self.control),
            (Purpose::Listen, &self.listen),
            (Purpose::Metrics, &self.metrics),
            (Purpose::Stats, &self.stats),
        ];
        let left = all.into_iter().flat_map(|(purpose, listeners)| {
            let heirlooms = listeners.heirlooms();
            heirlooms.map(move |(socket, fd)| (Left { purpose, socket }, fd))
        });
        left.unzip()
    }

    /// What a predecessor has left.
    ///
    /// # Errors
    /// It means something that is unknown here.
    pub(super) fn take(
        left: Vec<Left>,
        fds: &mut impl Iterator<Item = OwnedFd>,
    ) -> Result<Self, ListenError> {
        let mut all: Vec<(Left, OwnedFd)> = left.into_iter().zip(fds).collect();
        let mut of = |purpose| {
            let found = all.extract_if(.., |(left, _)| left.purpose == purpose);
            Listeners::from_heirlooms(found.map(|(left, fd)| (left.socket, fd)))
        };
        Ok(Self {
            control: of(Purpose::Control)?,
            listen: of(Purpose::Listen)?,
            metrics: of(Purpose::Metrics)?,
            stats: of(Purpose::Stats)?,
        })
    }

    /// The files of all of them are ours to remove.
    pub(super) fn own(&self) {
        for listeners in [&self.control, &self.listen, &self.metrics, &self.stats] {
            listeners.own();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Listen;

    fn bound(address: &str) -> Listeners {
        let listen = Listen::at(address.parse().unwrap());
        Listeners::bind(&[listen], Duration::ZERO, Vec::new()).unwrap()
    }

    fn addresses(listeners: &Listeners) -> Vec<&str> {
        let listeners = listeners.iter();
        listeners.map(|listener| listener.bound.as_str()).collect()
    }

    #[test]
    fn each_socket_arrives_where_it_belongs() {
        let before = Sockets {
            listen: bound("@hostler-test-estate-listen"),
            stats: bound("@hostler-test-estate-stats"),
            ..Sockets::default()
        };
        let (left, fds) = before.leave();
        let text = serde_json::to_string(&left).unwrap();
        // What a newer version has besides is let go.
        let text = text.replace("\"stats\"", "\"telepathy\"");
        let mut fds = fds.iter().map(|fd| fd.try_clone_to_owned().unwrap());
        let after = Sockets::take(serde_json::from_str(&text).unwrap(), &mut fds).unwrap();
        assert_eq!(addresses(&after.listen), ["@hostler-test-estate-listen"]);
        assert!(addresses(&after.stats).is_empty());
        assert!(addresses(&after.control).is_empty());
    }
}
