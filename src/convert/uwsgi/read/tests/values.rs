//! Placeholders, environment, files, magic variables, blocks: what a value becomes.

use super::{check, check_in, file, ini, read, said, show, world::World};

#[test]
fn placeholders_are_replaced_by_the_first_of_their_name() {
    check("n = 4\nprocesses = %(n)\nn = 5", "processes=4");
    check(
        "module = app\nprocname = %(module) %(no)",
        "module=app procname=app %(no)",
    );
    check(
        "n = 2\nprocesses = %(n + 3)\nthreads = %(n n)",
        "processes=5 threads=22",
    );
}

#[test]
fn a_value_that_begins_with_a_placeholder_is_not_looked_at_again() {
    check(
        "foo = %(bar)\nbar = %(baz)\nbaz = 3\nprocesses = %(bar)\nprocname = x%(foo)",
        "processes=3 procname=x3",
    );
}

#[test]
fn variables_of_the_environment_are_replaced_and_said() {
    let world = || World::default().variable("HOME", "/h");
    check_in(&world(), ini("chdir = $(HOME)/x $(NO)"), "chdir=/h/x $(NO)");
    let text = said(&world(), ini("chdir = $(HOME)/x"));
    assert!(text.contains("`$(HOME)` is `/h`"), "{text}");
    check("chdir = $(NO:-/d)/x", "chdir=/d/x");
}

#[test]
fn files_are_put_in_without_their_last_newline() {
    let world = World::default().file("/srv/site/secret", "abc\n");
    check_in(&world, ini("env = KEY=@(secret)!"), "env=KEY=abc!");
    let text = said(&World::default(), ini("env = KEY=@(secret)"));
    assert!(text.contains("does not start"), "{text}");
}

#[test]
fn magic_variables_are_replaced_everywhere() {
    let world = World::default().file(
        "/etc/uwsgi/app.one.ini",
        "[uwsgi]\nprocname = %n %s %e %d %c %0 %1 %2| %x %k %U %% %N\n",
    );
    let expected =
        "procname=app.one app.one.ini ini /etc/uwsgi/ uwsgi etc uwsgi | prod 4 www-data % app.one";
    let world = world.file("/etc/uwsgi/b.ini", "[prod]\nprocname = %x\n");
    check_in(&world, file("/etc/uwsgi/b.ini:prod"), "procname=prod");
    check_in(
        &world,
        file("/etc/uwsgi/app.one.ini"),
        &expected.replace("prod ", " "),
    );
}

#[test]
fn a_letter_that_means_nothing_vanishes_and_is_said() {
    check("procname = 100%q!", "procname=100!");
    let text = said(&World::default(), ini("procname = 100%q!"));
    assert!(text.contains("`%q`"), "{text}");
}

#[test]
fn conditions_decide_about_their_lines() {
    let world = || World::default().variable("A", "1").file("/srv/site/f", "x");
    let check = |text: &str, expected: &str| check_in(&world(), ini(text), expected);
    check("if-env = A\nprocname = %(_)\nendif", "procname=1");
    check("if-env = A=2\nmaster = 1\nend\nthreads = 2", "threads=2");
    check("if-not-env = A=2\nprocname = %(_)\nendif", "procname=1");
    check("if-not-env = B\nprocname = %(_)\nendif", "procname=%(_)");
    check(
        "if-exists = f\nchdir = %(_)\nendif\nif-dir = f\nmaster = 1\nendif",
        "chdir=f",
    );
    check(
        "master = 1\nif-opt = master=1\nthreads = 2\nendif",
        "master=1 threads=2",
    );
    check("if-hostname-match = ^web\nmaster = 1\nendif", "master=1");
    check("if-reload = 1\nmaster = 1\nendif", "");
    check(
        "if-env = B\nmaster = 1\nelse =\nthreads = 1\nendif",
        "threads=1",
    );
}

#[test]
fn loops_repeat_their_lines() {
    check("for = a b\nenv = %(_)=%(_)\nendfor", "env=a=a env=b=b");
    check("for-times = 2\nenv = W%(_)=1\nend-for", "env=W1=1 env=W2=1");
    let world = World::default()
        .file("/srv/site/l", "x\r\ny\n")
        .file("/srv/site/m", "");
    check_in(
        &world,
        ini("for-readline = l\nenv = %(_)\nend"),
        "env=x env=y",
    );
    check_in(
        &world,
        ini("for-glob = [lm]\nenv = %(_)\nend"),
        "env=l env=m",
    );
    check_in(&world, ini("for-glob = *.no\nenv = %(_)\nend"), "env=*.no");
}

#[test]
fn there_is_no_block_in_a_block() {
    let text = said(
        &World::default(),
        ini("if-opt = a\nend\na = 1\nif-opt = a\nfor = x\nend\n"),
    );
    assert!(text.contains("no block within a block"), "{text}");
}

#[test]
fn set_makes_an_option_or_a_placeholder() {
    check(
        "set = processes=4\nset = n=7\nthreads = %(n)\nset-ph = m=%(n)\nprocname = x%(m)",
        "processes=4 threads=7 procname=x7",
    );
    check("resolve = ip=db\nsocket = %(ip):80", "socket=192.0.2.7:80");
}

#[test]
fn declared_options_become_what_they_say_before_all_others() {
    check(
        "processes = 2\ndeclare-option = two=processes=$1;threads=$2\ntwo = 8 9",
        "processes=8 threads=9 processes=2",
    );
    check(
        "declare-option2 = two=processes=$1\nprocesses = 2\ntwo = 8",
        "processes=2 processes=8",
    );
}

#[test]
fn what_never_ends_is_an_error() {
    let error = read(&[ini("a = x%(a)\nprocname = %(a)")], &World::default()).unwrap_err();
    assert!(
        error.to_string().starts_with("test.ini:2: more than"),
        "{error}"
    );
}

#[test]
fn the_list_is_the_one_that_uwsgi_shows() {
    let found = show(
        &World::default(),
        ini("a = 1\nset = b=%(a)\nmaster\nif-opt = no\nc = 1\nendif"),
    );
    let found: Vec<String> = found
        .iter()
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    assert_eq!(
        found,
        [
            "a = 1",
            "set = b=%(a)",
            "b = 1",
            "master = ",
            "if-opt = no",
            "endif = "
        ]
    );
}

#[test]
fn variables_named_uwsgi_are_options() {
    let world = World::default()
        .variable("UWSGI_MAX_REQUESTS", "5")
        .variable("UWSGI_HOST", "h")
        .variable("UWSGI_RELOADS", "1");
    check_in(
        &world,
        ini("procname = %(host)"),
        "max-requests=5 procname=h",
    );
}
