//! Every condition alone, and which goes first.

use super::*;

const TUESDAY: &[u8] = b"Tue, 15 Nov 1994 12:45:26 GMT";
const WEDNESDAY: &[u8] = b"Wed, 16 Nov 1994 12:45:26 GMT";
const MONDAY: &[u8] = b"Mon, 14 Nov 1994 12:45:26 GMT";
/// Tuesday.
const CHANGED: u64 = 784_903_526;

fn file(now: u64) -> Validators {
    Validators::new((CHANGED, 7), 255, "", now)
}

const STRONG: &[u8] = b"\"2ec8ad66.7-ff\"";
const WEAK: &[u8] = b"W/\"2ec8ad66.7-ff\"";
const SEND: Verdict = Verdict::Go { ranges: true };

#[track_caller]
fn check(change: impl FnOnce(&mut Conditions<'static>), expected: Verdict) {
    check_at(CHANGED + 1000, change, expected);
}

#[track_caller]
fn check_at(now: u64, change: impl FnOnce(&mut Conditions<'static>), expected: Verdict) {
    let mut conditions = Conditions::default();
    change(&mut conditions);
    assert_eq!(judge(&conditions, &file(now)), expected);
}

#[test]
fn tags_are_weak_while_the_file_may_change_unseen() {
    assert_eq!(file(CHANGED + 2).tag.as_bytes(), STRONG);
    assert_eq!(file(CHANGED + 1).tag.as_bytes(), WEAK);
    assert_eq!(file(0).tag.as_bytes(), WEAK);
}

#[test]
fn none_match() {
    check(|with| with.if_none_match = STRONG, Verdict::NotModified);
    check(|with| with.if_none_match = WEAK, Verdict::NotModified);
    check(|with| with.if_none_match = b"*", Verdict::NotModified);
    check(
        |with| with.if_none_match = b"\"a,b\" , W/\"2ec8ad66.7-ff\"",
        Verdict::NotModified,
    );
    check(|with| with.if_none_match = b"\"other\"", SEND);
    check(|with| with.if_none_match = b"\"never closed", SEND);
    check(|with| with.if_none_match = b"2ec8ad66.7-ff", SEND);
    check(|with| with.if_none_match = b"\xff", SEND);
}

#[test]
fn modified_since() {
    check(
        |with| with.if_modified_since = TUESDAY,
        Verdict::NotModified,
    );
    check(
        |with| with.if_modified_since = WEDNESDAY,
        Verdict::NotModified,
    );
    check(|with| with.if_modified_since = MONDAY, SEND);
    check(|with| with.if_modified_since = b"yesterday", SEND);
}

#[test]
fn a_tag_counts_more_than_a_date() {
    check(
        |with| (with.if_none_match, with.if_modified_since) = (b"\"other\"", TUESDAY),
        SEND,
    );
    check(
        |with| (with.if_match, with.if_unmodified_since) = (STRONG, MONDAY),
        SEND,
    );
}

#[test]
fn match_and_unmodified_since() {
    check(|with| with.if_match = STRONG, SEND);
    check(|with| with.if_match = b"*", SEND);
    check(|with| with.if_match = WEAK, Verdict::Failed);
    check(|with| with.if_match = b"\"other\"", Verdict::Failed);
    check_at(CHANGED, |with| with.if_match = WEAK, Verdict::Failed);
    check(|with| with.if_unmodified_since = TUESDAY, SEND);
    check(|with| with.if_unmodified_since = MONDAY, Verdict::Failed);
    check(|with| with.if_unmodified_since = b"never", SEND);
}

#[test]
fn what_fails_goes_before_what_is_known() {
    check(
        |with| (with.if_match, with.if_none_match) = (b"\"other\"", STRONG),
        Verdict::Failed,
    );
}

#[test]
fn ranges_are_of_the_file_as_it_was() {
    const ALL: Verdict = Verdict::Go { ranges: false };
    check(|with| with.if_range = STRONG, SEND);
    check(|with| with.if_range = TUESDAY, SEND);
    check(|with| with.if_range = WEAK, ALL);
    check(|with| with.if_range = b"\"other\"", ALL);
    check(|with| with.if_range = WEDNESDAY, ALL);
    check(|with| with.if_range = b"nonsense", ALL);
    check_at(CHANGED, |with| with.if_range = WEAK, ALL);
    check_at(CHANGED, |with| with.if_range = TUESDAY, ALL);
}
