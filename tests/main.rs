//! The one test binary: the real program, with real parts around it, over real sockets.
//!
//! What can be tested without a process is tested below the code it tests, not here. Where a new test belongs:
//!
//! - `chaos`: everything that can happen under load, and an account of every request.
//! - `cli`: arguments, exit codes, `check` and its messages.
//! - `compat`: the same requests to uWSGI and to hostler, answers and environs compared; the known differences.
//! - `control`: the control socket and the commands that use it.
//! - `convert`: the reader of uWSGI configurations beside uWSGI itself.
//! - `docs`: what the documents say of settings and messages is true.
//! - `examples`: the settings under `examples/` are accepted and serve.
//! - `frameworks`: Django, Flask, Bottle and httpbin, directly and behind nginx.
//! - `http`: HTTP/1.x on the wire: framing, limits, timeouts, keep-alive, and the corpus in `tests/wire/`.
//! - `journal`: what the journal gets, and what happens when it does not take it.
//! - `limits`: requests that take too long, memory and descriptors that run out.
//! - `outside`: without systemd: process 1, root that becomes somebody else, secrets, read-only root.
//! - `process`: the life of supervisor and workers: crash, reload, stop, signals, descriptors, start that fails.
//! - `pythons`: every interpreter that this machine has.
//! - `reload`: what a reload follows, and which files ask for one.
//! - `slow`: clients that send or read slowly.
//! - `systemd`: a booted systemd, and hostler installed in it.
//! - `tidy`: rules about the code itself.
//! - `uwsgi`: the uwsgi protocol on the wire.
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

mod chaos;
mod cli;
mod compat;
mod control;
mod convert;
mod docs;
mod examples;
mod frameworks;
mod http;
mod journal;
mod limits;
mod outside;
mod process;
mod pythons;
mod reload;
mod slow;
mod systemd;
mod tidy;
mod uwsgi;
mod wsgi;
