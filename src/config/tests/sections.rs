//! Sections that a site may have several of, and what has to go together in them.

use super::*;
use crate::config::{EventLoop, LogTarget};

/// One `[[listen]]` that speaks `https` completely, its other lines from line 10 on.
#[track_caller]
fn check_https_error(lines: &str, expected: &str) {
    let listen =
        "address = \":443\"\nprotocol = \"https\"\ncertificate = \"a.pem\"\nkey = \"a.key\"";
    check_listen_error(&format!("{listen}\n{lines}"), expected);
}

#[test]
fn a_listener_has_what_its_protocol_needs() {
    check_listen_error(
        "address = \":443\"\nprotocol = \"https\"\nkey = \"a\"",
        ":7:12: `https` needs `certificate`; write the path of a file in PEM",
    );
    check_listen_error(
        "address = \":443\"\ncertificate = \"a\"",
        ":7:1: `certificate` is for listeners that speak `https`, and this one speaks `http`",
    );
    check_https_error(
        "redirect-to = \"https\"",
        ":10:1: `redirect-to` is for listeners that speak `http`, and this one speaks `https`",
    );
    check_listen_error(
        "address = \":81\"\nprotocol = \"uwsgi\"\nproxy-protocol = true",
        ":8:1: `proxy-protocol` is for listeners that speak `http` or `https`, and this one speaks `uwsgi`",
    );
    check_https_error(
        "client-certificate = \"optional\"",
        ":10:1: `client-certificate` needs `client-ca`; write the path of the authorities' certificates",
    );
    check_https_error(
        "ciphers = [\"HIGH:!aNULL\"]",
        ":10:12: `HIGH:!aNULL` is not the name of a cipher suite; \
         write for example \"TLS13_AES_256_GCM_SHA384\"",
    );
}

#[test]
fn sockets_have_buffers_and_keepalive_that_make_sense() {
    check_listen_error(
        "address = \"/a\"\ntcp-keepalive = true",
        ":7:1: `tcp-keepalive` is for sockets with a port, and /a has none",
    );
    check_listen_error(
        "address = \":81\"\nsend-buffer = 100",
        ":7:15: `send-buffer` goes from 4K to 1G, not 100",
    );
}

#[test]
fn certificates_belong_to_one_host_each() {
    check_https_error(
        "sni = [{ host = \"*.*.example\", certificate = \"a\", key = \"a\" }]",
        ":10:17: `*.*.example` is not the name of a host; \
         write for example \"shop.example.com\" or \"*.example.com\"",
    );
    check_https_error(
        "[[listen.sni]]\nhost = \"a\"\ncertificate = \"a\"\nkey = \"a\"\n\
         [[listen.sni]]\nhost = \"A\"\ncertificate = \"a\"\nkey = \"a\"",
        ":15:8: `A` has two certificates; remove one",
    );
}

#[test]
fn keys_of_inline_tables_are_known_too() {
    check_https_error(
        "sni = [{ host = \"a\", certificat = \"a\", key = \"a\" }]",
        ":10:22: unknown key `certificat` in [[listen.sni]]; did you mean `certificate`?",
    );
    check_https_error(
        "sni = [{ host = \"a\", certificate = \"a\" }]",
        ":10:8: [[listen.sni]] needs the key `key`",
    );
    check_error_behind(
        "[static]\nexpires = [\n  { tipe = \"text/css\", after = \"7d\" },\n]",
        ":7:5: unknown key `tipe` in [[static.expires]]; did you mean `type`?",
    );
}

/// The lines stand alone in this section, from line 6 on.
#[track_caller]
fn check_in(section: &str, lines: &str, expected: &str) {
    check_error_behind(&format!("{section}\n{lines}"), expected);
}

#[test]
fn mounts_have_a_place_and_an_application() {
    check_in(
        "[[mount]]",
        "module = \"a\"",
        ":5:1: a mount without a place; write for example path = \"/shop\", or host = \"shop.example.com\"",
    );
    check_in(
        "[[mount]]",
        "path = \"/a\"",
        ":5:1: the application is missing; \
         write module = \"package.module\" or file = \"app.py\" in [[mount]]",
    );
    check_in(
        "[[mount]]",
        "path = \"/a/\"\nmodule = \"a\"",
        ":6:8: `/a/` ends with a slash; write \"/a\"",
    );
    check_in(
        "[[mount]]",
        "host = \"a:80\"\nmodule = \"a\"",
        ":6:8: `a:80` is not the name of a host; write for example \"shop.example.com\"",
    );
    check_in(
        "[[mount]]",
        "path = \"/a\"\nmodule = \"a\"\n[[mount]]\npath = \"/a\"\nfile = \"a.py\"",
        ":8:1: two applications are mounted at the same place; remove one [[mount]]",
    );
    check_in(
        "[dynamic-apps]",
        "enabled = true",
        ":6:1: nothing is allowed, so no request could name anything; \
         write the modules or files into `allow`",
    );
}

#[test]
fn static_files_are_chosen_once() {
    check_in(
        "[static]",
        "map = { static = \"public\" }",
        ":6:9: `static` is not the beginning of a path; it begins with `/`, as in \"/static\"",
    );
    check_in(
        "[static]",
        "index = [\"a/index.html\"]",
        ":6:10: `a/index.html` cannot be a part of the name of a file; write it without a directory",
    );
    check_in(
        "[[static.expires]]",
        "after = 1",
        ":5:1: this is about no files; \
         write type = \"text/css\", or `path` or `file` with an expression",
    );
    check_in(
        "[[static.expires]]",
        "after = 1\npath = \"a\"\nfile = \"b\"",
        ":8:1: `path` and `file` both choose the files; make two entries of them",
    );
}

#[test]
fn programs_are_found_at_one_place() {
    check_in(
        "[[cgi]]",
        "path = \"/cgi-bin\"",
        ":5:1: the programs are missing; \
         write directory = \"/usr/lib/cgi-bin\", or file = \"app.cgi\"",
    );
    check_in(
        "[[cgi]]",
        "path = \"/a\"\ndirectory = \"a\"\nhelpers = { \".pl\" = \"-perl\" }",
        ":8:21: `-perl` is not a program; write an absolute path, or the name of a program",
    );
}

#[test]
fn routes_do_something_and_answer_once() {
    check_in(
        "[[route]]",
        "path = \"^/a\"",
        ":5:1: a route that does nothing; write for example redirect = \"/new\", or deny = 403",
    );
    check_in(
        "[[route]]",
        "deny = 403\nredirect = \"/a\"",
        ":6:1: `redirect` and `deny` exclude each other; keep one",
    );
    check_in(
        "[[route]]",
        "deny = 200",
        ":6:8: `deny` goes from 400 to 599, not 200",
    );
    check_in(
        "[[route]]",
        "redirect = \"/a\"\nstatus = 304",
        ":7:10: `status` is 301, 302, 303, 307 or 308, not 304",
    );
    check_in(
        "[[route]]",
        "path = \"^/(a)\"\nrewrite = \"/$1/$2\"",
        ":7:11: `$2` is a group of `path`, which has 1 group in round brackets",
    );
    check_in(
        "[[route]]",
        "path = \"^/(a\"\ndeny = 403",
        ":6:8: `path`: `^/(a` is not a regular expression: unclosed group",
    );
    check_in(
        "[[route]]",
        "header = { User-Agent = \"(\" }\ndeny = 403",
        ":6:25: `User-Agent`: `(` is not a regular expression: unclosed group",
    );
    check_in(
        "[[route]]",
        "header = { \"a b\" = \"a\" }\ndeny = 403",
        ":6:12: `a b` is not the name of a header: use letters, digits and `-`, as in \"X-Frame-Options\"",
    );
}

#[test]
fn reports_have_an_address_of_their_own() {
    check_in(
        "[stats]",
        "http = true",
        ":6:1: `http` is about `address`, which is not set",
    );
    check_in(
        "[metrics]",
        "address = \"*:80\"",
        ":6:11: :80 is listened on already; write another address",
    );
}

#[test]
fn answers_have_headers_and_pages_that_can_be_sent() {
    check_in(
        "[response]",
        "add-headers = [\"X-A\"]",
        ":6:16: `add-headers`: `X-A` is not a header: \
         write name, colon and value, as in \"X-Frame-Options: DENY\"",
    );
    check_in(
        "[response]",
        "error-pages = { \"200\" = \"a\" }",
        ":6:17: `200` is not the status of an error: it goes from 400 to 599, as in \"404\"",
    );
}

#[test]
fn gevent_has_one_thread() {
    check_in(
        "[workers]",
        "loop = \"gevent\"\nthreads = 2",
        ":7:1: gevent runs everything in one thread; remove `threads`, and set `concurrency`",
    );
    let workers = site("[workers]\nloop = \"gevent\"\nconcurrency = 500").workers;
    assert_eq!(
        (workers.event_loop, workers.concurrency),
        (EventLoop::Gevent, 500)
    );
}

#[test]
fn concurrency_is_about_greenlets() {
    check_in(
        "[workers]",
        "concurrency = 20",
        ":6:1: it is about greenlets: set `loop = \"gevent\"` too, or `threads` instead of this",
    );
    assert_eq!(site("[workers]\nthreads = 4").workers.requests_at_once(), 4);
}

#[test]
fn each_greenlet_and_the_hub_serve() {
    let settings = site("[workers]\nloop = \"gevent\"\nconcurrency = 500");
    assert_eq!(settings.workers.requests_at_once(), 500);
    assert_eq!(settings.serving_threads(), 501);
}

#[test]
fn paths_of_every_section_count_from_the_same_place() {
    let settings = site(
        "[static]\nmap = { \"/s\" = \"public\" }\n[log]\nto = [\"file:site.log\"]\n\
         [dynamic-apps]\nallow = [\"apps/one.py\", \"two\"]\n[response]\nerror-pages = { 503 = \"sorry.html\" }",
    );
    let absolute = |name: &str| PathBuf::from("/etc/hostler").join(name);
    assert_eq!(settings.static_files.map["/s"].0, [absolute("public")]);
    assert_eq!(settings.log.to, [LogTarget::File(absolute("site.log"))]);
    assert_eq!(
        settings.dynamic_apps.allow,
        ["/etc/hostler/apps/one.py", "two"]
    );
    assert_eq!(
        settings.response.error_pages[&ErrorStatus(503)],
        absolute("sorry.html")
    );
}
