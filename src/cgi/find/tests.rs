//! Paths and the programs that they lead to.

use std::{
    fs,
    os::unix::fs::{PermissionsExt, symlink},
};

use tempfile::TempDir;

use super::*;
use crate::cgi::Programs;

/// A tree with programs, and a secret beside it.
struct Tree(TempDir);

impl Tree {
    fn new() -> Self {
        let tree = Self(tempfile::tempdir().unwrap());
        for (name, mode) in [
            ("cgi/a.cgi", 0o755),
            ("cgi/plain.cgi", 0o644),
            ("cgi/b.lua", 0o644),
            ("cgi/deep/er/c.cgi", 0o755),
            ("cgi/deep/index.lua", 0o644),
            ("cgi/.hidden/d.cgi", 0o755),
            ("cgi/.e.cgi", 0o755),
            ("secret.cgi", 0o755),
            ("one.pl", 0o755),
        ] {
            let path = tree.path(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        symlink("../secret.cgi", tree.path("cgi/out.cgi")).unwrap();
        symlink("..", tree.path("cgi/up")).unwrap();
        symlink("a.cgi", tree.path("cgi/inside.cgi")).unwrap();
        tree
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn programs(&self, lines: &str) -> Programs {
        let directory = format!(
            "path = \"/cgi-bin\"\ndirectory = {:?}\nindex = [\"index.lua\"]\nhelpers = {{ \".lua\" = \"lua\" }}\n{lines}",
            self.path("cgi")
        );
        let file = format!(
            "path = \"/cgi-bin/one\"\nfile = {:?}\nallowed-ext = [\".cgi\"]",
            self.path("one.pl")
        );
        Programs::new(&[directory, file].map(|text| toml::from_str(&text).unwrap()))
    }

    #[track_caller]
    fn check(&self, path: &str, file: &str, name: &str, info: &str, helper: Option<&str>) {
        let Found::Program(program) = self.programs("").find(path.as_bytes()) else {
            panic!("{path} leads to no program")
        };
        let found = (program.file, program.name, program.info, program.helper);
        let expected = (
            self.path(file),
            name.into(),
            info.into(),
            helper.map(str::to_owned),
        );
        assert_eq!(found, expected, "{path}");
    }

    #[track_caller]
    fn check_none(&self, path: &str, expected: Found) {
        assert_eq!(self.programs("").find(path.as_bytes()), expected, "{path}");
    }
}

#[test]
fn what_is_behind_a_program_is_its_own_affair() {
    let tree = Tree::new();
    tree.check("/cgi-bin/a.cgi", "cgi/a.cgi", "/cgi-bin/a.cgi", "", None);
    tree.check("/cgi-bin/a.cgi/", "cgi/a.cgi", "/cgi-bin/a.cgi", "/", None);
    tree.check(
        "/cgi-bin/a.cgi/../.x//y",
        "cgi/a.cgi",
        "/cgi-bin/a.cgi",
        "/../.x//y",
        None,
    );
    let deep = "/cgi-bin/deep/er/c.cgi";
    tree.check(
        "/cgi-bin/deep/er/c.cgi/x",
        "cgi/deep/er/c.cgi",
        deep,
        "/x",
        None,
    );
    tree.check("/cgi-bin//a.cgi", "cgi/a.cgi", "/cgi-bin//a.cgi", "", None);
    tree.check(
        "/cgi-bin/inside.cgi",
        "cgi/inside.cgi",
        "/cgi-bin/inside.cgi",
        "",
        None,
    );
}

#[test]
fn helpers_run_what_is_not_executable() {
    let tree = Tree::new();
    tree.check(
        "/cgi-bin/b.lua/x",
        "cgi/b.lua",
        "/cgi-bin/b.lua",
        "/x",
        Some("lua"),
    );
    let why = "it is not executable, and cgi.helpers names nothing that runs it";
    tree.check_none(
        "/cgi-bin/plain.cgi",
        Found::Barred(tree.path("cgi/plain.cgi"), why),
    );
}

#[test]
fn a_section_may_be_one_program_and_the_longest_prefix_wins() {
    let tree = Tree::new();
    tree.check("/cgi-bin/one", "one.pl", "/cgi-bin/one", "", None);
    tree.check("/cgi-bin/one/x", "one.pl", "/cgi-bin/one", "/x", None);
    tree.check_none("/cgi-bin/ones", Found::Nothing);
    tree.check_none("/cgi-binary/a.cgi", Found::Elsewhere);
}

#[test]
fn directories_have_an_index_or_nothing() {
    let tree = Tree::new();
    let index = "/cgi-bin/deep/index.lua";
    tree.check(
        "/cgi-bin/deep/",
        "cgi/deep/index.lua",
        index,
        "",
        Some("lua"),
    );
    tree.check_none("/cgi-bin/deep", Found::Directory);
    for path in [
        "/cgi-bin",
        "/cgi-bin/",
        "/cgi-bin/deep/er",
        "/cgi-bin/deep/er/",
        "/cgi-bin/none",
    ] {
        tree.check_none(path, Found::Nothing);
    }
}

#[test]
fn nothing_leads_out() {
    let tree = Tree::new();
    for path in [
        "/cgi-bin/../secret.cgi",
        "/cgi-bin/deep/../../secret.cgi",
        "/cgi-bin/out.cgi",
        "/cgi-bin/up/secret.cgi",
        "/cgi-bin/.hidden/d.cgi",
        "/cgi-bin/.e.cgi",
        "/cgi-bin/./a.cgi",
        "/cgi-bin/a.cgi\0.lua",
    ] {
        tree.check_none(path, Found::Nothing);
    }
    let long = format!("/cgi-bin/{}", "x/".repeat(LONGEST));
    tree.check_none(&long, Found::Nothing);
}

#[test]
fn endings_may_be_required_in_directories() {
    let tree = Tree::new();
    let programs = tree.programs("allowed-ext = [\".lua\"]");
    let why = "its name does not end as cgi.allowed-ext says";
    let barred = Found::Barred(tree.path("cgi/a.cgi"), why);
    assert_eq!(programs.find(b"/cgi-bin/a.cgi"), barred);
    assert!(matches!(
        programs.find(b"/cgi-bin/b.lua"),
        Found::Program(_)
    ));
    assert!(matches!(programs.find(b"/cgi-bin/one"), Found::Program(_)));
}
