//! From the variables of a front server (uwsgi, FastCGI, SCGI) to an environ: as they came, each once.

use super::{Peer, Standard, Variable, path, protocol_of};
use crate::protocol::{Kind, Request, uwsgi};

/// Calls `visitor` with every variable that the front server sent, less what no application gets, and with what PEP
/// 3333 requires beyond. `mount` is what goes from PATH_INFO to SCRIPT_NAME.
pub(super) fn visit(
    request: &Request<'_>,
    peer: &Peer<'_>,
    mount: &[u8],
    scratch: &mut Vec<u8>,
    mut visitor: impl FnMut(Variable<'_>, &[u8]),
) {
    // PEP 3333: SERVER_NAME and SERVER_PORT "can never be empty strings, and so are always required"; the version is
    // as little without a default, and absent from the packets of simple clients.
    let mut missing = [
        (
            Standard::ServerProtocol,
            Some(protocol_of(request.head.version)),
        ),
        (Standard::ServerName, Some(peer.server_name.as_bytes())),
        (Standard::ServerPort, Some(peer.server_port.as_bytes())),
        (Standard::ScriptName, (!mount.is_empty()).then_some(mount)),
    ];
    let script = request.head.script.of(request.buffer);
    let mut is_path_due = !matches!(request.head.kind, Kind::Uwsgi { .. });
    for (index, field) in request.head.fields.iter().enumerate() {
        let name = field.name.of(request.buffer);
        let value = field.value.of(request.buffer);
        // A dict has the last of several: so had uWSGI's.
        if request.head.repeats
            && request
                .fields()
                .skip(index + 1)
                .any(|later| later.0 == name)
        {
            continue;
        }
        let Some(standard) = field.standard else {
            if !is_dropped(name) {
                visitor(Variable::Raw(name), value);
            }
            continue;
        };
        let value = match standard {
            Standard::PathInfo => {
                is_path_due = false;
                path::below(path_info(request, value), mount)
            }
            Standard::ScriptName if !mount.is_empty() && !script.is_empty() => {
                scratch.clear();
                scratch.extend_from_slice(script.strip_suffix(b"/").unwrap_or(script));
                scratch.extend_from_slice(mount);
                &scratch[..]
            }
            Standard::ScriptName => script,
            Standard::RequestMethod if request.head.is_get => request.method(),
            _ => value,
        };
        // Its place in `missing`.
        let own = match standard {
            Standard::ServerProtocol => Some(0),
            Standard::ServerName => Some(1),
            Standard::ServerPort => Some(2),
            Standard::ScriptName => Some(3),
            _ => None,
        };
        if let Some(own) = own
            && missing[own].1.is_some()
        {
            if value.is_empty() {
                continue;
            }
            missing[own].1 = None;
        }
        visitor(Variable::Standard(standard), value);
    }
    if is_path_due {
        let path = request.head.path.of(request.buffer);
        visitor(
            Variable::Standard(Standard::PathInfo),
            path::below(path, mount),
        );
    }
    for (standard, own) in missing {
        if let Some(value) = own {
            visitor(Variable::Standard(standard), value);
        }
    }
}

/// Variables of a packet that no application gets. nginx passes on every header, so a client makes HTTP_PROXY of a
/// header; PEP 3333's validator refuses the two others, whose values are in CONTENT_TYPE and CONTENT_LENGTH.
fn is_dropped(name: &[u8]) -> bool {
    matches!(
        name,
        b"HTTP_PROXY" | b"HTTP_CONTENT_TYPE" | b"HTTP_CONTENT_LENGTH"
    )
}

/// PATH_INFO, less the beginning that uWSGI's modifier 30 asks to be cut off.
pub(super) fn path_info<'b>(request: &Request<'b>, value: &'b [u8]) -> &'b [u8] {
    match request.head.kind {
        Kind::Uwsgi {
            modifier1: uwsgi::WSGI_MANAGE_PATH_INFO,
            ..
        } => path::below(value, request.head.script.of(request.buffer)),
        _ => value,
    }
}
