//! Keys, and what they change.

use crate::{
    supervisor::control::{RunningStatus, Status, WorkerStatus},
    top::{source::Trouble, window::WorkerKey},
};

use super::*;

/// A status of a site with two workers, the second of which works on a request.
pub(in crate::top) fn status(name: &str, second: u64) -> Status {
    let worker = |number: u32, running: Vec<RunningStatus>| WorkerStatus {
        worker: number,
        generation: 1,
        pid: 4711 + number.cast_signed(),
        state: "serving".to_owned(),
        age_us: 60_000_000,
        requests: 100 + 10 * second,
        latency: vec![2_000; (10 * second) as usize].into_iter().collect(),
        rss: Some(50 << 20),
        pss: Some(20 << 20),
        running,
        ..WorkerStatus::default()
    };
    let slow = RunningStatus {
        thread: 0,
        request: format!("GET /{name}/slow"),
        peer: "10.0.0.1".to_owned(),
        age_us: 3_200_000,
    };
    Status {
        site: name.to_owned(),
        pid: 1,
        now_us: second * 1_000_000,
        uptime_us: second * 1_000_000,
        state: "serving with 2 of 2 workers, generation 1".to_owned(),
        threads: 1,
        workers: vec![worker(0, Vec::new()), worker(1, vec![slow])],
        ..Status::default()
    }
}

pub(in crate::top) fn place(name: &str) -> PathBuf {
    PathBuf::from(format!("/run/hostler/{name}/control.sock"))
}

pub(in crate::top) fn reading(name: &str, second: u64) -> Reading {
    Reading {
        place: place(name),
        outcome: Ok(Box::new(status(name, second))),
    }
}

/// Two sites, each read twice.
pub(in crate::top) fn top() -> Top {
    let mut top = Top::new(Sites::default(), None, Duration::from_secs(1));
    for second in [1, 2] {
        top.take(reading("blog", second));
        top.take(reading("shop", second));
    }
    top
}

/// What is wished for after the last of these keys: letters, and names in angle brackets.
pub(in crate::top) fn press(top: &mut Top, keys: &str) -> Option<Wish> {
    let mut wish = None;
    let mut rest = keys;
    while let Some(first) = rest.chars().next() {
        let name = rest.strip_prefix('<').and_then(|rest| rest.split_once('>'));
        let (press, left) = match name {
            Some((name, left)) => (named(name), left),
            None => (Press::Character(first), &rest[first.len_utf8()..]),
        };
        wish = top.press(press);
        rest = left;
    }
    wish
}

fn named(name: &str) -> Press {
    match name {
        "back" => Press::Backspace,
        "down" => Press::Down,
        "enter" => Press::Enter,
        "esc" => Press::Escape,
        "interrupt" => Press::Interrupt,
        "tab" => Press::Tab,
        "pgdn" => Press::PageDown,
        other => panic!("{other}"),
    }
}

fn names(table: &Table<Key>) -> Vec<&str> {
    table
        .rows
        .iter()
        .map(|row| row.cells[0].text.as_str())
        .collect()
}

#[test]
fn sites_are_opened_and_closed() {
    let mut top = top();
    assert_eq!(names(&top.upper()), ["blog", "shop"]);
    press(&mut top, "<down><enter>");
    assert_eq!(top.site, Some(place("shop")));
    assert_eq!(names(&top.upper()), ["0", "1"]);
    assert_eq!(top.running().rows.len(), 1);
    press(&mut top, "<esc>");
    assert_eq!((top.site.as_ref(), top.running().rows.len()), (None, 2));
    assert_eq!(press(&mut top, "q"), Some(Wish::Quit));
}

#[test]
fn a_site_that_is_alone_is_not_left() {
    let mut top = Top::new(
        Sites::default(),
        Some(place("shop")),
        Duration::from_secs(1),
    );
    top.take(reading("shop", 1));
    press(&mut top, "<esc><back>");
    assert_eq!(top.site, Some(place("shop")));
}

#[test]
fn the_cursor_stays_with_its_row() {
    let mut top = top();
    press(&mut top, "<down>");
    top.take(reading("aardvark", 1));
    let table = top.upper();
    assert_eq!(
        table.rows[top.view().position(&table)].key,
        Key::Site(place("shop"))
    );
    press(&mut top, "<pgdn>k");
    let table = top.upper();
    assert_eq!(top.view().position(&table), 1);
}

#[test]
fn a_filter_shows_what_has_to_do_with_a_text() {
    let mut top = top();
    press(&mut top, "/SHOP/SLq<back><enter>");
    assert_eq!(names(&top.upper()), ["shop"]);
    assert_eq!(top.running().rows.len(), 1);
    press(&mut top, "<enter>");
    assert_eq!(names(&top.upper()), ["1"]);
    press(&mut top, "<esc>");
    assert_eq!(
        (names(&top.upper()), top.filter.as_str()),
        (vec!["0", "1"], "")
    );
    assert_eq!(press(&mut top, "/q<interrupt>"), Some(Wish::Quit));
}

#[test]
fn rows_are_sorted_by_any_column() {
    let mut top = top();
    press(&mut top, "r");
    assert_eq!(names(&top.upper()), ["shop", "blog"]);
    let columns = top.upper().columns.len();
    press(&mut top, &"s".repeat(columns));
    assert_eq!((top.view().sort, top.view().reversed), (0, false));
    press(&mut top, "<tab>s");
    assert_eq!((top.running_view.sort, top.sites_view.sort), (1, 0));
}

fn stack_of(top: &Top) -> &Stack {
    match &top.pane {
        Some(Pane::Stack(stack)) => stack,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_stacks_of_a_worker_are_asked_for_and_shown() {
    let mut top = top();
    assert_eq!(press(&mut top, "d"), None);
    assert!(top.remark.contains("choose a worker"));
    let worker = WorkerKey {
        generation: 1,
        worker: 1,
        pid: 4712,
    };
    let of = Key::Worker(place("shop"), worker);
    let wish = Wish::Stack {
        of: of.clone(),
        place: place("shop"),
        worker,
    };
    assert_eq!(press(&mut top, "<down><enter><down>d"), Some(wish.clone()));
    assert_eq!(stack_of(&top).lines, None);
    top.take_stack(&Key::Site(place("shop")), Ok("of another".to_owned()));
    assert_eq!(stack_of(&top).lines, None);
    top.take_stack(&of, Ok("Thread 1:\n  \u{1b}File\n  more".to_owned()));
    let lines = stack_of(&top).lines.clone().unwrap();
    assert_eq!(lines, ["Thread 1:", "  \u{fffd}File", "  more"]);
    press(&mut top, "jjjj");
    assert_eq!(stack_of(&top).scroll, 2);
    assert_eq!(press(&mut top, "d"), Some(wish));
    top.take_stack(&of, Err("the worker is stopped".to_owned()));
    assert_eq!(
        stack_of(&top).lines.as_ref().unwrap()[0],
        "the worker is stopped"
    );
    press(&mut top, "<esc>");
    assert_eq!(top.pane, None);
}

/// Whose stacks are wanted may be said by a request that it works on.
#[test]
fn a_request_leads_to_its_worker() {
    let mut top = top();
    let wish = press(&mut top, "<tab><down>d");
    let Some(Wish::Stack {
        place: of, worker, ..
    }) = wish
    else {
        panic!("{wish:?}")
    };
    assert_eq!((of, worker.worker), (place("shop"), 1));
}

#[test]
fn what_is_held_does_not_change() {
    let mut top = top();
    press(&mut top, " ");
    top.take(reading("news", 1));
    assert_eq!(top.upper().rows.len(), 2);
    press(&mut top, "p");
    top.take(reading("news", 1));
    assert_eq!(top.upper().rows.len(), 3);
}

#[test]
fn a_site_that_goes_and_comes_back_keeps_its_row() {
    let mut top = top();
    let gone = |name: &str| Reading {
        place: place(name),
        outcome: Err(Trouble::Gone),
    };
    top.take(gone("shop"));
    let row = top.upper().rows.remove(1);
    assert_eq!(
        (row.cells[0].text.as_str(), row.cells[1].text.as_str()),
        ("shop", "gone")
    );
    top.take(reading("shop", 5));
    let row = top.upper().rows.remove(1);
    // There is no earlier reading to compare with.
    assert_eq!(
        (row.cells[1].text.as_str(), row.cells[2].text.as_str()),
        ("serving", "-")
    );
    top.take(gone("never-there"));
    assert_eq!(top.upper().rows.len(), 2);
}
