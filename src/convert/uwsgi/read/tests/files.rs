//! Sections, includes, command lines, encodings: where options come from.

use super::{Format, Input, check_in, file, ini, options, read, said, world::World};

fn words(line: &str) -> Input {
    Input::CommandLine(line.split(' ').map(str::to_owned).collect())
}

fn world() -> World {
    World::default()
        .file(
            "/srv/site/app.ini",
            "[uwsgi]\nprocesses = 2\n[prod]\nprocesses = 9\n[uwsgi]\nthreads = 3\n",
        )
        .file(
            "/srv/site/base.ini",
            "[uwsgi]\nprocesses = 7\nprocname = %n %N\n",
        )
        .file("/srv/site/sub/more.ini", "[uwsgi]\nprocname = more\n")
        .file("/srv/site/sub/top.ini", "[uwsgi]\ninclude = more.ini\n")
}

#[test]
fn a_section_is_read_wherever_it_stands() {
    check_in(&world(), file("app.ini"), "processes=2 threads=3");
    check_in(&world(), file("app.ini:prod"), "processes=9");
    let text = said(&world(), file("app.ini"));
    assert!(
        text.contains("`[prod]` is another section, and its line"),
        "{text}"
    );
}

#[test]
fn includes_stand_in_their_place_and_inherited_options_at_the_end() {
    let world = || {
        world().file(
            "/srv/site/i.ini",
            "[uwsgi]\ninclude = base.ini\nprocesses = 1\n",
        )
    };
    check_in(
        &world(),
        file("i.ini"),
        "processes=7 procname=base i processes=1",
    );
    let world = world().file(
        "/srv/site/h.ini",
        "[uwsgi]\ninherit = base.ini\nprocesses = 1\n",
    );
    check_in(
        &world,
        file("h.ini"),
        "processes=1 processes=7 procname=base h",
    );
}

#[test]
fn a_section_of_the_same_file_is_asked_for_by_a_colon() {
    let world = World::default().file(
        "/srv/site/a.ini",
        "[uwsgi]\nini = :b\nthreads = 1\n[b]\nprocesses = 2\n",
    );
    check_in(&world, file("a.ini"), "processes=2 threads=1");
    assert!(!said(&world, file("a.ini")).contains("another section"));
}

#[test]
fn a_file_is_looked_for_beside_the_one_that_names_it() {
    check_in(&world(), file("sub/top.ini"), "procname=more");
    assert!(said(&world(), file("sub/top.ini")).contains("found beside"));
}

#[test]
fn what_cannot_be_included_is_said_and_the_rest_is_read() {
    let check = |line: &str, expected: &str| {
        let input = ini(&format!("include = {line}\nmaster = 1"));
        let reading = read(std::slice::from_ref(&input), &world()).unwrap();
        assert_eq!(options(&reading), "master=1");
        let text = said(&world(), input);
        assert!(text.contains(expected), "{text}");
    };
    check("no.ini", "cannot be read here");
    check("app.ini:prod", "cannot tell from the ending");
    check("exec://date.ini", "`exec://` is not followed");
}

#[test]
fn circles_come_to_an_end() {
    let world = World::default()
        .file("/srv/site/a.ini", "[uwsgi]\nmaster = 1\ninclude = b.ini\n")
        .file("/srv/site/b.ini", "[uwsgi]\ninclude = a.ini\n");
    check_in(&world, file("a.ini"), "master=1");
    assert!(said(&world, file("a.ini")).contains("leads back to itself"));
}

#[test]
fn files_that_double_come_to_an_end() {
    let mut world = World::default();
    for level in 0..30 {
        let text = format!("[uwsgi]\nini = {0}.ini\nini = {0}.ini\n", level + 1);
        world = world.file(&format!("/srv/site/{level}.ini"), text);
    }
    assert!(read(&[file("0.ini")], &world).is_err());
}

#[test]
fn a_command_line_is_read_as_getopt_does() {
    let check = |line: &str, expected: &str| check_in(&world(), words(line), expected);
    check(
        "uwsgi --http :9090 --master --process 4",
        "http=:9090 master= processes=4",
    );
    check(
        "/usr/bin/uwsgi -Mp4 -s /run/x --threads=2",
        "master= processes=4 socket=/run/x threads=2",
    );
    check(
        "uwsgi --ini app.ini:prod --threads 1",
        "processes=9 threads=1",
    );
    check(
        "uwsgi app.ini --threads 1",
        "threads=1 processes=2 threads=3",
    );
    check("uwsgi -M -- --threads.ini", "master=");
    check("uwsgi --no-such 4 -M", "no-such=4 master=");
}

#[test]
fn bad_command_lines_are_read_and_said() {
    let check = |line: &str, expected: &str| {
        let text = said(&world(), words(line));
        assert!(text.contains(expected), "{text}");
    };
    check("uwsgi --socke :1", "this may be");
    check("uwsgi app.py", "cannot load `app.py`");
    check("uwsgi --master=1", "takes no value");
    check("uwsgi -%", "does not know `-%`");
}

#[test]
fn a_file_may_be_in_other_encodings() {
    let bytes = |bytes: &[u8]| World::default().file("/srv/site/a.ini", bytes);
    check_in(
        &bytes(b"[uwsgi]\nprocname = caf\xe9\r\n"),
        file("a.ini"),
        "procname=café",
    );
    check_in(
        &bytes(b"\xef\xbb\xbf[uwsgi]\nmaster = 1\n"),
        file("a.ini"),
        "master=1",
    );
    assert!(read(&[file("a.ini")], &bytes(b"\xff\xfe[\0")).is_err());
    assert!(read(&[file("no.ini")], &World::default()).is_err());
}

#[test]
fn a_text_has_no_place() {
    let input = Input::Text {
        name: "standard input".to_owned(),
        text: b"uwsgi:\n  master: true\n".to_vec(),
        format: None,
    };
    check_in(&World::default(), input, "master=true");
    let input = Input::Text {
        name: "x".to_owned(),
        text: b"[uwsgi]\nprocname = %o%n".to_vec(),
        format: Some(Format::Ini),
    };
    check_in(&World::default(), input, "procname=x");
}

#[test]
fn injected_texts_stand_around_the_files_that_follow() {
    let world = World::default()
        .file("/srv/site/head", "[uwsgi]\nmaster = 1\n")
        .file("/srv/site/tail", "threads = 2\n")
        .file("/srv/site/b.ini", "processes = 3\n");
    check_in(
        &world,
        words("uwsgi --inject-before head --inject-after tail --ini b.ini"),
        "master=1 processes=3 threads=2",
    );
}

#[test]
fn a_unit_is_the_command_that_it_starts() {
    let unit = "[Unit]\nDescription=x\n[Service]\nType=notify\nWorkingDirectory=/srv/site\nEnvironment=UWSGI_THREADS=4 \"NAME=a b\"\nLimitNOFILE=9\nMemoryMax=1G\nExecStart=/usr/bin/uwsgi --ini ${DIR}base.ini \\\n  --procname-master '$(NAME)' -M $MORE\n";
    let world = || {
        world()
            .file("/etc/systemd/system/x.service", unit)
            .variable("MORE", "-p 3")
    };
    let input = || file("/etc/systemd/system/x.service");
    check_in(
        &world(),
        input(),
        "chdir=/srv/site env=NAME=a b max-fd=9 threads=4 processes=7 procname=base base procname-master=a b master= \
         processes=3",
    );
    let text = said(&world(), input());
    assert!(
        text.contains("`MemoryMax=1G` of the unit is not read"),
        "{text}"
    );
    let world = World::default().file("/srv/site/x.service", "[Service]\nType=simple\n");
    assert!(read(&[file("x.service")], &world).is_err());
}
