//! Settings in, units out, to the letter.

use super::*;
use crate::config;

/// Settings of a site called `shop` with an application, and what its units are.
fn made(text: &str) -> Vec<Unit> {
    let text = format!("app.module = \"shop\"\n{text}");
    let path = Path::new("/etc/hostler/shop.toml");
    let settings = config::parse(&text, path).unwrap();
    units(&SiteName::of_file(path).unwrap(), &settings, path)
}

const HEADER: &str = "# Made by hostler from /etc/hostler/shop.toml: edit that and run `systemctl daemon-reload`. Changes here are lost.\n\n[Unit]\nSourcePath=/etc/hostler/shop.toml\n";

/// The settings have a unit of this path, and this is its text behind the header.
#[track_caller]
fn check(settings: &str, path: &str, expected: &str) {
    let units = made(settings);
    let paths: Vec<&Path> = units.iter().map(|unit| unit.path.as_path()).collect();
    let unit = units.iter().find(|unit| unit.path == Path::new(path));
    let unit = unit.unwrap_or_else(|| panic!("{path} is not in {paths:?}"));
    let text = unit.text.strip_prefix(HEADER).unwrap();
    assert_eq!(without_mark(text), expected);
}

/// The text without the line that is the first one of every service's section.
fn without_mark(text: &str) -> String {
    let Some((before, behind)) = text.split_once("\n[Service]\nEnvironment=HOSTLER_UNITS=") else {
        return text.to_owned();
    };
    let (_, behind) = behind.split_once('\n').unwrap();
    match behind {
        "" => before.to_owned(),
        behind => format!("{before}\n[Service]\n{behind}"),
    }
}

#[test]
fn a_service_is_marked_with_what_it_is_told() {
    let mark = |settings: &str| {
        let units = made(&format!("{LISTEN}{settings}"));
        let unit = units.iter().find(|unit| unit.path == Path::new(SERVICE));
        let mut lines = unit.unwrap().text.lines();
        let mark = lines.find_map(|line| line.strip_prefix("Environment=HOSTLER_UNITS="));
        mark.unwrap().to_owned()
    };
    assert_eq!(mark(""), mark("[workers]\nprocesses = 3\n"));
    assert_ne!(mark(""), mark("[service]\nuser = \"shop\"\n"));
}

const SOCKET: &str = "hostler@shop.socket.d/50-hostler.conf";
const SECOND: &str = "hostler-2@shop.socket";
const SERVICE: &str = "hostler@shop.service.d/50-hostler.conf";

#[track_caller]
fn check_stream(address: &str, stream: &str, options: &str) {
    check(
        &format!("listen = [{{ address = \"{address}\" }}]"),
        SOCKET,
        &format!(
            "\n[Socket]\nListenStream=\nListenStream={stream}\nFileDescriptorName=shop\n{options}"
        ),
    );
}

#[test]
fn an_address_becomes_a_stream() {
    for (address, stream) in [
        (":8000", "8000"),
        ("127.0.0.1:8000", "127.0.0.1:8000"),
        ("[::1]:8000", "[::1]:8000"),
        ("[fe80::1%eth0]:80", "[fe80::1%%eth0]:80"),
    ] {
        check_stream(address, stream, "DeferAcceptSec=4s\n");
    }
    check_stream("@shop 1%", "@shop 1%%", "");
}

#[test]
fn what_systemd_cannot_listen_on_is_left_to_us() {
    for address in ["localhost:80", ":0", "/run/a\\\\", "/run/a "] {
        check(
            &format!("listen = [{{ address = \"{address}\" }}]"),
            SOCKET,
            &format!(
                "\n[Socket]\n# {} is not for a socket unit; hostler listens there itself.\nListenStream=\n",
                address.replace("\\\\", "\\")
            ),
        );
    }
}

#[test]
fn files_belong_to_whoever_runs_the_site() {
    check(
        "service.user = \"shop\"\nservice.group = \"www\"\nlisten = [{ address = \"/run/hostler/shop.sock\" }]",
        SOCKET,
        "\n[Socket]\nListenStream=\nListenStream=/run/hostler/shop.sock\nFileDescriptorName=shop\n\
         SocketUser=shop\nSocketGroup=www\n",
    );
    check(
        "service.user = \"shop\"\n[[listen]]\naddress = \"/run/a\"\nmode = \"0666\"\nowner = \"me\"\ngroup = \"www-data\"",
        SOCKET,
        "\n[Socket]\nListenStream=\nListenStream=/run/a\nFileDescriptorName=shop\n\
         SocketMode=0666\nSocketUser=me\nSocketGroup=www-data\n",
    );
}

const DIFFERENT: &str = "[[listen]]\naddress = \":80\"\n\
    [[listen]]\naddress = \"/run/a\"\nmode = \"0600\"\n\
    [[listen]]\naddress = \"10.0.0.1:80\"\nfreebind = true\nreuse-port = true\nbacklog = 9\nname = \"web\"\n\
    [[listen]]\naddress = \"/run/b\"\nmode = \"0600\"\n";

#[test]
fn sockets_that_agree_share_a_unit() {
    check(
        DIFFERENT,
        SOCKET,
        "Wants=hostler-2@shop.socket\n\n[Socket]\nListenStream=\nListenStream=80\n\
         ListenStream=/run/a\nListenStream=/run/b\nFileDescriptorName=shop\nSocketMode=0600\nDeferAcceptSec=4s\n",
    );
}

#[test]
fn sockets_that_differ_get_their_own() {
    check(
        DIFFERENT,
        SECOND,
        "Description=hostler, more sockets of site shop\nPartOf=hostler@shop.socket\n\n\
         [Socket]\nService=hostler@shop.service\nSocketUser=hostler\nSocketMode=0660\nSlice=hostler.slice\nBacklog=4096\n\
         NoDelay=yes\nBindIPv6Only=both\nListenStream=10.0.0.1:80\nFileDescriptorName=web\nBacklog=9\nFreeBind=yes\nReusePort=yes\n\
         DeferAcceptSec=4s\n",
    );
}

#[test]
fn options_of_sockets_become_directives() {
    check(
        "[[listen]]\naddress = \":80\"\ndefer-accept = false\ntcp-keepalive = true\n\
         send-buffer = \"1M\"\nreceive-buffer = \"64K\"\n",
        SOCKET,
        "\n[Socket]\nListenStream=\nListenStream=80\nFileDescriptorName=shop\nKeepAlive=yes\n\
         SendBuffer=1048576\nReceiveBuffer=65536\n",
    );
}

const LISTEN: &str = "listen = [{ address = \":80\" }]\n";

#[test]
fn a_service_without_wishes_has_an_empty_drop_in() {
    check(LISTEN, SERVICE, "");
}

#[test]
fn a_service_becomes_directives() {
    let settings = format!(
        "{LISTEN}timeouts.reload-mercy = \"1500ms\"\n{}",
        r#"
[service]
user = "shop"
group = "www"
supplementary-groups = ["video", "render"]
after = ["postgresql.service"]
wants = ["redis.service"]
requires = ["srv-shop.mount"]
memory-max = "2G"
memory-high = "1536M"
cpu-quota = "150%"
tasks-max = 500
limit-nofile = 4096
nice = 5
read-write-paths = ["/srv/shop/media", "/srv/my shop"]
read-only-paths = ["/srv/shop/media/fixed"]
environment = { A = "1", GREETING = "100% \"you\"\nand $me" }
credentials = { "key.pem" = "/etc/ssl/100%.pem" }
relax = ["jit", "users"]
"#
    );
    check(
        &settings,
        SERVICE,
        r#"Wants=redis.service
Requires=srv-shop.mount
After=postgresql.service

[Service]
User=shop
Group=www
SupplementaryGroups=video render
MemoryMax=2147483648
MemoryHigh=1610612736
CPUQuota=150%
TasksMax=500
LimitNOFILE=4096
Nice=5
TimeoutStopSec=17s
Environment=A=1
Environment="GREETING=100%% \"you\"\nand $me"
ReadWritePaths=/srv/shop/media "/srv/my shop"
ReadOnlyPaths=/srv/shop/media/fixed
LoadCredential=key.pem:/etc/ssl/100%%.pem
MemoryDenyWriteExecute=no
PrivateUsers=no
"#,
    );
}

#[test]
fn workers_with_many_descriptors_are_let() {
    let limit = |number: u32| format!("{LISTEN}limits.max-fd = {number}");
    check(
        &limit(100_000),
        SERVICE,
        "\n[Service]\nLimitNOFILE=100000\n",
    );
    check(&limit(1000), SERVICE, "");
}

#[test]
fn commands_around_the_start_have_what_the_application_has() {
    let settings = format!(
        "app.chdir = \"/srv/my shop\"\napp.virtualenv = \"/srv/venv\"\napp.env = {{ A = \"$1\" }}\n{LISTEN}{}",
        r#"
[service]
umask = "0077"
exec-start-pre = [["python", "manage.py", "migrate"], ["true"]]
exec-stop-post = [["/bin/rm", "100%"]]
directives = { IOWeight = "50", CPUAffinity = ["0", "1-%i"] }
"#
    );
    let env = "/usr/bin/env \"--chdir=/srv/my shop\" \
         PATH=/srv/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
         VIRTUAL_ENV=/srv/venv \"A=$$1\"";
    check(
        &settings,
        SERVICE,
        &format!(
            "\n[Service]\nUMask=0077\nExecStartPre={env} python manage.py migrate\n\
             ExecStartPre={env} true\nExecStopPost={env} /bin/rm \"100%%\"\n\
             CPUAffinity=0\nCPUAffinity=1-%i\nIOWeight=50\n"
        ),
    );
}

#[test]
fn a_daemon_comes_and_goes_with_the_service() {
    let settings = format!(
        "{LISTEN}{}",
        r#"
[service]
user = "shop"
after = ["redis.service"]
[[daemon]]
name = "queue"
command = ["celery", "worker", "-A", "shop $x"]
[[daemon]]
name = "once"
command = ["true"]
restart = false
"#
    );
    check(
        &settings,
        SERVICE,
        "Wants=hostler-daemon-queue@shop.service hostler-daemon-once@shop.service\n\
         After=redis.service\n\n[Service]\nUser=shop\n",
    );
    let sandbox: Vec<&str> = shipped::sandbox().collect();
    let daemon = |name: &str, command: &str, restart: &str| {
        format!(
            "Description=hostler, {name} of site shop\nBindsTo=hostler@shop.service\n\
             PartOf=hostler@shop.service\nAfter=hostler@shop.service\n\
             JoinsNamespaceOf=hostler@shop.service\nStartLimitIntervalSec=0\nAfter=redis.service\n\n\
             [Service]\nType=exec\nExecStart={command}\n{restart}Slice=hostler.slice\n\
             LogExtraFields=HOSTLER_SITE=shop\nStateDirectory=hostler/shop\n\
             CacheDirectory=hostler/shop\nLogsDirectory=hostler/shop\n\
             ExecSearchPath=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n\
             {}\nUser=shop\nReadWritePaths=-/run/hostler/shop\n",
            sandbox.join("\n")
        )
    };
    let restart = "Restart=always\nRestartSec=5s\n";
    check(
        &settings,
        "hostler-daemon-queue@shop.service",
        &daemon("queue", "celery worker -A \"shop $$x\"", restart),
    );
    check(
        &settings,
        "hostler-daemon-once@shop.service",
        &daemon("once", "true", ""),
    );
}

const TIMER: &str = r#"
[app]
chdir = "/srv/my shop"
virtualenv = "/srv/venv"
python-path = ["/srv/lib", "/srv/more"]
env = { B = "2" }
[service]
user = "shop"
environment = { A = "1" }
[[listen]]
address = ":80"
[[timer]]
name = "clear"
command = ["python", "manage.py", "say $HOME", ";"]
on-calendar = ["*-*-* 03:15:00", "Mon *:0/10"]
every = "1h"
randomized-delay = "5min"
persistent = true
timeout = "10min"
"#;

fn timer_settings() -> String {
    TIMER.replace("[app]\n", "[app]\nmodule = \"shop\"\n")
}

#[track_caller]
fn check_timer(settings: &str, path: &str, expected: &str) {
    let file = Path::new("/etc/hostler/shop.toml");
    let settings = config::parse(settings, file).unwrap();
    let units = units(&SiteName::of_file(file).unwrap(), &settings, file);
    let unit = units.iter().find(|unit| unit.path == Path::new(path));
    let text = unit.unwrap().text.strip_prefix(HEADER).unwrap();
    assert_eq!(text, expected);
}

#[test]
fn a_timer_comes_and_goes_with_the_sockets() {
    check_timer(
        &timer_settings(),
        "hostler-timer-clear@shop.timer",
        "Description=hostler, clear of site shop\nPartOf=hostler@shop.socket\n\n[Timer]\n\
         OnCalendar=*-*-* 03:15:00\nOnCalendar=Mon *:0/10\nOnActiveSec=3600s\nOnUnitActiveSec=3600s\n\
         AccuracySec=1s\nRandomizedDelaySec=300s\nPersistent=yes\n",
    );
    check_timer(
        &timer_settings(),
        SOCKET,
        "Wants=hostler-timer-clear@shop.timer\n\n[Socket]\nListenStream=\nListenStream=80\n\
         FileDescriptorName=shop\nDeferAcceptSec=4s\n",
    );
}

#[test]
fn without_sockets_it_comes_and_goes_with_the_service() {
    let settings = timer_settings().replace(":80", "localhost:80");
    check_timer(
        &settings,
        SERVICE,
        "Wants=hostler-timer-clear@shop.timer\n\n[Service]\nUser=shop\nEnvironment=A=1\n",
    );
}

#[test]
fn a_command_has_what_the_application_has() {
    let sandbox: Vec<&str> = shipped::sandbox().collect();
    let expected = format!(
        r#"Description=hostler, clear of site shop

[Service]
Type=oneshot
ExecStart=python manage.py "say $$HOME" ";"
TimeoutStartSec=600s
Slice=hostler.slice
LogExtraFields=HOSTLER_SITE=shop
StateDirectory=hostler/shop
CacheDirectory=hostler/shop
LogsDirectory=hostler/shop
WorkingDirectory=/srv/my shop
ExecSearchPath=/srv/venv/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
Environment=VIRTUAL_ENV=/srv/venv
Environment=PYTHONPATH=/srv/lib:/srv/more
Environment=A=1
Environment=B=2
{}
User=shop
"#,
        sandbox.join("\n")
    );
    check_timer(
        &timer_settings(),
        "hostler-timer-clear@shop.service",
        &expected,
    );
}
