//! Django, Flask, Bottle and httpbin, asked directly and through nginx, by each of the ways that sites use.

use std::{fs, process::Command};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{
    address::Address,
    answer::Answer,
    browser::Browser,
    nginx::{Backend, Nginx},
    root,
    site::{Running, Site},
    venv,
};

/// A site and the ways to it.
struct Served {
    site: Running,
    ways: Vec<(&'static str, Address)>,
    _nginx: Nginx,
    _data: Option<TempDir>,
}

fn serve(site: Site) -> Served {
    let site = site
        .bare()
        .workers(2, 2)
        .listen("http", "127.0.0.1:0")
        .listen("uwsgi", "./uwsgi.sock")
        .listen("uwsgi", "127.0.0.1:0")
        .listen("http", "./http.sock")
        .start();
    let [http, uwsgi_unix, uwsgi_tcp, http_unix] = site.addresses.as_slice() else {
        unreachable!()
    };
    let nginx = Nginx::before(&[
        Backend::Uwsgi(uwsgi_unix.clone()),
        Backend::Uwsgi(uwsgi_tcp.clone()),
        Backend::Proxy(http.clone()),
        Backend::Proxy(http_unix.clone()),
    ]);
    let names = [
        "uwsgi_pass unix",
        "uwsgi_pass TCP",
        "proxy_pass TCP",
        "proxy_pass unix",
    ];
    let mut ways = vec![("direct", http.clone())];
    ways.extend(names.into_iter().zip(nginx.fronts.iter().cloned()));
    Served {
        site,
        ways,
        _nginx: nginx,
        _data: None,
    }
}

impl Served {
    fn each_way(&self, visit: impl Fn(&mut Browser)) {
        for (name, address) in &self.ways {
            eprintln!("by way of {name}:");
            visit(&mut Browser::new(address));
        }
    }
}

/// The example of this repository, with a database of its own: a superuser, and 1000 entries to stream.
fn django() -> Served {
    const PREPARE: &str = "
import django
django.setup()
from django.contrib.auth.models import User
from django.core.management import call_command
from guestbook.models import Entry
call_command('migrate', verbosity=0)
User.objects.create_superuser('admin', 'admin@example.com', 'secret')
Entry.objects.bulk_create(Entry(name=f'guest {number}', text='was here') for number in range(1000))
";
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().to_str().unwrap();
    let project = root().join("examples/django");
    let made = Command::new(venv().join("bin/python"))
        .args(["-c", PREPARE])
        .current_dir(&project)
        .envs([
            ("DJANGO_DATA", data),
            ("DJANGO_SETTINGS_MODULE", "guestbook.settings"),
            ("PYTHONDONTWRITEBYTECODE", "1"),
        ])
        .output()
        .unwrap();
    assert!(
        made.status.success(),
        "{}",
        String::from_utf8_lossy(&made.stderr)
    );
    let site = Site::new(&format!("module = \"guestbook.wsgi\"\nchdir = {project:?}"))
        .env("DJANGO_DATA", data);
    Served {
        _data: Some(directory),
        ..serve(site)
    }
}

/// Five thousand numbered lines, as the streaming views give them.
fn lines() -> String {
    (0..5000).map(|number| format!("line {number}\n")).collect()
}

#[test]
fn django_works() {
    let served = django();
    served.each_way(admin_login);
    served.each_way(form_with_csrf);
    served.each_way(upload_and_download);
    served.each_way(streaming_response);
}

fn admin_login(browser: &mut Browser) {
    let refused = browser.get("/admin/");
    assert_eq!(
        (refused.status, refused.header("Location")),
        (302, Some("/admin/login/?next=/admin/"))
    );
    let page = browser.get("/admin/login/?next=/admin/");
    let fields = [
        ("csrfmiddlewaretoken", &*token(&page)),
        ("username", "admin"),
        ("password", "secret"),
        ("next", "/admin/"),
    ];
    let answer = browser.post("/admin/login/?next=/admin/", &fields);
    assert_eq!(
        (answer.status, answer.header("Location")),
        (302, Some("/admin/")),
        "{}",
        answer.text()
    );
    assert!(
        browser
            .get("/admin/")
            .text()
            .contains("Site administration")
    );
}

fn form_with_csrf(browser: &mut Browser) {
    assert_eq!(
        browser
            .post("/", &[("name", "nobody"), ("text", "forged")])
            .status,
        403
    );
    let token = token(&browser.get("/"));
    assert_ne!(browser.cookie("csrftoken"), "");
    let answer = browser.post(
        "/",
        &[
            ("name", "Zo\u{eb}"),
            ("text", "was here"),
            ("csrfmiddlewaretoken", &token),
        ],
    );
    assert_eq!(
        (answer.status, answer.header("Location")),
        (302, Some("/")),
        "{}",
        answer.text()
    );
    assert!(
        browser
            .get("/")
            .text()
            .contains("<strong>Zo\u{eb}</strong>")
    );
}

/// The file is larger than Django keeps in memory, and than our post-buffering.
fn upload_and_download(browser: &mut Browser) {
    let file: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    let token = token(&browser.get("/"));
    let fields = [
        ("csrfmiddlewaretoken", &*token),
        ("name", "Ann"),
        ("text", "with a file"),
    ];
    let answer = browser.upload("/", &fields, "attachment", &file);
    assert_eq!(answer.status, 302, "{}", answer.text());
    let page = browser.get("/").text();
    let link = page
        .split("href=\"")
        .find(|rest| rest.starts_with("/attachment/"))
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let answer = browser.get(link);
    assert!(answer.body == file, "{} bytes", answer.body.len());
    assert!(
        answer
            .header("Content-Disposition")
            .is_some_and(|value| value.starts_with("attachment; ")),
        "{answer:?}"
    );
}

fn streaming_response(browser: &mut Browser) {
    let table = browser.get("/entries.csv").text();
    assert!(
        table.starts_with("id,name,text,written\r\n") && table.lines().count() > 1000,
        "{table}"
    );
}

/// The token of the form on a page.
fn token(page: &Answer) -> String {
    let text = page.text();
    let value = text
        .split("csrfmiddlewaretoken\" value=\"")
        .nth(1)
        .unwrap_or_else(|| panic!("no token in {text}"));
    value.split('"').next().unwrap().to_owned()
}

#[test]
fn flask_works() {
    let served = serve(Site::app("flask_site"));
    served.each_way(|browser| {
        assert_eq!(
            browser.post("/form", &[("name", "Zo\u{eb}")]).text(),
            "Hello, Zo\u{eb}!"
        );
        assert_eq!(browser.get("/stream").text(), lines());
        assert_eq!(
            (browser.get("/visits").text(), browser.get("/visits").text()),
            ("1".into(), "2".into())
        );
        assert_eq!(browser.get("/teapot").status, 418);
        assert_eq!(browser.get("/nowhere").status, 404);
        assert_eq!(browser.get("/broken").status, 500);
    });
    for (_, address) in &served.ways {
        let answer = address
            .request(
                "POST",
                "/json?a=b",
                &[("Content-Type", "application/json")],
                b"[1, \"two\"]",
            )
            .json();
        assert_eq!(
            answer,
            json!({"got": [1, "two"], "scheme": "http", "query": {"a": "b"}})
        );
    }
    served
        .site
        .process
        .wait_for_text("LookupError: raised in a view");
}

#[test]
fn bottle_works() {
    serve(Site::app("bottle_site")).each_way(|browser| {
        assert_eq!(browser.get("/hello/w%20orld").text(), "Hello, w orld!");
        assert_eq!(
            browser.post("/form", &[("name", "Zo\u{eb}")]).text(),
            "Hello, Zo\u{eb}!"
        );
        assert!(
            browser.get("/file").body
                == fs::read(root().join("tests/apps/bottle_site/app.py")).unwrap()
        );
    });
}

#[test]
fn httpbin_works() {
    serve(Site::app("httpbin_site")).each_way(|browser| {
        let form = browser.post("/post?q=1", &[("a b", "c&d")]).json();
        assert_eq!(
            (&form["form"], &form["args"]),
            (&json!({"a b": "c&d"}), &json!({"q": "1"}))
        );
        assert_eq!(browser.get("/status/418").status, 418);
        assert_eq!(browser.get("/stream/20").text().lines().count(), 20);
        assert_eq!(
            browser.get("/stream-bytes/100000?seed=1").body.len(),
            100_000
        );
        assert_eq!(browser.get("/range/10000").body.len(), 10_000);
        assert_eq!(browser.get("/redirect/2").status, 302);
        assert_eq!(browser.get("/cookies/set?name=value").status, 302);
        assert_eq!(
            browser.get("/cookies").json()["cookies"],
            json!({"name": "value"})
        );
        assert_eq!(
            browser.get("/gzip").header("Content-Encoding"),
            Some("gzip")
        );
        assert_eq!(browser.get("/encoding/utf8").status, 200);
    });
}

/// What a view sees of a client behind nginx is nginx's client, whichever way it came.
#[test]
fn the_client_behind_nginx_is_known() {
    let served = serve(Site::app("environ"));
    for (name, address) in &served.ways {
        let seen: Value = address.get("/a%20b?c").json();
        assert_eq!(
            (&seen["PATH_INFO"], &seen["QUERY_STRING"]),
            (&"/a b".into(), &"c".into()),
            "{name}"
        );
        if !name.ends_with("unix") || name.starts_with("uwsgi") {
            assert_eq!(seen["REMOTE_ADDR"], "127.0.0.1", "{name}");
        }
    }
}
