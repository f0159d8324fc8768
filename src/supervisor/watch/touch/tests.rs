//! Real files in directories of their own, watched by the kernel.

use std::{fs::File, os::unix::fs::symlink};

use tokio::time::timeout;

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);
const WISHES: [Wish; 1] = [Wish::Reload];

fn reload(path: &Path) -> Reload {
    Reload {
        touch_reload: vec![path.to_owned()],
        ..Reload::default()
    }
}

fn later(path: &Path, seconds: u64) {
    let file = File::options().write(true).open(path).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(2_000_000_000 + seconds);
    file.set_modified(time).unwrap();
}

/// What is done below a directory, and whether the file was touched by it.
type Change<'c> = (&'c dyn Fn(&Path), bool);

/// Each change is made below a directory of its own while the file is watched; what is wished for after each.
#[track_caller]
fn check(file: &str, prepare: impl Fn(&Path), changes: &[Change<'_>]) {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path();
    prepare(root);
    // A second file, which is always touched, ends the wait for a change that is none.
    let end = root.join("end");
    fs::write(&end, "").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut touch = Touch::new().unwrap();
        touch.follow(&Reload {
            touch_logreopen: vec![end.clone()],
            ..reload(&root.join(file))
        });
        for (number, (change, touched)) in changes.iter().enumerate() {
            change(root);
            later(&end, number as u64);
            let mut seen = BTreeSet::new();
            while !seen.contains(&Wish::ReopenLog) {
                seen.extend(timeout(PATIENCE, touch.touched()).await.unwrap());
            }
            assert_eq!(seen.contains(&Wish::Reload), *touched, "change {number}");
        }
    });
}

#[test]
fn a_later_time_counts_and_an_earlier_one_does_not() {
    check(
        "me",
        |root| fs::write(root.join("me"), "").unwrap(),
        &[
            (&|root| later(&root.join("me"), 100), true),
            (&|root| later(&root.join("me"), 50), false),
            (&|root| later(&root.join("me"), 99), false),
            (&|root| later(&root.join("me"), 101), true),
        ],
    );
}

#[test]
fn coming_and_going_counts() {
    check(
        "me",
        |_| {},
        &[
            (&|root| fs::write(root.join("me"), "").unwrap(), true),
            (&|root| fs::write(root.join("other"), "").unwrap(), false),
            (&|root| fs::remove_file(root.join("me")).unwrap(), true),
            (&|root| fs::write(root.join("me"), "").unwrap(), true),
        ],
    );
}

#[test]
fn a_file_renamed_over_it_counts_and_is_watched_then() {
    check(
        "me",
        |root| fs::write(root.join("me"), "").unwrap(),
        &[
            (
                &|root| {
                    fs::write(root.join("new"), "").unwrap();
                    later(&root.join("new"), 100);
                    fs::rename(root.join("new"), root.join("me")).unwrap();
                },
                true,
            ),
            (&|root| later(&root.join("me"), 200), true),
        ],
    );
}

#[test]
fn directories_may_come_later() {
    check(
        "a/b/me",
        |_| {},
        &[
            (&|root| fs::create_dir(root.join("a")).unwrap(), false),
            (&|root| fs::create_dir(root.join("a/b")).unwrap(), false),
            (&|root| fs::write(root.join("a/b/me"), "").unwrap(), true),
            (&|root| fs::remove_dir_all(root.join("a")).unwrap(), true),
            (
                &|root| {
                    fs::create_dir_all(root.join("a/b")).unwrap();
                    fs::write(root.join("a/b/me"), "").unwrap();
                },
                true,
            ),
        ],
    );
}

#[test]
fn links_are_followed_and_may_change() {
    check(
        "current/me",
        |root| {
            for (number, release) in ["one", "two"].into_iter().enumerate() {
                fs::create_dir(root.join(release)).unwrap();
                fs::write(root.join(release).join("me"), "").unwrap();
                later(&root.join(release).join("me"), number as u64);
            }
            symlink("one", root.join("current")).unwrap();
        },
        &[
            (&|root| later(&root.join("one/me"), 50), true),
            (
                &|root| {
                    later(&root.join("two/me"), 60);
                    symlink("two", root.join("next")).unwrap();
                    fs::rename(root.join("next"), root.join("current")).unwrap();
                },
                true,
            ),
            (&|root| later(&root.join("one/me"), 100), false),
            (&|root| later(&root.join("two/me"), 101), true),
        ],
    );
}

#[test]
fn a_write_is_one_touch() {
    let directory = tempfile::tempdir().unwrap();
    let me = directory.path().join("me");
    fs::write(&me, "before").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut touch = Touch::new().unwrap();
        touch.follow(&reload(&me));
        fs::write(&me, "after").unwrap();
        let wishes = timeout(PATIENCE, touch.touched()).await.unwrap();
        assert_eq!(wishes, BTreeSet::from(WISHES));
        assert!(timeout(10 * QUIET, touch.touched()).await.is_err());
    });
}

#[test]
fn what_was_known_stays_known_when_the_list_changes() {
    let directory = tempfile::tempdir().unwrap();
    let (me, other) = (directory.path().join("me"), directory.path().join("other"));
    fs::write(&me, "").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut touch = Touch::new().unwrap();
        touch.follow(&reload(&me));
        fs::remove_file(&me).unwrap();
        touch.follow(&Reload {
            touch_workers_reload: vec![other],
            ..reload(&me)
        });
        let wishes = timeout(PATIENCE, touch.touched()).await.unwrap();
        assert_eq!(wishes, BTreeSet::from(WISHES));
    });
}
