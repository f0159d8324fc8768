//! The practical tenth of uWSGI's internal routing, as `[[route]]`.

mod action;
mod condition;

use toml::Table;

use super::{super::options::refusals, Applied, Outcome, Topic, Verdict, engine::Translation};

pub(in crate::convert::uwsgi) static ROUTE: Topic = Topic {
    documentation: "kept: a `[[route]]`, where subject and action have one",
    slot: None,
    early: false,
    run: route,
};

pub(in crate::convert::uwsgi) static RESPONSE_ROUTE: Topic = Topic {
    documentation: "kept: a `[[route]]`, for actions on headers and the log",
    slot: None,
    early: false,
    run: response_route,
};

/// A rule: what has to hold, and what is done.
type Rule = Table;

fn route(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = option.value.trim();
    let mut rule = Rule::new();
    let name = option.name.as_str();
    let action = match name {
        "route-run" => Some(text),
        "route-if" => split_if(text)
            .filter(|(condition, _)| condition::of_test(condition, &mut rule))
            .map(|(_, action)| action),
        _ => text
            .split_once(char::is_whitespace)
            .and_then(|(pattern, action)| {
                condition::of_subject(name, pattern, &mut rule).then_some(action)
            }),
    };
    let action = action.map(str::trim);
    finish(translation, rule, action)
}

/// Rules on answers: only what `[[route]]` does to answers anyway.
fn response_route(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let name = option.name.split_once('-').map_or("", |(_, rest)| rest);
    let text = option.value.trim();
    let mut rule = Rule::new();
    let action = match name {
        "route-run" => Some(text),
        "route-if" => None,
        _ => text
            .split_once(char::is_whitespace)
            .and_then(|(pattern, action)| {
                condition::of_subject(name, pattern, &mut rule).then_some(action)
            }),
    };
    let on_answers = [
        "addheader:",
        "delheader:",
        "remheader:",
        "donotlog:",
        "disable",
    ];
    let action = action
        .map(str::trim)
        .filter(|action| on_answers.iter().any(|known| action.starts_with(known)));
    finish(translation, rule, action)
}

fn finish(translation: &mut Translation<'_>, mut rule: Rule, action: Option<&str>) -> Outcome {
    let note = match action.and_then(|action| action::add(action, &mut rule)) {
        Some(note) => note,
        None => return Outcome::refused(&refusals::ROUTE),
    };
    let section = translation.draft.add("route");
    let value = toml::Value::from(rule.clone()).to_string();
    for (key, value) in rule {
        translation.draft.set(section, &key, value);
    }
    let outcome = Outcome {
        place: Some((section, None)),
        ..Outcome::new(Verdict::Kept {
            key: "route".to_owned(),
            value,
        })
    };
    match note {
        "" => outcome,
        note => outcome.note(note),
    }
}

/// `condition:arguments action:arguments`: the first blank behind the condition that an action follows.
fn split_if(text: &str) -> Option<(&str, &str)> {
    let blanks = text.match_indices(char::is_whitespace);
    let mut splits =
        blanks.map(|(place, _)| (text[..place].trim_end(), text[place..].trim_start()));
    splits.find(|(_, action)| {
        let (name, _) = action.split_once(':').unwrap_or((action, ""));
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    })
}
