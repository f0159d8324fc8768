//! `[stats]`: who asks at its address is told what the site is doing, as uWSGI's stats server would tell it.
//!
//! `facts` collects what has to be known, `server` tells it. Where is listened is decided in `side`.

mod facts;
mod server;

use tracing::info;

use crate::{
    config::Settings,
    listener::{ListenError, Listeners},
};

use super::{generation::Generation, side};

pub(super) use facts::now_unix;
pub(super) use server::serve;

/// Why there are no stats.
#[derive(Debug, thiserror::Error)]
#[error("the `address` of [stats] cannot be used; end who uses it, or write another address")]
pub(crate) struct StatsError {
    #[from]
    source: ListenError,
}

/// Binds the address of `[stats]`; without one there is no socket.
///
/// # Errors
/// The address cannot be had.
pub(crate) fn bind(settings: &Settings) -> Result<Listeners, StatsError> {
    Ok(side::bind(&settings.stats.address)?)
}

/// The sockets of settings that follow these: of the same address they are the same.
///
/// # Errors
/// The address cannot be had.
pub(super) fn rebind<'g>(
    generations: impl DoubleEndedIterator<Item = &'g Generation>,
    settings: &Settings,
) -> Result<Listeners, StatsError> {
    let before = generations.map(|one| (&one.stats, &one.settings.stats.address));
    Ok(side::rebind(before, &settings.stats.address)?)
}

/// The same, given those sockets.
///
/// # Errors
/// The address cannot be had.
pub(super) fn rebind_to(sockets: &Listeners, settings: &Settings) -> Result<Listeners, StatsError> {
    Ok(side::rebind_to(sockets, &settings.stats.address)?)
}

/// Where stats are given out from now on, and whether over HTTP.
pub(super) fn tell(served: &[(String, bool)]) {
    for (address, http) in served {
        info!(address, http, "stats are given out");
    }
    if served.is_empty() {
        info!("stats are not given out any more");
    }
}
