//! Configurations of other servers, converted by the real program; what comes out is checked, and run.

mod gunicorn;
mod gunicorn_moves;
