//! Which program runs, and whether another one lies in its place by now.

use std::{
    env,
    ffi::{CString, OsStr, OsString},
    fs, io,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::MetadataExt,
    },
    path::{self, Path, PathBuf},
};

use rustix::param::linux_execfn;

use crate::{supervisor::interpreter::Extension, sys::Image};

use super::message::VARIABLE;

/// What is in the place of what runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::supervisor) enum OnDisk {
    /// Nothing at all.
    Gone,
    /// Another program, or another extension.
    Other,
    /// What runs.
    Same,
}

/// The program that runs and the extension that it uses.
pub(in crate::supervisor) struct Program {
    /// As it was started, so that a link that leads elsewhere by now is followed.
    path: PathBuf,
    file: FileId,
    extension: (PathBuf, FileId),
}

/// Device and inode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct FileId(u64, u64);

impl FileId {
    fn of(metadata: &fs::Metadata) -> Self {
        Self(metadata.dev(), metadata.ino())
    }

    /// `None`: there is none, as far as we may see.
    fn at(path: &Path) -> Option<Self> {
        fs::metadata(path).ok().map(|found| Self::of(&found))
    }
}

impl Program {
    /// This one.
    ///
    /// # Errors
    /// There is no /proc.
    pub(in crate::supervisor) fn here(extension: &Extension) -> io::Result<Self> {
        // The link is followed by the kernel, also when the file has no name any more.
        let file = FileId::of(&fs::metadata("/proc/self/exe")?);
        let path = match started_as() {
            Some(path) => path,
            None => env::current_exe()?,
        };
        let metadata = extension.file().metadata()?;
        Ok(Self {
            path,
            file,
            extension: (extension.path().to_owned(), FileId::of(&metadata)),
        })
    }

    /// Looks.
    pub(in crate::supervisor) fn on_disk(&self) -> OnDisk {
        let (extension, loaded) = &self.extension;
        let same = |path: &Path, file: FileId| FileId::at(path).map(|found| found == file);
        match (same(&self.path, self.file), same(extension, *loaded)) {
            (Some(true), Some(true)) => OnDisk::Same,
            // A program that is another one finds its own extension.
            (Some(false), _) | (Some(true), Some(false)) => OnDisk::Other,
            (None, _) | (_, None) => OnDisk::Gone,
        }
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// To start what lies there as an heir: as this process was called, in the same environment. The process that the
    /// watchdog's variable names is this one, and would be another.
    pub(super) fn image(&self) -> io::Result<Image> {
        let inherited =
            env::vars_os().filter(|(name, _)| name != "WATCHDOG_PID" && name != VARIABLE);
        let own = [(OsString::from(VARIABLE), OsString::from("1"))];
        let environment = inherited.chain(own).map(|(mut name, value)| {
            name.push("=");
            name.push(value);
            text(&name)
        });
        Ok(Image {
            path: text(self.path.as_os_str())?,
            arguments: env::args_os()
                .map(|argument| text(&argument))
                .collect::<Result<_, _>>()?,
            environment: environment.collect::<Result<_, _>>()?,
        })
    }
}

fn text(text: &OsStr) -> io::Result<CString> {
    CString::new(text.as_bytes()).map_err(io::Error::other)
}

/// The path that was given to exec (AT_EXECFN of getauxval(3)), absolute; none when it was started by a descriptor.
fn started_as() -> Option<PathBuf> {
    let path = OsString::from_vec(linux_execfn().to_bytes().to_vec());
    let path = path::absolute(path).ok()?;
    let passing = ["/proc", "/dev"]
        .iter()
        .any(|place| path.starts_with(place));
    (!passing && path.is_file()).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A program that is made of two files.
    fn program(directory: &Path) -> Program {
        let file = |name: &str| {
            let path = directory.join(name);
            fs::write(&path, name).unwrap();
            let id = FileId::at(&path).unwrap();
            (path, id)
        };
        let (path, id) = file("hostler");
        Program {
            path,
            file: id,
            extension: file("extension"),
        }
    }

    #[track_caller]
    fn check(change: impl FnOnce(&Path), expected: OnDisk) {
        let directory = tempfile::tempdir().unwrap();
        let program = program(directory.path());
        change(directory.path());
        assert_eq!(program.on_disk(), expected);
    }

    /// As package managers do it: the old file keeps its inode as long as somebody has it open.
    fn replace(directory: &Path, name: &str) {
        fs::write(directory.join("new"), "new").unwrap();
        fs::rename(directory.join("new"), directory.join(name)).unwrap();
    }

    #[test]
    fn a_program_is_another_when_one_of_its_files_is() {
        check(|_| {}, OnDisk::Same);
        check(|directory| replace(directory, "hostler"), OnDisk::Other);
        check(|directory| replace(directory, "extension"), OnDisk::Other);
    }

    #[test]
    fn a_program_that_was_removed_is_gone() {
        let remove = |name: &'static str| {
            move |directory: &Path| fs::remove_file(directory.join(name)).unwrap()
        };
        check(remove("hostler"), OnDisk::Gone);
        check(remove("extension"), OnDisk::Gone);
    }

    #[test]
    fn this_program_is_found() {
        let path = started_as().unwrap();
        assert_eq!(FileId::at(&path), FileId::at("/proc/self/exe".as_ref()));
    }
}
