//! What the doctor says: one entry for each thing that was looked at.

use serde::Serialize;

/// How it is with one thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Grade {
    /// As it should be.
    Good,
    /// It may not be meant, or could not be looked at.
    Warning,
    /// The site cannot serve so, or not as its settings say.
    Wrong,
}

/// What was looked at, and what is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Entry {
    /// One word: what it is about.
    pub(crate) topic: &'static str,
    /// How it is.
    pub(crate) grade: Grade,
    /// What is the case, in one line.
    pub(crate) message: String,
    /// What to do about it, a command where there is one; nothing where all is well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) advice: Option<String>,
    /// What is too long for a line, a traceback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) detail: Option<String>,
}

impl Entry {
    /// As it should be.
    pub(crate) fn good(topic: &'static str, message: impl Into<String>) -> Self {
        Self {
            topic,
            grade: Grade::Good,
            message: message.into(),
            advice: None,
            detail: None,
        }
    }

    /// It may not be meant.
    pub(crate) fn warning(
        topic: &'static str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            topic,
            grade: Grade::Warning,
            message: message.into(),
            advice: Some(advice.into()),
            detail: None,
        }
    }

    /// The site cannot serve so.
    pub(crate) fn wrong(
        topic: &'static str,
        message: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self {
            grade: Grade::Wrong,
            ..Self::warning(topic, message, advice)
        }
    }
}

/// The worst of all, for an exit code.
pub(crate) fn worst(entries: &[Entry]) -> Grade {
    let grades = entries.iter().map(|entry| entry.grade);
    grades.max().unwrap_or(Grade::Good)
}

/// In tests: entries as lines, `GRADE topic: message -> advice`.
#[cfg(test)]
pub(super) fn lines(entries: &[Entry]) -> Vec<String> {
    let line = |entry: &Entry| {
        let advice = entry.advice.iter().map(|advice| format!(" -> {advice}"));
        let advice: String = advice.collect();
        let (grade, topic) = (entry.grade, entry.topic);
        format!("{grade:?} {topic}: {}{advice}", entry.message)
    };
    entries.iter().map(line).collect()
}
