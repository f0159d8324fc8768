//! Why options are not needed any more; each sentence continues "not needed:".

pub(super) const ACCEPT: &str = "the kernel wakes one worker for each connection";
pub(super) const ALL_INTERPRETER: &str = "all applications of a site share one interpreter";
pub(super) const APPS: &str = "there is no table of applications that could be full";
pub(super) const BINARY: &str = "the units name the program";
pub(super) const CATCH: &str = "the log has every traceback; visitors get a plain 500";
pub(super) const CGI_CHILD: &str = "a program has its standard input closed at its end, is killed when nobody waits for it, and sees no environment but its own";
pub(super) const CHECK: &str = "`hostler check` reads a settings file without serving it";
pub(super) const CHUNKED: &str =
    "chunked bodies are part of HTTP/1.1; applications read them from `wsgi.input` like any other";
pub(super) const CLIENT_GONE: &str =
    "a client that leaves early is no error, and nothing is logged about it";
pub(super) const CLOSE_ON_EXEC: &str = "descriptors are never inherited by other programs";
pub(super) const COMMAND: &str =
    "it asked uWSGI to print something or to build something, and to end";
pub(super) const CONTROL: &str =
    "it spoke to another uWSGI that ran; `hostler reload`, `hostler stop` and `hostler status` do";
pub(super) const CONVERTED: &str = "the conversion has followed it";
pub(super) const CRON_LIMIT: &str = "it is the `timeout` of each `[[timer]]`";
pub(super) const DIRECT: &str = "workers speak HTTP themselves; there is no router process";
pub(super) const EMPEROR: &str =
    "there is no emperor; systemd starts and watches each site as an instance of hostler@.service";
pub(super) const ENVIRON: &str = "each request has an environ of its own";
pub(super) const EXPECT: &str = "`Expect: 100-continue` is answered when the application reads";
pub(super) const FORK_HOOKS: &str = "Python's fork hooks always run";
pub(super) const FORK_SPEED: &str =
    "workers that die at once are started again with a growing delay";
pub(super) const GATEWAYS: &str = "there are no processes beside supervisor and workers";
pub(super) const GREEN: &str = "it belongs to `workers.loop`";
pub(super) const PATCHED: &str =
    "the standard library is patched before the application is imported, always";
pub(super) const HARAKIRI: &str =
    "a request past its deadline always has the stacks of its worker's threads in the log";
pub(super) const HEARTBEAT: &str = "systemd's watchdog watches every site";
pub(super) const INITGROUPS: &str = "systemd gives a service the groups of its user";
pub(super) const KILL: &str = "systemd ends every process of a site that stops";
pub(super) const LOCKS: &str = "uWSGI's locks, queues and buffers between processes are not made";
pub(super) const LOG_MASTER: &str = "the log needs no process that collects it";
pub(super) const LOG_NAMES: &str =
    "log files that were put aside are numbered, and `log.backups` of them are kept";
pub(super) const LOG_OWNER: &str = "log files belong to whoever runs the supervisor: under systemd the user of the site, else root if root starts it";
pub(super) const LOG_REOPEN: &str = "`hostler log reopen`, SIGUSR1 or `reload.touch-logreopen` open log files anew, a reload does not have to";
pub(super) const LOG_TIMES: &str =
    "each form of `log.access-format` says itself which times it has";
pub(super) const MASTER: &str = "the supervisor always runs";
pub(super) const MEMORY_LOOK: &str =
    "memory is looked at four times a second where a limit asks for it";
pub(super) const METRICS_ON: &str = "`[metrics] address` is what turns metrics on";
pub(super) const MULE_TUNING: &str = "it tuned mules, which are processes of their own now";
pub(super) const MOUNTED: &str = "a request that no application fits is answered 404";
pub(super) const NODELAY: &str = "it is always on";
pub(super) const OFFLOAD: &str = "files are sent without a Python thread anyway";
pub(super) const OLD: &str =
    "uWSGI has not known it since version 1.9; a `[[mount]]` is an application at a path";
pub(super) const ONE_INSTANCE: &str = "systemd never starts a service twice";
pub(super) const PASTE_LOGGER: &str = "logging is set up by the module that loads the application";
pub(super) const PATHS: &str =
    "files are looked up safely, and quickly enough without a cache of paths";
pub(super) const PIDFILE: &str =
    "systemd knows the main process; `systemctl reload hostler@SITE` replaces signals by pid file";
pub(super) const PLUGIN_FILES: &str = "there are no plugins to load";
pub(super) const PRIVILEGES: &str =
    "systemd opens the sockets as root and starts the site as its user; nothing is given up later";
pub(super) const PROCNAME: &str = "`hostler status` tells which process is which";
pub(super) const RANGE: &str = "ranges are always honoured";
pub(super) const REAPER: &str = "every process is waited for";
pub(super) const REGEX: &str = "regular expressions are always compiled";
pub(super) const RELOAD: &str = "a reload brings new workers beside the old ones and keeps the process; systemd sees the outcome";
pub(super) const SENDFILE: &str = "it hid a defect of sendfile on other systems";
pub(super) const SKIP_ATEXIT: &str =
    "workers always run their exit handlers, within the time of a stop";
pub(super) const SOCKET_ACTIVATION: &str =
    "with systemd's socket the first connection starts the site";
pub(super) const SPEECH: &str = "it only printed a message";
pub(super) const START_TIME: &str =
    "`timeouts.start` and systemd's own limits end a start that takes too long";
pub(super) const STDIN: &str = "a service has no standard input";
pub(super) const STRICT: &str = "a key that is not known is always an error";
pub(super) const TERM: &str = "SIGTERM always stops the site, and SIGHUP always reloads it";
pub(super) const THREADS: &str = "Python threads always run";
pub(super) const TLS_SESSIONS: &str = "TLS sessions are resumed across all workers by tickets";
pub(super) const TLS_TUNING: &str = "the TLS library decides it";
pub(super) const TOUCH: &str = "files are watched by the kernel; nothing is polled";
pub(super) const TRUNCATE: &str = "journald and log rotation keep the log short";
pub(super) const TUNING: &str =
    "it tuned something inside uWSGI that has no counterpart and needs none";
pub(super) const UNENV: &str = "systemd gives a service the variables alone that are named";
pub(super) const VACUUM: &str = "systemd owns the sockets, and there are no other files to remove";
pub(super) const WARNING: &str = "it was about a warning that does not exist here";
pub(super) const WSGI_STRICT: &str = "PEP 3333 is followed to the letter, and buffers are accepted";
