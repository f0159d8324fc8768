//! What comes over the way between two supervisors, for the loop.

use std::{os::fd::AsFd, sync::Arc};

use serde::de::DeserializeOwned;
use tokio::sync::mpsc;
use tracing::debug;

use crate::{
    ipc::{Channel, IpcError},
    supervisor::readable,
};

use super::message::{FromHeir, ToHeir};

/// Words that wait for the loop.
pub(super) const QUEUE: usize = 16;

/// Somebody has said something; `None`: and will not say more.
pub(in crate::supervisor) enum Word {
    /// The supervisor that is to follow this one.
    Heir(Option<FromHeir>),
    /// The supervisor before this one.
    Predecessor(Option<ToHeir>),
    /// A supervisor that does not speak as we do, and what it says in place of our greeting.
    Stranger(String),
}

/// As much of a stranger's greeting as people need to see whose it is.
const LONGEST_GREETING: usize = 64;

/// Hands on what comes, to the end. A word that is unknown here is of a newer version, which knows that it may be.
pub(super) async fn forward<T: DeserializeOwned>(
    channel: Arc<Channel>,
    words: mpsc::Sender<Word>,
    word: fn(Option<T>) -> Word,
) {
    // Fails only when the loop has ended, and this task ends with it.
    let tell = async |message| _ = words.send(word(message)).await;
    let Ok(ready) = channel.as_fd().try_clone_to_owned().and_then(readable) else {
        return tell(None).await;
    };
    loop {
        match channel.recv::<T>() {
            Ok(Some((message, _))) => tell(Some(message)).await,
            Err(IpcError::Malformed(error)) => debug!(%error, "an unknown word"),
            Err(IpcError::Version { theirs }) => {
                _ = words.send(Word::Stranger(beginning(&theirs))).await;
            }
            Err(error) if error.is_would_block() => {
                if let Ok(mut ready) = ready.readable().await {
                    ready.clear_ready();
                }
            }
            Ok(None) | Err(_) => return tell(None).await,
        }
    }
}

/// The beginning of a stranger's words.
pub(super) fn beginning(theirs: &str) -> String {
    theirs.chars().take(LONGEST_GREETING).collect()
}
