//! hostler as a service of a booted systemd: this machine's, and Debian 13's where `make tree` has built a tree.
//!
//! Each test boots a machine of its own (`machine`), which takes a second or two, and leaves nothing behind. Where a new
//! test belongs: `cgi`: programs, and files that the application names; `daemons`: what runs beside a site; `doctor`: what
//! `hostler doctor` says after every wrong turn; `first_steps`: what a new user types; `generator`: from settings to units;
//! `https`: keys as credentials; `journal`: the log, with journald well and not; `libraries`: what applications are built
//! of; `memory`: when it is short; `package`: what packages do; `recipes`: those of the
//! documents; `reload`: `systemctl reload`; `sandbox`: who the site is and what it may do; `sockets`: activation, restart,
//! stop; `timers`; `upgrade`: another hostler is installed under a running one; `watchdog`.

mod cgi;
mod daemons;
mod doctor;
mod first_steps;
mod generator;
mod https;
mod journal;
mod libraries;
mod machine;
mod memory;
mod package;
mod recipes;
mod reload;
mod sandbox;
mod sockets;
mod timers;
mod upgrade;
mod watchdog;

use machine::{Machine, System};

/// A site on a port of its own.
fn settings(port: u16) -> String {
    format!(
        "[app]\nfile = \"/srv/app/app.py\"\n[workers]\nprocesses = 2\nthreads = 2\n\
         [[listen]]\naddress = \"127.0.0.1:{port}\"\n"
    )
}

/// Boots, and does what there is to test.
fn on(system: System, test: impl FnOnce(&Machine)) {
    if let Some(machine) = Machine::boot(system) {
        test(&machine);
    }
}

/// Makes a test of each function, once for each systemd; `with` names what boots and does it, where that is not `on`.
macro_rules! on_each_system {
    ($($test:ident),+ $(,)?) => {
        crate::systemd::on_each_system!(with crate::systemd::on: $($test),+);
    };
    (with $on:path: $($test:ident),+ $(,)?) => {
        mod here {
            $(#[test]
            fn $test() {
                $on(crate::systemd::System::Here, super::$test);
            })+
        }

        mod debian_13 {
            $(#[test]
            fn $test() {
                $on(crate::systemd::System::Debian13, super::$test);
            })+
        }
    };
}
use on_each_system;
