//! The lines above and below the tables.

use crate::{
    supervisor::control::{History, Status},
    top::{
        model::Top,
        sites::{Site, causes},
        source::Trouble,
        words::{duration, latency, printable, rate, size},
    },
};

/// Above the tables: of all sites one line, of one site three.
pub(super) fn lines(top: &Top) -> Vec<String> {
    let mode = match top.is_paused {
        true => "held, space goes on".to_owned(),
        false => format!("every {}", duration(top.interval.as_micros() as u64)),
    };
    match top.current() {
        Some((_, site)) => of_site(site, &mode),
        None => vec![of_all(top, &mode)],
    }
}

/// What the keys do, the filter while it is written, or a remark.
pub(super) fn foot(top: &Top) -> String {
    if top.is_filtering {
        return format!(
            "show only: {}_  (Enter keeps it, Esc shows all)",
            top.filter
        );
    }
    if !top.remark.is_empty() {
        return top.remark.clone();
    }
    let filter = match top.filter.as_str() {
        "" => String::new(),
        filter => format!("only {filter:?}  "),
    };
    let column = top.focused().columns[top.view().sort].title;
    format!("{filter}? help  q end  s sort ({column})  / filter  Tab  Enter  d stacks")
}

/// Who cannot be asked and why, for those that are not simply gone.
pub(super) fn troubles(top: &Top) -> Vec<String> {
    let troubles = top.sites.troubles();
    let denied = { troubles.iter() }.filter(|(_, trouble)| **trouble == Trouble::Denied);
    let denied: Vec<&str> = denied.map(|(name, _)| *name).collect();
    let mut lines = Vec::new();
    if !denied.is_empty() {
        let names = printable(&denied.join(", "));
        lines.push(format!(
            "not yours to ask (become root or their user): {names}"
        ));
    }
    lines.extend(troubles.iter().filter_map(|(name, trouble)| match trouble {
        Trouble::Other(why) => Some(printable(&format!("{name}: {why}"))),
        Trouble::Denied | Trouble::Gone => None,
    }));
    lines
}

fn of_all(top: &Top, mode: &str) -> String {
    let (mut workers, mut per_second, mut busy, mut threads, mut pss) = (0, 0.0, 0, 0, 0);
    for (_, site) in top.sites.iter() {
        let sums = site.sums();
        workers += u64::from(sums.workers);
        per_second += site.window.as_ref().map_or(0.0, |window| window.site.rate);
        busy += u64::from(sums.busy);
        threads += u64::from(sums.threads);
        pss += sums.pss.unwrap_or_default();
    }
    let count = top.sites.iter().count();
    if count == 0 {
        return format!("hostler top  no site runs that has a control socket  {mode}");
    }
    let several = |count: u64, noun: &str| match count {
        1 => format!("1 {noun}"),
        count => format!("{count} {noun}s"),
    };
    format!(
        "hostler top  {}  {}  {}/s  {busy}/{threads} busy  {} PSS  {mode}",
        several(count as u64, "site"),
        several(workers, "worker"),
        rate(per_second),
        size(pss)
    )
}

fn of_site(site: &Site, mode: &str) -> Vec<String> {
    let name = printable(&site.name);
    let status = match &site.outcome {
        Ok(status) => status,
        Err(trouble) => return vec![printable(&format!("{name}: {trouble}  {mode}"))],
    };
    // What stands behind it is below, or in the status.
    let state = status.state.split(';').next();
    let state = printable(state.unwrap_or_default());
    vec![
        format!("{name}: {state}  {mode}"),
        numbers(site, status),
        past(status),
    ]
}

fn numbers(site: &Site, status: &Status) -> String {
    let sums = site.sums();
    let window = site.window.as_ref();
    let pace = window.map(|window| window.site).unwrap_or_default();
    let times = match pace.latency {
        Some(times) => format!(
            "p50 {} p95 {} p99 {}",
            latency(times.p50),
            latency(times.p95),
            latency(times.p99)
        ),
        None => "no answers".to_owned(),
    };
    let saved = status.preload_saved.filter(|bytes| *bytes > 0);
    let saved = saved.map(|bytes| format!(" ({} saved)", size(bytes)));
    format!(
        "{}/s  {}/s 5xx  {times}  busy {}/{}  queue {}/{}  PSS {}{}",
        rate(pace.rate),
        rate(pace.errors),
        sums.busy,
        sums.threads,
        sums.waiting,
        sums.backlog,
        sums.pss.map_or_else(|| "-".to_owned(), size),
        saved.unwrap_or_default()
    )
}

/// What has happened, in a line.
fn past(status: &Status) -> String {
    let ago = |at_us: u64| duration(status.uptime_us.saturating_sub(at_us));
    let History {
        crash,
        harakiri,
        reload,
        ..
    } = &status.history;
    let causes = causes(status).map_or_else(|| "none".to_owned(), |causes| printable(&causes));
    let mut parts = vec![
        format!("up {}", duration(status.uptime_us)),
        format!("respawns: {causes}"),
    ];
    parts.extend(reload.as_ref().map(|reload| {
        let failed = if reload.failure.is_some() {
            " failed"
        } else {
            ""
        };
        format!("reload{failed} {} ago", ago(reload.at.uptime_us))
    }));
    let harakiri = harakiri.as_ref().map(|last| ("harakiri", last.at));
    let crash = crash.as_ref().map(|last| ("crash", last.at));
    let ends = harakiri.into_iter().chain(crash);
    parts.extend(ends.map(|(what, at)| format!("{what} {} ago", ago(at.uptime_us))));
    parts.join("  ")
}
