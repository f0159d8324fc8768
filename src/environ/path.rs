//! PATH_INFO: percent-decoded, without dot segments, and cut to what lies below SCRIPT_NAME.

use crate::protocol::{Kind, Request, uwsgi};

/// PATH_INFO of a request of any protocol, as [`super::visit`] gives it; `scratch` is memory for it.
pub fn path_info<'v>(request: &Request<'v>, scratch: &'v mut Vec<u8>) -> &'v [u8] {
    let path = request.head.path.of(request.buffer);
    match request.head.kind {
        Kind::Http => decoded(request, scratch),
        Kind::Uwsgi {
            modifier1: uwsgi::WSGI_MANAGE_PATH_INFO,
            ..
        } => below(path, request.head.script.of(request.buffer)),
        Kind::Fastcgi { .. } | Kind::Scgi | Kind::Uwsgi { .. } => path,
    }
}

/// PATH_INFO of an HTTP request.
///
/// - Escapes are decoded first, then dot segments go (RFC 3986 sections 6.2.2 and 5.2.4), as nginx does it for the same
///   request: `/a/%2e%2e/b` is `/b`. uWSGI leaves encoded dots, which then reach whatever opens files.
/// - A `%` that begins no escape stays as it is: where the request ends is not in doubt, and the application may judge.
/// - `%2F` is a slash, as PEP 3333 has no other way to say it; REQUEST_URI tells them apart.
/// - Repeated slashes stay, they mean something to some applications.
/// - `OPTIONS *` gives `*`, as `wsgiref` and uWSGI have it.
pub(super) fn decoded<'v>(request: &Request<'v>, scratch: &'v mut Vec<u8>) -> &'v [u8] {
    let path = request.head.path.of(request.buffer);
    if path.is_empty() {
        // RFC 9110 section 4.2.3: an empty path is "/"; RFC 9112 section 3.2.4: but in OPTIONS it means "*".
        return if request.method() == b"OPTIONS" && request.head.query.of(request.buffer).is_empty()
        {
            b"*"
        } else {
            b"/"
        };
    }
    if memchr::memchr2(b'%', b'.', path).is_none() {
        return path;
    }
    scratch.clear();
    unescape(path, scratch);
    if scratch.windows(2).any(|pair| pair == b"/.") {
        resolve(scratch);
    }
    scratch
}

/// What is left of `path` below `script`; all of it when `script` is not the beginning of it.
///
/// uWSGI cuts off the length of SCRIPT_NAME without a look, in the middle of a name if need be.
pub fn below<'v>(path: &'v [u8], script: &[u8]) -> &'v [u8] {
    let script = script.strip_suffix(b"/").unwrap_or(script);
    match path.strip_prefix(script) {
        Some(rest) if rest.is_empty() || rest[0] == b'/' => rest,
        _ => path,
    }
}

/// The path of a URL as PATH_INFO has it: its escapes decoded, once, and then without dot segments.
pub fn resolved(path: &[u8]) -> Vec<u8> {
    let mut out = unescaped(path);
    if out.windows(2).any(|pair| pair == b"/.") {
        resolve(&mut out);
    }
    out
}

/// A path with its escapes decoded, once.
pub fn unescaped(path: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.len());
    unescape(path, &mut out);
    out
}

fn unescape(path: &[u8], out: &mut Vec<u8>) {
    let mut rest = path;
    while let Some(at) = memchr::memchr(b'%', rest) {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at..];
        let digits = (
            rest.get(1).copied().and_then(hex),
            rest.get(2).copied().and_then(hex),
        );
        let taken = if let (Some(high), Some(low)) = digits {
            out.push(high << 4 | low);
            3
        } else {
            out.push(b'%');
            1
        };
        rest = &rest[taken..];
    }
    out.extend_from_slice(rest);
}

fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

/// Removes dot segments in place; what would climb above the root stays at the root.
fn resolve(path: &mut Vec<u8>) {
    let (mut read, mut write) = (0, 0);
    while read < path.len() {
        let end = path[read + 1..]
            .iter()
            .position(|&byte| byte == b'/')
            .map_or(path.len(), |at| read + 1 + at);
        let is_last = end == path.len();
        let is_parent = match &path[read + 1..end] {
            b"." => false,
            b".." => true,
            _ => {
                path.copy_within(read..end, write);
                write += end - read;
                read = end;
                continue;
            }
        };
        if is_parent {
            write = path[..write]
                .iter()
                .rposition(|&byte| byte == b'/')
                .unwrap_or(0);
        }
        if is_last {
            path[write] = b'/';
            write += 1;
        }
        read = end;
    }
    path.truncate(write);
}

#[cfg(test)]
mod tests {
    use super::{below, resolve, unescape};

    fn check(encoded: &str, expected: &str) {
        let mut path = Vec::new();
        unescape(encoded.as_bytes(), &mut path);
        resolve(&mut path);
        assert_eq!(String::from_utf8_lossy(&path), expected, "{encoded}");
    }

    #[test]
    fn escapes() {
        check("/a%20b", "/a b");
        check("/%C3%A4", "/ä");
        check("/a%2Fb", "/a/b");
        check("/%2525", "/%25");
    }

    #[test]
    fn broken_escapes_stay() {
        check("/100%", "/100%");
        check("/%4", "/%4");
        check("/%zz%41", "/%zzA");
        check("/%%41", "/%A");
        check("/%+1", "/%+1");
    }

    #[test]
    fn dot_segments() {
        check("/a/./b", "/a/b");
        check("/a/../b", "/b");
        check("/a/b/..", "/a/");
        check("/a/.", "/a/");
        check("/.", "/");
        check("/..", "/");
        check("/../../etc/passwd", "/etc/passwd");
        check("/a/b/c/../../d", "/a/d");
        check("/a/..b/.c/...", "/a/..b/.c/...");
    }

    #[test]
    fn encoded_dot_segments() {
        check("/a/%2e%2E/b", "/b");
        check("/a%2f..%2fb", "/b");
    }

    #[test]
    fn slashes_stay() {
        check("//a///b/", "//a///b/");
        check("/a//../b", "/a/b");
    }

    #[test]
    fn script_name_is_cut_at_a_slash_alone() {
        assert_eq!(below(b"/app/x", b"/app"), b"/x");
        assert_eq!(below(b"/app", b"/app"), b"");
        assert_eq!(below(b"/app/x", b"/app/"), b"/x");
        assert_eq!(below(b"/application", b"/app"), b"/application");
        assert_eq!(below(b"/x", b"/app"), b"/x");
        assert_eq!(below(b"/x", b""), b"/x");
        assert_eq!(below(b"/x", b"/"), b"/x");
    }
}
