//! What stands between the parentheses of `%( )`: a name, or a chain of names, numbers and operators.

use std::borrow::Cow;

use super::expand::LIMIT;

/// Digits of a number that are looked at; more than twenty make no difference, but zeros in front.
const DIGITS: usize = 1000;

/// What happens with the next operand.
#[derive(Clone, Copy)]
enum Next {
    Append,
    Add,
    Divide,
    Multiply,
    Subtract,
}

/// The value of a reference, where `find` gives that of a name. Without a space it is the name alone; otherwise the
/// chain is gone through from left to right, without precedence, and a name that nobody knows counts as empty. What grows
/// beyond all limits is cut off just behind them.
pub(super) fn evaluate<'a>(
    reference: &str,
    find: impl Fn(&str) -> Option<&'a str>,
) -> Option<Cow<'a, str>> {
    if !reference.contains(' ') {
        return find(reference).map(Cow::Borrowed);
    }
    let mut result: Option<String> = None;
    let mut next = Next::Append;
    for token in reference.split(' ').filter(|token| !token.is_empty()) {
        next = match token {
            "+" => Next::Add,
            "-" => Next::Subtract,
            "*" => Next::Multiply,
            "/" => Next::Divide,
            "++" | "--" => {
                let step = if token == "++" { 1 } else { -1 };
                if let Some(result) = &mut result {
                    *result = number(result).wrapping_add(step).to_string();
                }
                Next::Append
            }
            _ => {
                let operand = if token.bytes().all(|byte| byte.is_ascii_digit()) {
                    token
                } else {
                    find(token).unwrap_or("")
                };
                result = Some(combine(result.unwrap_or_default(), next, operand));
                Next::Append
            }
        };
        if result.as_ref().is_some_and(|result| result.len() > LIMIT) {
            break;
        }
    }
    result.map(Cow::Owned)
}

fn combine(mut so_far: String, next: Next, operand: &str) -> String {
    let (left, right) = (number(&so_far), number(operand));
    match next {
        Next::Append => {
            so_far.push_str(operand);
            return so_far;
        }
        Next::Add => left.wrapping_add(right),
        Next::Subtract => left.wrapping_sub(right),
        Next::Multiply => left.wrapping_mul(right),
        // Nothing divided by nothing is nothing, says uWSGI.
        Next::Divide if right == 0 => 0,
        Next::Divide => left.wrapping_div(right),
    }
    .to_string()
}

/// The number at the beginning of a text, as strtoll(3) finds it.
pub(super) fn number(text: &str) -> i64 {
    let text = text.trim_start_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let digits = digits.bytes().take(DIGITS).take_while(u8::is_ascii_digit);
    digits.fold(0_i64, |value, digit| {
        let digit = i64::from(digit - b'0');
        let value = value.saturating_mul(10);
        if negative {
            value.saturating_sub(digit)
        } else {
            value.saturating_add(digit)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reference: &str, expected: Option<&str>) {
        let find = |name: &str| match name {
            "two" => Some("2"),
            "eight" => Some("8"),
            "text" => Some("t"),
            _ => None,
        };
        assert_eq!(
            evaluate(reference, find).as_deref(),
            expected,
            "{reference}"
        );
    }

    #[test]
    fn a_name_alone_is_its_value() {
        check("two", Some("2"));
        check("no", None);
        check("7", None);
    }

    #[test]
    fn a_chain_goes_from_left_to_right() {
        check("two eight", Some("28"));
        check("two eight + 2", Some("30"));
        check("two + eight * 3", Some("30"));
        check("two - eight", Some("-6"));
        check("eight / 3", Some("2"));
        check("two ++", Some("3"));
        check("two --", Some("1"));
        check("two ", Some("2"));
        check("no two", Some("2"));
        check("two + text", Some("2"));
    }

    #[test]
    fn odd_chains_do_no_harm() {
        check("eight / 0", Some("0"));
        check("+ ", None);
        check("++ two", Some("2"));
        check("9223372036854775807 ++", Some("-9223372036854775808"));
        check("99999999999999999999 + 0", Some("9223372036854775807"));
    }
}
