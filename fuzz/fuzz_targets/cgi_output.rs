//! What a CGI program says: the same answer whole and byte by byte, and no line that its client could read as two.
#![no_main]

use hostler::cgi_output::{Head, Output, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let whole = parse(data);
    if let Ok(Some((output, at))) = &whole {
        assert!(*at <= data.len());
        if let Output::Answer(Head { status, lines, .. }) = output {
            assert!(!status.contains(&b'\n') && !status.contains(&b'\r'));
            let mut lines = lines.split_inclusive(|&byte| byte == b'\n');
            assert!(lines.all(|line| line.ends_with(b"\r\n") && line.contains(&b':')));
        }
    }
    let first = (0..=data.len())
        .map(|len| parse(&data[..len]))
        .find(|answer| *answer != Ok(None));
    assert_eq!(first.unwrap_or(Ok(None)), whole);
});
