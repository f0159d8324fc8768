//! What a request and a worker may use, and what becomes of those that want more.
//!
//! `harakiri`: time; `memory`: address space; `descriptors`: open files; `recycle`: workers that
//! are replaced before anything goes wrong, and how many there are; `slow`: requests that nobody ends.

mod descriptors;
mod harakiri;
mod memory;
mod recycle;
mod slow;
