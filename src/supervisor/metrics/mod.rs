//! `[metrics]`: who asks at its address over HTTP is told numbers for Prometheus and its like, whether the service lives and
//! whether it is ready, and on wish there is a page for people.
//!
//! `facts` collects what has to be known, `routes` says what is at which path, `server` answers. `past` is what outlives
//! generations. Where is listened is decided in `side`.

mod facts;
mod past;
mod routes;
mod server;

use tracing::info;

use crate::{
    config::Settings,
    listener::{ListenError, Listeners},
};

use super::{generation::Generation, side};

pub(super) use past::Past;
pub(super) use server::serve;

/// Why there are no metrics.
#[derive(Debug, thiserror::Error)]
#[error("the `address` of [metrics] cannot be used; end who uses it, or write another address")]
pub(crate) struct MetricsError {
    #[from]
    source: ListenError,
}

/// Binds the address of `[metrics]`; without one there is no socket.
///
/// # Errors
/// The address cannot be had.
pub(crate) fn bind(settings: &Settings) -> Result<Listeners, MetricsError> {
    Ok(side::bind(&settings.metrics.address)?)
}

/// The sockets of settings that follow these: of the same address they are the same.
///
/// # Errors
/// The address cannot be had.
pub(super) fn rebind<'g>(
    generations: impl DoubleEndedIterator<Item = &'g Generation>,
    settings: &Settings,
) -> Result<Listeners, MetricsError> {
    let before = generations.map(|one| (&one.metrics, &one.settings.metrics.address));
    Ok(side::rebind(before, &settings.metrics.address)?)
}

/// The same, given those sockets.
///
/// # Errors
/// The address cannot be had.
pub(super) fn rebind_to(
    sockets: &Listeners,
    settings: &Settings,
) -> Result<Listeners, MetricsError> {
    Ok(side::rebind_to(sockets, &settings.metrics.address)?)
}

/// Where metrics are given out from now on, and whether there is a page.
pub(super) fn tell(served: &[(String, bool)]) {
    for (address, page) in served {
        info!(address, page, "metrics are given out");
    }
    if served.is_empty() {
        info!("metrics are not given out any more");
    }
}
