//! What each relaxation of the sandbox means in directives.

use crate::config::{Relaxation, Settings};

/// Where people live; `ProtectHome=` hides these.
const HOMES: [&str; 3] = ["/home", "/root", "/run/user"];

/// The directives that take back what the site cannot live with. An application whose files are in somebody's home has
/// to see them, whether it says so or not.
pub(super) fn relaxations(settings: &Settings) -> impl Iterator<Item = &'static str> {
    let mut wanted = settings.service.relax.clone();
    if lives_at_home(settings) {
        wanted.push(Relaxation::Home);
    }
    // In alphabetical order, so that the filter of system calls is emptied after everything was added to it.
    wanted.sort();
    wanted.dedup();
    wanted.into_iter().flat_map(directives).copied()
}

fn lives_at_home(settings: &Settings) -> bool {
    let app = &settings.app;
    let paths = [&app.chdir, &app.file, &app.virtualenv];
    let mut paths = paths.into_iter().flatten().chain(&app.python_path);
    paths.any(|path| HOMES.iter().any(|home| path.starts_with(home)))
}

fn directives(relaxation: Relaxation) -> &'static [&'static str] {
    match relaxation {
        Relaxation::AddressFamilies => &["RestrictAddressFamilies="],
        // ProtectClock= allows one device, which forbids all others; so they are named.
        Relaxation::Devices => &[
            "PrivateDevices=no",
            "DevicePolicy=closed",
            "DeviceAllow=char-* rw",
        ],
        Relaxation::Home => &["ProtectHome=read-only"],
        Relaxation::Jit => &["MemoryDenyWriteExecute=no"],
        Relaxation::Namespaces => &["RestrictNamespaces=no", "SystemCallFilter=@mount"],
        Relaxation::Processes => &["ProtectProc=default"],
        Relaxation::Ptrace => &["SystemCallFilter=@debug"],
        Relaxation::SystemCalls => &["SystemCallFilter="],
        // Without a /tmp of its own it sees the machine's, which ProtectSystem= has made read-only.
        Relaxation::Tmp => &["PrivateTmp=no", "ReadWritePaths=/tmp /var/tmp"],
        Relaxation::Users => &["PrivateUsers=no"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::systemd::units::shipped;

    /// Each directive that is taken back is one of the sandbox, or goes with one.
    #[test]
    fn what_is_relaxed_was_tight_before() {
        let known: Vec<&str> = shipped::sandbox()
            .filter_map(|line| line.split('=').next())
            .collect();
        let all = [
            Relaxation::AddressFamilies,
            Relaxation::Devices,
            Relaxation::Home,
            Relaxation::Jit,
            Relaxation::Namespaces,
            Relaxation::Processes,
            Relaxation::Ptrace,
            Relaxation::SystemCalls,
            Relaxation::Tmp,
            Relaxation::Users,
        ];
        for directive in all.into_iter().flat_map(directives) {
            let key = directive.split('=').next().unwrap();
            let goes_with_one = ["DeviceAllow", "DevicePolicy", "ReadWritePaths"].contains(&key);
            assert!(known.contains(&key) || goes_with_one, "{key}");
        }
    }

    #[track_caller]
    fn check(relax: &[Relaxation], chdir: &str, expected: &[&str]) {
        let mut settings = Settings::default();
        settings.service.relax = relax.to_vec();
        settings.app.chdir = Some(chdir.into());
        assert_eq!(relaxations(&settings).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn the_filter_is_emptied_last() {
        let both = [
            Relaxation::SystemCalls,
            Relaxation::Ptrace,
            Relaxation::Ptrace,
        ];
        check(
            &both,
            "/srv",
            &["SystemCallFilter=@debug", "SystemCallFilter="],
        );
    }

    #[test]
    fn an_application_at_home_sees_its_files() {
        check(&[], "/home/me/shop", &["ProtectHome=read-only"]);
        check(&[Relaxation::Home], "/root", &["ProtectHome=read-only"]);
        check(&[], "/homes/me", &[]);
    }
}
