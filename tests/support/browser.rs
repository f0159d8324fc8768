//! A client that keeps cookies and fills in forms.

use std::collections::BTreeMap;

use super::{address::Address, answer::Answer};

/// One visitor of one site.
pub(crate) struct Browser {
    address: Address,
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// A visitor without cookies.
    pub(crate) fn new(address: &Address) -> Self {
        Self {
            address: address.clone(),
            cookies: BTreeMap::new(),
        }
    }

    /// Value of a cookie that the site has set.
    pub(crate) fn cookie(&self, name: &str) -> &str {
        self.cookies
            .get(name)
            .unwrap_or_else(|| panic!("no cookie {name} in {:?}", self.cookies))
    }

    /// A page.
    pub(crate) fn get(&mut self, target: &str) -> Answer {
        self.ask("GET", target, &[], b"")
    }

    /// A form, sent as browsers send it.
    pub(crate) fn post(&mut self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let pairs: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{}={}", escape(name), escape(value)))
            .collect();
        self.ask(
            "POST",
            target,
            &[("Content-Type", "application/x-www-form-urlencoded")],
            pairs.join("&").as_bytes(),
        )
    }

    /// A form with a file in the field `name` (RFC 7578).
    pub(crate) fn upload(
        &mut self,
        target: &str,
        fields: &[(&str, &str)],
        name: &str,
        file: &[u8],
    ) -> Answer {
        const BOUNDARY: &str = "----the-boundary-of-the-form";
        let mut body = Vec::new();
        for (name, value) in fields {
            let head = format!(
                "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            );
            body.extend_from_slice(head.as_bytes());
        }
        let disposition = format!("form-data; name=\"{name}\"; filename=\"some file.bin\"");
        let head = format!(
            "--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\nContent-Type: application/octet-stream\r\n\r\n"
        );
        body.extend_from_slice(head.as_bytes());
        body.extend_from_slice(file);
        body.extend_from_slice(format!("\r\n--{BOUNDARY}--\r\n").as_bytes());
        self.ask(
            "POST",
            target,
            &[(
                "Content-Type",
                &format!("multipart/form-data; boundary={BOUNDARY}"),
            )],
            &body,
        )
    }

    fn ask(&mut self, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let cookies = cookies.join("; ");
        let mut headers = headers.to_vec();
        if !cookies.is_empty() {
            headers.push(("Cookie", &cookies));
        }
        let answer = self.address.request(method, target, &headers, body);
        for cookie in answer.headers("Set-Cookie") {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        answer
    }
}

fn escape(text: &str) -> String {
    text.bytes()
        .map(|byte| {
            if byte.is_ascii_alphanumeric() {
                char::from(byte).to_string()
            } else {
                format!("%{byte:02X}")
            }
        })
        .collect()
}
