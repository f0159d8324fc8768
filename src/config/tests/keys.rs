//! Keys and sections that the schema does not know, or that stand in the wrong place.

use super::*;
use crate::config::keys::{header, quoted, sections};

/// The end of a message that lists what a section has.
fn known(section: &str) -> String {
    let keys = shape(&[section]).keys().unwrap();
    format!("known are {}", quoted(keys.iter().copied()))
}

#[test]
fn each_key_of_each_section_misspelt_leads_back_to_itself() {
    for (section, keys) in sections() {
        let header = header(&section);
        let (outer, line) = opened(&section);
        for key in keys {
            // A letter too many in the middle is nearer to its own key than to any other.
            let (start, end) = key.split_at(key.len() / 2);
            let wrong = format!("{start}x{end}");
            check_error(
                &format!("{outer}{header}\n  {wrong} = 1\n"),
                &format!(
                    ":{}:3: unknown key `{wrong}` in {header}; did you mean `{key}`?",
                    line + 1
                ),
            );
        }
        let wrong = format!("{}x", section.join("."));
        let column = wrong.len() - section.last().unwrap().len() + 1;
        check_error(
            &format!("{outer}[{wrong}]\n"),
            &format!(":{line}:{column}: unknown section [{wrong}]; did you mean {header}?"),
        );
    }
}

/// What stands before a section that belongs to one of several, and the line that follows.
fn opened(section: &[&str]) -> (String, usize) {
    let outer = &section[..section.len() - 1];
    match shape(outer) {
        Shape::Sections(_) => (format!("{}\n", header(outer)), 2),
        _ => (String::new(), 1),
    }
}

#[test]
fn a_section_inside_of_another_is_found() {
    check_error(
        "[cheaper]\nminimum = 1",
        ":1:2: unknown section [cheaper]; did you mean [workers.cheaper]?",
    );
    check_error(
        "[app.limits]\nharakiri = 1",
        ":1:6: unknown section [app.limits]; did you mean [limits]?",
    );
    check_error(
        "[workers]\nminimum = 1",
        ":2:1: unknown key `minimum` in [workers]; it belongs to [workers.cheaper]",
    );
    check_error(
        "[workers.cheaper]\nthreads = 1",
        ":2:1: unknown key `threads` in [workers.cheaper]; it belongs to [workers]",
    );
    check_error(
        "[app.envs]\nA = \"1\"",
        ":1:6: unknown key `envs` in [app]; did you mean `env`?",
    );
}

#[test]
fn a_key_in_the_wrong_place_is_sent_home() {
    check_app_error(
        "threads = 4",
        ":2:1: unknown key `threads` in [app]; it belongs to [workers]",
    );
    check_app_error(
        "  buffer-size = 4",
        ":2:3: unknown key `buffer-size` in [app]; it belongs to [http] or [uwsgi]",
    );
    check_error(
        "threads = 4",
        ":1:1: unknown key `threads` outside of a section; it belongs to [workers]",
    );
    check_error(
        "proceses = 4",
        ":1:1: unknown key `proceses` outside of a section; did you mean `processes` in [workers]?",
    );
    check_listen_error(
        "proceses = 4",
        ":6:1: unknown key `proceses` in [[listen]]; did you mean `processes` in [workers]?",
    );
}

#[test]
fn a_key_that_resembles_none_gets_the_list() {
    check_error_behind(
        "[workers]\nmules = 4",
        &format!(
            ":6:1: unknown key `mules` in [workers]; {}",
            known("workers")
        ),
    );
    check_error(
        "[spooler]",
        &format!(
            ":1:2: unknown section [spooler]; there are {}",
            sections()
                .iter()
                .map(|(path, _)| header(path))
                .collect::<Vec<_>>()
                .join(", ")
        ),
    );
}

#[test]
fn the_first_error_of_the_file_is_told() {
    check_error(
        "[workers]\nx = 1\n[app]\nx = 1\n",
        &format!(":2:1: unknown key `x` in [workers]; {}", known("workers")),
    );
}

#[test]
fn sections_are_written_as_such() {
    check_error(
        "app = 1",
        ":1:1: `app` is a section; write [app], and its keys below",
    );
    check_error(
        "workers = [4, 2]",
        ":1:1: there is one [workers]; write it in single brackets",
    );
    check_error(
        "[[workers]]",
        ":1:3: there is one [workers]; write it in single brackets",
    );
    check_error(
        "[[workers.cheaper]]",
        ":1:11: there is one [workers.cheaper]; write it in single brackets",
    );
    check_error(
        "[workers]\ncheaper = 2",
        ":2:1: `cheaper` is a section; write [workers.cheaper], and its keys below",
    );
    let double = "write [[listen]] in double brackets, once for each, and its keys below";
    check_error("[listen]\naddress = \":80\"", &format!(":1:2: {double}"));
    check_error("listen = \":80\"", &format!(":1:1: {double}"));
    check_error("listen = [\":80\"]", &format!(":1:11: {double}"));
    check_error(
        "listen = []\n[app]\nmodule = \"a\"",
        ":1:10: nothing is listened on; \
         write [[listen]], and address = \"127.0.0.1:8000\" below",
    );
}
