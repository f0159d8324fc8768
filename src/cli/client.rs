//! Finds the control socket of a running site and asks it one thing.

use std::{
    io::{self, BufRead, BufReader, Write},
    os::unix::net::UnixStream,
    path::{self, Path, PathBuf},
    time::Duration,
};

use crate::supervisor::control::{Command, MessageError, Places, Reply, Request};

/// How long a service may take to take in what is wanted, and to answer when it has nothing to wait for.
const PATIENCE: Duration = Duration::from_secs(30);

/// Why a running site cannot be spoken with.
#[derive(Debug, thiserror::Error)]
pub(super) enum ClientError {
    /// Which one is meant?
    #[error("several sites run: {}; name one of them", .running.join(", "))]
    Ambiguous {
        /// Their names.
        running: Vec<String>,
    },
    /// The socket is somebody else's.
    #[error("{path}: permission denied; become root, or the user that runs the service")]
    Denied {
        /// The socket.
        path: PathBuf,
    },
    /// It went while we waited.
    #[error("the service has ended without an answer; see its log")]
    Ended,
    /// It is there, and something is wrong with the connection.
    #[error("cannot speak with the service at {path}")]
    Io {
        /// The socket.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// It says something that is no answer.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Nobody is there.
    #[error("no site runs that has a control socket{}", list(.looked))]
    NoneRuns {
        /// Where one would be.
        looked: Vec<PathBuf>,
    },
    /// Not the one that is meant because we belong to it.
    #[error(
        "nobody listens at {path}, where the service of $RUNTIME_DIRECTORY would; name the site if another one is meant"
    )]
    NotOurs {
        /// The socket.
        path: PathBuf,
    },
    /// Not at this socket.
    #[error("nobody listens at {path}")]
    NotThere {
        /// The socket.
        path: PathBuf,
    },
    /// Not under this name.
    #[error("no site runs as {site}; {}", others(.running))]
    NotRunning {
        /// What was asked for.
        site: String,
        /// The names of those that run.
        running: Vec<String>,
    },
}

/// A site that answers.
pub(super) struct Client {
    path: PathBuf,
    stream: UnixStream,
    site: Option<String>,
    file: Option<String>,
}

impl Client {
    /// Connects to the site of this name or settings file, or to the only one that runs.
    pub(super) fn connect(site: Option<&str>) -> Result<Self, ClientError> {
        Self::find(site, &Places::here())
    }

    /// Connects to whatever site has this socket.
    pub(super) fn at(path: &Path) -> Result<Self, ClientError> {
        let (path, stream) = connect(path.to_owned()).unwrap_or_else(|| {
            let path = path.to_owned();
            Err(ClientError::NotThere { path })
        })?;
        Ok(Self {
            path,
            stream,
            site: None,
            file: None,
        })
    }

    fn find(site: Option<&str>, places: &Places) -> Result<Self, ClientError> {
        let Some(text) = site else {
            return Self::only(places);
        };
        let file = Some(Path::new(text)).filter(|_| is_file(text));
        let name = name_of(text);
        let mut found = places.of_client(&name).into_iter().filter_map(connect);
        let (path, stream) = found.next().unwrap_or_else(|| {
            let running = running(places)
                .into_iter()
                .map(|(path, _)| directory_of(&path));
            Err(ClientError::NotRunning {
                site: name.clone(),
                running: running.collect(),
            })
        })?;
        let file = file.and_then(|file| path::absolute(file).ok());
        Ok(Self {
            path,
            stream,
            site: Some(name),
            file: file.map(|file| file.to_string_lossy().into_owned()),
        })
    }

    /// The service that this process belongs to, else the one that there is: whoever belongs to one that has ended does not
    /// mean somebody else's.
    fn only(places: &Places) -> Result<Self, ClientError> {
        let mut running = match places.own() {
            Some(path) => {
                let found = connect(path.clone());
                vec![found.unwrap_or(Err(ClientError::NotOurs { path }))?]
            }
            None => running(places),
        };
        if running.len() > 1 {
            let names = running.iter().map(|(path, _)| directory_of(path)).collect();
            return Err(ClientError::Ambiguous { running: names });
        }
        let Some((path, stream)) = running.pop() else {
            // One that may not be spoken with is the better explanation.
            let denied = places
                .all()
                .into_iter()
                .filter_map(connect)
                .find_map(Result::err);
            return Err(denied.unwrap_or(ClientError::NoneRuns {
                looked: places.bases(),
            }));
        };
        Ok(Self {
            path,
            stream,
            site: None,
            file: None,
        })
    }

    /// Says what is wanted and waits for the answer; `at_once` when there is nothing that the service waits for.
    pub(super) fn ask(&mut self, command: Command, at_once: bool) -> Result<Reply, ClientError> {
        self.ask_for(command, at_once.then_some(PATIENCE))
    }

    /// The same, for so long.
    pub(super) fn ask_within(
        &mut self,
        command: Command,
        limit: Duration,
    ) -> Result<Reply, ClientError> {
        self.ask_for(command, Some(limit))
    }

    fn ask_for(&mut self, command: Command, limit: Option<Duration>) -> Result<Reply, ClientError> {
        let request = Request {
            site: self.site.clone(),
            file: self.file.clone(),
            command,
        };
        let line = request.encode()?;
        let answer = self.exchange(&line, limit);
        let answer = answer.map_err(|source| ClientError::Io {
            path: self.path.clone(),
            source,
        })?;
        match answer.is_empty() {
            true => Err(ClientError::Ended),
            false => Ok(Reply::decode(&answer)?),
        }
    }

    /// Waits until the service closes the connection.
    pub(super) fn wait_for_end(&mut self) {
        // An error is an end as well.
        let _ = self.stream.set_read_timeout(None);
        let _ = io::copy(&mut self.stream, &mut io::sink());
    }

    fn exchange(&mut self, line: &[u8], limit: Option<Duration>) -> io::Result<Vec<u8>> {
        self.stream
            .set_write_timeout(Some(limit.unwrap_or(PATIENCE)))?;
        self.stream.set_read_timeout(limit)?;
        self.stream.write_all(line)?;
        let mut answer = Vec::new();
        match BufReader::new(&self.stream).read_until(b'\n', &mut answer) {
            // A service that ends with something unread resets the connection.
            Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ok(Vec::new()),
            result => result.map(|_| answer),
        }
    }
}

/// What a site is called whose name or settings file this is.
pub(super) fn name_of(site: &str) -> String {
    let stem = Path::new(site).file_stem().filter(|_| is_file(site));
    stem.map_or(site.to_owned(), |stem| stem.to_string_lossy().into_owned())
}

/// A name has neither a slash nor the ending of a settings file.
fn is_file(text: &str) -> bool {
    text.contains('/') || text.ends_with(".toml")
}

/// Connects to a socket; nothing when nobody is there.
fn connect(path: PathBuf) -> Option<Result<(PathBuf, UnixStream), ClientError>> {
    match UnixStream::connect(&path) {
        Ok(stream) => Some(Ok((path, stream))),
        Err(error) => match error.kind() {
            io::ErrorKind::PermissionDenied => Some(Err(ClientError::Denied { path })),
            io::ErrorKind::NotFound
            | io::ErrorKind::NotADirectory
            | io::ErrorKind::ConnectionRefused => None,
            _ => Some(Err(ClientError::Io {
                path,
                source: error,
            })),
        },
    }
}

/// Those that may be spoken with.
fn running(places: &Places) -> Vec<(PathBuf, UnixStream)> {
    let all = places.all().into_iter().filter_map(connect);
    all.filter_map(Result::ok).collect()
}

/// The directory is called as the site.
fn directory_of(path: &Path) -> String {
    let directory = path.parent().and_then(Path::file_name);
    directory.unwrap_or_default().to_string_lossy().into_owned()
}

fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    match paths.is_empty() {
        true => String::new(),
        false => format!(" in {}", paths.join(" or ")),
    }
}

fn others(running: &[String]) -> String {
    match running {
        [] => "none does that has a control socket".to_owned(),
        running => format!("running are {}", running.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::{
            fs::symlink,
            net::{UnixDatagram, UnixListener},
        },
    };

    use super::*;

    /// A user's runtime directory with these sites in it, which listen, and one whose service is dead.
    fn sites(names: &[&str]) -> (tempfile::TempDir, Vec<UnixListener>, Places) {
        let directory = tempfile::tempdir().unwrap();
        let socket = |name: &str| {
            let site = directory.path().join("hostler").join(name);
            fs::create_dir_all(&site).unwrap();
            UnixListener::bind(site.join("control.sock")).unwrap()
        };
        drop(socket("dead"));
        let listeners = names.iter().map(|name| socket(name)).collect();
        let places = Places::of_user(directory.path());
        (directory, listeners, places)
    }

    #[track_caller]
    fn check(names: &[&str], site: Option<&str>, expected: Result<&str, &str>) {
        let (_directory, _listeners, places) = sites(names);
        let found = Client::find(site, &places);
        let found = found.map(|client| directory_of(&client.path));
        let found = found.map_err(|error| error.to_string());
        assert_eq!(found.as_deref().map_err(String::as_str), expected);
    }

    #[test]
    fn a_site_is_found_by_name_and_by_file() {
        check(&["blog", "shop"], Some("shop"), Ok("shop"));
        check(
            &["blog", "shop"],
            Some("/etc/hostler/shop.toml"),
            Ok("shop"),
        );
        check(&["blog", "shop"], Some("shop.toml"), Ok("shop"));
        check(&["blog", "shop"], Some("./shop"), Ok("shop"));
    }

    #[test]
    fn whoever_does_not_run_is_told_who_does() {
        check(
            &["blog", "shop"],
            Some("dead"),
            Err("no site runs as dead; running are blog, shop"),
        );
        check(
            &[],
            Some("shop"),
            Err("no site runs as shop; none does that has a control socket"),
        );
    }

    #[test]
    fn the_only_one_needs_no_name() {
        check(&["shop"], None, Ok("shop"));
        check(
            &["blog", "shop"],
            None,
            Err("several sites run: blog, shop; name one of them"),
        );
    }

    /// What others have left where sockets are is no site.
    #[test]
    fn leftovers_are_no_sites() {
        let (directory, _listeners, places) = sites(&["shop"]);
        let left = |name: &str| {
            let path = directory.path().join("hostler").join(name);
            fs::create_dir_all(&path).unwrap();
            path.join("control.sock")
        };
        left("empty");
        fs::write(left("file"), "").unwrap();
        fs::create_dir(left("directory")).unwrap();
        let _ear = UnixDatagram::bind(left("datagrams")).unwrap();
        symlink("nowhere", left("link")).unwrap();
        let found = Client::find(None, &places).unwrap();
        assert_eq!(directory_of(&found.path), "shop");
    }

    #[test]
    fn whoever_belongs_to_a_service_means_no_other() {
        let (directory, _listeners, places) = sites(&["shop"]);
        let own = |name: &str| {
            let directory = directory.path().join("hostler").join(name);
            Client::find(None, &places.clone().of_service_in(&directory))
        };
        assert_eq!(directory_of(&own("shop").unwrap().path), "shop");
        let error = own("dead").err().unwrap().to_string();
        assert!(
            error.contains("dead/control.sock, where the service of $RUNTIME_DIRECTORY"),
            "{error}"
        );
    }

    #[test]
    fn where_nobody_runs_is_told() {
        let (directory, _, places) = sites(&[]);
        let error = Client::find(None, &places).err().unwrap().to_string();
        let base = directory.path().join("hostler");
        assert!(error.contains(base.to_str().unwrap()), "{error}");
    }
}
