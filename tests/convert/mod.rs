//! Configurations of other servers, converted by the real program: what becomes of them, to the letter, and that it
//! serves as the old server did.
//!
//! Each case under `cases/` is an ini file with the settings and the account that it becomes. A first line `; flags:`
//! gives the flags. With `HOSTLER_WRITE_CASES=1` the expectations are written anew; read the difference before you commit.
//! `differential` compares the reader alone with uWSGI, over what `generate` makes.
//! `serve` and `tutorials` go on to what is answered.

mod cases;
mod command;
mod corpus;
mod differential;
mod generate;
mod gunicorn;
mod gunicorn_moves;
mod page;
mod serve;
mod shapes;
mod tutorials;
