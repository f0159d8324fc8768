//! Tables without a terminal.

use crate::top::model::tests::top;

use super::*;

#[test]
fn a_table_reads_like_this() {
    let expected = "\
SITE        STATE     REQ/S 5XX/S   P50   P95   P99    BUSY QUEUE    PSS RESPAWN
blog        serving    20.0   0.0 1.7ms 1.9ms 2.0ms     1/2     0  40.0M       0
shop        serving    20.0   0.0 1.7ms 1.9ms 2.0ms     1/2     0  40.0M       0

workers of blog
WORKER GEN     PID STATE       AGE REQ/S   P50   P95   P99  BUSY    RSS    PSS
     0   1    4711 serving    1m00  10.0 1.7ms 2.0ms 2.0ms   0/1  50.0M  20.0M
     1   1    4712 serving    1m00  10.0 1.7ms 2.0ms 2.0ms   1/1  50.0M  20.0M

workers of shop
WORKER GEN     PID STATE       AGE REQ/S   P50   P95   P99  BUSY    RSS    PSS
     0   1    4711 serving    1m00  10.0 1.7ms 2.0ms 2.0ms   0/1  50.0M  20.0M
     1   1    4712 serving    1m00  10.0 1.7ms 2.0ms 2.0ms   1/1  50.0M  20.0M

running requests
  AGE SITE         WORKER THREAD PEER            REQUEST
 3.2s blog              1      0 10.0.0.1        GET /blog/slow
 3.2s shop              1      0 10.0.0.1        GET /shop/slow
";
    assert_eq!(as_table(&top().sites, 80), expected);
}

#[test]
fn where_there_is_no_end_nothing_is_left_out() {
    let text = as_table(&top().sites, u16::MAX);
    assert!(text.starts_with(
        "SITE        STATE     REQ/S 5XX/S   P50   P95   P99    BUSY QUEUE    PSS RESPAWN CAUSES\n"
    ));
    assert!(text.lines().all(|line| line.len() < 120), "{text}");
}

#[track_caller]
fn check_width(width: u16) {
    let text = as_table(&top().sites, width);
    let widest = text.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(width.into()), "{text}");
}

#[test]
fn lines_are_no_longer_than_they_may_be() {
    [30, 40, 60, 80, 100].into_iter().for_each(check_width);
}
