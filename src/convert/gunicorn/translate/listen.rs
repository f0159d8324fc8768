//! `[[listen]]`, and whose word counts on it.

use serde_json::Value;

use crate::{
    config::{Address, TrustedProxy},
    convert::{
        account::{Origin, Verdict},
        draft::Section,
    },
};

use super::{Site, Told, not_needed, not_possible};

/// Where gunicorn listens when it is told no port.
const PORT: &str = "8000";

/// Header fields that say `https`, and their values, as far as hostler understands them.
const SCHEMES: &[(&str, &str)] = &[
    ("X-FORWARDED-PROTO", "https"),
    ("X-FORWARDED-PROTOCOL", "ssl"),
    ("X-FORWARDED-SSL", "on"),
];

impl Site<'_> {
    /// The listeners, with everything that gunicorn says of all of them.
    pub(super) fn make_listeners(&mut self) {
        for bind in self.values.list("bind") {
            self.add_listener(&bind);
        }
        if self.listeners.is_empty() {
            self.add_listener("127.0.0.1:8000");
        }
        self.make_protocol();
        let given = |name| self.values.given(name).is_some();
        if given("backlog") {
            let backlog = self.values.number("backlog").clamp(1, 65_535);
            self.on_listeners("backlog", i64::try_from(backlog).unwrap_or(i64::MAX));
        }
        if self.values.switch("reuse_port") {
            self.on_ports("reuse-port", true);
        }
        self.make_trusted();
    }

    pub(super) fn listen_setting(&mut self, name: &str) -> Option<Told> {
        Some(match name {
            "bind" => self.bind_told(),
            "backlog" => self.as_written("listen", "backlog"),
            "reuse_port" => match self.values.switch(name) {
                true => self.as_written("listen", "reuse-port"),
                false => not_needed("it is off anyway"),
            },
            "umask" => match self.has_files() {
                true => self.as_written("listen", "mode"),
                false => not_needed(
                    "in gunicorn it is about the files of Unix sockets, and there are none",
                ),
            },
            "certfile" => self.tls_told("certificate"),
            "keyfile" => self.tls_told("key"),
            "ca_certs" => self.tls_told("client-ca"),
            "cert_reqs" => match self.values.number(name) {
                0 => not_needed("clients are not asked for certificates anyway"),
                _ => self.tls_told("client-certificate"),
            },
            "protocol" => self.protocol_told(),
            "proxy_protocol" => match self.has_proxy_protocol() {
                true => self.as_written("listen", "proxy-protocol"),
                false => not_needed("it is off anyway"),
            },
            "forwarded_allow_ips" => self.as_kept("http", "trusted-proxies"),
            "proxy_allow_ips" => match self.has_proxy_protocol() {
                true => self.as_kept("http", "trusted-proxies"),
                false => not_needed("it is about proxy_protocol, which is off"),
            },
            "secure_scheme_headers" => self.schemes_told(),
            _ => return None,
        })
    }

    fn add_listener(&mut self, bind: &str) {
        let Some(address) = self.address(bind) else {
            let what = format!(
                "`{bind}` is a socket that somebody else has opened; write its address, hostler finds sockets from \
                 systemd by that"
            );
            self.notice(self.origin_of("bind"), &what, true);
            return;
        };
        let is_known = |listener| {
            let known = self.draft.get(listener, "address");
            known.and_then(|known| known.as_str()) == Some(&address)
        };
        if self.listeners.iter().any(|listener| is_known(*listener)) {
            return;
        }
        if let Err(error) = address.parse::<Address>() {
            self.notice(self.origin_of("bind"), &error.to_string(), true);
            return;
        }
        let listener = self.draft.add("listen");
        let is_file = address.starts_with('/');
        self.draft.set(listener, "address", address);
        if is_file {
            self.set_file(listener);
        }
        self.listeners.push(listener);
    }

    /// Who may connect to the file of a Unix socket: what gunicorn's umask leaves, or what the socket unit says.
    fn set_file(&mut self, listener: Section) {
        let socket = self
            .gathered
            .unit
            .as_ref()
            .and_then(|unit| unit.socket.as_ref());
        let Some(socket) = socket else {
            let mode = 0o777 & !self.values.number("umask");
            self.draft.set(listener, "mode", format!("0{mode:03o}"));
            let why = "gunicorn's sockets are open to every user of the machine, but for what umask takes away.";
            self.draft
                .comment(listener, Some("mode"), &[why.to_owned()]);
            return;
        };
        // systemd.socket(5) has this as the default.
        self.draft.set(
            listener,
            "mode",
            socket.value("SocketMode").unwrap_or("0666"),
        );
        for (directive, key) in [("SocketUser", "owner"), ("SocketGroup", "group")] {
            if let Some(account) = socket.value(directive) {
                self.draft.set(listener, key, account);
            }
        }
    }

    /// Our notation of one of gunicorn's; `None` for descriptors.
    fn address(&self, bind: &str) -> Option<String> {
        if let Some(path) = bind.strip_prefix("unix:") {
            let path = path.strip_prefix("//").unwrap_or(path);
            let path = self.gathered.directory.join(path);
            return Some(path.to_string_lossy().into_owned());
        }
        if bind.starts_with("fd://") {
            return None;
        }
        let bind = bind
            .strip_prefix("tcp://")
            .unwrap_or(bind)
            .to_ascii_lowercase();
        let has_port = match bind.rsplit_once(']') {
            Some((_, rest)) => rest.starts_with(':'),
            None => bind.contains(':'),
        };
        Some(match has_port {
            true => bind,
            false => format!("{bind}:{PORT}"),
        })
    }

    fn make_protocol(&mut self) {
        let certificate = self.values.text("certfile");
        let protocol = match (self.values.text("protocol").as_deref(), &certificate) {
            (Some("uwsgi"), _) => "uwsgi",
            (_, Some(_)) => "https",
            _ => "http",
        };
        if protocol != "http" {
            self.on_listeners("protocol", protocol);
        }
        if let (Some(certificate), "https") = (certificate, protocol) {
            // Without a file of its own the key stands in the file of the certificate.
            let key = self
                .values
                .text("keyfile")
                .unwrap_or_else(|| certificate.clone());
            self.on_listeners("certificate", self.path(&certificate));
            self.on_listeners("key", self.path(&key));
            if let (Some(ca), wanted @ (1 | 2)) = (
                self.values.text("ca_certs"),
                self.values.number("cert_reqs"),
            ) {
                self.on_listeners("client-ca", self.path(&ca));
                let word = if wanted == 1 { "optional" } else { "required" };
                self.on_listeners("client-certificate", word);
            }
        }
        if self.has_proxy_protocol() && protocol != "uwsgi" {
            self.on_listeners("proxy-protocol", true);
        }
    }

    fn make_trusted(&mut self) {
        // There is one list here. Its default is what gunicorn's defaults are.
        let mut lists = vec!["forwarded_allow_ips"];
        lists.extend(self.has_proxy_protocol().then_some("proxy_allow_ips"));
        if !lists.iter().any(|name| self.values.given(name).is_some()) {
            return;
        }
        let mut trusted: Vec<String> = Vec::new();
        for name in lists {
            for peer in self.values.list(name) {
                match peer.as_str() {
                    "*" => trusted.extend(["0.0.0.0/0", "::/0"].map(str::to_owned)),
                    peer if peer.parse::<TrustedProxy>().is_ok() => trusted.push(peer.to_owned()),
                    peer => {
                        let what = format!("`{peer}` is no address, so it cannot be trusted");
                        self.notice(self.origin_of(name), &what, true);
                    }
                }
            }
        }
        // gunicorn believes everybody who comes over a Unix socket.
        trusted.push("unix".to_owned());
        let mut seen = Vec::new();
        trusted.retain(|peer| {
            !seen.contains(peer) && {
                seen.push(peer.clone());
                true
            }
        });
        self.keep("http", "trusted-proxies", trusted);
    }

    fn bind_told(&self) -> Told {
        let addresses: Vec<String> = self
            .listeners
            .iter()
            .filter_map(|listener| self.draft.get(*listener, "address"))
            .map(|address| address.to_string())
            .collect();
        Told::of(Verdict::Kept {
            key: "listen.address".to_owned(),
            value: addresses.join(", "),
        })
    }

    fn tls_told(&self, key: &str) -> Told {
        match self.values.text("certfile") {
            None => not_needed("without certfile there is no TLS"),
            Some(_) => self.as_written("listen", key),
        }
    }

    fn protocol_told(&self) -> Told {
        match self.values.text("protocol").as_deref() {
            None | Some("http") => not_needed("HTTP is what is spoken anyway"),
            Some("uwsgi") => self.as_written("listen", "protocol"),
            Some(_) => not_possible("it is not spoken", "HTTP, or the uwsgi protocol"),
        }
    }

    fn schemes_told(&self) -> Told {
        let Value::Object(schemes) = self.values.raw("secure_scheme_headers") else {
            return not_needed("it is empty");
        };
        let is_known = |name: &str, value: &Value| {
            let name = name.to_ascii_uppercase().replace('_', "-");
            SCHEMES
                .iter()
                .any(|known| known.0 == name && value == known.1)
        };
        let mut other = schemes
            .iter()
            .filter(|(name, value)| !is_known(name, value));
        match other.next() {
            None => not_needed("X-Forwarded-Proto and X-Forwarded-Ssl are understood"),
            Some((name, _)) => not_possible(
                &format!("{name} does not say that the client came over TLS"),
                "have the front server send X-Forwarded-Proto: https",
            ),
        }
    }

    fn has_proxy_protocol(&self) -> bool {
        let raw = self.values.raw("proxy_protocol");
        let text = self.values.text("proxy_protocol");
        raw == Value::Bool(true)
            || text.is_some_and(|mode| !["off", "false", "False"].contains(&mode.as_str()))
    }

    /// Whether a Unix socket has a file.
    fn has_files(&self) -> bool {
        let mut listeners = self.listeners.iter();
        listeners.any(|listener| self.draft.get(*listener, "mode").is_some())
    }

    fn on_listeners(&mut self, key: &str, value: impl Into<toml::Value>) {
        let value = value.into();
        for listener in &self.listeners {
            self.draft.set(*listener, key, value.clone());
        }
    }

    fn on_ports(&mut self, key: &str, value: impl Into<toml::Value>) {
        let value = value.into();
        for listener in &self.listeners {
            if self.draft.get(*listener, "mode").is_none() {
                self.draft.set(*listener, key, value.clone());
            }
        }
    }

    fn path(&self, path: &str) -> String {
        self.gathered
            .directory
            .join(path)
            .to_string_lossy()
            .into_owned()
    }

    fn origin_of(&self, name: &str) -> Origin {
        let given = self.values.given(name).map(|given| given.origin.clone());
        given.unwrap_or(Origin {
            source: name.into(),
            line: None,
        })
    }
}
