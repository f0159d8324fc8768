//! The rules of `[reload]`.

use super::path_text;
use crate::config::{error::Problem, schema::Reload};

pub(super) fn check(reload: &Reload) -> Result<(), Problem> {
    for (key, paths) in [
        ("touch-reload", &reload.touch_reload),
        ("touch-chain-reload", &reload.touch_chain_reload),
        ("touch-workers-reload", &reload.touch_workers_reload),
        ("touch-logreopen", &reload.touch_logreopen),
    ] {
        for (number, path) in paths.iter().enumerate() {
            path_text(&["reload", key, &number.to_string()], path)?;
        }
    }
    Ok(())
}
