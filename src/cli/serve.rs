//! `hostler serve`: everything that must be right before there is a process of the application, in the order in which
//! people correct it; then the supervisor.

use std::{
    env,
    path::{self, Path, PathBuf},
    process::ExitCode,
};

use crate::{
    config::{self, Protocol, Settings},
    journal::{self, Identity, LogFiles, Role},
    listener::{ListenError, Listener, Listeners},
    supervisor::{self, Https, Interpreter, Predecessor, Reread, Site, bind_metrics, bind_stats},
    systemd::{self, units},
};

use super::error::CliError;

/// What to serve.
pub(super) struct ServeOptions {
    /// Checked settings.
    pub(super) settings: Settings,
    /// The file to read again on SIGHUP.
    pub(super) source: Option<PathBuf>,
    /// The supervisor that is to be followed.
    pub(super) predecessor: Option<Predecessor>,
}

/// Serves until told to stop.
///
/// # Errors
/// The service could not begin. What happens later is in the log, and in the exit code.
pub(super) fn serve(options: ServeOptions) -> Result<ExitCode, CliError> {
    let ServeOptions {
        settings,
        source,
        mut predecessor,
    } = options;
    let name = site_name(source.as_deref(), &settings);
    let log_files = LogFiles::open(&settings.log)?;
    journal::init(
        &settings.log,
        Identity {
            site: name.clone(),
            role: Role::Supervisor,
        },
        None,
        log_files.duplicates()?,
    )?;
    let interpreter = Interpreter::find(&settings.app)?;
    let Sockets {
        https,
        listeners,
        stats,
        metrics,
    } = match &mut predecessor {
        None => Sockets::bind(&settings)?,
        Some(before) => Sockets::inherit(before, &settings)?,
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), site = %name, "hostler starts");
    listeners.iter().for_each(tell);
    if rustix::process::geteuid().is_root() && settings.service.user.is_none() {
        tracing::warn!(
            "the application runs as root, who owns the files of the system; set user in [service], or start it as another user"
        );
    }
    tell_of_units(&settings);
    let file = source.as_deref().and_then(|file| path::absolute(file).ok());
    let reread = reread(source, settings.clone());
    let site = Site {
        name,
        file: file.map(|file| file.to_string_lossy().into_owned()),
        settings,
        listeners,
        stats,
        metrics,
        https,
        interpreter,
        log_files,
        predecessor,
        reread,
    };
    Ok(ExitCode::from(supervisor::run(site)?))
}

/// Where the service listens, and certificates.
struct Sockets {
    https: Https,
    listeners: Listeners,
    stats: Listeners,
    metrics: Listeners,
}

impl Sockets {
    /// The service manager's, and our own.
    fn bind(settings: &Settings) -> Result<Self, CliError> {
        let https = Https::load(&settings.listen)?;
        let inherited = systemd::inherited().map_err(ListenError::from)?;
        Ok(Self {
            https,
            listeners: Listeners::bind(&settings.listen, settings.timeouts.socket.0, inherited)?,
            stats: bind_stats(settings)?,
            metrics: bind_metrics(settings)?,
        })
    }

    /// Those of a supervisor that is to be followed.
    fn inherit(before: &mut Predecessor, settings: &Settings) -> Result<Self, CliError> {
        Ok(Self {
            https: before.https(settings)?,
            listeners: before.listeners(settings)?,
            stats: before.stats(settings)?,
            metrics: before.metrics(settings)?,
        })
    }
}

/// The file's name without its ending, which is also the instance of the unit; or the application's.
fn site_name(source: Option<&Path>, settings: &Settings) -> String {
    let app = &settings.app;
    let file = source.or(app.file.as_deref()).and_then(Path::file_stem);
    let module = app
        .module
        .as_ref()
        .and_then(|module| module.split(['.', ':']).next());
    match (file, module) {
        (Some(name), _) => name.to_string_lossy().into_owned(),
        (None, Some(module)) => module.to_owned(),
        (None, None) => "hostler".to_owned(),
    }
}

/// Settings from the command line cannot change, but the application can.
fn reread(source: Option<PathBuf>, settings: Settings) -> Reread {
    Box::new(move || match &source {
        Some(file) => config::load(file)
            .inspect(tell_of_units)
            .map_err(|error| super::output::chain(&error)),
        None => Ok(settings.clone()),
    })
}

/// What systemd was told of the service when it started it is nothing that a reload, or an upgrade, could change.
fn tell_of_units(settings: &Settings) {
    if env::var(units::MARK).is_ok_and(|mark| mark != units::mark(settings)) {
        tracing::warn!(
            "the service was started with units that its settings, or this hostler, do not make any more: \
             systemctl daemon-reload, then systemctl restart, and they count"
        );
    }
}

fn tell(listener: &Listener) {
    let address = &listener.bound;
    match listener.protocol {
        protocol @ (Protocol::Http | Protocol::Https) => {
            let url = url(protocol, address);
            tracing::info!(%protocol, %address, url, "listening");
        }
        protocol => tracing::info!(%protocol, %address, "listening"),
    }
}

/// What a person on this machine can open.
fn url(scheme: Protocol, address: &str) -> Option<String> {
    let (host, port) = address
        .rsplit_once(':')
        .filter(|_| !address.starts_with(['/', '@']))?;
    let host = if ["0.0.0.0", "[::]"].contains(&host) {
        "localhost"
    } else {
        host
    };
    Some(format!("{scheme}://{host}:{port}/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_url(address: &str, expected: Option<&str>) {
        assert_eq!(url(Protocol::Http, address).as_deref(), expected);
    }

    #[test]
    fn addresses_that_a_browser_knows_become_urls() {
        check_url("127.0.0.1:8000", Some("http://127.0.0.1:8000/"));
        check_url("[::1]:8000", Some("http://[::1]:8000/"));
        check_url("[::]:8000", Some("http://localhost:8000/"));
        check_url("0.0.0.0:8000", Some("http://localhost:8000/"));
        check_url("/run/a:1.sock", None);
        check_url("@a:1", None);
    }

    #[track_caller]
    fn check_name(source: Option<&str>, module: &str, expected: &str) {
        let mut settings = Settings::default();
        settings.app.module = Some(module.to_owned());
        assert_eq!(site_name(source.map(Path::new), &settings), expected);
    }

    #[test]
    fn a_site_is_called_as_its_file_or_its_application() {
        check_name(Some("/etc/hostler/shop.toml"), "a.wsgi", "shop");
        check_name(None, "shop.wsgi:application", "shop");
    }
}
