//! The greenlets of requests that take longer than they may: where they wait is logged, and an exception raised there.
//!
//! All this happens in a handler of Python's for our signal, and so in the one thread that there is, between two steps of
//! whichever greenlet has it just then. If that one is due, the handler raises; the others are left to the hub.

use std::sync::Arc;

use hostler::serve::Watches;
use pyo3::{intern, prelude::*, types::PyCFunction};

use super::{Lanes, hub};
use crate::{harakiri::HarakiriError, traceback};

/// Gives whether the calling greenlet is one of those whose request was ended.
///
/// # Errors
/// What gevent raises.
pub(crate) fn strike(
    py: Python<'_>,
    lanes: &Arc<Lanes>,
    watches: &Arc<Watches>,
    message: &'static str,
) -> PyResult<bool> {
    let hub = hub(py)?;
    let current = hub.call_method0(intern!(py, "getcurrent"))?;
    let mut is_here = false;
    for (number, _) in watches.stuck() {
        let found = lanes.at_work(number, |at_work| {
            let is_told = std::mem::replace(&mut at_work.is_told, true);
            at_work
                .link
                .is_open()
                .then(|| (at_work.greenlet.clone_ref(py), is_told))
        });
        let Some((greenlet, is_told)) = found.flatten() else {
            continue;
        };
        let greenlet = greenlet.into_bound(py);
        if greenlet.is(&current) {
            is_here = true;
            continue;
        }
        if !is_told {
            tell(hub, &greenlet);
        }
        let is_due = is_due(lanes, watches, number, &greenlet)?;
        let error = HarakiriError::new_err(message).into_value(py);
        hub.call_method1(intern!(py, "strike"), (greenlet, is_due, error))?;
    }
    Ok(is_here)
}

/// `faulthandler` knows threads only, and shows of this one the greenlet that runs.
fn tell(hub: &Bound<'_, PyModule>, greenlet: &Bound<'_, PyAny>) {
    let py = hub.py();
    let stack = hub
        .call_method1(intern!(py, "where"), (greenlet,))
        .and_then(|stack| stack.extract::<String>());
    match stack {
        Ok(stack) => tracing::error!(%stack, "a greenlet whose request is past its deadline waits"),
        Err(error) => {
            tracing::error!(error = %traceback::summary(py, &error), "the stack of a greenlet is unknown");
        }
    }
}

/// A function that says whether the greenlet is still at the request that was ended.
fn is_due<'py>(
    lanes: &Arc<Lanes>,
    watches: &Arc<Watches>,
    number: u32,
    greenlet: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyCFunction>> {
    let py = greenlet.py();
    let (lanes, watches) = (Arc::clone(lanes), Arc::clone(watches));
    let greenlet = greenlet.clone().unbind();
    PyCFunction::new_closure(py, None, None, move |_, _| {
        let is_same = lanes.at_work(number, |at_work| {
            at_work.greenlet.is(&greenlet) && at_work.link.is_open()
        });
        is_same.unwrap_or_default() && watches.is_ended(number)
    })
}
