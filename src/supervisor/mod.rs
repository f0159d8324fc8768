//! The life of zygote and workers.
mod lifecycle;
