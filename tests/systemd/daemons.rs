//! What runs beside a site, before it and after it.

use super::{machine::Machine, on_each_system, settings};

on_each_system!(
    a_daemon_lives_with_the_site,
    commands_run_around_the_site,
    directives_and_umask_are_those_of_the_service,
);

const DAEMON: &str = "hostler-daemon-queue@shop.service";

/// A shell's line as a command.
fn shell(line: &str) -> String {
    format!("[\"sh\", \"-c\", {line:?}]")
}

fn a_daemon_lives_with_the_site(machine: &Machine) {
    let line = "echo beside $A $(pwd) $(id -u) > $RUNTIME_MARK; echo began; exec sleep infinity";
    let daemon = format!(
        "[app.env]\nA = \"1\"\nRUNTIME_MARK = \"/run/hostler/shop/mark\"\n\
         [[daemon]]\nname = \"queue\"\ncommand = {}\n",
        shell(line)
    );
    let settings = settings(8000).replace("[app]\n", "[app]\nchdir = \"/srv\"\n");
    machine.site("shop", &(settings + &daemon));
    machine.succeed(&["systemctl", "start", "hostler@shop.service"]);
    machine.wait_for_entry(&["HOSTLER_SITE=shop"], "began");
    let uid = machine.succeed(&["id", "-u", "hostler"]);
    let mark = machine.succeed(&["cat", "/run/hostler/shop/mark"]);
    assert_eq!(mark.trim(), format!("beside 1 /srv {}", uid.trim()));
    let before = machine.property(DAEMON, "MainPID");
    machine.succeed(&["systemctl", "restart", "hostler@shop.service"]);
    // The restart waits for the site alone; this, for the start of the daemon that is under way.
    machine.succeed(&["systemctl", "start", DAEMON]);
    assert_ne!(machine.property(DAEMON, "MainPID"), before);
    machine.succeed(&["systemctl", "stop", "hostler@shop.service"]);
    assert_eq!(machine.property(DAEMON, "ActiveState"), "inactive");
}

fn commands_run_around_the_site(machine: &Machine) {
    let commands = format!(
        "[app.env]\nA = \"1\"\n[service]\nexec-start-pre = [{}]\nexec-start-post = [{}]\nexec-stop-post = [{}]\n",
        shell("echo pre $A $(pwd)"),
        shell("echo post $A"),
        shell("echo after $A"),
    );
    let settings = settings(8000).replace("[app]\n", "[app]\nchdir = \"/srv\"\n");
    machine.site("shop", &(settings.clone() + &commands));
    machine.succeed(&["systemctl", "start", "hostler@shop.service"]);
    machine.wait_for_entry(&["HOSTLER_SITE=shop"], "pre 1 /srv");
    machine.wait_for_entry(&["HOSTLER_SITE=shop"], "post 1");
    machine.succeed(&["systemctl", "stop", "hostler@shop.service"]);
    machine.wait_for_entry(&["HOSTLER_SITE=shop"], "after 1");
    machine.site(
        "shop",
        &(settings + "[service]\nexec-start-pre = [[\"false\"]]\n"),
    );
    let refused = machine.run(&["systemctl", "start", "hostler@shop.service"]);
    assert_ne!(refused.code, Some(0), "{refused:?}");
}

fn directives_and_umask_are_those_of_the_service(machine: &Machine) {
    let service = "[service]\numask = \"0077\"\n\
        directives = { IOWeight = \"50\", BindReadOnlyPaths = [\"/srv:/mnt/%i\"] }\n";
    machine.site("shop", &(settings(8000) + service));
    let of = |name| machine.property("hostler@shop.service", name);
    assert_eq!(of("UMask"), "0077");
    assert_eq!(of("IOWeight"), "50");
    assert!(
        of("BindReadOnlyPaths").contains("/srv:/mnt/shop"),
        "{}",
        of("BindReadOnlyPaths")
    );
}
