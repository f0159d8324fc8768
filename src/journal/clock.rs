//! The time as lines have it. What the C library makes of a second is kept for as long as the second lasts, because busy
//! threads write some thousand lines in it.

use std::{
    cell::RefCell,
    ffi::{CStr, CString},
};

use rustix::time::{ClockId, clock_gettime};

use crate::sys::{local_time, utc_time};

use super::digits::padded;

/// The form of our own times, as far as they are those of a second (RFC 3339).
const OURS: &CStr = c"%Y-%m-%dT%H:%M:%S";
/// So many forms are kept for each thread: more than lines of a site have, but for odd texts with variables.
const KEPT: usize = 4;

thread_local! {
    static KNOWN: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
}

/// A second as text.
#[derive(Debug)]
struct Known {
    second: i64,
    /// `None`: [`OURS`], in UTC.
    form: Option<CString>,
    text: String,
}

/// Microseconds since 1970.
pub(super) fn now_us() -> i64 {
    let now = clock_gettime(ClockId::Realtime);
    now.tv_sec * 1_000_000 + now.tv_nsec / 1000
}

/// Now, as [`put`] writes it.
pub(super) fn moment(form: Option<&CStr>) -> String {
    let mut text = String::with_capacity(32);
    put(now_us(), form, &mut text);
    text
}

/// Writes a time, in microseconds since 1970: local time in a form of strftime(3), or our own, UTC to the millisecond (RFC
/// 3339).
pub(super) fn put(time_us: i64, form: Option<&CStr>, line: &mut String) {
    let second = time_us.div_euclid(1_000_000);
    // Nobody is inside but this function, which comes back to itself by no way; a thread that ends has nothing to keep.
    let kept = KNOWN.try_with(|known| keep(&mut known.borrow_mut(), second, form, line));
    if kept.is_err() {
        line.push_str(&text(second, form));
    }
    if form.is_none() {
        line.push('.');
        padded::<3>(time_us.rem_euclid(1_000_000) as u64 / 1000, line);
        line.push('Z');
    }
}

/// Writes a second from what is known, after it was found out.
fn keep(known: &mut Vec<Known>, second: i64, form: Option<&CStr>, line: &mut String) {
    let place = known.iter().position(|one| one.form.as_deref() == form);
    let place = place.unwrap_or_else(|| {
        if known.len() == KEPT {
            known.remove(0);
        }
        known.push(Known {
            second: second.wrapping_add(1),
            form: form.map(CStr::to_owned),
            text: String::new(),
        });
        known.len() - 1
    });
    let one = &mut known[place];
    if one.second != second {
        one.second = second;
        one.text = text(second, form);
    }
    line.push_str(&one.text);
}

fn text(second: i64, form: Option<&CStr>) -> String {
    match form {
        Some(form) => local_time(second, form),
        None => utc_time(second, OURS),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(time_us: i64, form: Option<&CStr>, expected: &str) {
        let mut line = String::from("> ");
        put(time_us, form, &mut line);
        assert_eq!(line, format!("> {expected}"));
    }

    #[test]
    fn our_own_time_has_milliseconds_and_a_zone() {
        check(1_000_000_000_123_999, None, "2001-09-09T01:46:40.123Z");
        check(1_000_000_000_004_000, None, "2001-09-09T01:46:40.004Z");
        check(1_000_000_001_000_000, None, "2001-09-09T01:46:41.000Z");
        check(-1, None, "1969-12-31T23:59:59.999Z");
    }

    #[test]
    fn every_form_and_every_second_has_its_own_text() {
        let forms = [c"%Y", c"%s", c"%s.", c"%s-", c"%s/", c"%s+"];
        for second in [1_000_000_000, 1_000_000_001, 1_000_000_000] {
            check(second * 1_000_000, Some(forms[0]), "2001");
            for form in &forms[1..] {
                let text = format!("{second}{}", &form.to_str().unwrap()[2..]);
                check(second * 1_000_000, Some(form), &text);
            }
        }
    }

    #[test]
    fn now_is_now() {
        let now = moment(None);
        assert_eq!(now.len(), "2000-01-01T00:00:00.000Z".len());
        assert!(now.starts_with("20"), "{now}");
    }
}
