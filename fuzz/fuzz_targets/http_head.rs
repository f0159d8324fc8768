//! The head of an HTTP request: the same answer whole and byte by byte.
#![no_main]

use hostler::protocol::{
    Head, Parsed,
    http::head::{Limits, parse},
};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let limits = Limits {
        head: 2048,
        body: 1024,
    };
    let mut whole = Head::default();
    let answer = parse(data, &mut 0, &limits, &mut whole);
    if answer == Ok(Parsed::Complete) {
        hostler_fuzz::check_accepted(&whole, data);
    }
    let (mut scanned, mut head) = (0, Head::default());
    let first = (0..=data.len())
        .map(|len| parse(&data[..len], &mut scanned, &limits, &mut head))
        .find(|answer| *answer != Ok(Parsed::Incomplete));
    assert_eq!(first.unwrap_or(Ok(Parsed::Incomplete)), answer);
    if answer == Ok(Parsed::Complete) {
        assert_eq!(head, whole);
    }
});
