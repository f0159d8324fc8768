//! What a request and a worker may use, and what becomes of those that want more.
//!
//! `harakiri`: time; `memory`: address space; `descriptors`: open files.

mod descriptors;
mod harakiri;
mod memory;
