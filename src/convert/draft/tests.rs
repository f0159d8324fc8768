//! The text of a file, to the letter.

use super::*;

#[track_caller]
fn check(draft: &Draft, expected: &str) {
    let text = draft.render();
    assert_eq!(text, expected);
    toml::from_str::<toml::Table>(&text).unwrap();
}

#[test]
fn sections_and_keys_come_in_the_order_of_the_schema() {
    let mut draft = Draft::default();
    let workers = draft.section("workers");
    draft.set(workers, "threads", 2);
    draft.set(workers, "processes", 4);
    for address in [":80", "/run/a"] {
        let listen = draft.add("listen");
        draft.set(listen, "address", address);
    }
    let env = draft.section("app.env");
    draft.set(env, "ODD NAME", "a\"b\n");
    let app = draft.section("app");
    draft.set(app, "module", "shop");
    draft.section("http");
    check(
        &draft,
        "[app]\nmodule = \"shop\"\n\n[app.env]\n\"ODD NAME\" = \"a\\\"b\\n\"\n\n[[listen]]\naddress = \":80\"\n\n\
         [[listen]]\naddress = \"/run/a\"\n\n[workers]\nprocesses = 4\nthreads = 2\n",
    );
}

#[test]
fn comments_and_remarks_stand_above_what_they_are_about() {
    let mut draft = Draft::default();
    draft.say("Made from old.ini.");
    let app = draft.section("app");
    draft.set(app, "module", "shop");
    draft.comment(app, None, &["The shop".to_owned(), String::new()]);
    draft.comment(app, Some("module"), &["its module\u{7}".to_owned()]);
    draft.remark(app, Some("module"), &"word ".repeat(25));
    draft.remark(app, Some("file"), "there is none");
    let words = ["word"; 18].join(" ");
    let rest = ["word"; 7].join(" ");
    check(
        &draft,
        &format!(
            "# Made from old.ini.\n# there is none\n\n# The shop\n#\n[app]\n# its module\u{fffd}\n\
             # CHECK: {words}\n#   {rest}\nmodule = \"shop\"\n"
        ),
    );
}

#[test]
fn a_value_replaces_the_one_before_and_a_list_grows() {
    let mut draft = Draft::default();
    let app = draft.section("app");
    draft.set(app, "module", "a");
    draft.set(app, "module", "b");
    for number in 0..2 {
        draft.push(app, "argv", format!("{number}"));
    }
    check(&draft, "[app]\nmodule = \"b\"\nargv = [\"0\", \"1\"]\n");
    draft.remove(app, "argv");
    assert_eq!(draft.get(app, "argv"), None);
    assert_eq!(draft.get(app, "module"), Some(&Value::from("b")));
}

#[test]
fn a_long_list_has_its_entries_below_each_other() {
    let mut draft = Draft::default();
    let timer = draft.add("timer");
    let long = "x".repeat(60);
    draft.set(timer, "command", vec![long.clone(), long.clone()]);
    let table = Value::Table([("a b".to_owned(), Value::from(1))].into_iter().collect());
    draft.set(timer, "env", vec![table]);
    assert_eq!(draft.all("timer"), [timer]);
    check(
        &draft,
        &format!(
            "[[timer]]\ncommand = [\n    \"{long}\",\n    \"{long}\",\n]\nenv = [{{ \"a b\" = 1 }}]\n"
        ),
    );
}
