//! Reads arbitrary bytes as a configuration of uWSGI in every format, as a command line and as a unit: nothing panics, and
//! the time is linear (libFuzzer's `-timeout` says so; `-max_len=100000` makes a square visible).

#![no_main]

use hostler::convert_outside::read_bytes;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    read_bytes(bytes);
});
