//! Log files that are opened, opened anew and put aside.

use std::io::Write;

use tempfile::TempDir;

use super::*;
use crate::config::{ByteSize, FileMode};

struct Place {
    directory: TempDir,
    files: LogFiles,
}

impl Place {
    fn new(max_size: u64, backups: u32) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = Log {
            to: vec![LogTarget::File(directory.path().join("log"))],
            max_size: ByteSize(max_size),
            backups,
            mode: FileMode(0o604),
            ..Log::default()
        };
        let files = LogFiles::open(&log).unwrap();
        Self { directory, files }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn write(&mut self, text: &str) {
        self.files.files[0].file.write_all(text.as_bytes()).unwrap();
    }

    #[track_caller]
    fn check_rotated(&mut self, expected: bool) {
        let (changed, errors) = self.files.rotate();
        assert!(errors.is_empty(), "{errors:?}");
        assert_eq!(changed, expected);
    }

    #[track_caller]
    fn check(&self, expected: &[(&str, &str)]) {
        let mut names: Vec<_> = fs::read_dir(self.directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        let texts = names
            .iter()
            .map(|name| fs::read_to_string(self.path(name)).unwrap());
        let found: Vec<_> = names.iter().cloned().zip(texts).collect();
        let expected = expected
            .iter()
            .map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
        assert_eq!(found, expected.collect::<Vec<_>>());
    }
}

#[test]
fn a_file_has_its_mode_whatever_the_umask() {
    let place = Place::new(0, 5);
    let mode = fs::metadata(place.path("log")).unwrap().mode();
    assert_eq!(mode & 0o7777, 0o604);
}

#[test]
fn what_is_there_is_kept() {
    let mut place = Place::new(0, 5);
    place.write("one\n");
    place.files.reopen().unwrap();
    place.write("two\n");
    place.check(&[("log", "one\ntwo\n")]);
}

#[test]
fn a_file_that_was_renamed_is_made_anew() {
    let mut place = Place::new(0, 5);
    place.write("one\n");
    fs::rename(place.path("log"), place.path("old")).unwrap();
    place.write("two\n");
    place.files.reopen().unwrap();
    place.write("three\n");
    place.check(&[("log", "three\n"), ("old", "one\ntwo\n")]);
}

#[test]
fn large_files_are_put_aside_and_so_many_are_kept() {
    let mut place = Place::new(3, 2);
    place.write("a\n");
    place.check_rotated(false);
    for text in ["b\n", "cc\n", "dd\n", "ee\n"] {
        place.write(text);
        place.check_rotated(true);
    }
    place.check(&[("log", ""), ("log.1", "ee\n"), ("log.2", "dd\n")]);
}

#[test]
fn nothing_is_kept_if_nothing_shall_be() {
    let mut place = Place::new(3, 0);
    place.write("long\n");
    place.check_rotated(true);
    place.check(&[("log", "")]);
}

#[test]
fn who_comes_second_takes_the_file_that_is_there() {
    let mut place = Place::new(3, 2);
    place.write("long\n");
    fs::rename(place.path("log"), place.path("old")).unwrap();
    fs::write(place.path("log"), "").unwrap();
    place.check_rotated(true);
    place.write("b\n");
    place.check(&[("log", "b\n"), ("old", "long\n")]);
}

#[test]
fn who_puts_it_aside_is_not_disturbed() {
    let mut place = Place::new(3, 2);
    place.write("long\n");
    let other = File::open(place.path("log")).unwrap();
    flock(&other, FlockOperation::LockExclusive).unwrap();
    place.check_rotated(false);
    drop(other);
    place.check_rotated(true);
}

#[test]
fn what_cannot_be_put_aside_is_said_once() {
    let mut place = Place::new(3, 1);
    place.write("long\n");
    fs::create_dir(place.path("log.1")).unwrap();
    let (changed, errors) = place.files.rotate();
    assert!(!changed && matches!(&errors[..], [JournalError::Rotate { .. }]));
    place.check_rotated(false);
    fs::remove_dir(place.path("log.1")).unwrap();
    place.files.reopen().unwrap();
    place.check_rotated(true);
}

#[test]
fn a_file_that_cannot_be_made_is_named() {
    let log = Log {
        to: vec![LogTarget::File("/nonexistent/log".into())],
        ..Log::default()
    };
    let said = LogFiles::open(&log).unwrap_err().to_string();
    assert!(
        said.starts_with("cannot open the log file /nonexistent/log;"),
        "{said}"
    );
}
