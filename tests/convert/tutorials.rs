//! The configurations of uWSGI's tutorials, from the ini to an answer: converted, accepted, served, and asked through
//! nginx where the tutorial has one. What uWSGI itself answers is held against ours in `serve`.

use std::{
    collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::PathBuf, process::Command,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    address::{self, Address},
    certificates::Certificates,
    nginx::{Backend, Nginx},
    process::Process,
    site::{program, serves},
    venv,
};

/// A directory with an old configuration and its files. `@DIR@` in them is the directory, `@KEYS@` one with certificate
/// and key of `localhost`, `@PORT@` a free port, `@VENV@` the virtual environment of the tests.
struct Tutorial {
    address: Address,
    certificates: Certificates,
    directory: PathBuf,
    _holder: TempDir,
}

/// Answers with its name, and what it was told of the request.
const APPLICATION: &str = r#"
import json, os

def named(name):
    def application(environ, start_response):
        seen = {key: environ.get(key) for key in ("SCRIPT_NAME", "PATH_INFO", "wsgi.url_scheme", "HTTP_HOST")}
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps({"name": name, "uid": os.getuid(), "gid": os.getgid(), **seen}).encode()]
    return application

application = named(os.environ.get("NAME", __name__))
"#;

impl Tutorial {
    fn new(ini: &str, files: &[(&str, &str)]) -> Self {
        let holder = tempfile::tempdir().unwrap();
        let directory = holder.path().canonicalize().unwrap();
        // The site may belong to somebody else than the test.
        fs::set_permissions(&directory, fs::Permissions::from_mode(0o755)).unwrap();
        let tutorial = Self {
            address: address::free(),
            certificates: Certificates::of(&["localhost"]),
            directory,
            _holder: holder,
        };
        for (name, text) in files.iter().chain(&[("site.ini", ini)]) {
            let path = tutorial.directory.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, tutorial.fill(text)).unwrap();
        }
        tutorial
    }

    fn fill(&self, text: &str) -> String {
        let keys = self.certificates.path("");
        text.replace("@DIR@", self.directory.to_str().unwrap())
            .replace("@KEYS@", keys.to_str().unwrap().trim_end_matches('/'))
            .replace("@PORT@", self.address.port())
            .replace("@VENV@", venv().to_str().unwrap())
    }

    /// Converts the old file; its remarks are not more than this exit code says.
    #[track_caller]
    fn converted(self, code: i32) -> Self {
        let mut convert = program();
        convert.args(["convert-ini", "-o", "site.toml", "site.ini"]);
        let output = convert.current_dir(&self.directory).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        self
    }

    /// What a person does where the conversion has left a remark.
    #[track_caller]
    fn edited(self, from: &str, to: &str) -> Self {
        let settings = self.settings();
        let text = fs::read_to_string(&settings).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(settings, text.replace(from, to)).unwrap();
        self
    }

    fn settings(&self) -> PathBuf {
        self.directory.join("site.toml")
    }

    #[track_caller]
    fn serve(&self) -> Process {
        let check = program().arg("check").arg(self.settings()).output();
        let check = check.unwrap();
        assert!(check.status.success(), "{check:?}");
        let mut serve = program();
        serve
            .current_dir(&self.directory)
            .env("RUNTIME_DIRECTORY", &self.directory)
            .env("PYTHONDONTWRITEBYTECODE", "1");
        let site = Process::start("hostler", serve.args(["serve", "site.toml"]));
        site.wait_for("that it serves", |line| serves(line).then_some(()));
        site
    }

    /// nginx with what the tutorial says of it.
    fn nginx(&self, text: &str) -> Nginx {
        Nginx::before(&[Backend::Servers(self.fill(text))])
    }
}

/// Who has answered a request for this host, with SCRIPT_NAME and PATH_INFO.
fn who(address: &Address, host: &str, target: &str) -> [String; 3] {
    let seen = address.request("GET", target, &[("Host", host)], b"");
    let seen: Value = seen.json();
    ["name", "SCRIPT_NAME", "PATH_INFO"].map(|key| seen[key].as_str().unwrap().to_owned())
}

/// Nothing of it is Python.
#[test]
fn files_and_programs_behind_the_http_router() {
    let lua = r#"
local length = tonumber(os.getenv("CONTENT_LENGTH") or "0")
print("Status: 201 Made")
print("Content-Type: text/plain\r\n\r")
print(os.getenv("SCRIPT_NAME"), os.getenv("PATH_INFO"), os.getenv("QUERY_STRING"), io.read(length))
"#;
    let dump = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n%s' \"$PATH_INFO\"\n";
    let tutorial = Tutorial::new(
        "[uwsgi]\nplugins = cgi\nhttp = 0.0.0.0:@PORT@\nhttp-modifier1 = 9\ncheck-static = @DIR@/www\n\
         static-index = index.html\nstatic-skip-ext = .lua\ncgi = /cgi-bin=@DIR@/cgi\n\
         cgi = /dump=@DIR@/cgi/dump.sh\ncgi-allowed-ext = .lua\ncgi-helper = .lua=lua\n\
         cgi-index = index.lua\ncgi-timeout = 30\n",
        &[
            ("www/index.html", "<p>home"),
            ("www/script.lua", "source"),
            ("cgi/index.lua", lua),
            ("cgi/dump.sh", dump),
        ],
    );
    let may_run = fs::Permissions::from_mode(0o755);
    fs::set_permissions(tutorial.directory.join("cgi/dump.sh"), may_run).unwrap();
    let tutorial = tutorial.converted(0);
    let _site = tutorial.serve();
    let address = &tutorial.address;
    assert_eq!(address.get("/").text(), "<p>home");
    let answer = address.request("POST", "/cgi-bin/index.lua/x?y", &[], b"body");
    assert_eq!((answer.status, answer.reason.as_str()), (201, "Made"));
    assert_eq!(answer.text(), "/cgi-bin/index.lua\t/x\ty\tbody\n");
    assert_eq!(
        address.get("/cgi-bin/").text(),
        "/cgi-bin/index.lua\tnil\t\tnil\n"
    );
    assert_eq!(address.get("/dump/x").text(), "/x");
    for (path, status) in [
        ("/cgi-bin/dump.sh", 403),
        ("/cgi-bin/none.lua", 404),
        ("/script.lua", 404),
    ] {
        assert_eq!(address.get(path).status, status, "{path}");
    }
}

/// A site by HTTPS that belongs to `www-data`, who cannot read its key. Others than root serve it as themselves.
fn check_https(listen: &str) {
    let is_root = rustix::process::geteuid().is_root();
    let owner = match is_root {
        true => "uid = www-data\ngid = www-data\n",
        false => "",
    };
    let ini = format!(
        "[uwsgi]\n{listen}\n{owner}master = true\nprocesses = 2\nchdir = @DIR@\nmodule = shop\nhome = @VENV@\n"
    );
    let tutorial = Tutorial::new(&ini, &[("shop.py", APPLICATION)]).converted(0);
    let _site = tutorial.serve();
    let seen = tutorial.address.over_tls().get("/").json();
    assert_eq!(seen["wsgi.url_scheme"], "https");
    if is_root {
        let owner = Command::new("id").args(["-u", "www-data"]).output();
        let number = String::from_utf8(owner.unwrap().stdout).unwrap();
        assert_eq!(seen["uid"].to_string(), number.trim());
        assert_ne!(seen["gid"], 0);
    }
}

#[test]
fn https_of_a_site_with_a_user_of_its_own() {
    check_https("https = 127.0.0.1:@PORT@,@KEYS@/localhost.pem,@KEYS@/localhost.key");
}

#[test]
fn https_by_a_shared_socket() {
    check_https(
        "shared-socket = 127.0.0.1:@PORT@\nhttps = =0,@KEYS@/localhost.pem,@KEYS@/localhost.key,HIGH",
    );
}

#[test]
fn applications_by_path_and_by_host_behind_nginx() {
    let tutorial = Tutorial::new(
        "[uwsgi]\nsocket = @DIR@/uwsgi.sock\nmaster = true\nchdir = @DIR@\nhome = @VENV@\nvhost = true\n\
         manage-script-name = true\nmount = /one=one.py\nmount = /two=two:application\n\
         mount = admin.example=admin.py\nmodule = shop\n",
        &[
            ("shop.py", APPLICATION),
            ("one.py", "import shop\napplication = shop.named('one')\n"),
            ("two.py", "import shop\napplication = shop.named('two')\n"),
            (
                "admin.py",
                "import shop\napplication = shop.named('admin')\n",
            ),
        ],
    );
    let tutorial = tutorial.converted(0);
    let _site = tutorial.serve();
    let nginx = tutorial.nginx(
        "server { listen 80; server_name shop.example admin.example;\n\
         location / { include uwsgi_params; uwsgi_pass unix:@DIR@/uwsgi.sock; } }\n",
    );
    let front = &nginx.fronts[0];
    for (host, target, expected) in [
        ("shop.example", "/", ["shop", "", "/"]),
        ("shop.example", "/one/a", ["one", "/one", "/a"]),
        ("shop.example", "/two/b/c", ["two", "/two", "/b/c"]),
        ("shop.example", "/oneself", ["shop", "", "/oneself"]),
        ("admin.example", "/a", ["admin", "", "/a"]),
    ] {
        assert_eq!(who(front, host, target), expected);
    }
}

#[test]
fn applications_that_nginx_names() {
    let tutorial = Tutorial::new(
        "[uwsgi]\nsocket = @DIR@/uwsgi.sock\nmaster = true\nchdir = @DIR@\nhome = @VENV@\ndynamic-apps = true\n",
        &[
            ("shop.py", APPLICATION),
            ("blog.py", "import shop\napplication = shop.named('blog')\n"),
            ("secret.py", "raise SystemExit('loaded')\n"),
        ],
    );
    // What may be named nobody but a person knows.
    let tutorial = tutorial
        .converted(2)
        .edited("\"name_of_the_module\"", "\"shop\", \"blog\"");
    let site = tutorial.serve();
    let location = |path: &str, script: &str| {
        format!(
            "location {path} {{ include uwsgi_params; uwsgi_param UWSGI_SCRIPT {script}; \
             uwsgi_param SCRIPT_NAME {path}; uwsgi_pass unix:@DIR@/uwsgi.sock; }}\n"
        )
    };
    let locations = [
        location("/shop", "shop"),
        location("/blog", "blog"),
        location("/secret", "secret"),
    ];
    let nginx = tutorial.nginx(&format!("server {{ listen 80;\n{} }}", locations.concat()));
    let front = &nginx.fronts[0];
    for name in ["shop", "blog", "shop"] {
        let script = format!("/{name}");
        assert_eq!(who(front, "a", &script)[..2], [name, &script]);
    }
    assert_eq!(front.get("/secret").status, 500);
    site.wait_for_text("asks for `secret`, which is not in dynamic-apps.allow");
}

#[test]
fn a_cluster_of_three_of_which_one_goes() {
    let tutorials = ["one", "two", "three"].map(|name| {
        let socket = match name {
            "one" => "@DIR@/uwsgi.sock",
            _ => "127.0.0.1:@PORT@",
        };
        let ini = format!(
            "[uwsgi]\nsocket = {socket}\nmaster = true\nprocesses = 2\nchdir = @DIR@\nmodule = shop\n\
             home = @VENV@\nenv = NAME={name}\n"
        );
        Tutorial::new(&ini, &[("shop.py", APPLICATION)]).converted(0)
    });
    let [_one, _two, mut three] = tutorials.each_ref().map(Tutorial::serve);
    let nginx = tutorials[0].nginx(&format!(
        "upstream uwsgicluster {{ server unix:@DIR@/uwsgi.sock; server {}; server {}; }}\n\
         server {{ listen 80; location / {{ include uwsgi_params; uwsgi_pass uwsgicluster; }} }}\n",
        tutorials[1].address.0, tutorials[2].address.0
    ));
    let asked = || -> BTreeSet<String> {
        let name = |_| who(&nginx.fronts[0], "a", "/")[0].clone();
        (0..9).map(name).collect()
    };
    let all = ["one", "two", "three"].map(str::to_owned);
    assert_eq!(asked(), all.clone().into());
    three.signal(rustix::process::Signal::TERM);
    assert!(three.wait().success());
    assert_eq!(asked(), BTreeSet::from_iter(all[..2].iter().cloned()));
}
