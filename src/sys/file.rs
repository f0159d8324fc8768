//! A descriptor that leads somewhere else from now on, and the time as people write it.

use std::{
    ffi::CStr,
    io, mem,
    os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd},
};

/// Longest text of a time, in bytes; strftime(3) gives none rather than a longer one.
const TIME: usize = 256;

/// `old` keeps its number, and is the same open file as `new` from now on, also for threads that use it meanwhile; it
/// is close-on-exec (dup3(2)).
pub fn replace_fd(old: &OwnedFd, new: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: `old` is open and stays so, and whoever owns it owns the open file that it leads to from now on.
    let result = unsafe { libc::dup3(new.as_raw_fd(), old.as_fd().as_raw_fd(), libc::O_CLOEXEC) };
    if result == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// A time in seconds since 1970, in the time zone of this machine and the notation of strftime(3); empty when that is too
/// long.
pub fn local_time(seconds: i64, format: &CStr) -> String {
    // SAFETY: localtime_r(3) reads the number and writes the parts, both of which are there. The zone that it may set is a
    // text that lives as long as the process.
    time(format, |parts| unsafe {
        !libc::localtime_r(&raw const seconds, parts).is_null()
    })
}

/// The same in UTC.
pub fn utc_time(seconds: i64, format: &CStr) -> String {
    // SAFETY: as above, by gmtime_r(3).
    time(format, |parts| unsafe {
        !libc::gmtime_r(&raw const seconds, parts).is_null()
    })
}

fn time(format: &CStr, split: impl FnOnce(*mut libc::tm) -> bool) -> String {
    let mut text = [0_u8; TIME];
    // SAFETY: a `tm` of zeros is valid.
    let mut parts: libc::tm = unsafe { mem::zeroed() };
    if !split(&raw mut parts) {
        return String::new();
    }
    // SAFETY: strftime(3) writes no more than it is told there is room for, and the parts are as `split` has left them.
    let length = unsafe {
        libc::strftime(
            text.as_mut_ptr().cast(),
            text.len(),
            format.as_ptr(),
            &raw const parts,
        )
    };
    String::from_utf8_lossy(text.get(..length).unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use std::{fs::File, io::Write};

    use super::*;

    #[test]
    fn a_descriptor_leads_elsewhere() {
        let directory = tempfile::tempdir().unwrap();
        let [one, two] = ["one", "two"].map(|name| directory.path().join(name));
        let mut old = File::create(&one).unwrap();
        let duplicate = old.try_clone().unwrap();
        let owned = OwnedFd::from(duplicate);
        replace_fd(&owned, File::create(&two).unwrap().as_fd()).unwrap();
        File::from(owned).write_all(b"b").unwrap();
        old.write_all(b"a").unwrap();
        assert_eq!(std::fs::read(one).unwrap(), b"a");
        assert_eq!(std::fs::read(two).unwrap(), b"b");
    }

    #[test]
    fn the_time_has_the_form_that_was_asked_for() {
        assert_eq!(local_time(1_000_000_000, c"%Y-%m|"), "2001-09|");
        let long = "x".repeat(TIME);
        assert_eq!(utc_time(1_000_000_000, c"%T"), "01:46:40");
        assert_eq!(local_time(0, &std::ffi::CString::new(long).unwrap()), "");
    }
}
