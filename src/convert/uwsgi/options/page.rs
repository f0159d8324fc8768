//! The page that lists every option: the same rows, as Markdown.

use std::fmt::Write;

use super::{Rule, all};

/// The whole page.
pub(crate) fn page() -> String {
    let mut text = String::from(
        "# Every option of uWSGI\n\n\
         What `hostler convert-ini` makes of each name that uWSGI knows. [From uWSGI](from-uwsgi.md) is how a site moves.\n\n\
         - **kept**: it is this key of [the settings](settings.md);\n\
         - **moved to systemd**: systemd does it; the key says so to it;\n\
         - **not needed**: nothing is lost without it;\n\
         - **not possible**: there is no counterpart; the nearest way is named.\n\n\
         | Option | What becomes of it |\n| --- | --- |\n",
    );
    for (name, rule) in all() {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "| `{name}` | {} |", verdict(rule));
    }
    text
}

fn verdict(rule: &Rule) -> String {
    match rule {
        Rule::Key { key, .. } => format!("kept: `{key}`"),
        Rule::Moved { key, directive, .. } => format!("moved to systemd: `{directive}` by `{key}`"),
        Rule::NotNeeded(why) => format!("not needed: {why}"),
        Rule::NotPossible(refusal) => {
            format!(
                "not possible: {}; instead: {}",
                refusal.why, refusal.instead
            )
        }
        Rule::Own(topic) => topic.documentation.to_owned(),
    }
}
