//! SCGI (Neil Schemenauer's protocol, version 1), as nginx's `scgi_pass` and Apache's mod_proxy_scgi send it.
//!
//! A request is a netstring of variables, each a name and a value with a NUL behind, then the body, CONTENT_LENGTH
//! bytes. There is one request on each connection; the answer has the form of CGI's and ends with the connection.

#[cfg(test)]
mod tests;

use memchr::memchr;

use super::{Field, Head, Kind, Parsed, Refusal, Span, variables::Variables};

/// Digits of a netstring's length; with five it says more than any limit allows.
const MAX_DIGITS: usize = 5;

/// Parses the netstring that `buffer` begins with; `limit` is for its variables, `body_limit` (0: none) for
/// `CONTENT_LENGTH`, both in bytes. `head` is filled on [`Parsed::Complete`] alone, its memory is reused.
///
/// # Errors
/// 400 for a malformed netstring, 413 and 431 for one above a limit.
pub fn parse(
    buffer: &[u8],
    limit: usize,
    body_limit: u64,
    head: &mut Head,
) -> Result<Parsed, Refusal> {
    let Some((start, size)) = netstring(buffer)? else {
        return Ok(Parsed::Incomplete);
    };
    if size > limit {
        return Err(Refusal::new(
            431,
            "a netstring of variables above the limit",
        ));
    }
    let end = start + size;
    let Some(&comma) = buffer.get(end) else {
        return Ok(Parsed::Incomplete);
    };
    if comma != b',' {
        return Err(Refusal::new(
            400,
            "a netstring that does not end with a comma",
        ));
    }
    let mut variables = read(&buffer[..end], start, &mut head.fields)?;
    variables.derive_path(buffer);
    variables.finish(buffer, true, body_limit, head)?;
    (head.len, head.kind) = (end + 1, Kind::Scgi);
    Ok(Parsed::Complete)
}

/// Where the netstring's content begins, and its length; `None` if more has to come.
fn netstring(buffer: &[u8]) -> Result<Option<(usize, usize)>, Refusal> {
    let window = &buffer[..buffer.len().min(MAX_DIGITS + 1)];
    let digits = window
        .iter()
        .take_while(|byte| byte.is_ascii_digit())
        .count();
    let is_number = digits > 0 && (window[0] != b'0' || digits == 1);
    match window.get(digits) {
        None if digits <= MAX_DIGITS => Ok(None),
        None => Err(Refusal::new(
            431,
            "a netstring of variables above the limit",
        )),
        Some(b':') if is_number => {
            let number = window[..digits]
                .iter()
                .fold(0, |number, digit| number * 10 + usize::from(digit - b'0'));
            Ok(Some((digits + 1, number)))
        }
        Some(byte) if digits == 0 && byte.is_ascii_uppercase() => Err(Refusal::new(
            400,
            "an HTTP request came to a listener of the SCGI protocol",
        )),
        _ => Err(Refusal::new(400, "a request that begins with no netstring")),
    }
}

/// Reads the variables, which fill `buffer` from `at` on, into `fields`.
fn read(buffer: &[u8], mut at: usize, fields: &mut Vec<Field>) -> Result<Variables, Refusal> {
    let mut variables = Variables::new(fields);
    while at < buffer.len() {
        let name = text(buffer, at).filter(|name| name.start < name.end);
        let name = name.ok_or(Refusal::new(
            400,
            "a variable without a name, or longer than its netstring",
        ))?;
        let value = text(buffer, name.end as usize + 1);
        let value = value.ok_or(Refusal::new(
            400,
            "a variable without a value, or longer than its netstring",
        ))?;
        variables.add(buffer, name, value, fields)?;
        at = value.end as usize + 1;
    }
    Ok(variables)
}

/// The text at `at`, up to its NUL.
fn text(buffer: &[u8], at: usize) -> Option<Span> {
    let end = at + memchr(0, buffer.get(at..)?)?;
    Some(Span {
        start: at as u32,
        end: end as u32,
    })
}
