//! The same requests over every protocol, directly and behind the front servers that Debian has: what the application
//! sees and what the client gets, compared with HTTP without anything between.
//!
//! `requests`: what is asked; `differences`: where a way differs, and why. A difference that is not in the table fails;
//! so does a row of the table that no request shows any more.

mod differences;
mod requests;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use crate::support::{
    address::Address,
    answer::Answer,
    apache::Apache,
    certificates::Certificates,
    fastcgi,
    lighttpd::Lighttpd,
    nginx::{Backend, Nginx},
    root, scgi,
    site::{Running, Site},
    uwsgi,
};

use differences::DIFFERENCES;
use requests::Request;

/// Everything that is compared of one answer: a name, and the value there.
type Traits = BTreeMap<String, String>;

/// One difference that was seen: the way, the request, what differs, without anything between and over the way.
type Seen = (String, String, String, Option<String>, Option<String>);

/// The host of which the site has a certificate.
const HOST: &str = "shop.internal";

/// A site with a listener of each protocol before the same workers.
fn site(certificates: &Certificates) -> Running {
    Site::app("fronts")
        .bare()
        .workers(1, 4)
        .listen("http", "127.0.0.1:0")
        .listen("uwsgi", "127.0.0.1:0")
        .listen("fastcgi", "127.0.0.1:0")
        .listen("scgi", "127.0.0.1:0")
        .listen_with("https", "127.0.0.1:0", &certificates.keys(HOST))
        .start()
}

/// The protocols as docs/front-servers.md calls them, and where the site speaks them.
fn protocols(site: &Running) -> [(&'static str, &Address); 5] {
    let names = ["HTTP", "uwsgi", "FastCGI", "SCGI", "HTTPS"];
    std::array::from_fn(|number| (names[number], &site.addresses[number]))
}

/// What docs/front-servers.md has below this heading, for a site at this address.
fn configuration(heading: &str, address: &Address) -> String {
    let document = fs::read_to_string(root().join("docs/front-servers.md")).unwrap();
    let (_, section) = document
        .split_once(&format!("\n### {heading}\n"))
        .unwrap_or_else(|| panic!("no heading {heading:?}"));
    let (_, block) = section.split_once("```").unwrap();
    let (_, text) = block.split_once('\n').unwrap();
    let (text, _) = text.split_once("```").unwrap();
    let (_, port) = address.0.rsplit_once(':').unwrap();
    text.replace("9000", port)
}

/// Sends a request, to which the traits belong that the site shows without anything between.
type Send<'w> = Box<dyn Fn(&Request, &Traits) -> Traits + 'w>;

/// Names of ways, and how a request is sent over them.
type Ways<'w> = Vec<(&'static str, Send<'w>)>;

/// Ways that begin with HTTP at these addresses.
fn behind<'w>(names: &[&'static str], fronts: &'w [Address]) -> Ways<'w> {
    let ways = names.iter().zip(fronts);
    ways.map(|(name, front)| -> (_, Send<'_>) {
        (*name, Box::new(|request, _| traits_of(front, request)))
    })
    .collect()
}

#[track_caller]
fn check(site: &Running, ways: Ways<'_>) {
    let requests = requests::all();
    assert!(requests.len() >= 200, "{} requests", requests.len());
    let names: BTreeSet<_> = requests.iter().map(|request| &request.name).collect();
    assert_eq!(names.len(), requests.len(), "two requests have one name");
    let mut seen = Vec::new();
    for request in &requests {
        let expected = traits_of(site.address(), request);
        for (way, send) in &ways {
            seen.extend(compare(way, request, &expected, &send(request, &expected)));
        }
    }
    judge(&ways, &seen);
}

fn compare(way: &str, request: &Request, expected: &Traits, actual: &Traits) -> Vec<Seen> {
    if expected["status"] != actual["status"] {
        // Whoever refuses a request shows nothing else of it.
        let [one, other] = [expected, actual].map(|traits| Some(traits["status"].clone()));
        return vec![(
            way.into(),
            request.name.clone(),
            "status".into(),
            one,
            other,
        )];
    }
    let names: BTreeSet<&String> = expected.keys().chain(actual.keys()).collect();
    let differing = names
        .into_iter()
        .filter(|name| expected.get(*name) != actual.get(*name));
    differing
        .map(|name| {
            let (way, request) = (way.to_owned(), request.name.clone());
            let (one, other) = (expected.get(name).cloned(), actual.get(name).cloned());
            (way, request, name.clone(), one, other)
        })
        .collect()
}

#[track_caller]
fn judge(ways: &Ways<'_>, seen: &[Seen]) {
    let row = |seen: &Seen| {
        DIFFERENCES
            .iter()
            .position(|known| known.covers(&seen.0, &seen.1, &seen.2))
    };
    let unknown: Vec<String> = seen
        .iter()
        .filter(|seen| row(seen).is_none())
        .map(|seen| format!("{seen:?}"))
        .collect();
    assert!(
        unknown.is_empty(),
        "{} differences (way, request, what, direct, over the way) that no row explains: {unknown:#?}",
        unknown.len()
    );
    let used: BTreeSet<usize> = seen.iter().filter_map(row).collect();
    let unused: Vec<_> = DIFFERENCES
        .iter()
        .enumerate()
        .filter(|(number, known)| {
            !used.contains(number) && ways.iter().any(|(way, _)| known.is_of(way))
        })
        .collect();
    assert!(
        unused.is_empty(),
        "rows of the table that no request shows any more: {unused:#?}"
    );
}

/// Sends the request on a connection of its own, and takes apart what comes back.
fn traits_of(address: &Address, request: &Request) -> Traits {
    let mut client = address.connect();
    client.send(&request.bytes());
    if !client.has_more() {
        return Traits::from([("status".into(), "no answer".into())]);
    }
    traits(&client.answer_to(&request.method))
}

/// What a front server may have changed on the way without telling anybody anything else is left out: its name, the
/// time, the framing, the reason.
fn traits(answer: &Answer) -> Traits {
    const LEFT_OUT: [&str; 8] = [
        "accept-ranges",
        "connection",
        "content-length",
        "date",
        "keep-alive",
        "server",
        "transfer-encoding",
        "upgrade",
    ];
    let mut traits = Traits::from([("status".into(), answer.status.to_string())]);
    assert!(answer.whole, "an answer that is not whole: {answer:?}");
    if let Ok(environ) = serde_json::from_slice::<BTreeMap<String, String>>(&answer.body) {
        traits.extend(environ);
        return traits;
    }
    if answer.status >= 400 && answer.header("X-First").is_none() {
        // The error page of a server says no more than its status.
        return traits;
    }
    for (name, _) in &answer.headers {
        let name = name.to_lowercase();
        if !LEFT_OUT.contains(&&*name) {
            let values: Vec<&str> = answer.headers(&name).collect();
            traits.insert(format!("header {name}"), values.join(" | "));
        }
    }
    let is_expected = answer.body.iter().all(|byte| *byte == b'x');
    let body = format!("{} bytes, {is_expected}", answer.body.len());
    traits.insert("answer".into(), body);
    traits
}

/// Names and values, as they are sent.
type Variables = Vec<(String, Vec<u8>)>;

/// The variables that a front server makes of a request, whose path it has understood as we have.
fn variables(request: &Request, expected: &Traits) -> Variables {
    let query = request
        .target
        .split_once('?')
        .map_or("", |(_, query)| query);
    let path = expected.get("PATH_INFO").map_or("/a", String::as_str);
    let mut variables: Vec<(String, String)> = [
        ("REQUEST_METHOD", &*request.method),
        ("REQUEST_URI", &request.target),
        ("PATH_INFO", path),
        ("QUERY_STRING", query),
        ("SERVER_PROTOCOL", "HTTP/1.1"),
        ("REMOTE_ADDR", "127.0.0.1"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec();
    let mut add = |name: &str, value: &str| {
        let separator = if name == "HTTP_COOKIE" { "; " } else { ", " };
        match variables.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known += &format!("{separator}{value}"),
            None => variables.push((name.to_owned(), value.to_owned())),
        }
    };
    let mut headers = request.headers.clone();
    if !headers.iter().any(|(name, _)| name == "Host") {
        headers.push(("Host".into(), "site.example".into()));
    }
    if request.chunked {
        headers.push(("Transfer-Encoding".into(), "chunked".into()));
    }
    for (name, value) in headers.iter().filter(|(name, _)| !name.contains('_')) {
        match name.to_uppercase().replace('-', "_").as_str() {
            "CONTENT_TYPE" => add("CONTENT_TYPE", value),
            name => add(&format!("HTTP_{name}"), value.trim()),
        }
    }
    if request.has_length() {
        add("CONTENT_LENGTH", &request.body.len().to_string());
    }
    // In an environ the character of a number stands for the byte of that number.
    let bytes = |value: String| value.chars().map(|character| character as u8).collect();
    let variables = variables.into_iter();
    variables
        .map(|(name, value)| (name, bytes(value)))
        .collect()
}

/// With a CONTENT_LENGTH where the protocol has no other end of a body.
fn with_length(mut variables: Variables, body: &[u8]) -> Variables {
    if !variables.iter().any(|(name, _)| name == "CONTENT_LENGTH") {
        variables.insert(0, ("CONTENT_LENGTH".into(), body.len().to_string().into()));
    }
    variables
}

#[test]
fn direct() {
    let certificates = Certificates::of(&[HOST]);
    let site = site(&certificates);
    let [_, uwsgi, fastcgi, scgi, https] = &site.addresses[..] else {
        panic!("{:?}", site.addresses)
    };
    let https = https.over_tls();
    let by_uwsgi = |request: &Request, expected: &Traits| {
        let mut client = uwsgi.connect();
        let mut variables = variables(request, expected);
        if request.chunked {
            variables = with_length(variables, &request.body);
        }
        client.send(&[uwsgi::packet(0, 0, &variables), request.body.clone()].concat());
        traits(&client.answer_to(&request.method))
    };
    let by_fastcgi = |request: &Request, expected: &Traits| {
        let mut client = fastcgi.connect();
        let params = fastcgi::params(1, &variables(request, expected));
        let body = fastcgi::stream(fastcgi::STDIN, 1, &request.body);
        let end = fastcgi::record(fastcgi::STDIN, 1, b"", 0);
        client.send(&[fastcgi::begin(1, 1, false), params, body, end].concat());
        traits(&client.fastcgi_answer(1))
    };
    let by_scgi = |request: &Request, expected: &Traits| {
        let mut client = scgi.connect();
        let variables = with_length(variables(request, expected), &request.body);
        client.send(&[scgi::netstring(&variables), request.body.clone()].concat());
        traits(&fastcgi::cgi_answer(&client.rest()))
    };
    check(
        &site,
        vec![
            ("direct uwsgi", Box::new(by_uwsgi)),
            ("direct fastcgi", Box::new(by_fastcgi)),
            ("direct scgi", Box::new(by_scgi)),
            (
                "direct https",
                Box::new(|request, _| traits_of(&https, request)),
            ),
        ],
    );
}

#[test]
fn nginx() {
    let certificates = Certificates::of(&[HOST]);
    let site = site(&certificates);
    let authority = certificates.path("ca.pem");
    let configuration = |protocol: &(&str, &Address)| {
        let text = configuration(&format!("nginx, {}", protocol.0), protocol.1);
        Backend::Servers(text.replace("/etc/ssl/shop/ca.pem", authority.to_str().unwrap()))
    };
    let nginx = Nginx::before(
        &protocols(&site)
            .iter()
            .map(configuration)
            .collect::<Vec<_>>(),
    );
    let names = [
        "nginx http",
        "nginx uwsgi",
        "nginx fastcgi",
        "nginx scgi",
        "nginx https",
    ];
    check(&site, behind(&names, &nginx.fronts));
}

#[test]
fn apache() {
    let certificates = Certificates::of(&[HOST]);
    let site = site(&certificates);
    let configuration =
        |(name, address): &(&str, &Address)| configuration(&format!("Apache, {name}"), address);
    let hosts: Vec<String> = protocols(&site)[..4].iter().map(configuration).collect();
    let apache = Apache::before(&hosts);
    let names = [
        "apache http",
        "apache uwsgi",
        "apache fastcgi",
        "apache scgi",
    ];
    check(&site, behind(&names, &apache.fronts));
}

#[test]
fn lighttpd() {
    let certificates = Certificates::of(&[HOST]);
    let site = site(&certificates);
    let configuration =
        |(name, address): &(&str, &Address)| configuration(&format!("lighttpd, {name}"), address);
    let servers: Vec<String> = protocols(&site)[..4].iter().map(configuration).collect();
    let lighttpd = Lighttpd::before(&servers);
    let names = [
        "lighttpd http",
        "lighttpd uwsgi",
        "lighttpd fastcgi",
        "lighttpd scgi",
    ];
    check(&site, behind(&names, &lighttpd.fronts));
}

/// What docs/front-servers.md says of lighttpd's idea of a path below another one.
#[test]
fn lighttpd_below_a_path() {
    let site = Site::app("fronts")
        .bare()
        .listen("fastcgi", "127.0.0.1:0")
        .setting(
            "[mount]",
            "path = \"/shop\"\nmodule = \"entry:application\"",
        )
        .start();
    let below = |path: &str| {
        let text = configuration("lighttpd, FastCGI", site.address());
        text.replace("(\"/\" =>", &format!("(\"{path}\" =>"))
    };
    let lighttpd = Lighttpd::before(&[below("/shop"), below("/shop/")]);
    let seen = |front: usize, target: &str| {
        let seen = lighttpd.fronts[front].get(target).json();
        ["SCRIPT_NAME", "PATH_INFO"].map(|name| seen[name].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(seen(0, "/shop"), ["/shop", ""]);
    assert_eq!(seen(0, "/shop/a/b"), ["/shop", "/a/b"]);
    assert_eq!(seen(0, "/shopping/a"), ["/shopping", "/a"]);
    assert_eq!(seen(1, "/shop/a/b"), ["/shop/a", "/b"]);
}
