//! Finds the site's own Python and our extension for it, and explains what is wrong with what it finds.
//!
//! Nothing is run here. Which version the interpreter has, it says itself when it is started as a zygote.

use std::{
    env,
    ffi::{OsStr, OsString},
    fs::{self, File},
    io,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    rc::Rc,
};

use crate::config::App;

/// Where packages put the extension.
const INSTALLED: &str = "/usr/lib/hostler/_hostler.abi3.so";

/// What a zygote is started with.
#[derive(Debug, Clone)]
pub(crate) struct Interpreter {
    /// The program.
    pub(crate) python: PathBuf,
    /// The module `_hostler`.
    pub(crate) extension: Extension,
}

/// The extension, as it was when the supervisor started. It is kept open: an upgrade may put another one in its place long
/// before the supervisor gives way, and a zygote that has to be made until then needs the one that goes with this program.
#[derive(Debug, Clone)]
pub(crate) struct Extension {
    path: PathBuf,
    file: Rc<File>,
}

/// Why there is no interpreter; all of these are errors of configuration.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InterpreterError {
    /// The environment outlived its Python.
    #[error(
        "virtualenv {virtualenv}: its {python} points to a Python that is gone; make the environment again: python3 -m venv --clear {virtualenv}"
    )]
    Dangling {
        /// The environment.
        virtualenv: PathBuf,
        /// The dangling link.
        python: PathBuf,
    },
    /// Nothing there, or something else.
    #[error("app.chdir: {chdir} is not a directory; make it, or correct the path")]
    NoDirectory {
        /// As in the settings.
        chdir: PathBuf,
    },
    /// The package is incomplete, or nothing was built.
    #[error("the extension for Python is missing; looked for {}; install all of hostler, build it (cargo build --workspace), or name it in $HOSTLER_EXTENSION", list(.tried))]
    NoExtension {
        /// Where it was looked for.
        tried: Vec<PathBuf>,
    },
    /// It may not be read.
    #[error("the extension for Python, {path}, cannot be opened")]
    NotOpened {
        /// Where it is.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// Nothing to run.
    #[error("there is no python3 on PATH; install Python 3.9 or newer, or set app.virtualenv")]
    NoPython,
    /// Nothing there.
    #[error("virtualenv {virtualenv} does not exist; make it: python3 -m venv {virtualenv}")]
    NoVirtualenv {
        /// As in the settings.
        virtualenv: PathBuf,
    },
    /// There is something else.
    #[error(
        "{virtualenv} is not a virtual environment, it has no pyvenv.cfg; make one: python3 -m venv {virtualenv}"
    )]
    NotVirtualenv {
        /// As in the settings.
        virtualenv: PathBuf,
    },
    /// A directory or file that we may not see.
    #[error("virtualenv: cannot read {path}")]
    Unreadable {
        /// What we may not see.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
}

impl Interpreter {
    /// The interpreter that an application's settings ask for, and the extension that is installed.
    pub(crate) fn find(app: &App) -> Result<Self, InterpreterError> {
        let python = python(app)?;
        let program = env::current_exe().unwrap_or_default();
        let extension = extension(env::var_os("HOSTLER_EXTENSION"), &program)?;
        let extension = Extension::open(extension)?;
        Ok(Self { python, extension })
    }

    /// The interpreter that other settings ask for, with the same extension.
    pub(super) fn find_again(&self, app: &App) -> Result<Self, InterpreterError> {
        Ok(Self {
            python: python(app)?,
            extension: self.extension.clone(),
        })
    }
}

impl Extension {
    fn open(path: PathBuf) -> Result<Self, InterpreterError> {
        match File::open(&path) {
            Ok(file) => Ok(Self {
                path,
                file: Rc::new(file),
            }),
            Err(source) => Err(InterpreterError::NotOpened { path, source }),
        }
    }

    /// Where it was found; another one may be there by now.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// The file itself.
    pub(super) fn file(&self) -> &File {
        &self.file
    }
}

fn python(app: &App) -> Result<PathBuf, InterpreterError> {
    directory(app)?;
    if let Some(virtualenv) = &app.virtualenv {
        return python_of(virtualenv);
    }
    let path = app.env.get("PATH").map(OsString::from);
    let path = path.or_else(|| env::var_os("PATH"));
    on_path(&path.unwrap_or_default()).ok_or(InterpreterError::NoPython)
}

/// Looks for the directory that the application is to start in: an exec that fails for want of it says no more than
/// that something was not found.
pub(super) fn directory(app: &App) -> Result<(), InterpreterError> {
    match &app.chdir {
        Some(chdir) if !chdir.is_dir() => Err(InterpreterError::NoDirectory {
            chdir: chdir.clone(),
        }),
        _ => Ok(()),
    }
}

fn python_of(virtualenv: &Path) -> Result<PathBuf, InterpreterError> {
    let exists = |path: &Path| match path.try_exists() {
        Err(source) => Err(InterpreterError::Unreadable {
            path: path.to_owned(),
            source,
        }),
        Ok(exists) => Ok(exists),
    };
    let virtualenv_name = virtualenv.to_owned();
    if !exists(virtualenv)? {
        return Err(InterpreterError::NoVirtualenv {
            virtualenv: virtualenv_name,
        });
    }
    if !exists(&virtualenv.join("pyvenv.cfg"))? {
        return Err(InterpreterError::NotVirtualenv {
            virtualenv: virtualenv_name,
        });
    }
    let python = virtualenv.join("bin/python");
    if !exists(&python)? {
        return Err(InterpreterError::Dangling {
            virtualenv: virtualenv_name,
            python,
        });
    }
    Ok(python)
}

fn on_path(path: &OsStr) -> Option<PathBuf> {
    env::split_paths(path)
        .map(|directory| directory.join("python3"))
        .find(|file| {
            let executable =
                |found: fs::Metadata| found.is_file() && found.permissions().mode() & 0o111 != 0;
            fs::metadata(file).is_ok_and(executable)
        })
}

/// Beside the program, as cargo builds it; where an installation into a prefix puts it; where pip puts a wheel; where
/// packages put it.
fn extension(named: Option<OsString>, program: &Path) -> Result<PathBuf, InterpreterError> {
    let directory = program.parent().unwrap_or(program);
    let tried = match named {
        Some(path) => vec![path.into()],
        None => {
            let mut tried = vec![
                directory.join("lib_hostler.so"),
                directory.join("../lib/hostler/_hostler.abi3.so"),
            ];
            tried.extend(of_wheel(directory));
            tried.push(INSTALLED.into());
            tried
        }
    };
    match tried.iter().find(|path| path.is_file()) {
        Some(path) => Ok(path.clone()),
        None => Err(InterpreterError::NoExtension { tried }),
    }
}

/// The extension of a wheel, in the packages of the Python whose `bin` the program is in: a virtual environment's, a
/// user's (`pip install --user`), the system's; there may be several Pythons.
fn of_wheel(bin: &Path) -> Vec<PathBuf> {
    let entries = ["../lib", "../lib64"].map(|lib| fs::read_dir(bin.join(lib)));
    let entries = entries.into_iter().flatten().flatten().flatten();
    let is_python = |name: &OsStr| name.to_string_lossy().starts_with("python3");
    let pythons = entries.filter(|entry| is_python(&entry.file_name()));
    let packages = ["site-packages", "dist-packages"];
    let found = pythons.flat_map(|python| packages.map(|name| python.path().join(name)));
    let files = found.map(|packages| packages.join("_hostler/_hostler.abi3.so"));
    let mut files: Vec<PathBuf> = files.filter(|file| file.is_file()).collect();
    files.sort();
    files
}

fn list(paths: &[PathBuf]) -> String {
    paths
        .iter()
        .map(|path| path.display().to_string())
        .collect::<Vec<_>>()
        .join(", ")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// A directory that looks like a virtual environment as far as `make` goes.
    fn virtualenv(make: impl Fn(&Path)) -> TempDir {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("bin")).unwrap();
        make(directory.path());
        directory
    }

    fn refused(make: impl Fn(&Path)) -> String {
        python_of(virtualenv(make).path()).unwrap_err().to_string()
    }

    #[test]
    fn a_virtualenv_gives_its_own_python() {
        let directory = virtualenv(|path| {
            fs::write(path.join("pyvenv.cfg"), "").unwrap();
            symlink("/bin/sh", path.join("bin/python")).unwrap();
        });
        assert_eq!(
            python_of(directory.path()).unwrap(),
            directory.path().join("bin/python")
        );
    }

    #[test]
    fn a_missing_working_directory_is_named() {
        let app = App {
            chdir: Some("/no/such/directory".into()),
            ..App::default()
        };
        let expected =
            "app.chdir: /no/such/directory is not a directory; make it, or correct the path";
        assert_eq!(Interpreter::find(&app).unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_missing_virtualenv_is_named() {
        let error = python_of(Path::new("/no/such/venv"))
            .unwrap_err()
            .to_string();
        let expected =
            "virtualenv /no/such/venv does not exist; make it: python3 -m venv /no/such/venv";
        assert_eq!(error, expected);
    }

    #[test]
    fn a_directory_that_is_no_virtualenv_is_told_apart() {
        assert!(refused(|_| {}).contains("is not a virtual environment, it has no pyvenv.cfg"));
    }

    #[test]
    fn a_virtualenv_whose_python_is_gone_is_told_apart() {
        let error = refused(|path| {
            fs::write(path.join("pyvenv.cfg"), "").unwrap();
            symlink("/no/such/python3.8", path.join("bin/python")).unwrap();
        });
        assert!(error.contains("points to a Python that is gone"));
    }

    #[test]
    fn python_is_found_on_path_only_if_it_can_be_run() {
        let directory = tempfile::tempdir().unwrap();
        let python = directory.path().join("python3");
        fs::write(&python, "").unwrap();
        assert_eq!(on_path(directory.path().as_os_str()), None);
        fs::set_permissions(&python, fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(on_path(directory.path().as_os_str()), Some(python));
    }

    #[test]
    fn the_extension_is_found_beside_the_program_or_in_its_prefix() {
        let directory = tempfile::tempdir().unwrap();
        let program = directory.path().join("bin/hostler");
        let installed = directory.path().join("lib/hostler");
        fs::create_dir_all(&installed).unwrap();
        fs::create_dir(directory.path().join("bin")).unwrap();
        fs::write(installed.join("_hostler.abi3.so"), "").unwrap();
        let found = extension(None, &program).unwrap();
        assert_eq!(
            fs::canonicalize(found).unwrap(),
            fs::canonicalize(installed.join("_hostler.abi3.so")).unwrap()
        );
        let built = directory.path().join("bin/lib_hostler.so");
        fs::write(&built, "").unwrap();
        assert_eq!(extension(None, &program).unwrap(), built);
    }

    #[test]
    fn the_extension_of_a_wheel_is_found_in_its_environment() {
        let directory = tempfile::tempdir().unwrap();
        let packages = directory.path().join("lib/python3.13/site-packages");
        fs::create_dir_all(packages.join("_hostler")).unwrap();
        fs::create_dir(directory.path().join("bin")).unwrap();
        let file = packages.join("_hostler/_hostler.abi3.so");
        fs::write(&file, "").unwrap();
        let found = extension(None, &directory.path().join("bin/hostler")).unwrap();
        assert_eq!(
            fs::canonicalize(found).unwrap(),
            fs::canonicalize(file).unwrap()
        );
    }

    #[test]
    fn a_named_extension_is_the_only_one() {
        let error =
            extension(Some("/no/such.so".into()), Path::new("/usr/bin/hostler")).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the extension for Python is missing; looked for /no/such.so; ")
        );
    }
}
