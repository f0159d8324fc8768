//! A netstring of SCGI: the same answer whole and byte by byte.
#![no_main]

use hostler::protocol::{Head, Parsed, scgi::parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let mut whole = Head::default();
    let answer = parse(data, 2048, 1024, &mut whole);
    if answer == Ok(Parsed::Complete) {
        hostler_fuzz::check_accepted(&whole, data);
    }
    let mut head = Head::default();
    let first = (0..=data.len())
        .map(|len| parse(&data[..len], 2048, 1024, &mut head))
        .find(|answer| *answer != Ok(Parsed::Incomplete));
    assert_eq!(first.unwrap_or(Ok(Parsed::Incomplete)), answer);
    if answer == Ok(Parsed::Complete) {
        assert_eq!(head, whole);
    }
});
