//! A form of access entries with variables in it, taken apart once.
//!
//! uWSGI writes `%(uri)`, gunicorn `%(U)s`, with Python's conversion behind the name. The names of one are letters, those of
//! the other are not, so both can stand in one text: `%(secs)s` is a time and the letter `s`.

use super::field::{Field, LETTERS, Letter, NAMED, find};
use crate::config::keys::nearest;

/// The most columns that a conversion may ask for.
const WIDEST: usize = 256;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// As it was written.
    pub(super) text: String,
    /// In their order.
    pub pieces: Vec<Piece>,
    /// CGI variables that it asks for by their names.
    pub variables: Vec<String>,
    /// Headers of the answer that it asks for, in lower case.
    pub headers: Vec<String>,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// What changes from request to request.
    Field(Field, Layout),
    /// What does not.
    Text(String),
}

/// How a value is put into columns, as Python's `%` does it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layout {
    /// Columns at the least.
    pub width: usize,
    /// Columns at the most, of a text.
    pub precision: Option<usize>,
    /// Blanks come behind it.
    pub is_left: bool,
    /// There are zeros before it and no blanks.
    pub has_zeros: bool,
    /// What is there and empty is nothing, and not what stands for unknown values (gunicorn).
    pub shows_nothing: bool,
}

impl Template {
    /// Takes a text apart; the error says what is wrong with it, and what to write.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut template = Self {
            text: text.to_owned(),
            pieces: Vec::new(),
            variables: Vec::new(),
            headers: Vec::new(),
        };
        let mut rest = text;
        while let Some(at) = rest.find('%') {
            template.literal(&rest[..at]);
            let after = &rest[at + 1..];
            rest = match after.as_bytes().first() {
                Some(b'(') => template.variable(&after[1..])?,
                Some(b'%') => {
                    template.literal("%");
                    &after[1..]
                }
                _ => {
                    template.literal("%");
                    after
                }
            };
        }
        template.literal(rest);
        Ok(template)
    }

    fn literal(&mut self, text: &str) {
        match self.pieces.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Text(known)) => known.push_str(text),
            _ => self.pieces.push(Piece::Text(text.to_owned())),
        }
    }

    /// `name)`, perhaps with a conversion; gives what is behind it.
    fn variable<'t>(&mut self, text: &'t str) -> Result<&'t str, String> {
        let Some((name, rest)) = text.split_once(')') else {
            return Err("a `%(` has no `)` behind its name; write `%%(` for the text".to_owned());
        };
        if let Some(field) = self.gunicorns(name) {
            let (layout, rest) = conversion(name, field, rest)?;
            self.pieces.push(Piece::Field(field, layout));
            return Ok(rest);
        }
        let field = match name.strip_prefix("var.") {
            Some(variable) if !variable.is_empty() => self.cgi(variable),
            _ => find(NAMED, name).ok_or_else(|| unknown(name))?,
        };
        self.pieces.push(Piece::Field(field, Layout::default()));
        Ok(rest)
    }

    /// A letter, or a name in braces and a letter.
    fn gunicorns(&mut self, name: &str) -> Option<Field> {
        let inner = name.strip_prefix('{').and_then(|rest| rest.split_once('}'));
        let field = match inner {
            None => match find(LETTERS, name)? {
                Letter::Field(field) => field,
                Letter::Variable(name) => self.cgi(name),
            },
            Some((header, "i")) => self.cgi(&header_variable(header)),
            Some((variable, "e")) if variable.contains('.') => self.cgi(variable),
            Some((variable, "e")) => self.cgi(&variable.to_ascii_uppercase()),
            Some((header, "o")) => {
                let place = place(&mut self.headers, &header.to_ascii_lowercase());
                Field::AnswerHeader(place)
            }
            Some(_) => return None,
        };
        Some(field)
    }

    fn cgi(&mut self, name: &str) -> Field {
        Field::Variable(place(&mut self.variables, name))
    }
}

/// Where a name stands in a list, to which it is added if it is new.
fn place(list: &mut Vec<String>, name: &str) -> usize {
    list.iter()
        .position(|known| known == name)
        .unwrap_or_else(|| {
            list.push(name.to_owned());
            list.len() - 1
        })
}

/// The CGI variable that a header becomes (RFC 3875, section 4.1.18).
fn header_variable(header: &str) -> String {
    let name = header.to_ascii_uppercase().replace('-', "_");
    match name.as_str() {
        "CONTENT_LENGTH" | "CONTENT_TYPE" => name,
        _ => format!("HTTP_{name}"),
    }
}

/// Flags, width, precision and the letter of a conversion, and what is behind it.
fn conversion<'t>(name: &str, field: Field, text: &'t str) -> Result<(Layout, &'t str), String> {
    let mut layout = Layout {
        shows_nothing: true,
        ..Layout::default()
    };
    let after_flags = text.trim_start_matches(['-', '0', '+', ' ', '#']);
    for flag in text[..text.len() - after_flags.len()].chars() {
        layout.is_left |= flag == '-';
        layout.has_zeros |= flag == '0';
    }
    let (width, mut rest) = number(name, after_flags)?;
    layout.width = width;
    if let Some(behind) = rest.strip_prefix('.') {
        let (precision, behind) = number(name, behind)?;
        layout.precision = Some(precision);
        rest = behind;
    }
    match rest.as_bytes().first() {
        Some(b's') => layout.has_zeros = false,
        Some(b'd') if field.is_number() => layout.precision = None,
        Some(b'd') => {
            return Err(format!(
                "`%({name})` is a text; write `%({name})s` in place of `d`"
            ));
        }
        _ => {
            return Err(format!(
                "a variable of gunicorn's ends with a letter; write `%({name})s`"
            ));
        }
    }
    Ok((layout, &rest[1..]))
}

fn number<'t>(name: &str, text: &'t str) -> Result<(usize, &'t str), String> {
    let rest = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
    let digits = &text[..text.len() - rest.len()];
    if digits.is_empty() {
        return Ok((0, rest));
    }
    let number = digits.parse().ok().filter(|number| *number <= WIDEST);
    let number = number
        .ok_or_else(|| format!("`%({name})` has {digits} columns, and {WIDEST} are the most"))?;
    Ok((number, rest))
}

fn unknown(name: &str) -> String {
    if name.starts_with("metric.") {
        return format!(
            "`%({name})` is one of uWSGI's metrics, which an entry cannot have; they are told at [stats] address"
        );
    }
    let known = NAMED.iter().map(|(name, _)| *name);
    match nearest(name, known) {
        Some(meant) => {
            format!("there is no variable `%({name})`; did you mean `%({meant})`?")
        }
        None => format!(
            "there is no variable `%({name})`; there are `%(uri)`, `%(status)`, `%(var.NAME)` and others, which \
             hostler-access-log(7) lists"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces as a person would write them.
    #[track_caller]
    fn check(text: &str, expected: &str) {
        let template = Template::parse(text).unwrap();
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => format!("{text:?}"),
            Piece::Field(Field::Variable(place), _) => template.variables[*place].clone(),
            Piece::Field(Field::AnswerHeader(place), _) => {
                format!("answer's {}", template.headers[*place])
            }
            Piece::Field(field, layout) if layout.width == 0 && layout.precision.is_none() => {
                format!("{field:?}")
            }
            Piece::Field(field, layout) => format!(
                "{field:?}:{}{}{}{:?}",
                if layout.is_left { "-" } else { "" },
                if layout.has_zeros { "0" } else { "" },
                layout.width,
                layout.precision,
            ),
        };
        let pieces: Vec<String> = template.pieces.iter().map(piece).collect();
        assert_eq!(pieces.join(" "), expected);
    }

    #[track_caller]
    fn check_refused(text: &str, expected: &str) {
        assert_eq!(Template::parse(text).unwrap_err(), expected);
    }

    #[test]
    fn variables_of_uwsgi_are_names() {
        check("%(method) %(uri)", "Method \" \" Target");
        check("%(secs)s", "DurationPrecise \"s\"");
        check(
            "%(var.HTTP_X)%(var.HTTP_Y)%(var.HTTP_X)",
            "HTTP_X HTTP_Y HTTP_X",
        );
    }

    #[test]
    fn variables_of_gunicorn_are_letters_with_a_conversion() {
        check(
            "%(h)s %(U)s?%(q)s",
            "Address \" \" PATH_INFO \"?\" QUERY_STRING",
        );
        check(
            "%({User-Agent}i)s %({content-type}i)s",
            "HTTP_USER_AGENT \" \" CONTENT_TYPE",
        );
        check(
            "%({remote_addr}e)s %({wsgi.url_scheme}e)s",
            "REMOTE_ADDR \" \" wsgi.url_scheme",
        );
        check("%({X-Cache}o)s", "answer's x-cache");
        check(
            "%(D)08d|%(h)-15s",
            "DurationMicros:08None \"|\" Address:-15None",
        );
        check("%(a).20s", "UserAgent:0Some(20)");
    }

    #[test]
    fn a_percent_sign_stays_one() {
        check("100%% %d %(uri)%", "\"100% %d \" Target \"%\"");
    }

    #[test]
    fn what_is_unknown_is_refused_with_what_was_meant() {
        check_refused(
            "%(urii)",
            "there is no variable `%(urii)`; did you mean `%(uri)`?",
        );
        check_refused(
            "%(zzzz)",
            "there is no variable `%(zzzz)`; there are `%(uri)`, `%(status)`, `%(var.NAME)` and others, which \
             hostler-access-log(7) lists",
        );
        check_refused(
            "%(metric.worker.1.requests)",
            "`%(metric.worker.1.requests)` is one of uWSGI's metrics, which an entry cannot have; they are told at \
             [stats] address",
        );
        check_refused(
            "%(uri",
            "a `%(` has no `)` behind its name; write `%%(` for the text",
        );
        check_refused(
            "%(h) %(l)s",
            "a variable of gunicorn's ends with a letter; write `%(h)s`",
        );
        check_refused("%(h)d", "`%(h)` is a text; write `%(h)s` in place of `d`");
        check_refused("%(h)999s", "`%(h)` has 999 columns, and 256 are the most");
    }
}
