//! What is at which path of the metrics address.

/// What a client wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Route {
    /// Whether the supervisor lives.
    Health,
    /// What the page polls.
    Live,
    Metrics,
    Page,
    /// Whether requests would be answered.
    Ready,
}

/// Why a client gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unroutable {
    /// It does not speak HTTP.
    Nonsense,
    /// There is nothing.
    NotFound,
    /// Nothing can be changed here.
    NotRead,
}

/// A request, as far as it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) route: Route,
    /// Without the body.
    pub(super) is_head: bool,
}

/// What the head of a request asks for; `page` says whether there is one.
pub(super) fn wanted(head: &[u8], page: bool) -> Result<Wanted, Unroutable> {
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = str::from_utf8(line).map_err(|_| Unroutable::Nonsense)?;
    let mut words = line.split(' ');
    let (Some(method), Some(target), Some(version), None) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Unroutable::Nonsense);
    };
    if !version.starts_with("HTTP/1.") {
        return Err(Unroutable::Nonsense);
    }
    let route = match target.split('?').next().unwrap_or_default() {
        "/healthz" => Route::Health,
        "/metrics" => Route::Metrics,
        "/readyz" => Route::Ready,
        "/" if page => Route::Page,
        "/live.json" if page => Route::Live,
        _ => return Err(Unroutable::NotFound),
    };
    match method {
        "GET" | "HEAD" => Ok(Wanted {
            route,
            is_head: method == "HEAD",
        }),
        _ => Err(Unroutable::NotRead),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, page: bool, expected: Result<Route, Unroutable>) {
        let head = format!("{line}\r\nHost: a\r\n\r\n");
        let found = wanted(head.as_bytes(), page);
        assert_eq!(found.map(|wanted| wanted.route), expected, "{line}");
    }

    #[test]
    fn each_path_has_its_answer() {
        check("GET /metrics HTTP/1.1", false, Ok(Route::Metrics));
        check("GET /metrics?a=b HTTP/1.0", false, Ok(Route::Metrics));
        check("GET /healthz HTTP/1.1", false, Ok(Route::Health));
        check("GET /readyz HTTP/1.1", true, Ok(Route::Ready));
        check("GET / HTTP/1.1", true, Ok(Route::Page));
        check("GET /live.json HTTP/1.1", true, Ok(Route::Live));
    }

    #[test]
    fn the_page_is_there_on_wish_only() {
        for path in ["/", "/live.json"] {
            let line = format!("GET {path} HTTP/1.1");
            check(&line, false, Err(Unroutable::NotFound));
        }
    }

    #[test]
    fn everything_else_is_refused() {
        check("GET /metrics/ HTTP/1.1", true, Err(Unroutable::NotFound));
        check("POST /metrics HTTP/1.1", true, Err(Unroutable::NotRead));
        for line in ["", "GET", "GET /metrics", "GET /metrics HTTP/2 ", "\u{fe}"] {
            check(line, true, Err(Unroutable::Nonsense));
        }
        assert_eq!(
            wanted(b"\xff / HTTP/1.1\r\n", true),
            Err(Unroutable::Nonsense)
        );
    }

    #[test]
    fn head_is_get_without_a_body() {
        let wanted = wanted(b"HEAD /metrics HTTP/1.1\r\n\r\n", false);
        assert!(wanted.is_ok_and(|wanted| wanted.is_head));
    }
}
