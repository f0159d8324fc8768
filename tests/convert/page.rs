//! The list of all options.

use std::fs;

use crate::support::{root, site::program};

#[test]
fn the_page_of_all_options_is_what_the_program_does() {
    let output = program()
        .args(["convert-ini", "--all-options"])
        .output()
        .unwrap();
    let page = String::from_utf8(output.stdout).unwrap();
    let written = fs::read_to_string(root().join("docs/uwsgi-options.md")).unwrap();
    assert!(
        written == page,
        "write it anew: cargo run -- convert-ini --all-options > docs/uwsgi-options.md"
    );
    assert!(page.lines().count() > 1_340);
}
