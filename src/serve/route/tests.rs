//! Requests against routes and directories: where they go, and what is changed about them.

use std::fs;

use tempfile::TempDir;

use super::*;
use crate::protocol::{Head, Parsed, http::head};

/// A site with these sections; `{}` in them is its directory, which has `a.css`, `dir/index.html` and `dir/a b`.
struct Site {
    router: Router,
    _directory: TempDir,
}

fn site(sections: &str) -> Site {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir(directory.path().join("dir")).unwrap();
    for name in ["a.css", "dir/index.html", "dir/a b"] {
        fs::write(directory.path().join(name), name).unwrap();
    }
    let place = directory.path().display().to_string();
    let text = sections.replace("{}", &place);
    let settings: Settings = toml::from_str(&text).unwrap();
    Site {
        router: Router::new(&settings).unwrap(),
        _directory: directory,
    }
}

impl Site {
    /// Where a request goes, in words, and what is changed about it.
    fn ask(&self, request: &str) -> (String, Changes) {
        self.ask_anew(request, Changes::default())
    }

    /// The same for a request that a program has sent elsewhere.
    fn ask_anew(&self, request: &str, before: Changes) -> (String, Changes) {
        let text = format!("{}\r\n\r\n", request.replace('\n', "\r\n"));
        let limits = head::Limits {
            head: 4096,
            body: 0,
        };
        let mut parsed = Head::default();
        let complete = head::parse(text.as_bytes(), &mut 0, &limits, &mut parsed);
        assert_eq!(complete, Ok(Parsed::Complete), "{request}");
        let request = Request {
            head: &parsed,
            buffer: text.as_bytes(),
        };
        let mut fields = request.fields();
        let host = fields.find(|(name, _)| *name == b"Host");
        let inquiry = Inquiry {
            request,
            host: host.map_or(b"", |(_, value)| value),
            remote: b"192.0.2.7",
        };
        let (destination, changes) = self.router.route_anew(&inquiry, before, &mut Vec::new());
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let words = match destination {
            Destination::Application => "application".to_owned(),
            Destination::Barred(_, why) => why.to_owned(),
            Destination::Program(program) => format!("program {}", text(program.name)),
            Destination::File(_, url) => format!("file {}", text(url)),
            Destination::Redirect(status, url) => format!("{status} {}", text(url)),
            Destination::Refuse(status) => format!("{status}"),
        };
        (words, changes)
    }
}

#[track_caller]
fn check(sections: &str, request: &str, expected: &str) {
    let request = format!("{request} HTTP/1.1\nHost: example.org");
    assert_eq!(site(sections).ask(&request).0, expected, "{request}");
}

const FILES: &str = "[static]\ncheck = [\"{}\"]\nindex = [\"index.html\"]\n";

#[test]
fn files_come_before_the_application() {
    check(FILES, "GET /a.css", "file /a.css");
    check(FILES, "HEAD /a.css?v=1", "file /a.css");
    check(FILES, "GET /dir/a%20b", "file /dir/a b");
    check(FILES, "GET /none", "application");
    check(FILES, "POST /a.css", "application");
    check(FILES, "OPTIONS *", "application");
}

#[test]
fn a_directory_is_asked_for_with_its_slash() {
    check(FILES, "GET /dir", "301 /dir/");
    check(FILES, "GET /dir?a=b&c", "301 /dir/?a=b&c");
    check(FILES, "GET //dir", "301 /dir/");
    check(FILES, "GET /%64ir", "301 /%64ir/");
    check(FILES, "GET http://example.org/dir?x", "301 /dir/?x");
    check(FILES, "GET /dir/", "file /dir/");
}

const PROGRAMS: &str = "[[cgi]]\npath = \"/cgi\"\ndirectory = \"{}\"\nindex = [\"index.html\"]\n\
                        helpers = { \".html\" = \"sh\", \"b\" = \"sh\" }\n";

#[test]
fn programs_come_behind_files_and_leave_nothing_to_the_application() {
    check(
        PROGRAMS,
        "POST /cgi/dir/index.html/x",
        "program /cgi/dir/index.html",
    );
    check(PROGRAMS, "GET /cgi/dir", "301 /cgi/dir/");
    check(PROGRAMS, "GET /cgi/none", "404");
    check(PROGRAMS, "GET /other", "application");
    let all = format!("{FILES}{}", PROGRAMS.replace("/cgi", "/"));
    check(&all, "GET /dir/a%20b", "file /dir/a b");
    check(&all, "POST /dir/a%20b", "program /dir/a b");
    let why = "it is not executable, and cgi.helpers names nothing that runs it";
    check(PROGRAMS, "GET /cgi/a.css", why);
}

#[test]
fn a_request_that_was_sent_elsewhere_is_redirected_from_there() {
    let before = Changes {
        path: Some(b"/dir".to_vec()),
        query: Some(b"a=b".to_vec()),
        ..Changes::default()
    };
    let (words, _) = site(FILES).ask_anew("GET /cgi/x HTTP/1.1\nHost: a", before);
    assert_eq!(words, "301 /dir/?a=b");
}

/// One route with these lines.
#[track_caller]
fn check_route(lines: &str, request: &str, expected: &str) {
    check(&format!("[[route]]\n{lines}\n"), request, expected);
}

#[test]
fn redirections() {
    let rule = "path = '^/old/(.*)$'\nredirect = \"https://new.example/$1\"";
    check_route(rule, "GET /old/a/b", "302 https://new.example/a/b");
    check_route(rule, "GET /older", "application");
    check_route(
        rule,
        "GET /old/%0d%0aX:%20y",
        "302 https://new.example/%0D%0AX:%20y",
    );
    let rule = "redirect = \"/moved\"\nstatus = 308";
    check_route(rule, "POST /x", "308 /moved");
}

#[test]
fn refusals_and_single_files() {
    check_route("path = '[.]php$'\ndeny = 403", "GET /x.php", "403");
    check_route("path = '^/r$'\nstatic = \"{}/a.css\"", "GET /r", "file /r");
    check_route(
        "path = '^/r$'\nstatic = \"{}/a.css\"",
        "POST /r",
        "application",
    );
    check_route("path = '^/r$'\nstatic = \"{}/none\"", "GET /r", "404");
}

#[test]
fn every_condition_has_to_hold() {
    let deny = |condition: &str| format!("{condition}\ndeny = 404");
    check_route(&deny("method = [\"PUT\", \"POST\"]"), "POST /", "404");
    check_route(&deny("method = [\"PUT\"]"), "POST /", "application");
    check_route(&deny("host = '^example[.]org$'"), "GET /", "404");
    check_route(&deny("host = '^example[.]com$'"), "GET /", "application");
    check_route(&deny("query = 'a=1'"), "GET /?a=1", "404");
    check_route(&deny("query = 'a=1'"), "GET /?a=2", "application");
    check_route(&deny("header = { host = 'example' }"), "GET /", "404");
    check_route(&deny("header = { X-None = '.' }"), "GET /", "application");
    check_route(&deny("header = { X-None = '^$' }"), "GET /", "404");
    check_route(&deny("remote-addr = [\"192.0.2.0/24\"]"), "GET /", "404");
    check_route(
        &deny("remote-addr = [\"10.0.0.0/8\"]"),
        "GET /",
        "application",
    );
    check_route(
        &deny("path = '^/a'\nmethod = [\"PUT\"]"),
        "GET /a",
        "application",
    );
}

#[test]
fn what_was_rewritten_goes_on() {
    let rules = "[[route]]\npath = '^/s/(.*)$'\nrewrite = \"/$1\"\n\
                 [[route]]\npath = '^/secret$'\ndeny = 403\n";
    check(&format!("{rules}{FILES}"), "GET /s/a.css", "file /a.css");
    check(&format!("{rules}{FILES}"), "GET /s/secret", "403");
    check(&format!("{rules}{FILES}"), "GET /s/other", "application");
    let last = rules.replace("\"/$1\"", "\"/$1\"\nlast = true");
    check(&format!("{last}{FILES}"), "GET /s/secret", "application");
}

#[test]
fn changes_are_collected() {
    let site = site(
        "[[route]]\npath = '^/u/([a-z]+)$'\nrewrite = \"user?name=$1\"\nenv = { USER = \"$1\", A = \"1\" }\n\
         [[route]]\nquery = '^name='\nenv = { A = \"2\" }\nlog = false\n\
         [[route]]\npath = '^/u/'\ndeny = 500\n",
    );
    let (words, changes) = site.ask("GET /u/bob?x HTTP/1.1\nHost: a");
    let expected = Changes {
        path: Some(b"/user".to_vec()),
        query: Some(b"name=bob".to_vec()),
        env: vec![
            ("USER".into(), b"bob".to_vec()),
            ("A".into(), b"2".to_vec()),
        ],
        edits: vec![0, 1],
        is_silent: true,
    };
    assert_eq!((words.as_str(), changes), ("application", expected));
}

#[test]
fn without_routes_nothing_is_changed() {
    let (_, changes) = site(FILES).ask("GET /x HTTP/1.1\nHost: a");
    assert_eq!(changes, Changes::default());
    assert!(site("").router.is_empty() && !site(FILES).router.is_empty());
}
