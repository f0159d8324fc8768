//! The one test binary: the real program, with real parts around it, over real sockets.
//!
//! What can be tested without a process is tested below the code it tests, not here. Where a new test belongs:
//!
//! - `book`: the documentation as a book: its summary, its links.
//! - `cgi`: programs that answer requests.
//! - `access`: the access log, and its lines beside those of uWSGI and gunicorn.
//! - `chaos`: everything that can happen under load, and an account of every request.
//! - `cli`: arguments, exit codes, `check` and its messages.
//! - `compare`: two servers asked the same, and what is told of it.
//! - `compat`: the same requests to uWSGI and to hostler, answers and environs compared; the known differences.
//! - `compression`: answers of the application, compressed on their way.
//! - `container`: the image for containers.
//! - `control`: the control socket and the commands that use it.
//! - `convert`: configurations of other servers, converted, checked and run.
//! - `docs`: what the documents say of settings and messages is true.
//! - `examples`: the settings under `examples/` are accepted and serve.
//! - `fastcgi`: FastCGI on the wire, and what is broken of it.
//! - `frameworks`: Django, Flask, Bottle and httpbin, directly and behind nginx.
//! - `fronts`: the same requests over every protocol, directly and behind nginx, Apache and lighttpd.
//! - `gevent`: requests as greenlets, with gevent from PyPI.
//! - `http`: HTTP/1.x on the wire: framing, limits, timeouts, keep-alive, and the corpus in `tests/wire/`.
//! - `journal`: what the journal gets, and what happens when it does not take it.
//! - `limits`: requests that take too long, memory and descriptors that run out.
//! - `log_files`, `log_sockets`: logs that go to files, and out as datagrams.
//! - `man`: the manual pages.
//! - `metrics`: what is served at the address of `[metrics]`, and the status page in a real browser.
//! - `mounts`: many applications in the same workers.
//! - `outside`: without systemd: process 1, root that becomes somebody else, secrets, read-only root.
//! - `package`: what is in the packages, and what linters say of it.
//! - `process`: the life of supervisor and workers: crash, reload, stop, signals, descriptors, start that fails.
//! - `pythons`: every interpreter that this machine has.
//! - `reload`: what a reload follows, and which files ask for one.
//! - `scale`: a site with nothing to do, and one with very many workers.
//! - `scgi`: SCGI on the wire.
//! - `slow`: clients that send or read slowly.
//! - `static_files`: files, redirections and refusals, also while all of Python is busy.
//! - `stats`: what is given out at the address of `[stats]`, to whom, and how it compares with uWSGI.
//! - `status`: what `hostler status` tells of the past, and the stacks of workers.
//! - `systemd`: a booted systemd, and hostler installed in it.
//! - `tls`: HTTPS with the clients that people have: names, client certificates, sessions, certificates that change.
//! - `top`: what `hostler top` shows of sites, in a terminal and without one.
//! - `tidy`: rules about the code itself.
//! - `upgrade`: another hostler takes over from the one that runs.
//! - `uwsgi`: the uwsgi protocol on the wire.
//! - `webdav`: a WebDAV server as the application, and a client that tries everything.
//! - `wheel`: what `pip install` brings, in an environment of its own.
//! - `wsgi`: PEP 3333, one application under `tests/apps/` per behaviour.
//!
//! `support` is what they share. The extension has to be built and the virtual environments have to exist: `make test`
//! sees to both.

#![expect(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "a test that panics is a test that fails, and its helpers are no different"
)]

mod support;

mod access;
mod book;
mod cgi;
mod chaos;
mod cli;
mod compare;
mod compat;
mod compression;
mod container;
mod control;
mod convert;
mod docs;
mod examples;
mod fastcgi;
mod frameworks;
mod fronts;
mod gevent;
mod http;
mod journal;
mod limits;
mod log_files;
mod log_sockets;
mod man;
mod metrics;
mod mounts;
mod outside;
mod package;
mod process;
mod pythons;
mod reload;
mod scale;
mod scgi;
mod slow;
mod static_files;
mod stats;
mod status;
mod systemd;
mod tidy;
mod tls;
mod top;
mod upgrade;
mod uwsgi;
mod webdav;
mod wheel;
mod wsgi;
