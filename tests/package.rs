//! What is in the packages, and what those who judge packages say of it; what they do to a machine is tried in
//! `crate::systemd::package`.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

use crate::support::{
    package::{hold_tree, make, package},
    root,
    site::program,
};

/// What a command that must succeed has written.
#[track_caller]
fn output(command: &mut Command) -> String {
    let output = command.output();
    let output =
        output.unwrap_or_else(|error| panic!("{command:?}: {error}; `make test` installs it"));
    let all = String::from_utf8_lossy(&output.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {all}{complaints}");
    all
}

/// Path, mode, and where a link leads to, of each file.
type Files = BTreeMap<String, (u32, String)>;

/// Those of the tree that `packaging/install` has made.
fn tree(format: &str) -> Files {
    let _held = hold_tree();
    let top = root().join("target/package").join(format);
    let mut found = Files::new();
    let mut directories = vec![top.clone()];
    while let Some(directory) = directories.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let facts = path.symlink_metadata().unwrap();
            if facts.is_dir() {
                directories.push(path);
                continue;
            }
            let target = fs::read_link(&path).unwrap_or_default();
            let name = format!("/{}", path.strip_prefix(&top).unwrap().display());
            let mode = facts.permissions().mode() & 0o777;
            found.insert(name, (mode, target.display().to_string()));
        }
    }
    found
}

/// Those of a listing in the manner of `ls -l`, with `name` as the number of the name's column.
fn listed(listing: &str, name: usize) -> Files {
    let lines = listing.lines().filter(|line| !line.starts_with('d'));
    let bits = |text: &str| {
        text.chars()
            .skip(1)
            .fold(0, |mode, bit| mode << 1 | u32::from(bit != '-'))
    };
    let file = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let target = words.get(name + 2).copied().unwrap_or_default();
        let path = words[name].trim_start_matches('.').to_owned();
        (path, (bits(words[0]), target.to_owned()))
    };
    lines.map(file).collect()
}

#[test]
fn the_package_for_debian_has_the_files_of_the_list() {
    let package = package("deb", 1);
    let listing = output(Command::new("dpkg-deb").arg("--contents").arg(package));
    let files = tree("deb");
    assert!(files.len() > 40, "{files:?}");
    assert_eq!(listed(&listing, 5), files);
    check_files(&files);
}

#[test]
fn the_package_for_rpm_has_the_files_of_the_list() {
    let package = package("rpm", 1);
    let listing = output(
        Command::new("rpm")
            .args(["--query", "--list", "--verbose", "--package"])
            .arg(package),
    );
    let files = tree("rpm");
    assert_eq!(listed(&listing, 8), files);
    check_files(&files);
}

/// What a user looks for is there.
fn check_files(files: &Files) {
    let pages = fs::read_dir(root().join("man")).unwrap().count();
    let manuals = files
        .keys()
        .filter(|path| path.starts_with("/usr/share/man/") && path.ends_with(".gz"));
    assert_eq!(manuals.count(), pages);
    for path in [
        "/etc/hostler/README",
        "/usr/bin/hostler",
        "/usr/lib/hostler/_hostler.abi3.so",
        "/usr/lib/systemd/system-generators/hostler-generator",
        "/usr/lib/systemd/system/hostler@.service",
        "/usr/lib/systemd/system/hostler@.socket",
        "/usr/lib/sysusers.d/hostler.conf",
        "/usr/lib/tmpfiles.d/hostler.conf",
        "/usr/share/bash-completion/completions/hostler",
        "/usr/share/doc/hostler/examples/apparmor/usr.bin.hostler",
        "/usr/share/doc/hostler/examples/defaults.toml",
        "/usr/share/doc/hostler/first-site.md",
        "/usr/share/fish/vendor_completions.d/hostler.fish",
    ] {
        assert!(files.contains_key(path), "{path}");
    }
}

#[test]
fn lintian_has_nothing_to_say() {
    let mut lintian = Command::new("lintian");
    lintian.args([
        "--pedantic",
        "--allow-root",
        "--fail-on",
        "error,warning,pedantic",
    ]);
    assert_eq!(output(lintian.arg(package("deb", 1))), "");
}

#[test]
fn rpmlint_has_nothing_to_say() {
    let config = root().join("packaging/rpm/rpmlint.toml");
    let said = output(
        Command::new("rpmlint")
            .arg("--config")
            .arg(config)
            .arg(package("rpm", 1)),
    );
    assert!(said.contains(" 0 errors, 0 warnings"), "{said}");
}

#[test]
fn each_filter_has_its_reason() {
    for (file, filter) in [
        ("deb/lintian-overrides", "hostler: "),
        ("rpm/rpmlint.toml", "    \""),
    ] {
        let text = fs::read_to_string(root().join("packaging").join(file)).unwrap();
        let mut explained = false;
        for line in text.lines() {
            match line.trim_start().starts_with("# ") {
                true => explained = true,
                false if line.starts_with(filter) => assert!(explained, "{file}: {line}"),
                false => explained = false,
            }
        }
    }
}

/// The same build gives the same bytes, whoever packages it, wherever.
#[track_caller]
fn check_reproducible(format: &'static str) {
    let first = fs::read(package(format, 1)).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let second = fs::read(make(format, 1, directory.path())).unwrap();
    assert!(first == second, "the second package differs");
}

#[test]
fn two_packages_for_debian_are_the_same() {
    check_reproducible("deb");
}

#[test]
fn two_packages_for_rpm_are_the_same() {
    check_reproducible("rpm");
}

#[test]
fn the_licences_of_everything_that_is_linked_are_there() {
    package("deb", 1);
    let held = hold_tree();
    let copyright = root().join("target/package/deb/usr/share/doc/hostler/copyright");
    let copyright = fs::read_to_string(copyright).unwrap();
    drop(held);
    // Independent of the script that has written it.
    let mut tree = Command::new(env!("CARGO"));
    tree.args([
        "tree",
        "--workspace",
        "--locked",
        "--edges",
        "normal,no-proc-macro",
        "--prefix",
        "none",
        "--no-dedupe",
    ]);
    let crates = output(tree.current_dir(root()));
    let linked: BTreeSet<String> = crates
        .lines()
        .filter(|line| !line.is_empty() && !line.contains("(/"))
        .map(|line| {
            line.replacen(" v", "-", 1)
                .split(' ')
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    let named: BTreeSet<String> = copyright
        .lines()
        .filter_map(|line| line.strip_prefix("Files: crates/"))
        .map(|path| path.trim_end_matches("/*").to_owned())
        .collect();
    // What is linked for tests alone may be named too.
    let missing: Vec<_> = linked.difference(&named).collect();
    assert!(linked.len() > 50 && missing.is_empty(), "{missing:?}");
    let licences = copyright
        .lines()
        .filter_map(|line| line.strip_prefix("License: "));
    for name in licences
        .flat_map(|line| line.split(" and "))
        .flat_map(|line| line.split(" or "))
    {
        assert!(
            copyright.contains(&format!("\nLicense: {name}\n ")),
            "{name} has no text"
        );
    }
}

#[test]
fn the_defaults_are_settings() {
    package("deb", 1);
    let _held = hold_tree();
    let file = root().join("target/package/deb/usr/share/doc/hostler/examples/defaults.toml");
    output(program().args(["check", "--no-host"]).arg(file));
}

/// That there is an AppArmor in the kernel is not asked for.
#[test]
fn the_profile_for_apparmor_is_well_formed() {
    let file = root().join("packaging/apparmor/usr.bin.hostler");
    let path = format!("/usr/sbin:/sbin:{}", std::env::var("PATH").unwrap());
    output(
        Command::new("apparmor_parser")
            .args(["--skip-kernel-load", "--skip-cache", "--debug"])
            .arg(file)
            .env("PATH", path),
    );
}

/// What a shell that has read the completions gives for a line.
fn completed(shell: &str, extension: &str, script: &str) -> String {
    let directory = tempfile::tempdir().unwrap();
    let text = output(program().args(["completions", shell]));
    fs::write(directory.path().join(extension), text).unwrap();
    run(shell, script, directory.path())
}

fn run(shell: &str, script: &str, directory: &Path) -> String {
    let mut child = Command::new(shell)
        .arg("/dev/stdin")
        .env("HOME", directory)
        .current_dir(directory)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{shell}: {error}; `make test` installs it"));
    child
        .stdin
        .take()
        .unwrap()
        .write_all(script.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn bash_completes() {
    let script = "source ./hostler
        complete -p hostler | grep -q '_hostler' || exit 1
        try() { COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            _hostler hostler \"${@: -1}\" \"${@: -2:1}\"; echo \"${COMPREPLY[*]}\"; }
        try hostler conv
        try hostler convert-ini --re
        try hostler convert-ini --report ''\n";
    let expected = "convert-ini convert-gunicorn\n--report\ntext json\n";
    assert_eq!(completed("bash", "hostler", script), expected);
}

#[test]
fn fish_completes() {
    let script =
        "source ./hostler.fish\ncomplete -C 'hostler conv' | string replace -r '\\t.*' ''\n";
    assert_eq!(
        completed("fish", "hostler.fish", script),
        "convert-gunicorn\nconvert-ini\n"
    );
}

#[test]
fn zsh_finds_its_completions() {
    let script = "fpath=($PWD $fpath)\nautoload -Uz compinit\ncompinit -u -d ./dump\nprint $_comps[hostler]\n\
        autoload +X _hostler && whence -w _hostler\n";
    assert_eq!(
        completed("zsh", "_hostler", script),
        "_hostler\n_hostler: function\n"
    );
}
