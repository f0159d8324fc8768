//! WSGI (PEP 3333): one request from the engine to the application and back.
//!
//! The hot path speaks the C API directly where a safe wrapper would cost an allocation or a check per call; the rest
//! is pyo3. Read `call` (one request) first, then `environ`, `callables`, `response`, `body`, `sending`.

mod body;
mod call;
mod callables;
mod deadline;
mod dynamic;
mod environ;
mod exchange_link;
pub(crate) mod file_wrapper;
mod header_names;
mod headers;
pub(crate) mod input;
mod names;
mod response;
mod sending;
mod shape;
mod text;

pub(crate) use call::{Autoreload, Hand, OnException, Wsgi, WsgiThread};
pub(crate) use dynamic::DynamicApplications;
pub(crate) use exchange_link::{Link, StreamedBody};
pub(crate) use sending::Lock;
