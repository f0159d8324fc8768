//! Why options are not possible, and the nearest way.

use super::Refusal;

pub(in crate::convert::uwsgi) static ALARM: Refusal = Refusal {
    why: "alarms of uWSGI are not raised",
    instead: "watch the journal, `OnFailure=` of the unit, or the site's metrics",
};
pub(in crate::convert::uwsgi) static ASYNC: Refusal = Refusal {
    why: "this loop or scheduler is not supported",
    instead: "`workers.threads`, or gevent (`workers.loop = \"gevent\"`)",
};
pub(in crate::convert::uwsgi) static ATTRIBUTES: Refusal = Refusal {
    why: "vassals have no attributes",
    instead: "settings of each site in its own file, and `systemctl edit hostler@SITE`",
};
pub(in crate::convert::uwsgi) static CACHE: Refusal = Refusal {
    why: "the shared cache of uWSGI is not there",
    instead: "Redis or Valkey; in Django `django.core.cache.backends.redis.RedisCache`",
};
pub(in crate::convert::uwsgi) static CACHED_FILES: Refusal = Refusal {
    why: "static files are not answered from a cache",
    instead: "`[static]`, which sends them from the page cache of the kernel",
};
pub(in crate::convert::uwsgi) static CAPABILITIES: Refusal = Refusal {
    why: "a site has no capabilities",
    instead: "sockets below port 1024 are opened by systemd; for others `AmbientCapabilities=` by `systemctl edit hostler@SITE`",
};
pub(in crate::convert::uwsgi) static CARBON: Refusal = Refusal {
    why: "metrics are not pushed to Carbon",
    instead: "`[metrics] address`, from which an agent (Prometheus, Telegraf) can pass them on",
};
pub(in crate::convert::uwsgi) static CLOJURE: Refusal = Refusal {
    why: "Clojure is not served",
    instead: "a Clojure web server beside hostler, behind the same front server",
};
pub(in crate::convert::uwsgi) static CLUSTER: Refusal = Refusal {
    why: "clusters of uWSGI are not supported",
    instead: "several machines behind a load balancer, with the same settings file",
};
pub(in crate::convert::uwsgi) static CGI_LINKS: Refusal = Refusal {
    why: "links that lead out of a directory of programs are not followed",
    instead: "a `[[cgi]]` with `file` for each program that lies elsewhere",
};
pub(in crate::convert::uwsgi) static CODE: Refusal = Refusal {
    why: "code in the settings file is not run",
    instead: "a module with the code, named by `app.module`",
};
pub(in crate::convert::uwsgi) static CONFIG_SOURCE: Refusal = Refusal {
    why: "settings are read from files alone",
    instead: "`uwsgi --show-config` on the old machine, and conversion of what it prints",
};
pub(in crate::convert::uwsgi) static C_SYMBOL: Refusal = Refusal {
    why: "functions of C libraries are not called",
    instead: "a Python module in `app.preload` or `app.import` that calls the function with ctypes",
};
pub(in crate::convert::uwsgi) static DIRECTIVES: Refusal = Refusal {
    why: "namespaces and jails are systemd's business",
    instead: "directives of systemd.exec(5) in `[service] directives`, beside the sandbox that each site has already",
};
pub(in crate::convert::uwsgi) static DOCROOT: Refusal = Refusal {
    why: "DOCUMENT_ROOT of a request does not decide what is served",
    instead: "the directory itself in `[static] check`",
};
pub(in crate::convert::uwsgi) static EMPEROR_STATS: Refusal = Refusal {
    why: "there is no emperor to ask",
    instead: "`systemctl list-units 'hostler@*'` and `hostler status`",
};
pub(in crate::convert::uwsgi) static EMPEROR_WRAPPER: Refusal = Refusal {
    why: "the program of a site is always hostler",
    instead: "`systemctl edit hostler@.service`",
};
pub(in crate::convert::uwsgi) static ENCODER: Refusal = Refusal {
    why: "log entries are not rewritten",
    instead: "the fields of the journal, `log.access-format = \"json\"`, or the log collector",
};
pub(in crate::convert::uwsgi) static ENVDIR: Refusal = Refusal {
    why: "directories of environment variables are not read",
    instead: "`[app] env`, and for secrets `[service] credentials` with `env-credentials`",
};
pub(in crate::convert::uwsgi) static ERLANG: Refusal = Refusal {
    why: "Erlang nodes are not spoken with",
    instead: "a message broker",
};
pub(in crate::convert::uwsgi) static EVAL_CONDITION: Refusal = Refusal {
    why: "what happens after a reload of uWSGI cannot be told apart",
    instead: "hooks of systemd: `ExecReload=` by `systemctl edit hostler@SITE`",
};
pub(in crate::convert::uwsgi) static EXCEPTIONS: Refusal = Refusal {
    why: "exceptions are not handed to handlers of uWSGI",
    instead: "the log, which has every traceback, or an error tracker in the application",
};
pub(in crate::convert::uwsgi) static EXIT: Refusal = Refusal {
    why: "it ends the start",
    instead: "`AssertPathExists=` and the like by `systemctl edit hostler@SITE`",
};
pub(in crate::convert::uwsgi) static FALLBACK: Refusal = Refusal {
    why: "there is no second configuration for a start that fails",
    instead: "`OnFailure=` by `systemctl edit hostler@SITE`; a reload that fails changes nothing anyway",
};
pub(in crate::convert::uwsgi) static FASTROUTER: Refusal = Refusal {
    why: "hostler is no router for other servers",
    instead: "nginx, HAProxy or Traefik",
};
pub(in crate::convert::uwsgi) static FILE_SERVE: Refusal = Refusal {
    why: "files are sent, not announced to the front server",
    instead: "`location` with `root` in the front server, in front of hostler",
};
pub(in crate::convert::uwsgi) static FILE_STORE: Refusal = Refusal {
    why: "files of this store are not served",
    instead: "a mount of it in the file system, and `[static]`",
};
pub(in crate::convert::uwsgi) static FORK_SERVER: Refusal = Refusal {
    why: "sites are not forked from each other",
    instead: "`hostler@SITE.service` for each of them",
};
pub(in crate::convert::uwsgi) static GEOIP: Refusal = Refusal {
    why: "addresses are not looked up",
    instead: "the geoip2 package in the application, or the front server",
};
pub(in crate::convert::uwsgi) static GO: Refusal = Refusal {
    why: "Go is not served",
    instead: "the Go program as a service of its own, behind the same front server",
};
pub(in crate::convert::uwsgi) static GZIP: Refusal = Refusal {
    why: "what the application asks for by a header of uWSGI is not compressed",
    instead: "`response.compress` with the media types",
};
pub(in crate::convert::uwsgi) static HEADERS_COLLECT: Refusal = Refusal {
    why: "response headers do not become variables",
    instead: "a few lines of WSGI middleware",
};
pub(in crate::convert::uwsgi) static HTTP_PROXY: Refusal = Refusal {
    why: "hostler passes no requests on to other servers",
    instead: "nginx, HAProxy or Traefik in front",
};
pub(in crate::convert::uwsgi) static ICECAST: Refusal = Refusal {
    why: "this protocol is not HTTP",
    instead: "a server made for it",
};
pub(in crate::convert::uwsgi) static JAIL: Refusal = Refusal {
    why: "FreeBSD jails do not exist on Linux",
    instead: "the sandbox of hostler@.service",
};
pub(in crate::convert::uwsgi) static JVM: Refusal = Refusal {
    why: "the Java virtual machine is not served",
    instead: "a Java web server beside hostler, behind the same front server",
};
pub(in crate::convert::uwsgi) static LDAP: Refusal = Refusal {
    why: "settings do not come from a directory service",
    instead: "configuration management that writes the TOML file",
};
pub(in crate::convert::uwsgi) static LEGION: Refusal = Refusal {
    why: "hostler elects no leader among machines",
    instead: "keepalived, Pacemaker or etcd",
};
pub(in crate::convert::uwsgi) static LOG_ROUTES: Refusal = Refusal {
    why: "the log is not sorted by patterns",
    instead: "filters of journalctl, or of the log collector",
};
pub(in crate::convert::uwsgi) static LUA: Refusal = Refusal {
    why: "Lua is not served inside the workers",
    instead: "the script by `[[cgi]]`, or a Lua web server",
};
pub(in crate::convert::uwsgi) static MAP_SOCKET: Refusal = Refusal {
    why: "all workers of a site accept on all of its sockets",
    instead: "a second site for the other socket",
};
pub(in crate::convert::uwsgi) static METRICS: Refusal = Refusal {
    why: "metrics of uWSGI's own kinds are not kept",
    instead: "`[metrics] address`, and prometheus-client in the application",
};
pub(in crate::convert::uwsgi) static MODIFIER: Refusal = Refusal {
    why: "workers run Python, and CGI by `[[cgi]]`; the modifier chose something else",
    instead: "the server of that language behind the same front server",
};
pub(in crate::convert::uwsgi) static MONGREL: Refusal = Refusal {
    why: "Mongrel2 is not spoken with",
    instead: "nginx with `uwsgi_pass`",
};
pub(in crate::convert::uwsgi) static MONO: Refusal = Refusal {
    why: "Mono is not served",
    instead: "the .NET program as a service of its own",
};
pub(in crate::convert::uwsgi) static MOUNTS: Refusal = Refusal {
    why: "mounts are systemd's business",
    instead: "`BindPaths=`, `TemporaryFileSystem=` in `[service] directives`, or a .mount unit",
};
pub(in crate::convert::uwsgi) static MULES: Refusal = Refusal {
    why: "mules are not there",
    instead: "a process of its own (`[[daemon]]`) with a queue such as RQ, Celery or Dramatiq",
};
pub(in crate::convert::uwsgi) static NOTFOUND: Refusal = Refusal {
    why: "no plugin answers for all that is not found",
    instead: "`response.error-pages`",
};
pub(in crate::convert::uwsgi) static PASTE: Refusal = Refusal {
    why: "files of Paste are not loaded",
    instead: "a module of two lines: `from paste.deploy import loadapp` and `application = loadapp(\"config:/path/to/file.ini\")`",
};
pub(in crate::convert::uwsgi) static PATCH: Refusal = Refusal {
    why: "the program is not replaced while it starts",
    instead: "a unit of its own for the other program",
};
pub(in crate::convert::uwsgi) static PECAN: Refusal = Refusal {
    why: "Pecan's settings are not loaded",
    instead: "a module of two lines: `from pecan.deploy import deploy` and `application = deploy(\"/path/to/config.py\")`",
};
pub(in crate::convert::uwsgi) static PERL: Refusal = Refusal {
    why: "Perl is not served",
    instead: "Starman or another PSGI server beside hostler",
};
pub(in crate::convert::uwsgi) static PHP: Refusal = Refusal {
    why: "PHP is not served",
    instead: "PHP-FPM behind the same front server",
};
pub(in crate::convert::uwsgi) static POST_FORK: Refusal = Refusal {
    why: "actions of hooks are not run in workers",
    instead: "`app.post-fork` with a function of the application",
};
pub(in crate::convert::uwsgi) static PROFILER: Refusal = Refusal {
    why: "there is no profiler inside",
    instead: "py-spy, which attaches to a worker from outside",
};
pub(in crate::convert::uwsgi) static PTY: Refusal = Refusal {
    why: "terminals are not served",
    instead: "a shell by ssh, and `python -i` with the application imported",
};
pub(in crate::convert::uwsgi) static PUSH: Refusal = Refusal {
    why: "statistics are not pushed",
    instead: "`[metrics] address`, from which an agent can pass them on",
};
pub(in crate::convert::uwsgi) static PUWSGI: Refusal = Refusal {
    why: "the persistent form of the uwsgi protocol is not spoken",
    instead: "`protocol = \"http\"` with keep-alive",
};
pub(in crate::convert::uwsgi) static PYPY: Refusal = Refusal {
    why: "hostler runs CPython",
    instead: "a virtual environment of CPython in `app.virtualenv`",
};
pub(in crate::convert::uwsgi) static PYTHON_NAMES: Refusal = Refusal {
    why: "modules get no second names",
    instead: "a module of that name in `app.python-path` which imports the other",
};
pub(in crate::convert::uwsgi) static PYTHON_SCRIPT: Refusal = Refusal {
    why: "workers run a WSGI application, nothing else",
    instead: "the script as a `[[daemon]]`, or a service of its own",
};
pub(in crate::convert::uwsgi) static QUEUE: Refusal = Refusal {
    why: "the shared queue of uWSGI is not there",
    instead: "Redis or Valkey",
};
pub(in crate::convert::uwsgi) static RAW: Refusal = Refusal {
    why: "raw connections are not handed to the application",
    instead: "a service of its own with a socket unit (asyncio, socketserver)",
};
pub(in crate::convert::uwsgi) static RAWROUTER: Refusal = Refusal {
    why: "hostler is no router for other servers",
    instead: "HAProxy, or nginx with its stream module",
};
pub(in crate::convert::uwsgi) static RELOAD_FD: Refusal = Refusal {
    why: "descriptors do not ask for a reload",
    instead: "`reload.touch-reload`, or `systemctl reload hostler@SITE`",
};
pub(in crate::convert::uwsgi) static ROUTE: Refusal = Refusal {
    why: "this route is not one of those that `[[route]]` can express",
    instead: "the rule in the front server, or a WSGI middleware",
};
pub(in crate::convert::uwsgi) static RRDTOOL: Refusal = Refusal {
    why: "no RRD files are written",
    instead: "`[metrics] address` and a collector",
};
pub(in crate::convert::uwsgi) static RUBY: Refusal = Refusal {
    why: "Ruby is not served",
    instead: "Puma beside hostler, behind the same front server",
};
pub(in crate::convert::uwsgi) static SHAREDAREA: Refusal = Refusal {
    why: "shared areas of uWSGI are not there",
    instead: "multiprocessing.shared_memory, or Redis or Valkey",
};
pub(in crate::convert::uwsgi) static SIGNALS: Refusal = Refusal {
    why: "signals of uWSGI and what they start are not there",
    instead: "a `[[timer]]`, or a `[[daemon]]` with the loop in it",
};
pub(in crate::convert::uwsgi) static SNI_DIR: Refusal = Refusal {
    why: "certificates are not looked for in a directory when a client asks",
    instead: "`sni = [...]` of the listener, with a line for each name",
};
pub(in crate::convert::uwsgi) static SNI_PATTERN: Refusal = Refusal {
    why: "a certificate is chosen by name, not by pattern",
    instead: "`sni = [...]` with `*.example.com` as host",
};
pub(in crate::convert::uwsgi) static SNMP: Refusal = Refusal {
    why: "SNMP is not spoken",
    instead: "`[metrics] address`",
};
pub(in crate::convert::uwsgi) static SOCKET_TLS: Refusal = Refusal {
    why: "the uwsgi protocol is not spoken inside TLS",
    instead: "`protocol = \"https\"`, and `proxy_pass https://...` in nginx; or WireGuard between the machines",
};
pub(in crate::convert::uwsgi) static SPOOLER: Refusal = Refusal {
    why: "the spooler is not there",
    instead: "a task queue such as RQ, Celery, Dramatiq or django-tasks, its worker as a `[[daemon]]`",
};
pub(in crate::convert::uwsgi) static SSLROUTER: Refusal = Refusal {
    why: "hostler is no router for other servers",
    instead: "HAProxy, or nginx with its stream module",
};
pub(in crate::convert::uwsgi) static SUBSCRIBE: Refusal = Refusal {
    why: "sites do not announce themselves to a router",
    instead: "a fixed address in `[[listen]]`, which the front server knows; for moving ones the service discovery of Traefik or HAProxy",
};
pub(in crate::convert::uwsgi) static TLS_OLD: Refusal = Refusal {
    why: "protocols before TLS 1.2 are not spoken",
    instead: "newer clients",
};
pub(in crate::convert::uwsgi) static TORNADO: Refusal = Refusal {
    why: "asynchronous applications are not WSGI",
    instead: "an ASGI server for them, behind the same front server",
};
pub(in crate::convert::uwsgi) static TUNTAP: Refusal = Refusal {
    why: "networks are not made",
    instead: "systemd-networkd or WireGuard",
};
pub(in crate::convert::uwsgi) static UPLOAD_PROGRESS: Refusal = Refusal {
    why: "the progress of uploads is not written to files",
    instead: "the events of the browser's XMLHttpRequest or fetch",
};
pub(in crate::convert::uwsgi) static V8: Refusal = Refusal {
    why: "JavaScript is not served",
    instead: "Node.js as a service of its own, behind the same front server",
};
pub(in crate::convert::uwsgi) static VASSAL_HOOKS: Refusal = Refusal {
    why: "there is no emperor whose hooks could run",
    instead: "`ExecStartPre=`, `ExecStartPost=` and `ExecStopPost=` by `systemctl edit hostler@.service`",
};
pub(in crate::convert::uwsgi) static WEB3: Refusal = Refusal {
    why: "applications of this interface are not WSGI",
    instead: "the WSGI callable of the same application",
};
pub(in crate::convert::uwsgi) static WEBDAV: Refusal = Refusal {
    why: "WebDAV is not served",
    instead: "wsgidav as `app.module`, or the front server",
};
pub(in crate::convert::uwsgi) static WEBSOCKETS: Refusal = Refusal {
    why: "WebSockets are not spoken",
    instead: "an ASGI server for these addresses, behind the same front server",
};
pub(in crate::convert::uwsgi) static WHITELIST: Refusal = Refusal {
    why: "which keys a file may have is not limited",
    instead: "settings that only root writes; systemd's units limit what a site can do",
};
pub(in crate::convert::uwsgi) static WORKER_EXEC: Refusal = Refusal {
    why: "workers are not replaced by other programs",
    instead: "a service of its own on the same socket unit",
};
pub(in crate::convert::uwsgi) static XSLT: Refusal = Refusal {
    why: "XSLT is not applied",
    instead: "lxml in the application",
};
pub(in crate::convert::uwsgi) static ZERG: Refusal = Refusal {
    why: "workers of other instances do not join",
    instead: "`[workers.cheaper]`, or more `workers.processes`",
};
