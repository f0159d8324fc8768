//! Patterns of file names, as glob(3) understands them: `*`, `?`, `[a-z]`, and a backslash before what is meant as it is.

use super::surroundings::{Kind, Surroundings};

/// The most paths that a pattern may find.
const LIMIT: usize = 10_000;

/// The paths that match, sorted, directories with a slash at the end; the pattern itself if there are none.
pub(super) fn find(surroundings: &dyn Surroundings, directory: &str, pattern: &str) -> Vec<String> {
    let (start, rest) = match pattern.strip_prefix('/') {
        Some(rest) => ("/", rest),
        None => ("", pattern),
    };
    let mut found = vec![start.to_owned()];
    for part in rest.split('/').filter(|part| !part.is_empty()) {
        let mut next: Vec<String> = Vec::new();
        for before in &found {
            let here = if before.starts_with('/') {
                before.clone()
            } else {
                format!("{directory}/{before}")
            };
            next.extend(step(surroundings, before, &here, part));
            next.truncate(LIMIT);
        }
        found = next;
    }
    if found.is_empty() || rest.is_empty() {
        return vec![pattern.to_owned()];
    }
    found.sort();
    // GLOB_MARK: only at the end is a slash put behind a directory.
    found
        .iter()
        .map(|path| marked(surroundings, directory, path))
        .collect()
}

/// What `part` finds in the directory `here`, which is called `before`.
fn step(surroundings: &dyn Surroundings, before: &str, here: &str, part: &str) -> Vec<String> {
    let join = |name: &str| match before {
        "" | "/" => format!("{before}{name}"),
        _ => format!("{before}/{name}"),
    };
    if !part.contains(['*', '?', '[', '\\']) {
        let path = format!("{}/{part}", here.trim_end_matches('/'));
        let is_there = surroundings.kind(&path).is_some();
        return is_there.then(|| join(part)).into_iter().collect();
    }
    let names = surroundings.entries(here).into_iter();
    // A dot at the beginning has to be written.
    let names = names.filter(|name| part.starts_with('.') || !name.starts_with('.'));
    names
        .filter(|name| matches(part, name))
        .map(|name| join(&name))
        .collect()
}

fn marked(surroundings: &dyn Surroundings, directory: &str, path: &str) -> String {
    let absolute = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("{directory}/{path}")
    };
    match surroundings.kind(&absolute) {
        Some(Kind::Directory) if !path.ends_with('/') => format!("{path}/"),
        _ => path.to_owned(),
    }
}

/// Whether a name matches a pattern; in at most the product of their lengths.
fn matches(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    let (mut at, mut place) = (0, 0);
    // Behind the last star, and what it has swallowed: if it goes no further, the star takes one more.
    let mut star: Option<(usize, usize)> = None;
    while place < name.len() {
        if pattern.get(at) == Some(&'*') {
            star = Some((at + 1, place));
            at += 1;
        } else if let Some(len) = one(&pattern[at..], name[place]) {
            at += len;
            place += 1;
        } else if let Some((behind, swallowed)) = star {
            star = Some((behind, swallowed + 1));
            (at, place) = (behind, swallowed + 1);
        } else {
            return false;
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

/// If the beginning of the pattern, which is no star, fits the character: how long it is.
fn one(pattern: &[char], character: char) -> Option<usize> {
    match pattern {
        ['?', ..] => Some(1),
        ['\\', escaped, ..] => (*escaped == character).then_some(2),
        ['[', set @ ..] => match class(set, character) {
            Some((fits, len)) => fits.then_some(len + 1),
            None => (character == '[').then_some(1),
        },
        [plain, ..] => (*plain == character).then_some(1),
        [] => None,
    }
}

/// Whether a character is in the set, and the length of the set with its bracket; `None`: there is no bracket.
fn class(set: &[char], character: char) -> Option<(bool, usize)> {
    let is_not = matches!(set.first(), Some('!' | '^'));
    let mut at = usize::from(is_not);
    let first = at;
    let mut fits = false;
    loop {
        match set.get(at..)? {
            [']', ..] if at > first => return Some((fits != is_not, at + 1)),
            [low, '-', high, ..] if *high != ']' => {
                fits |= (*low..=*high).contains(&character);
                at += 3;
            }
            [plain, ..] => {
                fits |= *plain == character;
                at += 1;
            }
            [] => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, name: &str, expected: bool) {
        assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
    }

    #[test]
    fn stars_and_question_marks_match() {
        check("*.ini", "a.ini", true);
        check("*.ini", "a.ini.bak", false);
        check("a?c*", "abcd", true);
        check("*a*b", "xaaxb", true);
        check("a", "ab", false);
        check("a*", "a", true);
    }

    #[test]
    fn sets_match_and_an_open_bracket_is_itself() {
        check("[a-c]x", "bx", true);
        check("[!a-c]x", "bx", false);
        check("[]]", "]", true);
        check("[a", "[a", true);
        check("\\*", "*", true);
        check("\\*", "a", false);
    }
}
