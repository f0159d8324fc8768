//! A header of the PROXY protocol: the same answer whole and byte by byte.
#![no_main]

use hostler::protocol::proxy::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let whole = parse(data);
    if let Ok(Some(proxied)) = whole {
        assert!(proxied.len <= data.len());
    }
    let first = (0..=data.len())
        .map(|len| parse(&data[..len]))
        .find(|answer| *answer != Ok(None));
    assert_eq!(first.unwrap_or(Ok(None)), whole);
});
