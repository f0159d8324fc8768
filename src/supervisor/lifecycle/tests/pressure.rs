//! What happens when memory is short.

use super::*;
use crate::config::Cheaper as Settings;

fn adapting() -> Plan {
    Plan {
        cheaper: Settings {
            minimum: 1,
            initial: 3,
            overload: 1,
            ..Settings::default()
        },
        ..plan(4)
    }
}

fn facts(is_busy: bool) -> Facts {
    let running = Running {
        thread: 0,
        age: Duration::from_millis(10),
        limit: None,
        began_us: 0,
        name: String::new(),
        line: "GET /".into(),
        peer: "@".into(),
    };
    Facts {
        requests: 1,
        running: is_busy.then_some(running).into_iter().collect(),
        ..Facts::default()
    }
}

/// Three workers serve, who were busy or not at the last look.
fn site(busy: [bool; 3]) -> Site {
    let mut site = Site::serving_with(adapting());
    let looks = (1..).zip(busy.map(facts)).collect::<Vec<_>>();
    // Too early to count for their number.
    site.wait(Duration::from_millis(100));
    site.look(&looks);
    site
}

#[test]
fn idle_workers_go_one_at_a_time_down_to_the_minimum() {
    let mut site = site([false, false, true]);
    site.step(Event::MemoryPressure);
    assert_eq!(site.drained(), [2]);
    assert!(site.did(&Action::Report(Report::MemoryPressure { from: 3, to: 2 })));
    // The first one has not gone yet.
    site.step(Event::MemoryPressure);
    assert!(site.drained().is_empty());
    site.worker_exits(WorkerId(2), CLEAN);
    site.step(Event::MemoryPressure);
    assert_eq!(site.drained(), [1]);
    site.worker_exits(WorkerId(1), CLEAN);
    site.step(Event::MemoryPressure);
    assert!(site.drained().is_empty());
    assert!(site.asked().is_empty());
}

#[test]
fn nobody_goes_who_works() {
    let mut site = site([true, true, true]);
    site.step(Event::MemoryPressure);
    assert!(site.drained().is_empty());
}

#[test]
fn nobody_is_added_while_memory_is_short() {
    let mut site = site([true, true, true]);
    site.step(Event::MemoryPressure);
    let looks: Vec<_> = (1..=3).map(|id| (id, facts(true))).collect();
    site.next_look(&looks);
    site.next_look(&looks);
    assert!(site.asked().is_empty());
    site.wait(Duration::from_secs(10));
    site.look(&looks);
    assert_eq!(site.asked(), [WorkerId(4)]);
}

#[test]
fn a_number_that_does_not_adapt_stays() {
    let mut site = Site::serving(3);
    site.step(Event::MemoryPressure);
    assert!(site.drained().is_empty());
}
