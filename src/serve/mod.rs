//! The life of a connection: read, route, call, write, keep alive, drain; the application is a trait.

pub mod reader;
