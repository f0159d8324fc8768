//! Programs that answer requests, as RFC 3875 says: which one answers a path (`find`), what it is told (`environment`),
//! and what it says (`output`).
//!
//! All of it is decided from settings, request and file system; that a process runs, and for how long, is no matter of
//! this room: `serve::program` starts programs, feeds them and ends them.

mod environment;
mod find;
pub mod output;

use std::{
    ffi::OsString,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use crate::{config::Cgi, static_files::Links};

pub(crate) use environment::{Call, Environment};

/// The `[[cgi]]` of a site.
pub(crate) struct Programs {
    /// The longest prefix first.
    sections: Vec<Section>,
    /// What programs see of the server's own environment.
    inherited: Vec<(&'static str, OsString)>,
}

/// One `[[cgi]]`, and its number in the settings.
pub(crate) struct Section {
    settings: Cgi,
    number: usize,
    root: Root,
    links: Links,
}

/// Where the programs are.
enum Root {
    Directory(PathBuf),
    File(PathBuf),
}

/// A program that is to answer a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// Its section, by its place among [`Programs`].
    pub(crate) section: usize,
    /// Its file.
    pub(crate) file: PathBuf,
    /// What runs it; `None`: it runs itself.
    pub(crate) helper: Option<String>,
    /// The part of the path that has led to it, with the prefix of its section.
    pub(crate) name: Vec<u8>,
    /// The part of the path behind that.
    pub(crate) info: Vec<u8>,
}

/// What a path leads to.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A file that may not run, and why.
    Barred(PathBuf, &'static str),
    /// A directory with an index, asked for without the slash at the end.
    Directory,
    /// No section's.
    Elsewhere,
    /// A section's, and there is nothing.
    Nothing,
    /// A program.
    Program(Box<Program>),
}

impl Programs {
    /// Those of the settings. To be called before there are other threads: it reads the environment, which they change.
    pub(crate) fn new(settings: &[Cgi]) -> Self {
        let mut sections: Vec<_> = settings.iter().enumerate().map(Section::new).collect();
        sections.sort_by_key(|section| std::cmp::Reverse(section.settings.path.len()));
        Self {
            sections,
            inherited: environment::inherited(),
        }
    }

    /// Whether no path leads to a program.
    pub(crate) fn is_empty(&self) -> bool {
        self.sections.is_empty()
    }

    /// The program that a decoded path leads to, by the section with the longest prefix.
    pub(crate) fn find(&self, path: &[u8]) -> Found {
        let mut sections = self.sections.iter().enumerate();
        let found = sections.find_map(|(place, section)| {
            let prefix = section.settings.path.as_bytes();
            let rest = crate::static_files::behind(path, prefix)?;
            Some((place, section, path.len() - rest.len()))
        });
        match found {
            Some((place, section, at)) => section.find(place, path, at),
            None => Found::Elsewhere,
        }
    }

    /// The settings of a program's section, and its number there.
    pub(crate) fn settings(&self, program: &Program) -> (&Cgi, usize) {
        let section = &self.sections[program.section];
        (&section.settings, section.number)
    }
}

impl Section {
    fn new((number, settings): (usize, &Cgi)) -> Self {
        let root = match (&settings.directory, &settings.file) {
            (Some(directory), _) => Root::Directory(directory.clone()),
            // The rules of the settings see to it that there is one of both.
            (None, file) => Root::File(file.clone().unwrap_or_default()),
        };
        Self {
            settings: settings.clone(),
            number,
            root,
            links: Links::inside(
                "put the program there itself, or give it a [[cgi]] of its own with `file`",
            ),
        }
    }
}

impl Program {
    /// The directory that it runs in: its own.
    pub(crate) fn directory(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }

    /// The directory of its site: its path behind the prefix of its section, taken away. A program that is a section of
    /// its own has its own directory.
    fn document_root<'p>(&'p self, section: &'p Section) -> &'p Path {
        match &section.root {
            Root::Directory(directory) => directory,
            Root::File(_) => self.directory(),
        }
    }
}

/// Whether a file's name ends so.
fn ends_with(file: &Path, end: &str) -> bool {
    file.as_os_str().as_bytes().ends_with(end.as_bytes())
}
