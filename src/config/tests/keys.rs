//! Keys and sections that the schema does not know, or that stand in the wrong place.

use super::*;
use crate::config::shape::Shape;

#[test]
fn each_key_of_each_section_misspelt_leads_back_to_itself() {
    for section in shape(&[]).keys().unwrap() {
        let (open, close) = match shape(&[section]) {
            Shape::Sections(_) => ("[[", "]]"),
            _ => ("[", "]"),
        };
        for key in shape(&[section]).keys().unwrap() {
            // A letter too many in the middle is nearer to its own key than to any other.
            let (start, end) = key.split_at(key.len() / 2);
            let wrong = format!("{start}x{end}");
            check_error(
                &format!("{open}{section}{close}\n  {wrong} = 1\n"),
                &format!(
                    ":2:3: unknown key `{wrong}` in {open}{section}{close}; did you mean `{key}`?"
                ),
            );
        }
        check_error(
            &format!("[{section}x]\n"),
            &format!(":1:2: unknown section [{section}x]; did you mean {open}{section}{close}?"),
        );
    }
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
        ":6:1: unknown key `mules` in [workers]; known are `processes`, `threads`, `thread-stack`",
    );
    check_error(
        "[spooler]",
        ":1:2: unknown section [spooler]; there are [app], [[listen]], [http], [uwsgi], [workers], \
         [timeouts], [request], [response], [log]",
    );
}

#[test]
fn the_first_error_of_the_file_is_told() {
    check_error(
        "[workers]\nx = 1\n[app]\nx = 1\n",
        &format!(
            ":2:1: unknown key `x` in [workers]; known are {}",
            "`processes`, `threads`, `thread-stack`"
        ),
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
