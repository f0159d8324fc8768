//! What a client says about a file that it has, or wants a part of: no part of the answer is outside of the file, and
//! together they are no more than it.
//!
//! The first two bytes of the input are the size of the file, its lines the headers.
#![no_main]

use hostler::static_files_outside::answer;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((size, data)) = data.split_first_chunk::<2>() else {
        return;
    };
    let size = u64::from(u16::from_le_bytes(*size));
    let mut lines = data.split(|&byte| byte == b'\n');
    let headers = std::array::from_fn(|_| lines.next().unwrap_or_default());
    let (status, lines, length, parts) = answer(headers, size);
    assert!([200, 206, 304, 412, 416].contains(&status));
    let mut lines = lines.split_inclusive(|&byte| byte == b'\n');
    assert!(lines.all(|line| line.ends_with(b"\r\n") && line.contains(&b':')));
    for (offset, part) in &parts {
        assert!(*part > 0 || size == 0);
        assert!(offset.checked_add(*part).is_some_and(|end| end <= size));
    }
    let of_file: u64 = parts.iter().map(|(_, part)| part).sum();
    assert!(of_file <= size && of_file <= length);
    match status {
        200 => assert_eq!((of_file, length), (size, size)),
        206 => assert!(!parts.is_empty()),
        _ => assert!(parts.is_empty()),
    }
});
