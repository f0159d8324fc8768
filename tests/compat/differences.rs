//! Where hostler differs from uWSGI on purpose.

/// A difference, in which requests it shows, and its reason.
#[derive(Debug)]
pub(super) struct Known {
    /// Names of requests begin with it.
    requests: &'static str,
    /// What differs; a `*` at the end stands for anything.
    what: &'static str,
    #[expect(dead_code, reason = "it is for people, and printed with the row")]
    reason: &'static str,
}

impl Known {
    pub(super) fn covers(&self, request: &str, what: &str) -> bool {
        let named = match self.what.strip_suffix('*') {
            Some(beginning) => what.starts_with(beginning),
            None => what == self.what,
        };
        named && request.starts_with(self.requests)
    }
}

const fn known(requests: &'static str, what: &'static str, reason: &'static str) -> Known {
    Known {
        requests,
        what,
        reason,
    }
}

/// Searched from the top: the narrow rows come before the wide ones.
pub(super) const DIFFERENCES: &[Known] = &[known(
    "http:",
    "environ REMOTE_PORT",
    "uWSGI's http-socket does not tell the client's port",
)];
