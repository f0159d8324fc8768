//! Writing: values at their keys, and remarks where no value can stand.

use toml::Value;

use super::{
    Applied, Outcome, Verdict,
    engine::Translation,
    value::{Unread, is_template},
};
use crate::convert::draft::Section;

impl Translation<'_> {
    /// Gives a key its value.
    pub(super) fn keep(&mut self, section: &str, key: &str, value: impl Into<Value>) -> Outcome {
        let id = self.draft.section(section);
        self.keep_in(id, section, key, value)
    }

    /// Gives a key of a section in double brackets its value.
    pub(super) fn keep_in(
        &mut self,
        section: Section,
        name: &str,
        key: &str,
        value: impl Into<Value>,
    ) -> Outcome {
        let value = value.into();
        self.draft.set(section, key, value.clone());
        Outcome::kept(section, name, key, &value)
    }

    /// Adds to the list at a key.
    pub(super) fn gather(&mut self, section: &str, key: &str, value: impl Into<Value>) -> Outcome {
        let value = value.into();
        let id = self.draft.section(section);
        self.draft.push(id, key, value.clone());
        Outcome::kept(id, section, key, &value)
    }

    /// Leaves a key out, and asks a person to write it.
    pub(super) fn leave_out(
        &mut self,
        option: &Applied,
        path: &str,
        why: impl Into<String>,
    ) -> Outcome {
        let why = why.into();
        let (section, key) = path.rsplit_once('.').unwrap_or(("", path));
        let id = self.draft.section(section);
        self.draft.leave_out(id, key);
        let remark = format!("{key} = {}: {why}", option.value);
        let outcome =
            Outcome::not_possible(why, format!("`{path}`, with the value that was meant"));
        Outcome {
            place: Some((id, Some(key.to_owned()))),
            ..outcome.ask(remark)
        }
    }

    /// Carries a value with marks of a template into a comment, where no such text can stand.
    pub(super) fn carry(&mut self, option: &Applied, path: &str) -> Outcome {
        let why = "a mark of a template cannot stand here; put the line in when it is filled in";
        Outcome {
            verdict: Verdict::Kept {
                key: path.to_owned(),
                value: option.value.clone(),
            },
            ..self.leave_out(option, path, why)
        }
    }

    /// As `leave_out`, or as `carry` for a template.
    pub(super) fn unread(
        &mut self,
        option: &Applied,
        path: &str,
        why: impl Into<String>,
    ) -> Outcome {
        match is_template(&option.value) {
            true => self.carry(option, path),
            false => self.leave_out(option, path, why),
        }
    }

    /// For a number that cannot be taken as it stands: what uWSGI has read counts.
    pub(super) fn no_number(&mut self, option: &Applied, path: &str, unread: &Unread) -> Outcome {
        let value = &option.value;
        if is_template(value) {
            return self.carry(option, path);
        }
        match unread {
            Unread::TooLarge => self.leave_out(option, path, "no number here is so large"),
            Unread::Doubtful(number) => {
                self.leave_out(option, path, format!("uWSGI read `{value}` as {number}"))
            }
            Unread::NoNumber => {
                let why = format!("uWSGI read `{value}` as 0, as if the line was not there");
                let outcome = self.leave_out(option, path, why.as_str());
                Outcome {
                    verdict: Verdict::NotNeeded { why },
                    ..outcome
                }
            }
        }
    }
}
