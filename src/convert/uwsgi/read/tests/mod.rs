//! Tables of configurations and what is read of them, on a machine that is made up.

mod files;
mod intention;
mod mutation;
mod values;
mod world;

use super::{Format, Input, collected, read};
use crate::convert::{account::Verdict, uwsgi::reading::Reading};
use world::World;

/// The list of options that `uwsgi --show-config` would print.
fn show(world: &World, input: Input) -> Vec<(String, String)> {
    let reader = collected(&[input], world).unwrap();
    let items = reader.list.items.iter();
    items
        .map(|item| {
            let value = item.pair.value.clone();
            (
                item.pair.name.clone(),
                value.unwrap_or_else(|| "true".to_owned()),
            )
        })
        .collect()
}

fn ini(text: &str) -> Input {
    Input::Text {
        name: "test.ini".to_owned(),
        text: format!("[uwsgi]\n{text}").into_bytes(),
        format: Some(Format::Ini),
    }
}

fn file(path: &str) -> Input {
    Input::from_argument(path)
}

/// The options that reach the translation, as `name=value` joined by blanks.
fn options(reading: &Reading) -> String {
    let options = reading.options.iter();
    let options: Vec<String> = options
        .map(|option| format!("{}={}", option.name, option.value))
        .collect();
    options.join(" ")
}

/// A text of lines in the section, and the options that come of it.
fn check(text: &str, expected: &str) {
    check_in(&World::default(), ini(text), expected);
}

fn check_in(world: &World, input: Input, expected: &str) {
    let reading = read(&[input], world).unwrap();
    assert_eq!(options(&reading), expected);
}

/// All that is said to a person, in one text.
fn said(world: &World, input: Input) -> String {
    let reading = read(&[input], world).unwrap();
    let of_options = reading
        .options
        .into_iter()
        .flat_map(|option| option.remarks);
    let of_used = reading.used.into_iter().flat_map(|entry| {
        let why = match entry.verdict {
            Verdict::NotNeeded { why } | Verdict::NotPossible { why, .. } => why,
            _ => String::new(),
        };
        let remarks = entry.remarks.into_iter().map(|remark| remark.text);
        remarks.chain([why]).collect::<Vec<_>>()
    });
    let of_files = reading.notices.into_iter().map(|notice| notice.remark.text);
    let all = of_options
        .map(|remark| remark.text)
        .chain(of_used)
        .chain(of_files);
    all.collect::<Vec<_>>().join("\n")
}

/// Each line of a text ends in one place, whatever it is.
#[test]
fn every_line_is_accounted_for_once() {
    let text = "a = 1\nprocesses = %(a)\nif-env = NO\nmaster = true\nendif\nfor = x y\nenv = %(_)=1\nendfor\nunknown = 2\nset = threads=2\n";
    let reading = read(&[ini(text)], &World::default()).unwrap();
    let options = reading
        .options
        .iter()
        .map(|option| option.origin.line.unwrap());
    let used = reading.used.iter().map(|entry| entry.origin.line.unwrap());
    let (mut options, used): (Vec<u32>, Vec<u32>) = (options.collect(), used.collect());
    assert_eq!(options, [3, 8, 8, 10, 11]);
    assert_eq!(used, [2, 4, 5, 6, 7, 9]);
    options.dedup();
    options.extend(used);
    options.sort_unstable();
    assert_eq!(options, (2..=11).collect::<Vec<u32>>());
}
