//! Commands that run at given times.

use super::{machine::Machine, on_each_system, settings};

on_each_system!(a_timer_runs_in_the_environment_of_the_site);

const TIMER: &str = "hostler-timer-note@shop.timer";

fn a_timer_runs_in_the_environment_of_the_site(machine: &Machine) {
    let timer = "[service]\nenvironment = { A = \"1\" }\n[app.env]\nB = \"2\"\n\
        [[timer]]\nname = \"note\"\nevery = \"1s\"\n\
        command = [\"python3\", \"-c\", \"import os; print('noted', os.environ['A'], os.environ['B'], os.getcwd(), os.getuid())\"]\n";
    let settings = settings(8000).replace("[app]\n", "[app]\nchdir = \"/srv\"\n");
    machine.site("shop", &(settings + timer));
    machine.succeed(&["systemctl", "start", "hostler@shop.socket"]);
    let uid = machine.succeed(&["id", "-u", "hostler"]);
    let noted = format!("noted 1 2 /srv {}", uid.trim());
    machine.wait_for_entry(&["HOSTLER_SITE=shop"], &noted);
    // It goes on, without the site having been started.
    assert_eq!(
        machine.property("hostler@shop.service", "ActiveState"),
        "inactive"
    );
    machine.succeed(&["systemctl", "stop", "hostler@shop.socket"]);
    assert_eq!(machine.property(TIMER, "ActiveState"), "inactive");
}
