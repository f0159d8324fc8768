//! That every time falls into its step, and what can be read off the steps.

use super::*;

fn of(times: impl IntoIterator<Item = u64>) -> Histogram {
    times.into_iter().collect()
}

#[test]
fn the_steps_rise_and_none_is_wider_than_a_third() {
    for pair in BOUNDS.windows(2) {
        assert!(pair[0] < pair[1], "{pair:?}");
        assert!(
            pair[0] < 8 || (pair[1] - pair[0]) * 3 <= pair[0],
            "{pair:?}"
        );
    }
    assert_eq!(BOUNDS.last(), Some(&1_000_000_000));
}

#[test]
fn one_two_and_five_are_bounds() {
    let wanted = (0..9).flat_map(|power| [1, 2, 5].map(|digit| digit * 10_u64.pow(power)));
    assert!(wanted.into_iter().all(|bound| BOUNDS.contains(&bound)));
}

#[test]
fn a_time_is_counted_between_its_bounds() {
    let near = BOUNDS
        .iter()
        .flat_map(|&bound| [bound - 1, bound, bound + 1]);
    let powers = (0..64).flat_map(|bits| [(1_u64 << bits) - 1, 1 << bits]);
    for time_us in near.chain(powers).chain([0, u64::MAX]) {
        let expected = BOUNDS.iter().position(|&bound| time_us <= bound);
        assert_eq!(step(time_us), expected.unwrap_or(STEPS - 1), "{time_us}");
    }
}

#[test]
fn what_was_recorded_is_read() {
    let scoreboard = crate::scoreboard::Scoreboard::create(1, 1).unwrap();
    let slot = &scoreboard.thread(0, 0).done().latency;
    for time_us in [1, 7, 1_000_000, u64::MAX / 2] {
        slot.record(time_us);
    }
    assert_eq!(slot.read(), of([1, 7, 1_000_000, u64::MAX / 2]));
    slot.clear();
    assert_eq!(slot.read(), Histogram::default());
}

#[track_caller]
fn check(times: impl IntoIterator<Item = u64>, share: u32, expected: u64) {
    assert_eq!(of(times).per_mille(share), Some(expected));
}

#[test]
fn percentiles_lie_within_their_step() {
    check([1000], 500, 1000);
    check([1, 1, 1, 50_000], 500, 1);
    check([1, 1, 1, 50_000], 990, 50_000);
    check([3; 100], 1000, 3);
    // Evenly spread over 80 to 100 µs.
    check([90; 4], 500, 90);
    check(1..=1000, 500, 500);
    check(1..=1000, 950, 950);
    check([u64::MAX], 500, 1_000_000_000);
    check([0], 0, 1);
    assert_eq!(of([]).per_mille(500), None);
}

#[test]
fn percentiles_are_never_further_off_than_their_step() {
    let times: Vec<u64> = (0..5000_u64).map(|n| (n * n * 7919) % 2_000_000).collect();
    let mut sorted = times.clone();
    sorted.sort_unstable();
    let histogram = of(times);
    for share in [10, 500, 900, 950, 990, 999, 1000] {
        let exact = sorted[(5000 * share as usize).div_ceil(1000) - 1];
        let (lower, upper) = span(step(exact));
        let told = histogram.per_mille(share).unwrap();
        assert!((lower..=upper).contains(&told), "{share}: {exact}, {told}");
    }
}

#[test]
fn counts_add_up_and_are_taken_apart_again() {
    let (first, second) = (of([5, 70, 800]), of([70, 9000]));
    let mut both = first.clone();
    both += &second;
    assert_eq!(both, of([5, 70, 800, 70, 9000]));
    assert_eq!(both.since(&first), second);
    assert_eq!(both.since(&both).count(), 0);
    // A worker was replaced, and nobody kept what it had counted.
    assert_eq!(second.since(&first), second);
}

#[test]
fn cumulative_counts_end_before_what_is_too_long() {
    let histogram = of([1, 2, 1_000_000_000, 1_000_000_001]);
    let sums: Vec<(u64, u64)> = histogram.cumulative().collect();
    assert_eq!(sums[..3], [(1, 1), (2, 2), (3, 2)]);
    assert_eq!(sums.last(), Some(&(1_000_000_000, 3)));
    assert_eq!((histogram.count(), histogram.sum_us()), (4, 2_000_000_004));
}

#[test]
fn it_travels_as_text() {
    let histogram = of([5, 70, 70, u64::MAX / 4]);
    let text = serde_json::to_string(&histogram).unwrap();
    assert_eq!(serde_json::from_str::<Histogram>(&text).unwrap(), histogram);
    let strange = r#"{"sum_us":7,"steps":[[5000,1]]}"#;
    let strange: Histogram = serde_json::from_str(strange).unwrap();
    assert_eq!(strange.count(), 1);
}
