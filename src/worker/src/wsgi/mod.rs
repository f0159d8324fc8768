//! WSGI.
pub(crate) mod file_wrapper;
pub(crate) mod input;
