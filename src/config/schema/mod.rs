//! The sections of a site's file as types; each section's `Default` is the one home of its defaults.
//!
//! The names of the keys exist only here: the loader, `check --show` and the manual ask serde for them. The comments
//! on the fields are the text of the manual. Rules that hold between values live in `check`.

mod app;
mod cheaper;
mod http;
mod limits;
mod listen;
mod log;
mod reload;
mod request;
mod response;
mod service;
mod timeouts;
mod timer;
mod uwsgi;
mod workers;

use serde::{Deserialize, Serialize};

pub use app::{App, Target};
pub use cheaper::{Algorithm, Cheaper};
pub use http::Http;
pub use limits::Limits;
pub use listen::{Listen, Protocol};
pub use log::{Log, LogLevel, LogTarget};
pub use reload::Reload;
pub use request::Request;
pub use response::Response;
pub use service::{Relaxation, Service};
pub use timeouts::Timeouts;
pub use timer::Timer;
pub use uwsgi::Uwsgi;
pub use workers::Workers;

/// The whole file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Settings {
    /// The application and the interpreter that runs it.
    pub app: App,
    /// The listening sockets; any number, any mix of protocols.
    pub listen: Vec<Listen>,
    /// What holds for listeners that speak HTTP.
    pub http: Http,
    /// What holds for listeners that speak the uwsgi protocol.
    pub uwsgi: Uwsgi,
    /// How many processes and threads run the application.
    pub workers: Workers,
    /// What a request and a worker may use.
    pub limits: Limits,
    /// How long things may take.
    pub timeouts: Timeouts,
    /// Files whose change asks for a reload.
    pub reload: Reload,
    /// How request bodies are taken in.
    pub request: Request,
    /// How responses are given out.
    pub response: Response,
    /// Where the log goes.
    pub log: Log,
    /// What the service manager is told about the site.
    pub service: Service,
    /// Commands that run at given times.
    pub timer: Vec<Timer>,
}
