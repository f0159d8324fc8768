//! What happened last, for people: a line for each, and at the end the tracebacks, as far as a screen has room.

use std::fmt::Write;

use crate::{
    supervisor::control::{History, Late, Moment, Reload, Status},
    top::duration,
};

use super::cut;

/// Lines of a traceback that are shown. What matters of Python's own is at its end, of stacks at the beginning.
const LINES: usize = 12;

/// A line for each, and under it what was running.
pub(super) fn facts(status: &Status) -> Vec<(&'static str, String)> {
    let ago = |at: Moment| duration(status.uptime_us.saturating_sub(at.uptime_us));
    let mut facts = Vec::new();
    if let Some(last) = &status.history.reload {
        let outcome = outcome(last);
        facts.push(("last reload", format!("{} ago: {outcome}", ago(last.at))));
    }
    if let Some(last) = &status.history.crash {
        let (when, status) = (ago(last.at), &last.status);
        let worker = format!("worker {} (pid {})", last.worker, last.pid);
        facts.push(("last crash", format!("{when} ago: {worker}, {status}")));
        facts.extend(last.requests.iter().map(|running| ("", running.clone())));
    }
    if let Some(last) = &status.history.harakiri {
        let ended = last.ended.as_deref().unwrap_or("has not ended");
        let (when, worker) = (
            ago(last.at),
            format!("worker {} (pid {})", last.worker, last.pid),
        );
        facts.push(("harakiri", format!("{when} ago: {worker}, {ended}")));
        facts.extend(last.requests.iter().map(|request| ("", late(request))));
    }
    facts
}

/// The stacks of the last harakiri, and the traceback of a reload that failed, if it was the last one.
pub(super) fn tracebacks(history: &History, text: &mut String) {
    if let Some(reload) = &history.reload {
        let lines: Vec<&str> = reload.traceback.trim_end().lines().collect();
        let hidden = lines.len().saturating_sub(LINES);
        section(
            "traceback of the last reload",
            &lines[hidden..],
            hidden,
            text,
        );
    }
    if let Some(harakiri) = &history.harakiri {
        let lines: Vec<&str> = harakiri.traceback.trim_end().lines().collect();
        let shown = lines.len().min(LINES);
        let title = "stacks of the last harakiri, the innermost call first";
        section(title, &lines[..shown], lines.len() - shown, text);
    }
}

fn section(title: &str, lines: &[&str], hidden: usize, text: &mut String) {
    if lines.is_empty() {
        return;
    }
    // Writing to a string cannot fail.
    let _ = writeln!(text, "\n{title}:");
    for line in lines {
        let _ = writeln!(
            text,
            "{}",
            cut(&format!("  {}", line.replace('\t', "    ")))
        );
    }
    if hidden > 0 {
        let _ = writeln!(text, "  ({hidden} more lines with --json)");
    }
}

fn outcome(reload: &Reload) -> String {
    let took = duration(reload.took_us);
    match (&reload.failure, reload.generation) {
        (Some(reason), _) => format!("failed after {took}: {reason}"),
        (None, Some(generation)) => format!("generation {generation} took over within {took}"),
        (None, None) => format!("done within {took}"),
    }
}

fn late(late: &Late) -> String {
    let age = duration(late.age_us);
    format!("{} from {} for {age}", late.request, late.peer)
}
