//! A mark in the environment of a site's service, by which it can be seen later whether the units say something else than
//! when it was started: most of what they say counts only from a start on, and systemd does not remember what it was.

use super::shipped;

/// The variable; the application does not get it.
pub(crate) const MARK: &str = "HOSTLER_UNITS";

/// What counts without a start, or only at the next one anyway, does not change the mark.
const HARMLESS: [&str; 3] = ["ExecStart", "ExecStop", "Timeout"];

/// Of FNV-1a with 64 bits: it has to tell changes apart, and nobody gains by a collision.
const BASIS: u64 = 0xcbf2_9ce4_8422_2325;
const PRIME: u64 = 0x0000_0100_0000_01b3;

/// Of all that concerns the service: the shipped unit, and the text of a drop-in for it.
pub(super) fn mark(drop_in: &str) -> String {
    let own = drop_in.lines().skip_while(|line| *line != "[Service]");
    let own = own.filter(|line| !HARMLESS.iter().any(|key| line.starts_with(key)));
    let mut lines: Vec<&str> = shipped::service().collect();
    lines.extend(own);
    let bytes = lines.iter().flat_map(|line| line.bytes().chain([b'\n']));
    let mark = bytes.fold(BASIS, |mark, byte| {
        (mark ^ u64::from(byte)).wrapping_mul(PRIME)
    });
    format!("{mark:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(one: &str, other: &str, is_same: bool) {
        assert_eq!(mark(one) == mark(other), is_same);
    }

    #[test]
    fn only_what_counts_from_a_start_on_changes_it() {
        check("[Service]\nUser=a\n", "[Service]\nUser=a\n", true);
        check("[Service]\nUser=a\n", "[Service]\nUser=b\n", false);
        check("[Service]\nUser=a\n", "", false);
        check("[Unit]\nWants=a\n[Service]\n", "[Service]\n", true);
        check("[Service]\nExecStartPre=a\n", "[Service]\n", true);
        check("[Service]\nTimeoutStopSec=9s\n", "[Service]\n", true);
    }
}
