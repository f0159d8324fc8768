//! uWSGI's forms of access lines in ours, which know the same variables, but for those that an application makes up.

use crate::config::AccessFormat;

/// What stands for a variable that has no value, in uWSGI too.
const NOTHING: &str = "-";

/// A form of lines, and what is left out of it.
pub(super) struct Converted {
    pub(super) text: String,
    /// Names of variables.
    pub(super) unknown: Vec<String>,
}

/// `keeps_time`: `%(ftime)` has a form of its own, that of `log.timestamp`.
pub(super) fn convert(text: &str, keeps_time: bool) -> Converted {
    let mut converted = Converted {
        text: String::new(),
        unknown: Vec::new(),
    };
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        converted.text.push_str(&rest[..at]);
        let after = rest[at..].trim_start_matches('%');
        let signs = rest.len() - at - after.len();
        let name = after
            .strip_prefix('(')
            .and_then(|rest| rest.split_once(')'));
        let (literal, behind) = match name {
            Some((_, behind)) => (signs - 1, behind),
            None => (signs, after),
        };
        // One sign is itself, two of ours are one.
        let ours = if literal > 1 || name.is_some() {
            2 * literal
        } else {
            literal
        };
        converted.text.extend(std::iter::repeat_n('%', ours));
        if let Some((name, _)) = name {
            converted.variable(name, keeps_time);
        }
        rest = behind;
    }
    converted.text.push_str(rest);
    converted
}

impl Converted {
    fn variable(&mut self, name: &str, keeps_time: bool) {
        let ours = match name {
            "ftime" if !keeps_time => "%(ltime)".to_owned(),
            name => format!("%({name})"),
        };
        match ours.parse::<AccessFormat>() {
            Ok(_) => self.text.push_str(&ours),
            Err(_) => {
                self.text.push_str(NOTHING);
                self.unknown.push(ours);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str, unknown: &[&str]) {
        let converted = convert(text, false);
        assert_eq!(converted.text, expected);
        assert_eq!(converted.unknown, unknown);
    }

    #[test]
    fn variables_are_the_same() {
        let text = "%(addr) - %(user) [%(ltime)] \"%(method) %(uri)\" %(secs)s %(var.HTTP_X)";
        check(text, text, &[]);
    }

    #[test]
    fn what_an_application_makes_up_is_a_dash_as_it_is_without_a_value() {
        check(
            "%(uri) %(view) %(metric.a)",
            "%(uri) - -",
            &["%(view)", "%(metric.a)"],
        );
        check("%(h)s", "-s", &["%(h)"]);
    }

    #[test]
    fn signs_stay_what_they_are() {
        check(
            "%(status) 100% 5%% %%(uri)",
            "%(status) 100% 5%%%% %%%(uri)",
            &[],
        );
    }

    #[test]
    fn a_time_has_its_form() {
        check("%(ftime)", "%(ltime)", &[]);
        assert_eq!(convert("%(ftime)", true).text, "%(ftime)");
    }
}
