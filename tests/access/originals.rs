//! Lines in the forms of uWSGI and gunicorn, compared with those that they write themselves for the same requests.

use std::{process::Command, sync::LazyLock};

use regex::Regex;
use tempfile::TempDir;

use crate::support::{
    address::Address, answer::Answer, peer::Uwsgi, process::Process, root, site::Running,
    site::Site, uwsgi, venv,
};

/// Every variable of uWSGI whose value does not depend on the process and the time.
const VARIABLES: &str = "LINE uri=%(uri) method=%(method) user=%(user) addr=%(addr) host=%(host) proto=%(proto) \
     uagent=%(uagent) referer=%(referer) status=%(status) rsize=%(rsize) hsize=%(hsize) size=%(size) cl=%(cl) wid=%(wid) \
     vars=%(vars) pktsize=%(pktsize) m1=%(modifier1) m2=%(modifier2) headers=%(headers) \
     werr=%(werr) rerr=%(rerr) ioerr=%(ioerr) x=%(var.HTTP_X_NAME) path=%(var.PATH_INFO) none=%(var.NONE) 100%";

/// Those that do; only their form is compared.
const TIMES: &str = "LINE micros=%(micros) msecs=%(msecs) secs=%(secs) time=%(time) tmsecs=%(tmsecs) tmicros=%(tmicros) \
     ltime=%(ltime) ftime=%(ftime) ctime=%(ctime) epoch=%(epoch) pid=%(pid) core=%(core) switches=%(switches) rss=%(rss) rssM=%(rssM) vsz=%(vsz) \
     vszM=%(vszM)";

/// Method, target and body of what is asked.
const REQUESTS: [(&str, &str, &str); 6] = [
    ("GET", "/", ""),
    ("GET", "/all?x=1&y=%20it's", ""),
    ("POST", "/all", "name=value"),
    ("HEAD", "/", ""),
    ("GET", "/none/%C3%A9;a", ""),
    ("DELETE", "/lines", ""),
];

const FIELDS: [(&str, &str); 4] = [
    ("HTTP_USER_AGENT", "test/1.0 (a; b)"),
    ("HTTP_REFERER", "http://example.com/?a"),
    ("HTTP_X_NAME", "a value"),
    ("REMOTE_USER", "ann"),
];

const HEADERS: [(&str, &str); 3] = [
    ("User-Agent", "test/1.0 (a; b)"),
    ("Referer", "http://example.com/?a"),
    ("X-Name", "a value"),
];

/// hostler with this form of lines, over HTTP and over the uwsgi protocol; its lines go to standard error.
fn ours(format: &str) -> Running {
    let log = format!(
        "to = [\"stderr\"]\naccess = true\naccess-to = [\"stderr\"]\naccess-format = {format:?}"
    );
    Site::app("echo")
        .bare()
        // With more threads one that logs may count a request before another one that has just answered.
        .workers(1, 1)
        .listen("http", "127.0.0.1:0")
        .listen("uwsgi", "./uwsgi.sock")
        .setting("log", &log)
        .start()
}

/// Asks one after the other and gives a line for each, those that `is_one` says are one.
fn lines(process: &Process, ask: impl Fn(usize), is_one: fn(&str) -> bool) -> Vec<String> {
    let line = |number| {
        ask(number);
        let found = |line: &str| is_one(line).then(|| line.to_owned());
        process.wait_for_nth("the line of a request", number + 1, found)
    };
    (0..REQUESTS.len()).map(line).collect()
}

fn ask_uwsgi(address: &Address, number: usize) {
    let (method, target, body) = REQUESTS[number];
    address.uwsgi(method, target, &FIELDS, body.as_bytes());
}

fn ask_http(address: &Address, number: usize) -> Answer {
    let (method, target, body) = REQUESTS[number];
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: example.com\r\n");
    for (name, value) in HEADERS {
        head += &format!("{name}: {value}\r\n");
    }
    if !body.is_empty() {
        head += &format!("Content-Length: {}\r\n", body.len());
    }
    let mut client = address.connect();
    client.send((head + "\r\n" + body).as_bytes());
    client.answer_to(method)
}

/// Without what is of the process, of the moment, or of chance.
fn settled(line: &str) -> String {
    static OWN: LazyLock<Regex> = LazyLock::new(|| {
        let own = r"pid: \d+|\[\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}\]|in \d+ msecs|\(\d switches on core \d";
        Regex::new(own).unwrap()
    });
    OWN.replace_all(line, "...").into_owned()
}

/// And without the head of the answer, which has a date over HTTP. `missing` is a variable that a server does not
/// have, as it is counted: keys and values, and bytes.
fn over_http(line: &str, missing: (usize, usize)) -> String {
    static HEAD: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\d+ headers in \d+ bytes").unwrap());
    static VARIABLES: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\{(\d+) vars in (\d+) bytes\}").unwrap());
    let line = settled(line);
    let line = HEAD.replace_all(&line, "...");
    let number = |text: &str| text.parse::<usize>().unwrap();
    let counted = |found: &regex::Captures<'_>| {
        let (count, size) = (number(&found[1]) + missing.0, number(&found[2]) + missing.1);
        format!("{{{count} vars in {size} bytes}}")
    };
    VARIABLES.replace_all(&line, counted).into_owned()
}

#[test]
fn the_default_line_is_uwsgis() {
    let is_one = |line: &str| line.starts_with("[pid: ") && line.contains("|app: ");
    let theirs = Uwsgi::start("echo");
    let ours = ours("uwsgi");
    let of = |process, address: &Address| {
        lines(process, |number| ask_uwsgi(address, number), is_one)
            .iter()
            .map(|line| settled(line))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        of(&theirs.process, &theirs.uwsgi),
        of(&ours.process, &ours.addresses[1])
    );
}

#[test]
fn the_default_line_is_uwsgis_over_http_too() {
    let is_one = |line: &str| line.starts_with("[pid: ") && line.contains("|app: ");
    let theirs = Uwsgi::start("echo");
    let ours = ours("uwsgi");
    let of = |process, address: &Address, missing| {
        lines(process, |number| _ = ask_http(address, number), is_one)
            .iter()
            .map(|line| over_http(line, missing))
            .collect::<Vec<_>>()
    };
    // Ports that are chosen by the kernel have five digits.
    let port = (2, 4 + "REMOTE_PORT".len() + "54321".len());
    assert_eq!(
        of(&theirs.process, &theirs.http, port),
        of(&ours.process, &ours.addresses[0], (0, 0))
    );
}

#[test]
fn each_variable_of_uwsgis_has_uwsgis_value() {
    let is_one = |line: &str| line.starts_with("LINE ");
    let theirs = Uwsgi::start_with("echo", &["--log-format", VARIABLES]);
    let ours = ours(VARIABLES);
    let over_uwsgi =
        |process, address: &Address| lines(process, |number| ask_uwsgi(address, number), is_one);
    assert_eq!(
        over_uwsgi(&theirs.process, &theirs.uwsgi),
        over_uwsgi(&ours.process, &ours.addresses[1])
    );
}

#[test]
fn times_have_uwsgis_form() {
    let is_one = |line: &str| line.starts_with("LINE ");
    let theirs = Uwsgi::start_with("echo", &["--log-format", TIMES, "--memory-report"]);
    let ours = ours(TIMES);
    let of = |process, address: &Address| {
        let lines = lines(process, |number| ask_uwsgi(address, number), is_one);
        let digits = Regex::new(r"\d+").unwrap();
        // The names of days and months are letters.
        let words = Regex::new(r"[A-Z][a-z]{2}\b").unwrap();
        let form = |line: &String| {
            let line = digits.replace_all(line, "9").into_owned();
            words.replace_all(&line, "Xxx").into_owned()
        };
        lines.iter().map(form).collect::<Vec<_>>()
    };
    assert_eq!(
        of(&theirs.process, &theirs.uwsgi),
        of(&ours.process, &ours.addresses[1])
    );
}

#[test]
fn the_memory_of_the_worker_stands_where_uwsgi_has_it() {
    let log = "to = [\"stderr\"]\naccess = true\naccess-to = [\"stderr\"]\n\
               access-format = \"uwsgi\"\nmemory-report = true";
    let site = Site::app("echo").bare().setting("log", log).start();
    site.get("/");
    let line = site.process.wait_for_text("{address space usage: ");
    let form = Regex::new(
        r"^\{address space usage: \d+ bytes/\d+MB\} \{rss usage: \d+ bytes/\d+MB\} \[pid: \d+\|app: 0\|req: 1/1\] ",
    );
    assert!(form.unwrap().is_match(&line), "{line}");
}

/// gunicorn, with a form of lines, over HTTP.
struct Gunicorn {
    address: Address,
    process: Process,
    _directory: TempDir,
}

impl Gunicorn {
    fn start(app: &str, format: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("socket");
        let mut command = Command::new(venv().join("bin/gunicorn"));
        command
            .args(["--access-logfile", "-", "--access-logformat", format])
            .arg("--bind")
            .arg(format!("unix:{}", socket.display()))
            .args(["--no-control-socket", "entry:application"])
            .current_dir(root().join("tests/apps"))
            .envs([
                ("TEST_APP", app),
                ("TEST_BARE", "yes"),
                ("PYTHONDONTWRITEBYTECODE", "1"),
            ]);
        let process = Process::start("gunicorn", &mut command);
        process.wait_for_text("Booting worker with pid");
        Self {
            address: Address(socket.to_str().unwrap().to_owned()),
            process,
            _directory: directory,
        }
    }
}

#[test]
fn each_variable_of_gunicorns_has_gunicorns_value() {
    let format = "LINE l=%(l)s u=%(u)s r=%(r)s s=%(s)s m=%(m)s U=%(U)s q=%(q)s H=%(H)s b=%(b)s B=%(B)s B=%(B)06d f=%(f)s \
                  a=%(a)s a=%(a).4s|%(s)-8s| T=%(T)s T=%(T)d i=%({X-Name}i)s i=%({none}i)s o=%({content-type}o)s \
                  o=%({none}o)s e=%({request_method}e)s e=%({wsgi.url_scheme}e)s e=%({NONE}e)s 100%%";
    let is_one = |line: &str| line.starts_with("LINE ");
    let theirs = Gunicorn::start("echo", format);
    let ours = ours(format);
    // Its text is Latin-1 there, as PEP 3333 wants it; here it is bytes.
    let of = |process, address: &Address| {
        let lines = lines(process, |number| _ = ask_http(address, number), is_one);
        lines.concat().replace("Ã©", "\\xc3\\xa9")
    };
    assert_eq!(
        of(&theirs.process, &theirs.address),
        of(&ours.process, &ours.addresses[0])
    );
}

#[test]
fn gunicorns_times_have_gunicorns_form() {
    let format = "LINE %(t)s %(D)s %(M)s %(L)s %(p)s";
    let is_one = |line: &str| line.starts_with("LINE ");
    let form =
        Regex::new(r"^LINE \[\d{2}/\w{3}/\d{4}:[\d:]{8} [+-]\d{4}\] \d+ \d+ 0\.\d{6} <\d+>$");
    let form = form.unwrap();
    let theirs = Gunicorn::start("echo", format);
    let ours = ours(format);
    for (process, address) in [
        (&theirs.process, &theirs.address),
        (&ours.process, &ours.addresses[0]),
    ] {
        for line in lines(process, |number| _ = ask_http(address, number), is_one) {
            assert!(form.is_match(&line), "{line}");
        }
    }
}

#[test]
fn no_client_ends_or_forges_a_line() {
    let site = ours("LINE %(uri) %(user) %(var.HTTP_X_NAME) \"%(uagent)\"");
    let fields = [
        ("REMOTE_USER", "ann\nLINE forged"),
        ("HTTP_X_NAME", "\r\u{1b}[2J\u{9b}"),
        ("HTTP_USER_AGENT", "a\" \"b\\"),
    ];
    let mut client = site.addresses[1].connect();
    client.send(&uwsgi::request("GET", "/a\nLINE b", &fields, b""));
    client.answer_to("GET");
    let line = site.process.wait_for_text("LINE /a");
    assert_eq!(
        line,
        "LINE /a\\nLINE b ann\\nLINE forged \\r\\x1b[2J\\xc2\\x9b \"a\\\" \\\"b\\\\\""
    );
}
