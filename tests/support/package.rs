//! The packages, made of the build that is tested; each once for all tests.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    sync::{Mutex, PoisonError, RwLock, RwLockReadGuard},
};

use super::{root, site::PROGRAM};

/// The tree of files that packages are made of has one place, and is made anew for each.
static TREE: RwLock<()> = RwLock::new(());

/// The tree stays as it is while this is held.
pub(crate) fn hold_tree() -> RwLockReadGuard<'static, ()> {
    TREE.read().unwrap_or_else(PoisonError::into_inner)
}

/// A package of this revision; tests that upgrade want two.
pub(crate) fn package(format: &'static str, revision: u32) -> PathBuf {
    static MADE: Mutex<BTreeMap<(&str, u32), PathBuf>> = Mutex::new(BTreeMap::new());
    // A test that could not make it has said so; the others try themselves.
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let path = made
        .entry((format, revision))
        .or_insert_with(|| make(format, revision, &root().join("target/package/tests")));
    path.clone()
}

/// Makes a package into a directory.
pub(crate) fn make(format: &str, revision: u32, directory: &Path) -> PathBuf {
    let _alone = TREE.write().unwrap_or_else(PoisonError::into_inner);
    let output = Command::new(root().join("packaging/package"))
        .arg(format)
        .arg(Path::new(PROGRAM).parent().unwrap())
        .arg(directory)
        .env("REVISION", revision.to_string())
        .env("FAST", "1")
        .output()
        .unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{complaints}`make test` installs what makes packages"
    );
    let path = String::from_utf8(output.stdout).unwrap();
    path.trim_end().into()
}
