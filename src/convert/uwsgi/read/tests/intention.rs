//! Where uWSGI does something else than the author of a file thought.

use super::{Format, Input, check, check_in, ini, said, world::World};

fn text(text: &str) -> Input {
    Input::Text {
        name: "test.ini".to_owned(),
        text: text.as_bytes().to_vec(),
        format: Some(Format::Ini),
    }
}

/// Lines in a section, the options that come of them, and what is said.
fn check_said(lines: &str, expected: &str, remark: &str) {
    check(lines, expected);
    let text = said(&World::default(), ini(lines));
    assert!(text.contains(remark), "{text}");
}

#[test]
fn headers_are_read_as_they_were_meant() {
    let check = |file: &str, remark: &str| {
        check_in(&World::default(), text(file), "master=1");
        let found = said(&World::default(), text(file));
        assert!(found.contains(remark), "{found}");
    };
    check(
        "[uwsgi] ; production\nmaster = 1",
        "does not take `[uwsgi] ; production`",
    );
    check("[ uWSGI ]\nmaster = 1", "does not take `[ uWSGI ]`");
    check("master = 1", "no section header");
}

#[test]
fn quotes_are_not_a_part_of_the_value() {
    check_said("chdir = \"/srv/x\"", "chdir=/srv/x", "takes the quotes");
    check_said("processes = '4'", "processes=4", "which is 0 then");
    check("log-format = \"%(uri)\"", "log-format=\"%(uri)\"");
    check("env = A='b'", "env=A='b'");
}

#[test]
fn a_date_is_a_format_of_strftime() {
    check_said(
        "log-date = %Y-%m-%d",
        "log-date=%Y-%m-%d",
        "taken as it was meant",
    );
    check("log-date = %%H:%%M", "log-date=%H:%M");
}

#[test]
fn almost_right_names_stay_and_are_said() {
    check_said(
        "buffer_size = 9",
        "buffer_size=9",
        "uWSGI knows `buffer-size`",
    );
    check_said("Master = 1", "Master=1", "uWSGI knows `master`");
    check_said("processes: 3", "processes=3", "`processes = 3`");
    check_said("set = processes = 3", "processes=3", "because of the space");
}

#[test]
fn marks_of_templates_are_carried_through() {
    let lines =
        "{% if x %}\nprocesses = {{ n|default('%d') }}\n{% endif %}\nchdir = <%= dir %>/%(no)";
    check_said(
        lines,
        "processes={{ n|default('%d') }} chdir=<%= dir %>/%(no)",
        "no option",
    );
    check_said(
        "socket = /run/{name}.sock",
        "socket=/run/{name}.sock",
        "carried through",
    );
    check_said("chdir = @HOME@/x", "chdir=@HOME@/x", "carried through");
}

#[test]
fn a_percent_sign_at_the_end_of_a_line_takes_nothing_with_it() {
    check_said(
        "procname = 100%\nmaster = 1",
        "procname=100% master=1",
        "loses the next line",
    );
}

#[test]
fn what_uwsgi_refuses_is_read_and_said() {
    check_said("strict = true\nfoo = 1", "foo=1", "with `strict`");
    check_said(
        "blacklist = master x\nmaster = 1\nend-blacklist =\n",
        "master=1",
        "forbids",
    );
    check_said("exit = 0\nmaster = 1", "master=1", "ends here");
}
