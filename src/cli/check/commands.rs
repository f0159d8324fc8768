//! Whether the programs of timers, daemons, CGI and the commands around the start exist, and the directories of log files.

use std::{
    env,
    path::{Path, PathBuf},
};

use crate::config::{Cgi, LogTarget, Settings};

use super::host::Findings;

/// Where systemd looks for programs, behind the virtual environment.
const PROGRAMS: [&str; 6] = [
    "/usr/local/sbin",
    "/usr/local/bin",
    "/usr/sbin",
    "/usr/bin",
    "/sbin",
    "/bin",
];

/// Looks for every program. A site starts without them, but for those of `exec-start-pre`, which systemd alone runs; so
/// what is missing is a note.
pub(super) fn look(settings: &Settings, findings: &mut Findings) {
    let service = &settings.service;
    for (key, commands) in [
        ("exec-start-pre", &service.exec_start_pre),
        ("exec-start-post", &service.exec_start_post),
        ("exec-stop-post", &service.exec_stop_post),
    ] {
        for (number, command) in commands.iter().enumerate() {
            program(
                &["service", key, &number.to_string()],
                command,
                settings,
                findings,
            );
        }
    }
    for (number, timer) in settings.timer.iter().enumerate() {
        let key = ["timer", &number.to_string(), "command"];
        program(&key, &timer.command, settings, findings);
    }
    for (number, daemon) in settings.daemon.iter().enumerate() {
        let key = ["daemon", &number.to_string(), "command"];
        program(&key, &daemon.command, settings, findings);
    }
    for (number, cgi) in settings.cgi.iter().enumerate() {
        helpers(&number.to_string(), cgi, findings);
    }
    for (key, targets) in [
        ("to", &settings.log.to),
        ("access-to", &settings.log.access_to),
    ] {
        for (number, target) in targets.iter().enumerate() {
            if let LogTarget::File(path) = target {
                let directory = path.parent().unwrap_or(path);
                findings.wants(&["log", key, &number.to_string()], directory);
            }
        }
    }
}

/// The interpreters of CGI programs, where the programs' own `PATH` leads.
fn helpers(number: &str, cgi: &Cgi, findings: &mut Findings) {
    let path = cgi.env.get("PATH");
    let own: Vec<PathBuf> = path.map_or(Vec::new(), |path| env::split_paths(path).collect());
    let directories = match path {
        Some(_) => own,
        None => PROGRAMS.map(PathBuf::from).to_vec(),
    };
    for (end, helper) in &cgi.helpers {
        let key = ["cgi", number, "helpers", end];
        if helper.starts_with('/') {
            findings.wants(&key, Path::new(helper));
        } else if !directories.iter().any(|place| place.join(helper).is_file()) {
            let place = match path {
                Some(_) => "in the directories of `PATH` in `env`",
                None => "where the system has its programs",
            };
            findings.note(
                &key,
                format!("there is no program `{helper}` {place}; install it, or correct the name"),
            );
        }
    }
}

fn program(key: &[&str], command: &[String], settings: &Settings, findings: &mut Findings) {
    let Some(program) = command.first() else {
        return;
    };
    if program.starts_with('/') {
        return findings.wants(key, Path::new(program));
    }
    let own = settings.app.virtualenv.iter().map(|path| path.join("bin"));
    let mut directories = own.chain(PROGRAMS.map(PathBuf::from));
    if !directories.any(|directory| directory.join(program).is_file()) {
        findings.note(
            key,
            format!("there is no program `{program}`, neither in the virtual environment nor where the system has its programs; install it, or correct the name"),
        );
    }
}
