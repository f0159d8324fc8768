//! Configurations of different shapes, with what is asked of the servers that run them.
//!
//! `@DIR@` is the directory of the site, another one for each server; `@PORT@` a free port; `@VENV@` the virtual
//! environment of the tests, `@KEYS@` a directory with certificate and key of `localhost`.

/// How a request reaches the site.
#[derive(Clone, Copy)]
pub(super) enum Door {
    /// FastCGI, at a path.
    FastCgi(&'static str),
    /// HTTP, at a port or a path; `tls:` in front of a port for HTTPS.
    Http(&'static str),
    /// SCGI, at a path.
    Scgi(&'static str),
    /// The uwsgi protocol, at a port or a path.
    Uwsgi(&'static str),
}

/// One request.
pub(super) struct Ask {
    pub(super) door: Door,
    pub(super) method: &'static str,
    pub(super) target: &'static str,
    /// Header fields; for the uwsgi protocol variables.
    pub(super) with: &'static [(&'static str, &'static str)],
    pub(super) body: &'static [u8],
    /// Headers whose values are compared.
    pub(super) headers: &'static [&'static str],
    /// Whether bodies are, too: the pages of errors and redirects are each server's own.
    pub(super) compare_body: bool,
}

/// One configuration.
pub(super) struct Shape {
    pub(super) name: &'static str,
    /// Its file, and arguments of `uwsgi` that read it; `convert-ini` gets the same behind `--`, or the file alone.
    pub(super) file: &'static str,
    pub(super) text: &'static str,
    /// Words of a command line in place of a file.
    pub(super) command: &'static [&'static str],
    /// Further files of the site.
    pub(super) files: &'static [(&'static str, &'static str)],
    pub(super) asks: &'static [Ask],
}

/// Answers with what it has seen, as JSON.
pub(super) const APPLICATION: &str = r#"
import json, os, sys

def application(environ, start_response):
    names = ["REQUEST_METHOD", "SCRIPT_NAME", "PATH_INFO", "QUERY_STRING", "REQUEST_URI", "CONTENT_LENGTH",
             "HTTP_HOST", "HTTP_X_A", "wsgi.multithread", "wsgi.multiprocess", "wsgi.url_scheme", "REGION"]
    length = int(environ.get("CONTENT_LENGTH") or 0)
    seen = {name: environ.get(name) or "" for name in names}
    seen["body"] = environ["wsgi.input"].read(length).decode("latin-1")
    seen["directory"] = os.path.basename(os.getcwd())
    seen["argv"] = sys.argv[1:]
    seen["shop"] = os.environ.get("SHOP")
    text = json.dumps(seen, sort_keys=True).encode()
    start_response("200 OK", [("Content-Type", "application/json"), ("X-App", "yes"),
                              ("Content-Length", str(len(text)))])
    return [text]

app = application

def create():
    return application
"#;

const fn get(door: Door, target: &'static str) -> Ask {
    Ask {
        door,
        method: "GET",
        target,
        with: &[],
        body: b"",
        headers: &["Content-Type"],
        compare_body: true,
    }
}

const fn head(door: Door, target: &'static str, headers: &'static [&'static str]) -> Ask {
    Ask {
        headers,
        compare_body: false,
        ..get(door, target)
    }
}

const fn post(door: Door, target: &'static str, body: &'static [u8]) -> Ask {
    Ask {
        method: "POST",
        body,
        ..get(door, target)
    }
}

const fn with(ask: Ask, with: &'static [(&'static str, &'static str)]) -> Ask {
    Ask { with, ..ask }
}

const SOCKET: Door = Door::Uwsgi("@DIR@/a.sock");
const HTTP_SOCKET: Door = Door::Http("@DIR@/http.sock");
const TLS: Door = Door::Http("tls:127.0.0.1:@PORT@");
const PORT: Door = Door::Http("127.0.0.1:@PORT@");

pub(super) const SHAPES: &[Shape] = &[
    Shape {
        name: "a project behind nginx",
        file: "shop.ini",
        text: "[uwsgi]\n# where it is\nchdir = @DIR@\nmodule = shop:application\nhome = @VENV@\nmaster = true\n\
               processes = 2\nthreads = 2\nsocket = @DIR@/a.sock\nchmod-socket = 660\nvacuum = true\n\
               env = SHOP=town\nharakiri = 30\nmax-requests = 1000\ndie-on-term = true\nneed-app = true\n",
        command: &[],
        files: &[("shop.py", APPLICATION)],
        asks: &[
            get(SOCKET, "/a/b?c=d"),
            post(SOCKET, "/", b"some words"),
            with(
                get(SOCKET, "/s"),
                &[("SCRIPT_NAME", ""), ("HTTP_X_A", "b"), ("HTTPS", "on")],
            ),
        ],
    },
    Shape {
        name: "a file by HTTP",
        file: "flask.ini",
        text: "[uwsgi]\nhttp = 127.0.0.1:@PORT@\nwsgi-file = shop.py\ncallable = app\nhome = @VENV@\nprocesses = 2\nmaster = 1\n",
        command: &[],
        files: &[("shop.py", APPLICATION)],
        asks: &[
            get(PORT, "/"),
            get(PORT, "/x%20y?z"),
            post(PORT, "/p", b"body"),
        ],
    },
    Shape {
        name: "a factory on an http-socket",
        file: "factory.ini",
        text: "[uwsgi]\nhttp-socket = @DIR@/http.sock\nmodule = shop:create()\nhome = @VENV@\nchdir = @DIR@\nthreads = 4\n\
               buffer-size = 32768\nlazy-apps = true\nmaster = true\n",
        command: &[],
        files: &[("shop.py", APPLICATION)],
        asks: &[
            get(HTTP_SOCKET, "/"),
            with(get(HTTP_SOCKET, "/h"), &[("X-A", "v")]),
        ],
    },
    Shape {
        name: "applications by path",
        file: "mounts.ini",
        text: "[uwsgi]\nsocket = @DIR@/a.sock\nchdir = @DIR@\nhome = @VENV@\nmanage-script-name = true\n\
               mount = /one=one.py\nmount = /two=two:app\nmodule = shop\nmaster = true\n",
        command: &[],
        files: &[
            ("shop.py", APPLICATION),
            (
                "one.py",
                "from shop import *\nimport shop\ndef application(e, s):\n    s('200 OK', [('X-One', e['SCRIPT_NAME'])])\n    return [b'one ' + e['PATH_INFO'].encode()]\n",
            ),
            (
                "two.py",
                "def app(e, s):\n    s('200 OK', [('X-Two', e['SCRIPT_NAME'])])\n    return [b'two ' + e['PATH_INFO'].encode()]\n",
            ),
        ],
        asks: &[
            get(SOCKET, "/"),
            Ask {
                headers: &["X-One"],
                ..get(SOCKET, "/one/x")
            },
            Ask {
                headers: &["X-Two"],
                ..get(SOCKET, "/two/y/z")
            },
            get(SOCKET, "/oneself"),
        ],
    },
    Shape {
        name: "static files before the application",
        file: "static.ini",
        text: "[uwsgi]\nhttp-socket = @DIR@/http.sock\nchdir = @DIR@\nmodule = shop\nhome = @VENV@\nmaster = true\n\
               static-map = /static=@DIR@/public\nstatic-map = /favicon.ico=@DIR@/public/icon.ico\n\
               check-static = @DIR@/root\nstatic-index = index.html\nstatic-skip-ext = .py\n",
        command: &[],
        files: &[
            ("shop.py", APPLICATION),
            ("public/a.css", "body { color: red }\n"),
            ("public/icon.ico", "icon"),
            ("public/docs/index.html", "<p>index</p>\n"),
            ("root/robots.txt", "User-agent: *\n"),
            ("root/secret.py", "print()\n"),
        ],
        asks: &[
            Ask {
                // We say which characters text is written in.
                headers: &["Content-Length"],
                ..get(HTTP_SOCKET, "/static/a.css")
            },
            Ask {
                headers: &["Content-Length"],
                ..get(HTTP_SOCKET, "/static/docs/")
            },
            head(HTTP_SOCKET, "/favicon.ico", &[]),
            head(HTTP_SOCKET, "/robots.txt", &["Content-Length"]),
            get(HTTP_SOCKET, "/secret.py"),
            get(HTTP_SOCKET, "/static/none.css"),
            get(HTTP_SOCKET, "/"),
        ],
    },
    Shape {
        name: "paths, arguments and environment",
        file: "paths.ini",
        text: "[uwsgi]\nsocket = @DIR@/a.sock\nchdir = @DIR@/work\npythonpath = @DIR@/late\npythonpath = @DIR@/lib\n\
               module = shop\nhome = @VENV@\npyargv = --name shop -v\nenv = SHOP=a = b\nmaster = true\n\
               enable-threads = true\nsingle-interpreter = true\n",
        command: &[],
        files: &[
            ("lib/shop.py", APPLICATION),
            ("late/shop.py", "raise Exception('the wrong one')\n"),
            ("work/data", ""),
        ],
        asks: &[get(SOCKET, "/")],
    },
    Shape {
        name: "one protocol for all sockets",
        file: "protocol.ini",
        text: "[uwsgi]\nprotocol = http\nsocket = 127.0.0.1:@PORT@\nsocket = @DIR@/http.sock\nwsgi-file = @DIR@/shop.py\n\
               home = @VENV@\nmaster = true\nlisten = 64\n",
        command: &[],
        files: &[("shop.py", APPLICATION)],
        asks: &[get(PORT, "/tcp"), get(HTTP_SOCKET, "/unix")],
    },
    Shape {
        name: "placeholders, magic and an include",
        file: "magic.ini",
        text: "[uwsgi]\nbase = @DIR@\nname = shop\ninclude = @DIR@/common.ini\nchdir = %d\nmodule = %(name)\n\
               socket = %(base)/a.sock\nset-placeholder = level=1\nfor = one two\nenv = LOOP_%(_)=1\nendfor =\n\
               if-exists = @DIR@/shop.py\nenv = SHOP=%n\nendif =\n",
        command: &[],
        files: &[
            ("shop.py", APPLICATION),
            (
                "common.ini",
                "[uwsgi]\nhome = @VENV@\nmaster = true\nprocesses = 2\n",
            ),
        ],
        asks: &[get(SOCKET, "/")],
    },
    Shape {
        name: "a command line",
        file: "",
        text: "",
        command: &[
            "--http-socket",
            "@DIR@/http.sock",
            "--chdir=@DIR@",
            "-w",
            "shop:app",
            "-H",
            "@VENV@",
            "-M",
            "-p2",
            "--env",
            "SHOP=line",
            "--threads",
            "2",
        ],
        files: &[("shop.py", APPLICATION)],
        asks: &[get(HTTP_SOCKET, "/")],
    },
    Shape {
        name: "a careless file",
        file: "careless.ini",
        text: "[uwsgi]\nprocesses = 2 ; two of them\nsocket-timeout=30;seconds\nchdir = /nowhere\nchdir = @DIR@\n\
               workers = 3\nmodule = shop\nhome = @VENV@\nmaster = banana\nbuffer_size = 1\nvaccum = true\n\
               socket = @DIR@/a.sock\nenv = SHOP=x\nenv = SHOP=y\n",
        command: &[],
        files: &[("shop.py", APPLICATION)],
        asks: &[get(SOCKET, "/"), post(SOCKET, "/", b"1234")],
    },
    Shape {
        name: "headers and bodies",
        file: "headers.ini",
        text: "[uwsgi]\nsocket = @DIR@/a.sock\nchdir = @DIR@\nmodule = shop\nhome = @VENV@\nmaster = true\n\
               add-header = X-Frame-Options: DENY\ndel-header = X-App\npost-buffering = 4\nlimit-post = 100000\n",
        command: &[],
        files: &[("shop.py", APPLICATION)],
        asks: &[
            Ask {
                headers: &["X-Frame-Options", "X-App"],
                ..get(SOCKET, "/")
            },
            post(SOCKET, "/", b"more than four bytes"),
        ],
    },
    Shape {
        name: "YAML",
        file: "shop.yaml",
        text: "uwsgi:\n  socket: @DIR@/a.sock\n  chdir: @DIR@\n  module: shop\n  home: @VENV@\n  master: true\n  processes: 2\n",
        command: &[],
        files: &[("shop.py", APPLICATION)],
        asks: &[get(SOCKET, "/yaml")],
    },
    Shape {
        name: "workers that come and go",
        file: "cheaper.ini",
        text: "[uwsgi]\nhttp-socket = @DIR@/http.sock\nchdir = @DIR@\nmodule = shop\nhome = @VENV@\nmaster = true\n\
               processes = 4\ncheaper = 1\ncheaper-initial = 2\ncheaper-algo = busyness\nreload-on-rss = 512\n\
               thunder-lock = true\nmax-worker-lifetime = 3600\ndisable-logging = true\n",
        command: &[],
        files: &[("shop.py", APPLICATION)],
        asks: &[get(HTTP_SOCKET, "/")],
    },
    Shape {
        name: "HTTPS by a shared socket",
        file: "https.ini",
        text: "[uwsgi]\nshared-socket = 127.0.0.1:@PORT@\nhttps = =0,@KEYS@/localhost.pem,@KEYS@/localhost.key,HIGH\n\
               chdir = @DIR@\nmodule = shop\nhome = @VENV@\nmaster = true\n",
        command: &[],
        files: &[("shop.py", APPLICATION)],
        asks: &[get(TLS, "/"), post(TLS, "/form", b"secret")],
    },
    Shape {
        name: "FastCGI and SCGI",
        file: "others.ini",
        text: "[uwsgi]\nfastcgi-socket = @DIR@/fastcgi.sock\nscgi-socket = @DIR@/scgi.sock\nchdir = @DIR@\n\
               module = shop\nhome = @VENV@\nmaster = true\n",
        command: &[],
        files: &[("shop.py", APPLICATION)],
        asks: &[
            get(Door::FastCgi("@DIR@/fastcgi.sock"), "/fast?a=b"),
            post(Door::FastCgi("@DIR@/fastcgi.sock"), "/", b"body"),
            get(Door::Scgi("@DIR@/scgi.sock"), "/s"),
        ],
    },
];
