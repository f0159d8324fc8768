//! What is on the screen, cell by cell.

use ratatui::{
    Terminal,
    backend::TestBackend,
    style::{Color, Modifier},
};

use crate::top::{
    model::tests::{place, press, reading, top},
    source::{Reading, Trouble},
};

use super::*;

fn drawn(top: &Top, width: u16, height: u16, palette: Palette) -> Buffer {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    let drawn = terminal.draw(|frame| {
        let area = frame.area();
        draw(top, area, frame.buffer_mut(), palette);
    });
    drawn.unwrap().buffer.clone()
}

fn lines(top: &Top, width: u16, height: u16) -> Vec<String> {
    let buffer = drawn(top, width, height, Palette::Plain);
    let line = |y: u16| {
        (0..width)
            .map(|x| buffer[(x, y)].symbol())
            .collect::<String>()
    };
    (0..height).map(|y| line(y).trim_end().to_owned()).collect()
}

#[track_caller]
fn check(top: &Top, width: u16, height: u16, expected: &str) {
    let lines = lines(top, width, height).join("\n");
    assert_eq!(lines.trim_end(), expected, "\n{lines}");
}

#[test]
fn all_sites_in_the_usual_terminal() {
    let expected = "\
hostler top  2 sites  4 workers  40.0/s  2/4 busy  80.0M PSS  every 1.0s
SITE        STATE     REQ/S 5XX/S   P50   P95   P99    BUSY QUEUE    PSS RESPAWN
blog        serving    20.0   0.0 1.7ms 1.9ms 2.0ms     1/2     0  40.0M       0
shop        serving    20.0   0.0 1.7ms 1.9ms 2.0ms     1/2     0  40.0M       0
2 requests run
  AGE SITE         WORKER THREAD PEER            REQUEST
 3.2s blog              1      0 10.0.0.1        GET /blog/slow
 3.2s shop              1      0 10.0.0.1        GET /shop/slow


? help  q end  s sort (SITE)  / filter  Tab  Enter  d stacks";
    check(&top(), 80, 11, expected);
}

#[test]
fn one_site_in_the_usual_terminal() {
    let mut top = top();
    press(&mut top, "<down><enter>");
    let expected = "\
shop: serving with 2 of 2 workers, generation 1  every 1.0s
20.0/s  0.0/s 5xx  p50 1.7ms p95 1.9ms p99 2.0ms  busy 1/2  queue 0/0  PSS 40.0M
up 2.0s  respawns: none
WORKER GEN     PID STATE       AGE REQ/S   P50   P95   P99  BUSY    RSS    PSS
     0   1    4711 serving    1m00  10.0 1.7ms 2.0ms 2.0ms   0/1  50.0M  20.0M
     1   1    4712 serving    1m00  10.0 1.7ms 2.0ms 2.0ms   1/1  50.0M  20.0M
1 request runs
  AGE SITE         WORKER THREAD PEER            REQUEST
 3.2s shop              1      0 10.0.0.1        GET /shop/slow

? help  q end  s sort (WORKER)  / filter  Tab  Enter  d stacks";
    check(&top, 80, 11, expected);
}

#[test]
fn a_small_terminal_shows_what_matters() {
    let expected = "\
hostler top  2 sites  4 workers
SITE        REQ/S   P95    BUSY
blog         20.0 1.9ms     1/2
shop         20.0 1.9ms     1/2
2 requests run
  AGE WORKER REQUEST
 3.2s      1 GET /blog/slow
? help  q end  s sort (SITE)  /";
    check(&top(), 32, 8, expected);
}

#[test]
fn the_row_with_the_cursor_is_in_sight() {
    let mut top = top();
    for number in 0..50 {
        top.take(reading(&format!("site-{number:02}"), 1));
    }
    press(&mut top, "G");
    let lines = lines(&top, 80, 12);
    assert!(
        lines.iter().any(|line| line.starts_with("site-49")),
        "{lines:#?}"
    );
}

/// Whatever is shown, in whatever size.
#[test]
fn no_size_is_too_small() {
    let mut pictures: Vec<Top> = ["", "<enter>", "?", "<tab>", "/text", "<enter>d"]
        .iter()
        .map(|keys| {
            let mut top = top();
            press(&mut top, keys);
            top
        })
        .collect();
    pictures.push(Top::new(Default::default(), None, Default::default()));
    for top in &pictures {
        for (width, height) in (0..90)
            .step_by(3)
            .flat_map(|w| (0..26).map(move |h| (w, h)))
        {
            let area = Rect::new(0, 0, width, height);
            draw(top, area, &mut Buffer::empty(area), Palette::Colours);
        }
    }
}

#[test]
fn the_help_fits_the_usual_terminal() {
    assert!(help::LINES.len() <= 16);
    assert!(help::LINES.iter().all(|line| line.len() <= 76));
    let mut top = top();
    press(&mut top, "?");
    let lines = lines(&top, 80, 24);
    assert!(lines.contains(&help::LINES[help::LINES.len() - 1].to_owned()));
}

#[test]
fn stacks_lie_over_the_tables() {
    let mut top = top();
    press(&mut top, "<down><enter><down>d");
    assert_eq!(lines(&top, 80, 10)[4], "asking ...");
    let Some(Pane::Stack(stack)) = &top.pane else {
        panic!("no pane")
    };
    let of = stack.of.clone();
    top.take_stack(&of, Ok("Thread 1:\n  File \"app.py\"".to_owned()));
    press(&mut top, "j");
    let lines = lines(&top, 80, 10);
    assert_eq!(
        lines[3],
        "stacks of worker 1 of shop, pid 4712 (Esc closes)"
    );
    assert_eq!(lines[4], "  File \"app.py\"");
}

#[test]
fn whoever_may_not_be_asked_is_named() {
    let mut top = top();
    for name in ["secret", "vault"] {
        top.take(Reading {
            place: place(name),
            outcome: Err(Trouble::Denied),
        });
    }
    top.take(Reading {
        place: place("odd"),
        outcome: Err(Trouble::Other("it speaks \u{1b}[1m".to_owned())),
    });
    let lines = lines(&top, 80, 20);
    let has = |text: &str| lines.iter().any(|line| line.starts_with(text));
    assert!(has("secret      denied"), "{lines:#?}");
    assert!(has(
        "not yours to ask (become root or their user): secret, vault"
    ));
    assert!(has("odd: it speaks \u{fffd}[1m"));
}

#[test]
fn where_nobody_runs_it_waits() {
    let top = Top::new(Default::default(), None, std::time::Duration::from_secs(2));
    let first = &lines(&top, 80, 4)[0];
    assert_eq!(
        first,
        "hostler top  no site runs that has a control socket  every 2.0s"
    );
}

#[test]
fn colours_only_where_they_are_wanted() {
    let mut top = top();
    top.take(Reading {
        place: place("gone"),
        outcome: Err(Trouble::Denied),
    });
    let colours = |palette: Palette| {
        let buffer = drawn(&top, 80, 12, palette);
        buffer
            .content
            .iter()
            .any(|cell| cell.fg != Color::Reset || cell.bg != Color::Reset)
    };
    assert!(colours(Palette::Colours) && !colours(Palette::Plain));
    let buffer = drawn(&top, 80, 12, Palette::Plain);
    assert!(
        buffer[(0, 2)].modifier.contains(Modifier::REVERSED),
        "the cursor"
    );
}
