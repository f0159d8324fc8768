//! uWSGI's configuration: `read` collects options as uWSGI does, `translate` finds what each has become.

mod reading;
