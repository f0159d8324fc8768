//! What the page polls, as JSON: readings, from which it makes rates and percentiles as differences of two of them.

use serde::Serialize;

use super::facts::{Facts, Socket, Worker};
use crate::scoreboard::{BOUNDS, Totals};

#[derive(Serialize)]
struct Live<'f> {
    version: &'static str,
    site: &'f str,
    state: &'f str,
    is_ready: bool,
    generation: u32,
    uptime_us: u64,
    wanted: u32,
    connections: u64,
    done: &'f Totals,
    responses: Vec<Response<'f>>,
    sockets: &'f [Socket],
    workers: &'f [Worker],
    respawns: Vec<Respawn<'f>>,
    preload_saved: Option<u64>,
    /// Upper bounds of the steps of the histograms, in microseconds.
    bounds: &'static [u64],
}

#[derive(Serialize)]
struct Response<'f> {
    mount: &'f str,
    classes: [u64; 5],
}

#[derive(Serialize)]
struct Respawn<'f> {
    cause: &'f str,
    count: u64,
}

/// The document.
///
/// # Errors
/// None that is known: every key is a string, and memory takes all that is written.
pub(crate) fn live(facts: &Facts) -> Result<String, serde_json::Error> {
    let responses = facts.responses.iter();
    let respawns = facts.respawns.iter();
    serde_json::to_string(&Live {
        version: env!("CARGO_PKG_VERSION"),
        site: &facts.site,
        state: &facts.state,
        is_ready: facts.is_ready,
        generation: facts.generation,
        uptime_us: facts.uptime_us,
        wanted: facts.wanted,
        connections: facts.connections,
        done: &facts.done,
        responses: responses
            .map(|(mount, classes)| Response {
                mount,
                classes: *classes,
            })
            .collect(),
        sockets: &facts.sockets,
        workers: &facts.workers,
        respawns: respawns
            .map(|&(cause, count)| Respawn { cause, count })
            .collect(),
        preload_saved: facts.preload_saved,
        bounds: &BOUNDS,
    })
}
