//! The reader of uWSGI's configurations beside uWSGI itself: generated files without side effects come to the same list
//! of options in both.

mod differential;
mod generate;
