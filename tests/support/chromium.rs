//! A real browser without a window: Chromium, spoken to by ChromeDriver in W3C WebDriver.

use std::{path::Path, process::Command, time::Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::{PATIENCE, address::Address, process::Process};

const BROWSER: &str = "/usr/bin/chromium";
const DRIVER: &str = "/usr/bin/chromedriver";

/// A browser with one tab; it ends with the test.
pub(crate) struct Chromium {
    driver: Address,
    session: String,
    _process: Process,
    _profile: TempDir,
}

/// Whether there is a browser on this machine. Tests that need one are left out loudly without it, but not where all of
/// them have to run.
pub(crate) fn is_there() -> bool {
    let there = [BROWSER, DRIVER]
        .iter()
        .all(|path| Path::new(path).exists());
    if !there {
        assert!(
            std::env::var_os("CI").is_none(),
            "there is no {BROWSER}; `make test` installs it"
        );
        eprintln!("SKIPPED: there is no {BROWSER} with {DRIVER}, so no page was opened");
    }
    there
}

impl Chromium {
    /// Starts one.
    pub(crate) fn start() -> Self {
        let profile = tempfile::Builder::new()
            .prefix("hostler-browser-")
            .tempdir()
            .unwrap();
        let mut command = Command::new(DRIVER);
        command.arg("--port=0").env("HOME", profile.path());
        let process = Process::start("chromedriver", &mut command);
        let port = process.wait_for("its port", |line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let mut chromium = Self {
            driver: Address(format!("127.0.0.1:{port}")),
            session: String::new(),
            _process: process,
            _profile: profile,
        };
        let data = chromium._profile.path().join("data");
        let session = chromium.command("POST", "", &capabilities(&data));
        chromium.session = session["sessionId"].as_str().unwrap().to_owned();
        chromium
    }

    /// Opens a page and waits until it is loaded.
    pub(crate) fn open(&self, url: &str) {
        self.command("POST", "/url", &json!({ "url": url }));
    }

    /// Looks like this: a width in CSS pixels, and whether colours are dark.
    pub(crate) fn look(&self, width: u32, dark: bool) {
        let scheme = if dark { "dark" } else { "light" };
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.devtools(
            "Emulation.setEmulatedMedia",
            &json!({ "features": features }),
        );
        let metrics =
            json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600 });
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// What the body of a function gives, run in the page.
    pub(crate) fn run(&self, script: &str) -> Value {
        let body = json!({ "script": script, "args": [] });
        self.command("POST", "/execute/sync", &body)
    }

    /// Waits until a script gives `true`.
    pub(crate) fn wait_until(&self, script: &str) {
        let deadline = Instant::now() + PATIENCE;
        while self.run(script) != true {
            assert!(
                Instant::now() < deadline,
                "in vain: {script}; {:?}",
                self.complaints()
            );
            std::thread::park_timeout(std::time::Duration::from_millis(50));
        }
    }

    /// What the browser has complained of since the last time: errors of scripts, broken policies.
    pub(crate) fn complaints(&self) -> Vec<Value> {
        let entries = self.command("POST", "/se/log", &json!({ "type": "browser" }));
        entries.as_array().unwrap().clone()
    }

    /// The whole page as PNG, into a file of this directory's.
    pub(crate) fn screenshot(&self, directory: &Path, name: &str) {
        let options = json!({ "captureBeyondViewport": true, "format": "png" });
        let shot = self.devtools("Page.captureScreenshot", &options);
        std::fs::create_dir_all(directory).unwrap();
        let decoded = decode(shot["data"].as_str().unwrap());
        std::fs::write(directory.join(name), decoded).unwrap();
    }

    fn devtools(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({ "cmd": command, "params": parameters });
        self.command("POST", "/goog/cdp/execute", &body)
    }

    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        let mut target = String::from("/session");
        if !self.session.is_empty() {
            target += &format!("/{}{path}", self.session);
        }
        let headers = [("Content-Type", "application/json")];
        let body = match method {
            "POST" => body.to_string(),
            _ => String::new(),
        };
        let answer = self
            .driver
            .request(method, &target, &headers, body.as_bytes());
        let value: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, 200, "{target} {value}");
        value["value"].clone()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.command("DELETE", "", &Value::Null);
        }
    }
}

/// A browser that asks nobody for anything but what it is told to open.
fn capabilities(data: &Path) -> Value {
    let arguments = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        &format!("--user-data-dir={}", data.display()),
    ];
    json!({ "capabilities": { "alwaysMatch": {
        "goog:chromeOptions": { "binary": BROWSER, "args": arguments },
        "goog:loggingPrefs": { "browser": "ALL" },
    }}})
}

/// Base64 (RFC 4648), as the driver writes it.
fn decode(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.bytes().filter_map(|byte| {
        let digit = ALPHABET.iter().position(|one| *one == byte)?;
        Some(digit as u32)
    });
    let mut bytes = Vec::new();
    let (mut bits, mut count) = (0_u32, 0);
    for digit in digits {
        bits = bits << 6 | digit;
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    bytes
}
