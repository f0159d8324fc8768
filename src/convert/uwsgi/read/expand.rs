//! `$(name)`, `@(name)` and `%(name)` in a value, replaced as uWSGI does it, with all its oddities:
//!
//! - After each replacement it looks again from the second character on. So what a replacement brings is replaced in
//!   its turn, but never at the very beginning of the value.
//! - The sign inside a name begins a new one; other parentheses inside a name are counted.
//! - What cannot be resolved stays as it is.
//!
//! Looking again is not done by going back: the places where names have begun are kept on a stack, so that the time is
//! linear in what is read and put in.

use std::cell::Cell;

/// The most that replacements may put in, in bytes, in all values together. uWSGI has no limit, and does not return from
/// `a = x%(a)`.
pub(super) const LIMIT: usize = 1 << 20;

/// The limit is reached; probably replacements do not come to an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Endless;

/// Where a name began, and what has been seen of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Open {
    /// Of its sign, in what is done.
    sign: usize,
    /// Parentheses that are open inside the name.
    depth: usize,
}

/// A value that is being gone through.
pub(super) struct Expansion {
    sign: u8,
    /// What has been gone through.
    done: Vec<u8>,
    /// What comes next, reversed: the end is read first.
    rest: Vec<u8>,
    /// The names that are open, the innermost last; those below it matter once it has been replaced.
    open: Vec<Open>,
    /// Where the last sign stands, if it was the byte before.
    sign_at: Option<usize>,
    /// Bytes that were copied for those who look at the whole.
    copied: Cell<usize>,
}

/// The value with everything replaced that `resolve` knows; `None` where nothing was. `budget` is what may still be put
/// in, and shrinks.
///
/// # Errors
/// [`Endless`]
pub(super) fn expand(
    value: &str,
    sign: u8,
    budget: &mut usize,
    mut resolve: impl FnMut(&str, &Expansion) -> Option<String>,
) -> Result<Option<String>, Endless> {
    if !value.as_bytes().contains(&sign) {
        return Ok(None);
    }
    let mut state = Expansion {
        sign,
        done: Vec::with_capacity(value.len()),
        rest: value.bytes().rev().collect(),
        open: Vec::new(),
        sign_at: None,
        copied: Cell::new(0),
    };
    let mut changed = false;
    while let Some(byte) = state.rest.pop() {
        let Some(name) = state.step(byte) else {
            continue;
        };
        // An empty name is no name.
        let replacement = (!name.is_empty()).then(|| resolve(&name, &state)).flatten();
        // A replacement by nothing is work too, and so is looking at the whole.
        let cost = replacement.as_ref().map_or(0, |text| text.len() + 1) + state.copied.take();
        *budget = budget.checked_sub(cost).ok_or(Endless)?;
        match replacement {
            Some(replacement) => {
                state.replace(&replacement);
                changed = true;
            }
            None => state.open.clear(),
        }
    }
    // Only whole names were cut out and whole texts put in.
    Ok(changed.then(|| String::from_utf8_lossy(&state.done).into_owned()))
}

impl Expansion {
    /// The value as it is now: what refers to itself sees it so.
    pub(super) fn whole(&self) -> String {
        let whole = self.done.iter().chain(self.rest.iter().rev());
        let whole: Vec<u8> = whole.copied().collect();
        self.copied.set(self.copied.get() + whole.len());
        String::from_utf8_lossy(&whole).into_owned()
    }

    /// Takes a byte; gives the name that ends with it.
    fn step(&mut self, byte: u8) -> Option<String> {
        let at = self.done.len();
        self.done.push(byte);
        let previous = self.sign_at.take();
        if byte == self.sign {
            self.sign_at = Some(at);
            return None;
        }
        if let Some(sign) = previous {
            if byte == b'(' {
                self.open.push(Open { sign, depth: 0 });
            } else {
                self.open.clear();
            }
            return None;
        }
        let open = self.open.last_mut()?;
        match byte {
            b'(' => open.depth += 1,
            b')' if open.depth > 0 => open.depth -= 1,
            b')' => {
                let name = self.done.get(open.sign + 2..at).unwrap_or_default();
                return Some(String::from_utf8_lossy(name).into_owned());
            }
            _ => {}
        }
        None
    }

    /// Cuts out the innermost name and goes on where it began.
    fn replace(&mut self, replacement: &str) {
        let Some(open) = self.open.pop() else {
            return;
        };
        self.done.truncate(open.sign);
        self.rest.extend(replacement.bytes().rev());
        // The first character is not looked at again, so no name begins with it.
        if self.open.first().is_some_and(|open| open.sign == 0) {
            self.open.remove(0);
        }
        if self.done.is_empty() {
            self.done.extend(self.rest.pop());
            return;
        }
        let last = self.done.len() - 1;
        self.sign_at = (last > 0 && self.done.get(last) == Some(&self.sign)).then_some(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, expected: &str) {
        let resolve = |name: &str, state: &Expansion| match name {
            "whole" => Some(state.whole().len().to_string()),
            "a" => Some("1".to_owned()),
            "b" => Some("%(a)".to_owned()),
            "empty" => Some(String::new()),
            "a1" => Some("inner".to_owned()),
            "(x)y" => Some("counted".to_owned()),
            "open" => Some("(a)".to_owned()),
            _ => None,
        };
        let found = expand(value, b'%', &mut 1000, resolve).unwrap();
        assert_eq!(found.as_deref().unwrap_or(value), expected, "{value}");
    }

    #[test]
    fn names_are_replaced_wherever_they_stand() {
        check("%(a)", "1");
        check("x%(a)y%(a)%(no)", "x1y1%(no)");
        check("%a (a) %%(a) é%(a)é", "%a (a) %1 é1é");
        check("x%(whole)%(whole)", "x1711");
    }

    #[test]
    fn what_comes_in_is_replaced_but_at_the_beginning() {
        check("x%(b)", "x1");
        check("%(b)", "%(a)");
        check("%(empty)%(a)", "%(a)");
        check("%(a)%(empty)%(a)", "11");
    }

    #[test]
    fn a_sign_in_a_name_begins_another() {
        check("x%(a%(a))", "xinner");
        check("%(a%(a))", "%(a1)");
        check("%(no%(no))x%(a)", "%(no%(no))x1");
        check("x%(no%(no)%(a)", "x%(no%(no)1");
    }

    #[test]
    fn parentheses_in_a_name_are_counted() {
        check("-%((x)y)", "-counted");
        check("-%()%(a)", "-%()1");
        check("x%%(open)", "x1");
        check("%%(open)", "%(a)");
    }

    #[test]
    fn what_does_not_end_is_ended() {
        let endless = |_: &str, _: &Expansion| Some("x%(a)".to_owned());
        assert_eq!(expand("x%(a)", b'%', &mut 1000, endless), Err(Endless));
    }
}
