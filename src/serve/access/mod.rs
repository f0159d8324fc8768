//! Which requests have an entry in the access log, and whose they are there; `details`: what only some forms of it have.

mod details;

use std::{
    fs,
    net::{IpAddr, SocketAddr},
};

use rustix::param::page_size;

use super::{peer::trusts, request_id::Header};
use crate::{
    config::{AccessField, AccessFilter, Log, TrustedProxy},
    environ,
    journal::{Access, WorkerMemory, access_is_detailed},
    protocol::{Kind, Request},
};

pub(super) use details::{Origin, Wanted};

/// The settings of the access log as the request path needs them.
pub(super) struct AccessRules {
    /// Whether requests are logged at all.
    pub(super) is_on: bool,
    skip: Vec<Vec<u8>>,
    only: Vec<AccessFilter>,
    /// Where proxies say for whom they speak, if that counts.
    forwarded: Option<Header>,
    /// Whether entries have what only fields and forms show.
    pub(super) is_detailed: bool,
    /// Whether entries have the memory of the worker.
    pub(super) with_memory: bool,
    /// With a form of lines that has them.
    visit: Option<Visit>,
    /// With a form of lines that has more.
    pub(super) wanted: Option<Wanted>,
}

/// Headers that say how a visitor came.
struct Visit {
    referer: Header,
    user_agent: Header,
    authorization: Header,
}

/// What an answer is judged by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outcome {
    pub(super) status: u16,
    /// Body bytes.
    pub(super) bytes: u64,
    pub(super) duration_us: u64,
}

impl Outcome {
    /// Of what is no request, or none that we take.
    pub(super) fn refusal(status: u16) -> Self {
        Self {
            status,
            bytes: 0,
            duration_us: 0,
        }
    }
}

impl AccessRules {
    pub(super) fn new(log: &Log) -> Self {
        let header = || Header::new("X-Forwarded-For");
        Self {
            is_on: log.access,
            skip: log
                .access_skip
                .iter()
                .map(|path| path.clone().into_bytes())
                .collect(),
            only: log.access_only.clone(),
            forwarded: log.x_forwarded_for.then(header),
            is_detailed: access_is_detailed(),
            with_memory: log.memory_report
                || log
                    .access_format
                    .as_ref()
                    .is_some_and(|format| format.has(&MEMORY)),
            visit: log.access_format.as_ref().map(|_| Visit {
                referer: Header::new("Referer"),
                user_agent: Header::new("User-Agent"),
                authorization: Header::new("Authorization"),
            }),
            wanted: log.access_format.as_ref().and_then(Wanted::new),
        }
    }

    /// Whether requests for this path may have an entry. The path is decoded, as the application gets it.
    pub(super) fn takes_path(&self, request: &Request<'_>) -> bool {
        if self.skip.is_empty() {
            return true;
        }
        let mut scratch = Vec::new();
        let path = environ::path_info(request, &mut scratch);
        !self.skips(path)
    }

    fn skips(&self, path: &[u8]) -> bool {
        self.skip.iter().any(|prefix| path.starts_with(prefix))
    }

    /// Whether this answer is one of those that are logged.
    pub(super) fn takes(&self, outcome: Outcome) -> bool {
        let fits = |filter: &AccessFilter| match *filter {
            AccessFilter::Class(digit) => outcome.status / 100 == digit,
            AccessFilter::Status(status) => outcome.status == status,
            AccessFilter::SlowerThan(time) => u128::from(outcome.duration_us) > time.0.as_micros(),
            AccessFilter::LargerThan(size) => outcome.bytes > size.0,
        };
        self.is_on && (self.only.is_empty() || self.only.iter().any(fits))
    }

    /// What only lines with a form of their own have. `claimed` is memory for the name that a client gives itself.
    pub(super) fn visit<'b>(&self, request: &Request<'b>, claimed: &'b mut Vec<u8>) -> Access<'b> {
        let Some(visit) = &self.visit else {
            return Access::default();
        };
        let user = match request.head.kind {
            Kind::Http => b"",
            _ => environ::variable(request, b"REMOTE_USER"),
        };
        details::claimed_user(visit.authorization.of(request), claimed);
        Access {
            protocol: environ::protocol(request),
            user,
            claimed_user: if user.is_empty() { claimed } else { user },
            referer: visit.referer.of(request),
            user_agent: visit.user_agent.of(request),
            ..Access::default()
        }
    }

    /// For whom a trusted peer speaks, if that counts and it says so.
    pub(super) fn client(&self, request: &Request<'_>, trusted: &[TrustedProxy]) -> Option<IpAddr> {
        let header = self.forwarded.as_ref()?;
        let values: Vec<&[u8]> = header.all(request).collect();
        client(values.into_iter().rev(), trusted)
    }
}

/// Variables of a form for which the worker has to be weighed.
const MEMORY: [AccessField; 4] = [
    AccessField::AddressSpace,
    AccessField::AddressSpaceMib,
    AccessField::Rss,
    AccessField::RssMib,
];

/// What this process takes (proc_pid_statm(5)), both in pages there.
pub(super) fn memory() -> Option<WorkerMemory> {
    let statm = fs::read_to_string("/proc/self/statm").ok()?;
    let mut pages = statm.split_ascii_whitespace().map(|word| word.parse().ok());
    let (size, resident): (u64, u64) = (pages.next()??, pages.next()??);
    let page = page_size() as u64;
    Some(WorkerMemory {
        rss: resident * page,
        address_space: size * page,
    })
}

/// Each proxy adds the address that it was called from, at the end of the last line. From there on back, the first that
/// is no proxy of ours is the client; what stands before it, anybody may have written. `values` are the last one first.
fn client<'v>(values: impl Iterator<Item = &'v [u8]>, trusted: &[TrustedProxy]) -> Option<IpAddr> {
    let mut client = None;
    for entry in values.flat_map(|value| value.rsplit(|&byte| byte == b',')) {
        let Some(address) = address(entry) else {
            break;
        };
        client = Some(address);
        if !trusts(trusted, client) {
            break;
        }
    }
    client
}

/// An address, as some proxies have it with a port.
fn address(entry: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(entry.trim_ascii()).ok()?;
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    let address = bare.unwrap_or(text).parse::<IpAddr>().ok();
    let address = address.or_else(|| Some(text.parse::<SocketAddr>().ok()?.ip()));
    address.map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_client(values: &[&str], expected: Option<&str>) {
        let trusted = ["10.0.0.0/8", "2001:db8::/32"].map(|text| text.parse().unwrap());
        let values = values.iter().rev().map(|value| value.as_bytes());
        let found = client(values, &trusted).map(|address| address.to_string());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn the_client_is_the_last_who_is_no_proxy_of_ours() {
        check_client(&[], None);
        check_client(&["192.0.2.1"], Some("192.0.2.1"));
        check_client(&["203.0.113.9, 192.0.2.1, 10.1.1.1"], Some("192.0.2.1"));
        check_client(&["203.0.113.9", "192.0.2.1 ,10.1.1.1"], Some("192.0.2.1"));
        check_client(&["10.2.2.2, 10.1.1.1"], Some("10.2.2.2"));
        check_client(&["[2001:db8::1]:443,::ffff:10.1.1.1"], Some("2001:db8::1"));
        check_client(&["192.0.2.1:5000"], Some("192.0.2.1"));
    }

    #[test]
    fn nobody_behind_a_word_that_is_no_address_is_believed() {
        check_client(&["unknown"], None);
        check_client(&["192.0.2.1, unknown, 10.1.1.1"], Some("10.1.1.1"));
        check_client(&["192.0.2.1,"], None);
    }

    #[test]
    fn this_process_takes_something() {
        let memory = memory().unwrap();
        assert!(memory.rss > 0 && memory.address_space >= memory.rss);
    }

    fn outcome(status: u16, bytes: u64, duration_us: u64) -> Outcome {
        Outcome {
            status,
            bytes,
            duration_us,
        }
    }

    #[track_caller]
    fn check(only: &[&str], outcome: Outcome, expected: bool) {
        let log = Log {
            access: true,
            access_only: only.iter().map(|text| text.parse().unwrap()).collect(),
            ..Log::default()
        };
        assert_eq!(
            AccessRules::new(&log).takes(outcome),
            expected,
            "{only:?} {outcome:?}"
        );
    }

    #[test]
    fn any_filter_that_fits_will_do() {
        check(&[], outcome(200, 1, 1), true);
        check(&["4xx"], outcome(404, 0, 0), true);
        check(&["4xx"], outcome(500, 0, 0), false);
        check(&["4xx", "500"], outcome(500, 0, 0), true);
        check(&["500"], outcome(501, 0, 0), false);
        check(&["slower-than 1ms"], outcome(200, 0, 1_001), true);
        check(&["slower-than 1ms"], outcome(200, 0, 1_000), false);
        check(&["larger-than 1K"], outcome(200, 1_025, 0), true);
        check(&["larger-than 1K"], outcome(200, 1_024, 0), false);
    }

    #[test]
    fn a_log_that_is_off_takes_nothing() {
        assert!(!AccessRules::new(&Log::default()).takes(outcome(500, 0, 0)));
    }

    #[test]
    fn paths_are_left_out_by_their_beginning() {
        let log = Log {
            access_skip: vec!["/health".to_owned()],
            ..Log::default()
        };
        let rules = AccessRules::new(&log);
        assert!(rules.skips(b"/health") && rules.skips(b"/healthy/x"));
        assert!(!rules.skips(b"/x/health"));
    }
}
