//! Numbers for people, in few columns, and words of others that must not command a terminal.

/// A time in microseconds in at most five columns: the two largest units.
pub(crate) fn duration(microseconds: u64) -> String {
    let seconds = microseconds / 1_000_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3600, seconds / 86_400);
    match seconds {
        0 => format!("{}ms", microseconds / 1000),
        1..10 => format!("{:.1}s", (microseconds / 100_000) as f64 / 10.0),
        10..60 => format!("{seconds}s"),
        60..3600 => format!("{minutes}m{:02}", seconds % 60),
        3600..86_400 => format!("{hours}h{:02}", minutes % 60),
        _ if days < 100 => format!("{days}d{:02}", hours % 24),
        _ => format!("{days}d"),
    }
}

/// How long a request took, in microseconds, in at most five columns: two digits at least.
pub(crate) fn latency(microseconds: u64) -> String {
    match microseconds {
        0..1000 => format!("{microseconds}us"),
        1000..10_000 => format!("{:.1}ms", (microseconds / 100) as f64 / 10.0),
        _ => duration(microseconds),
    }
}

/// Bytes in at most six columns, to the base 1024.
pub(crate) fn size(bytes: u64) -> String {
    let units = [(1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];
    let unit = units.iter().find(|(unit, _)| bytes >= *unit);
    match unit {
        Some((unit, name)) if bytes < 1000 * unit => {
            format!("{:.1}{name}", bytes as f64 / *unit as f64)
        }
        Some((unit, name)) => format!("{}{name}", bytes / unit),
        None => format!("{bytes}B"),
    }
}

/// How many a second, in at most five columns.
pub(crate) fn rate(per_second: f64) -> String {
    match per_second {
        rate if rate < 99.95 => format!("{rate:.1}"),
        rate if rate < 9999.5 => format!("{rate:.0}"),
        rate if rate < 999_500.0 => format!("{:.0}k", rate / 1e3),
        rate => format!("{:.0}M", rate / 1e6),
    }
}

/// Nothing that moves the cursor, changes colours or turns the direction of what follows.
pub(crate) fn printable(text: &str) -> String {
    let commands = |character: char| {
        character.is_control()
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars()
        .map(|character| {
            if commands(character) {
                '\u{fffd}'
            } else {
                character
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_duration(microseconds: u64, expected: &str) {
        assert_eq!(duration(microseconds), expected);
        assert!(expected.len() <= 5);
    }

    #[test]
    fn durations_take_five_columns() {
        check_duration(0, "0ms");
        check_duration(999_999, "999ms");
        check_duration(9_940_000, "9.9s");
        check_duration(9_999_999, "9.9s");
        check_duration(59_999_999, "59s");
        check_duration(90_000_000, "1m30");
        check_duration(3_900_000_000, "1h05");
        check_duration(90 * 3_600_000_000, "3d18");
        check_duration(100 * 86_400_000_000, "100d");
    }

    #[track_caller]
    fn check_latency(microseconds: u64, expected: &str) {
        assert_eq!(latency(microseconds), expected);
        assert!(expected.len() <= 5);
    }

    #[test]
    fn latencies_take_five_columns() {
        check_latency(7, "7us");
        check_latency(999, "999us");
        check_latency(1000, "1.0ms");
        check_latency(9_999, "9.9ms");
        check_latency(10_000, "10ms");
        check_latency(2_500_000, "2.5s");
    }

    #[track_caller]
    fn check_size(bytes: u64, expected: &str) {
        assert_eq!(size(bytes), expected);
        assert!(expected.len() <= 6);
    }

    #[test]
    fn sizes_take_six_columns() {
        check_size(0, "0B");
        check_size(1023, "1023B");
        check_size(1024, "1.0K");
        check_size(999 << 10, "999.0K");
        check_size(1000 << 10, "1000K");
        check_size(3 << 29, "1.5G");
        check_size(2000 << 30, "2000G");
    }

    #[track_caller]
    fn check_rate(per_second: f64, expected: &str) {
        assert_eq!(rate(per_second), expected);
        assert!(expected.len() <= 5);
    }

    #[test]
    fn rates_take_five_columns() {
        check_rate(0.0, "0.0");
        check_rate(99.94, "99.9");
        check_rate(99.96, "100");
        check_rate(9999.0, "9999");
        check_rate(12_345.0, "12k");
        check_rate(999_600.0, "1M");
    }

    #[test]
    fn a_terminal_is_not_commanded() {
        assert_eq!(
            printable("a\u{1b}[2Jä\u{202e}\n"),
            "a\u{fffd}[2Jä\u{fffd}\u{fffd}"
        );
    }
}
