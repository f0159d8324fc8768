//! PEP 3333 to the letter: one application under `tests/apps/` per behaviour, asked over HTTP.
//!
//! `environ`: what the application is given; `input`: wsgi.input; `start_response`: status, headers, write and
//! exc_info; `body`: iterables of every shape and their framing; `failure`: exceptions, close, clients that leave; `edge`:
//! what the specification does not foresee.
//! `leaks`: what must not stay behind; `pieces`: bodies that are made while they are sent.

mod body;
mod edge;
mod environ;
mod failure;
mod input;
mod leaks;
mod pieces;
mod start_response;
