//! `hostler top`: asks the control sockets for it, and brings what it makes of the answers to the terminal or to standard
//! output.

use std::{
    env,
    io::{self, IsTerminal},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use crate::{
    supervisor::control::{Command, Places, Reply, Status},
    top::{self, Document, Sites, Source, Trouble},
};

use super::{
    arguments::TopArguments,
    client::{Client, ClientError, name_of},
    error::CliError,
    exit::Exit,
    output,
};

/// How long a site may take to answer; measuring the memory of many large workers takes a while.
const PATIENCE: Duration = Duration::from_secs(5);

/// Shows what sites are doing, until told to end or once.
///
/// # Errors
/// Nobody is there who may be asked, or the terminal cannot be used.
pub(super) fn top(arguments: &TopArguments) -> Result<ExitCode, CliError> {
    let sockets = Sockets::new(&arguments.sites);
    let interval = arguments.interval.0;
    match (arguments.once, arguments.json) {
        (true, _) => once(&sockets, interval, arguments.json),
        (false, true) => documents(&sockets, interval),
        (false, false) => live(sockets, interval),
    }
}

/// The sockets of the sites that are meant.
struct Sockets {
    places: Places,
    /// Names of sites; all that run when there are none.
    names: Vec<String>,
}

impl Sockets {
    fn new(sites: &[String]) -> Self {
        Self {
            places: Places::here(),
            names: sites.iter().map(|site| name_of(site)).collect(),
        }
    }

    /// None yet, or those that were asked for by name.
    fn expected(&self) -> Sites {
        let mut sites = Sites::default();
        for name in &self.names {
            if let Some(place) = self.place_of(name) {
                sites.expect(place, name.clone());
            }
        }
        sites
    }

    fn is_meant(&self, site: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|name| name == site)
    }

    /// Where the site of this name is, or would be. The socket of the service that we belong to is a last resort: it
    /// may be another site's.
    fn place_of(&self, name: &str) -> Option<PathBuf> {
        let own = self.places.own();
        let mut places = self.places.of_client(name);
        places.retain(|place| Some(place) != own.as_ref());
        let found = places.iter().find(|place| place.exists()).cloned();
        let own = own.filter(|own| own.exists());
        found.or(own).or_else(|| places.into_iter().next())
    }
}

impl Source for Sockets {
    fn places(&self) -> Vec<PathBuf> {
        if self.names.is_empty() {
            return self.places.all();
        }
        let named = self.names.iter().filter_map(|name| self.place_of(name));
        named.collect()
    }

    fn status(&self, place: &Path) -> Result<Status, Trouble> {
        match ask(place, Command::Status) {
            // Another site, in the place where the wanted one was looked for.
            Ok(Reply::Status(status)) if !self.is_meant(&status.site) => Err(Trouble::Gone),
            Ok(Reply::Status(status)) => Ok(*status),
            Ok(Reply::Refused { reason }) => Err(Trouble::Other(reason)),
            Ok(_) => Err(Trouble::Other("it answers something else".to_owned())),
            Err(ClientError::Denied { .. }) => Err(Trouble::Denied),
            Err(ClientError::Ended | ClientError::NotThere { .. }) => Err(Trouble::Gone),
            Err(error) => Err(Trouble::Other(output::chain(&error))),
        }
    }

    fn stack(&self, place: &Path, worker: u32, generation: u32) -> Result<String, String> {
        let command = Command::Stack {
            worker,
            generation: Some(generation),
        };
        match ask(place, command) {
            Ok(Reply::Stack { text }) => Ok(text),
            Ok(Reply::Failed { reason, .. } | Reply::Refused { reason }) => Err(reason),
            Ok(_) => Err("the service answers something else".to_owned()),
            Err(error) => Err(output::chain(&error)),
        }
    }
}

fn ask(place: &Path, command: Command) -> Result<Reply, ClientError> {
    Client::at(place)?.ask_within(command, PATIENCE)
}

fn live(sockets: Sockets, interval: Duration) -> Result<ExitCode, CliError> {
    let is_dumb = env::var_os("TERM").is_none_or(|name| name.is_empty() || name == "dumb");
    if !io::stdout().is_terminal() || is_dumb {
        return Err(CliError::NoTerminal);
    }
    let sites = sockets.expected();
    let alone = match &sockets.names[..] {
        [_] => sockets.places().pop(),
        _ => None,
    };
    // https://no-color.org: any value but an empty one.
    let has_colours = env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    top::watch(Arc::new(sockets), sites, alone, interval, has_colours)?;
    Ok(Exit::Success.into())
}

/// Two readings, since what happened between them is what there is to say.
fn once(sockets: &Sockets, interval: Duration, json: bool) -> Result<ExitCode, CliError> {
    let mut sites = sockets.expected();
    sites.read(sockets);
    somebody_answers(&sites, sockets)?;
    pause(interval);
    sites.read(sockets);
    let text = match json {
        true => line(&sites)?,
        false => top::as_table(&sites, top::width()),
    };
    output::print(&text)?;
    if !json {
        for (name, trouble) in sites.troubles() {
            let hint = match trouble {
                Trouble::Denied => "; become root, or the user that runs it",
                Trouble::Gone | Trouble::Other(_) => "",
            };
            output::note(&format!("{}: {trouble}{hint}", top::printable(name)));
        }
    }
    Ok(Exit::Success.into())
}

/// A document for each interval, until nobody reads them any more.
fn documents(sockets: &Sockets, interval: Duration) -> Result<ExitCode, CliError> {
    let mut sites = sockets.expected();
    sites.read(sockets);
    loop {
        pause(interval);
        sites.read(sockets);
        if !output::offer(&line(&sites)?)? {
            return Ok(Exit::Success.into());
        }
    }
}

fn line(sites: &Sites) -> Result<String, CliError> {
    let text = serde_json::to_string(&Document::new(sites)).map_err(CliError::Json)?;
    Ok(text + "\n")
}

fn somebody_answers(sites: &Sites, sockets: &Sockets) -> Result<(), CliError> {
    if sites.has_answers() {
        return Ok(());
    }
    let reasons = sites.troubles().into_iter();
    let reasons = reasons.map(|(name, trouble)| format!("{}: {trouble}", top::printable(name)));
    let reasons: Vec<String> = reasons.collect();
    Err(match reasons.is_empty() {
        true => CliError::Client(ClientError::NoneRuns {
            looked: sockets.places.bases(),
        }),
        false => CliError::Unanswered {
            reasons: reasons.join("; "),
        },
    })
}

/// Nothing else goes on that this could miss.
fn pause(length: Duration) {
    let end = Instant::now() + length;
    while let Some(left) = end
        .checked_duration_since(Instant::now())
        .filter(|left| !left.is_zero())
    {
        thread::park_timeout(left);
    }
}
