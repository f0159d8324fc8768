//! The documentation as a book (`make book`), without what makes it: every page is in the summary, and every link between
//! pages leads to a page, and to a heading of it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use crate::support::root;

const SUMMARY: &str = "SUMMARY.md";

/// The pages, by the names of their files.
fn pages() -> BTreeMap<String, String> {
    let entries = fs::read_dir(root().join("docs")).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    let pages = paths.filter(|path| path.extension().is_some_and(|ending| ending == "md"));
    pages
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// A text without its blocks of code, where nothing is a link or a heading.
fn prose(text: &str) -> String {
    let lines = text.lines().scan(false, |is_code, line| {
        let fence = line.trim_start().starts_with("```");
        *is_code ^= fence;
        Some((!*is_code && !fence).then_some(line))
    });
    lines.flatten().collect::<Vec<_>>().join("\n")
}

/// Targets of links that stay among the documents.
fn links(text: &str) -> Vec<String> {
    let prose = prose(text);
    let targets = prose.split("](").skip(1);
    let targets = targets.filter_map(|rest| rest.split(')').next());
    let targets = targets.filter(|target| !target.contains("://"));
    targets.map(str::to_owned).collect()
}

/// The names of headings as mdbook makes them, and GitHub: letters, digits and hyphens.
fn anchors(text: &str) -> BTreeSet<String> {
    let prose = prose(text);
    let headings = prose.lines().filter(|line| line.starts_with('#'));
    let kept = |c: char| match c {
        ' ' => Some('-'),
        c if c.is_alphanumeric() || c == '-' || c == '_' => Some(c.to_ascii_lowercase()),
        _ => None,
    };
    headings
        .map(|heading| {
            heading
                .trim_start_matches('#')
                .trim()
                .chars()
                .filter_map(kept)
                .collect()
        })
        .collect()
}

#[test]
fn every_page_is_in_the_summary_once() {
    let pages = pages();
    let mut listed = links(&pages[SUMMARY]);
    listed.sort();
    let expected: Vec<&String> = pages.keys().filter(|name| *name != SUMMARY).collect();
    assert_eq!(listed.iter().collect::<Vec<_>>(), expected);
}

#[test]
fn every_link_of_a_page_leads_to_a_heading() {
    let pages = pages();
    let mut broken = Vec::new();
    let mut seen = 0;
    for (name, text) in &pages {
        for link in links(text) {
            let (page, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let page = if page.is_empty() { name } else { page };
            let target = pages.get(page);
            let leads =
                target.is_some_and(|text| anchor.is_empty() || anchors(text).contains(anchor));
            if !leads {
                broken.push(format!("{name}: {link}"));
            }
            seen += 1;
        }
    }
    assert!(broken.is_empty() && seen > 50, "{seen} {broken:#?}");
}

#[test]
fn headings_have_names() {
    let text = "# A `b` c\n```sh\n# no\n```\n## [http]\n";
    let expected = ["a-b-c", "http"].map(str::to_owned);
    assert_eq!(anchors(text), BTreeSet::from(expected));
}
