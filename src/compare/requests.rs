//! The list of requests: what an administrator writes, or cuts out of an access log.
//!
//! A line is a path, a whole URL, or a method and one of them. Indented lines below it are header fields of the request,
//! or `@FILE`, its body. Nothing but GET and HEAD is sent unless a line names another method.

use std::{
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::CompareError;

/// Bytes of the list of requests: some hundred thousand lines.
const MAX_LIST: u64 = 64 << 20;
/// Bytes of one body.
const MAX_BODY: u64 = 64 << 20;

/// One request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Request {
    /// Its line in the list, from 1.
    pub(crate) line: u32,
    /// For example `GET`.
    pub(crate) method: String,
    /// Path and query, in ASCII.
    pub(crate) target: String,
    /// In their order.
    pub(crate) headers: Vec<Header>,
    /// The file that is its body.
    pub(crate) body_file: Option<PathBuf>,
    /// What is in that file.
    pub(crate) body: Vec<u8>,
}

/// One header field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Header {
    /// As it was written.
    pub(crate) name: String,
    /// Without the blanks around it.
    pub(crate) value: String,
}

/// All requests of a list.
#[derive(Debug)]
pub(crate) struct Requests {
    /// The list as messages name it.
    pub(crate) source_name: String,
    /// In their order.
    pub(crate) requests: Vec<Request>,
}

impl Request {
    /// The value of its header field of this name.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let header = headers.find(|header| header.name.eq_ignore_ascii_case(name))?;
        Some(&header.value)
    }

    /// Its Content-Length. RFC 9110 section 8.6: one is sent with a method that anticipates a body, also when there is
    /// none.
    pub(super) fn length(&self) -> Option<usize> {
        let anticipates = ["PATCH", "POST", "PUT"].contains(&self.method.as_str());
        (anticipates || self.body_file.is_some()).then_some(self.body.len())
    }
}

impl Header {
    /// Reads `Name: value`.
    ///
    /// # Errors
    /// What is wrong with it, in one sentence.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once(':')
            .ok_or_else(|| format!("`{text}` is no header field; write `Name: value`"))?;
        let (name, value) = (name.trim(), value.trim());
        if name.is_empty() || !name.bytes().all(is_token) {
            return Err(format!("`{name}` is no name of a header field"));
        }
        if value
            .bytes()
            .any(|byte| byte.is_ascii_control() && byte != b'\t')
        {
            return Err(format!("the value of {name} has a control character in it"));
        }
        let is_framing = ["content-length", "transfer-encoding", "connection"];
        match is_framing
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known))
        {
            true => Err(format!(
                "{name} is sent as the body asks for it; leave it out"
            )),
            false => Ok(Self {
                name: name.to_owned(),
                value: value.to_owned(),
            }),
        }
    }
}

impl Requests {
    /// Reads a list, and the bodies that it names; `-` is standard input. Bodies are found from the directory of the
    /// list.
    ///
    /// # Errors
    /// Something cannot be read or makes no sense; the first such line is named.
    pub(crate) fn load(path: &Path) -> Result<Self, CompareError> {
        let is_stdin = path == Path::new("-");
        let (source_name, list) = match is_stdin {
            true => {
                let name = PathBuf::from("standard input");
                let list = limited(io::stdin().lock(), &name, MAX_LIST)?;
                (name, list)
            }
            false => (path.to_owned(), read(path, MAX_LIST)?),
        };
        let directory = path.parent().filter(|_| !is_stdin).unwrap_or(Path::new(""));
        let source_name = source_name.display().to_string();
        let mut requests = parse(&source_name, &list)?;
        for request in &mut requests {
            if let Some(file) = &request.body_file {
                request.body = read(&directory.join(file), MAX_BODY)?;
            }
        }
        Ok(Self {
            source_name,
            requests,
        })
    }
}

fn read(path: &Path, limit: u64) -> Result<Vec<u8>, CompareError> {
    let file = File::open(path).map_err(|source| CompareError::Unreadable {
        path: path.to_owned(),
        source,
    })?;
    limited(file, path, limit)
}

fn limited(input: impl Read, path: &Path, limit: u64) -> Result<Vec<u8>, CompareError> {
    let mut bytes = Vec::new();
    let read = input.take(limit + 1).read_to_end(&mut bytes);
    match read {
        Err(source) => Err(CompareError::Unreadable {
            path: path.to_owned(),
            source,
        }),
        Ok(read) if read as u64 > limit => Err(CompareError::TooLarge {
            path: path.to_owned(),
            limit,
        }),
        Ok(_) => Ok(bytes),
    }
}

fn parse(source_name: &str, list: &[u8]) -> Result<Vec<Request>, CompareError> {
    let list = list.strip_prefix(b"\xef\xbb\xbf").unwrap_or(list);
    let mut requests = Vec::new();
    for (line, number) in list.split(|byte| *byte == b'\n').zip(1..) {
        let fault = |reason: String| CompareError::Line {
            source_name: source_name.to_owned(),
            line: number,
            reason,
        };
        let text = std::str::from_utf8(line)
            .map_err(|_| fault("it is no UTF-8; write other bytes as %XX".to_owned()))?;
        let is_below = text.starts_with([' ', '\t']);
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        match is_below {
            true => add(requests.last_mut(), text).map_err(fault)?,
            false => requests.push(request(text, number).map_err(fault)?),
        }
    }
    match requests.is_empty() {
        true => Err(CompareError::NoRequests {
            source_name: source_name.to_owned(),
        }),
        false => Ok(requests),
    }
}

/// A line that begins a request: `[METHOD] TARGET [@FILE]`.
fn request(text: &str, line: u32) -> Result<Request, String> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    let body_file = words.pop_if(|word| word.starts_with('@'));
    let (method, target) = match words[..] {
        [target] => ("GET", target),
        [method, target] => (method, target),
        _ => {
            return Err(format!(
                "`{text}` is no request; write a path, or a method and a path, with blanks in it as %20"
            ));
        }
    };
    if !method
        .bytes()
        .all(|byte| byte.is_ascii_uppercase() || byte == b'-')
    {
        return Err(format!(
            "`{method}` is no method; write it in capitals, like GET or POST"
        ));
    }
    let (target, host) = target_of(target)?;
    let mut request = Request {
        line,
        method: method.to_owned(),
        target,
        ..Request::default()
    };
    if let Some(value) = host {
        let name = "Host".to_owned();
        request.headers.push(Header { name, value });
    }
    if let Some(word) = body_file {
        add(Some(&mut request), word)?;
    }
    Ok(request)
}

/// Path and query, and the host of a whole URL.
fn target_of(text: &str) -> Result<(String, Option<String>), String> {
    // RFC 9110 section 7.1: the target excludes the reference's fragment component.
    let text = text.split('#').next().unwrap_or_default();
    let (host, target) = match text.split_once("://") {
        Some(("http" | "https", rest)) => {
            let end = rest.find(['/', '?']).unwrap_or(rest.len());
            (Some(rest[..end].to_owned()), &rest[end..])
        }
        _ => (None, text),
    };
    let target = match target {
        "" if host.is_some() => "/".to_owned(),
        query if host.is_some() && query.starts_with('?') => format!("/{query}"),
        "*" => "*".to_owned(),
        path if path.starts_with('/') => path.to_owned(),
        _ => return Err(format!("`{text}` is no path; it begins with a slash")),
    };
    Ok((escape(&target)?, host))
}

/// What is beyond ASCII is escaped as browsers do it.
fn escape(target: &str) -> Result<String, String> {
    let mut escaped = String::new();
    for byte in target.bytes() {
        match byte {
            0x80.. => escaped.push_str(&format!("%{byte:02X}")),
            _ if byte.is_ascii_control() => {
                return Err("it has a control character in it; write it as %XX".to_owned());
            }
            _ => escaped.push(char::from(byte)),
        }
    }
    Ok(escaped)
}

/// An indented line: a header field or a body of the request above.
fn add(request: Option<&mut Request>, text: &str) -> Result<(), String> {
    let request =
        request.ok_or("an indented line belongs to the request above it, and there is none")?;
    let Some(file) = text.strip_prefix('@') else {
        request.headers.push(Header::parse(text)?);
        return Ok(());
    };
    match request.body_file.replace(file.into()) {
        Some(_) => Err("this request has a body already".to_owned()),
        None if ["GET", "HEAD"].contains(&request.method.as_str()) => Err(format!(
            "a {} has no body; name the method, like POST {}",
            request.method, request.target
        )),
        None => Ok(()),
    }
}

/// RFC 9110 section 5.6.2.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

#[cfg(test)]
mod tests;
