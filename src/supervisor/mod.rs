//! The life of zygote and workers.
