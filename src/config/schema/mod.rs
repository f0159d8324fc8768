//! The sections of a site's file as types; each section's `Default` is the one home of its defaults.
//!
//! The names of the keys exist only here: the loader, `check --show` and the manual ask serde for them. The comments
//! on the fields are the text of the manual. Rules that hold between values live in `check`.

mod app;
mod cgi;
mod cheaper;
mod daemon;
mod dynamic_apps;
mod http;
mod limits;
mod listen;
mod log;
mod metrics;
mod mount;
mod reload;
mod request;
mod response;
mod route;
mod service;
mod static_files;
mod stats;
mod timeouts;
mod timer;
mod uwsgi;
mod workers;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use app::{App, Target};
pub use cgi::Cgi;
pub use cheaper::{Algorithm, Cheaper};
pub use daemon::Daemon;
pub use dynamic_apps::DynamicApps;
pub use http::Http;
pub use limits::Limits;
pub use listen::{ClientCertificate, Listen, Protocol, Sni};
pub use log::{Log, LogLevel};
pub use metrics::Metrics;
pub use mount::Mount;
pub use reload::Reload;
pub use request::Request;
pub use response::Response;
pub use route::Route;
pub use service::{Relaxation, Service};
pub use static_files::{Expires, StaticFiles};
pub use stats::Stats;
pub use timeouts::Timeouts;
pub use timer::Timer;
pub use uwsgi::Uwsgi;
pub use workers::{EventLoop, Workers};

/// The whole file.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(title = "The settings of a site that hostler serves")]
#[schemars(extend("required" = ["app", "listen"], "x-taplo" = { "initKeys": ["app", "listen"] }))]
pub struct Settings {
    /// The application and the interpreter that runs it.
    pub app: App,
    /// The listening sockets; any number, any mix of protocols.
    pub listen: Vec<Listen>,
    /// What holds for listeners that speak HTTP.
    pub http: Http,
    /// What holds for listeners that speak the uwsgi protocol.
    pub uwsgi: Uwsgi,
    /// Further applications, by path or by host.
    pub mount: Vec<Mount>,
    /// Applications that the front server names with each request.
    pub dynamic_apps: DynamicApps,
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
    /// Files that are served without the application.
    #[serde(rename = "static")]
    pub static_files: StaticFiles,
    /// Programs that answer requests.
    pub cgi: Vec<Cgi>,
    /// What happens to requests before the application sees them.
    pub route: Vec<Route>,
    /// Where the log goes.
    pub log: Log,
    /// What the site is doing, as uWSGI's stats server tells it.
    pub stats: Stats,
    /// Numbers for Prometheus and its like.
    pub metrics: Metrics,
    /// What the service manager is told about the site.
    pub service: Service,
    /// Commands that run at given times.
    pub timer: Vec<Timer>,
    /// Processes beside the site.
    pub daemon: Vec<Daemon>,
}

impl Settings {
    /// Whether some requests are answered without the application, so that a thread stands by for them.
    pub fn answers_alone(&self) -> bool {
        let files = &self.static_files;
        let has_files = !files.check.is_empty() || !files.map.is_empty();
        let leads_away = self
            .listen
            .iter()
            .any(|listen| listen.redirect_to.is_some());
        has_files || leads_away || !self.route.is_empty() || !self.cgi.is_empty()
    }

    /// How many of each worker serve: threads or greenlets of the application, the thread that stands by or gevent's hub,
    /// and a thread for each CGI program that may run at a time.
    pub fn serving_threads(&self) -> u32 {
        let programs: u32 = self.cgi.iter().map(Cgi::processes).sum();
        let beside = self.answers_alone() || self.workers.is_green();
        self.workers.requests_at_once() + u32::from(beside) + programs
    }
}
