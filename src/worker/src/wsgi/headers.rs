//! Status and headers as the application says them, checked against PEP 3333 and put into the form in which they go
//! out. What they mean for the framing is noted on the way; deciding on it is the engine's.

use std::sync::atomic::{AtomicBool, Ordering};

use hostler::{
    protocol::{self, http::response},
    serve::ResponseHead,
};
use pyo3::{
    exceptions::{PyTypeError, PyValueError},
    prelude::*,
    types::{PyList, PyTuple},
};
use tracing::warn;

use super::{
    header_names::{HeaderNames, Meaning},
    text::bytes_of,
};

/// Reads both into an empty `head`, whose memory is used again; `names` are those that were read before.
///
/// # Errors
/// `TypeError` and `ValueError`, for the application: what is wrong, in words that name it.
pub(super) fn read_head(
    status: &Bound<'_, PyAny>,
    headers: &Bound<'_, PyAny>,
    head: &mut ResponseHead,
    names: &mut HeaderNames,
) -> PyResult<()> {
    read_status(status, head)?;
    if let Ok(list) = headers.cast::<PyList>() {
        for field in list {
            read_header(&field, head, names)?;
        }
    } else if let Ok(tuple) = headers.cast::<PyTuple>() {
        for field in tuple {
            read_header(&field, head, names)?;
        }
    } else {
        let class = headers.get_type().name()?.to_string();
        return Err(PyTypeError::new_err(format!(
            "the response headers must be a list of tuples, not {class}"
        )));
    }
    // RFC 9112 section 6.2: with both, client and proxies may disagree on where the response ends.
    if head.facts.transfer_encoding && head.facts.content_length.is_some() {
        return Err(PyValueError::new_err(
            "the response has both Content-Length and Transfer-Encoding",
        ));
    }
    Ok(())
}

/// PEP 3333: "a string of the form "999 Message here"", without control characters.
fn read_status(status: &Bound<'_, PyAny>, head: &mut ResponseHead) -> PyResult<()> {
    let bytes = bytes_of(status, "the response status")?;
    let code = match &*bytes {
        [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9']
        | [a @ b'1'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', b' ', ..] => {
            u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0')
        }
        _ => 0,
    };
    if code == 0 || !response::is_value(&bytes) {
        let text = status.repr()?;
        return Err(PyValueError::new_err(format!(
            "the response status must look like '200 OK', not {text}"
        )));
    }
    head.status.extend_from_slice(&bytes);
    if bytes.len() == 3 {
        // RFC 9112 section 4: the blank after the code stays when there is no reason phrase.
        head.status.push(b' ');
    }
    head.facts.status = code;
    Ok(())
}

fn read_header(
    field: &Bound<'_, PyAny>,
    head: &mut ResponseHead,
    names: &mut HeaderNames,
) -> PyResult<()> {
    let pair = field.cast::<PyTuple>().ok().filter(|pair| pair.len() == 2);
    let Some(pair) = pair else {
        let text = field.repr()?;
        return Err(PyTypeError::new_err(format!(
            "a response header must be a tuple of name and value, not {text}"
        )));
    };
    let (name, value) = (pair.get_borrowed_item(0)?, pair.get_borrowed_item(1)?);
    let (meaning, beginning) = names.find(&name)?;
    let bytes = bytes_of(&value, "the value of a response header")?;
    if !response::is_value(&bytes) {
        let (name, value) = (name.repr()?, value.repr()?);
        return Err(PyValueError::new_err(format!(
            "response header {name} has control characters: {value}"
        )));
    }
    let is_sent = match meaning {
        Meaning::Plain => true,
        Meaning::Connection => {
            // Persistence is the server's matter, but an application that wants an end of it gets it.
            head.facts.close |= bytes.eq_ignore_ascii_case(b"close");
            false
        }
        Meaning::ContentLength => note_length(&bytes, head)?,
        Meaning::Date => {
            head.facts.date = true;
            true
        }
        Meaning::HopByHop => {
            tell_of_dropped(&name)?;
            false
        }
        Meaning::TransferEncoding => {
            head.facts.transfer_encoding = true;
            true
        }
    };
    if is_sent {
        head.lines.reserve(beginning.len() + bytes.len() + 2);
        head.lines.extend_from_slice(beginning);
        head.lines.extend_from_slice(&bytes);
        head.lines.extend_from_slice(b"\r\n");
    }
    Ok(())
}

fn note_length(value: &[u8], head: &mut ResponseHead) -> PyResult<bool> {
    match (protocol::decimal(value), head.facts.content_length) {
        (None, _) => {
            let text = value.escape_ascii();
            Err(PyValueError::new_err(format!(
                "the response's Content-Length is not a number: '{text}'"
            )))
        }
        (Some(length), Some(before)) if length != before => Err(PyValueError::new_err(format!(
            "the response has two different Content-Length headers, {before} and {length}"
        ))),
        (Some(_), Some(_)) => Ok(false),
        // RFC 9110 section 8.6: a server MUST NOT send the header in a 1xx or 204.
        (Some(_), None) if matches!(head.facts.status, 100..=199 | 204) => Ok(false),
        (Some(length), None) => {
            head.facts.content_length = Some(length);
            Ok(true)
        }
    }
}

/// PEP 3333, "Other HTTP Features": applications may not use hop-by-hop headers.
fn tell_of_dropped(name: &Bound<'_, PyAny>) -> PyResult<()> {
    static TOLD: AtomicBool = AtomicBool::new(false);
    if !TOLD.swap(true, Ordering::Relaxed) {
        let name = bytes_of(name, "the name of a response header")?;
        warn!(
            header = %name.escape_ascii(),
            "the application sets a header that only the server may set; such headers are dropped (told once)"
        );
    }
    Ok(())
}
