//! What differs between two answers, as one line each.

use super::{Answer, Difference, Failure, Rules, difference::Side};

fn answer(status: u16, fields: &[(&str, &str)], body: &str) -> Result<Answer, Failure> {
    let fields = fields.iter();
    Ok(Answer {
        status,
        fields: fields
            .map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()))
            .collect(),
        body: body.into(),
    })
}

#[track_caller]
fn check(
    method: &str,
    old: Result<Answer, Failure>,
    new: Result<Answer, Failure>,
    expected: &[&str],
) {
    let sides = [&old, &new].map(|answer| Side {
        answer: answer.as_ref(),
        names: ["localhost", "localhost"],
    });
    let differences = Rules::default().differences(method, sides);
    let shown: Vec<String> = differences.iter().map(show).collect();
    assert_eq!(shown, expected);
}

fn show(difference: &Difference) -> String {
    match difference {
        Difference::Answer { old, new } => format!("answer: {old} | {new}"),
        Difference::Body { line, old, new, .. } => format!("body, line {line}: {old} | {new}"),
        Difference::Header { name, old, new } => {
            format!("{name}: {} | {}", old.join(" & "), new.join(" & "))
        }
        Difference::Status { old, new } => format!("status: {old} | {new}"),
    }
}

#[test]
fn equal_answers_do_not_differ() {
    check(
        "GET",
        answer(200, &[("A", "1"), ("B", "2"), ("Date", "x")], "body"),
        answer(
            200,
            &[("b", "2"), ("a", "1"), ("Connection", "close")],
            "body",
        ),
        &[],
    );
}

#[test]
fn everything_that_differs_is_told() {
    check(
        "GET",
        answer(
            200,
            &[("Server", "old"), ("A", "1"), ("A", "2")],
            "one\ntwo",
        ),
        answer(404, &[("A", "2"), ("A", "1"), ("X", "")], "one\nTwo"),
        &[
            "status: 200 | 404",
            "Server: old | ",
            "A: 1 & 2 | 2 & 1",
            "X:  | ",
            "body, line 2: two | Two",
        ],
    );
}

#[test]
fn a_length_counts_where_there_is_no_body() {
    let sized = |length| answer(200, &[("Content-Length", length)], "");
    check("HEAD", sized("1"), sized("2"), &["Content-Length: 1 | 2"]);
    check("GET", sized("0"), answer(200, &[], ""), &[]);
}

#[test]
fn an_answer_that_is_missing_is_a_difference() {
    check(
        "GET",
        answer(200, &[], ""),
        Err(Failure::TimedOut),
        &["answer: 200 | no answer: the time was over"],
    );
    check(
        "GET",
        Err(Failure::Closed),
        Err(Failure::Closed),
        &[
            "answer: no answer: the connection was closed without one | no answer: the connection was closed without one",
        ],
    );
}
