//! The page of shared memory with one slot per worker.
