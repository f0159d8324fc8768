//! Whether somebody may use a file as they have to, and if not, which directory or file is in the way.

use std::{
    fs, io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use rustix::fs::{Access, access};

use super::{entry::Entry, person::Person};

const TOPIC: &str = "permissions";

/// What somebody has to be able to do with a file or directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// Connect to a socket.
    Connect,
    /// Go through a directory.
    Enter,
    /// See what is in a directory and use it.
    List,
    /// Read a file.
    Read,
    /// Execute a program.
    Run,
    /// Write to a file, or make files in a directory.
    Write,
}

/// A file that somebody needs, and the setting that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Need {
    pub(super) path: PathBuf,
    pub(super) want: Want,
    pub(super) key: String,
}

/// What is in the way: `path`, or a directory on the way to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Obstacle {
    pub(super) path: PathBuf,
    pub(super) want: Want,
}

/// What `ls -l` shows of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ownership {
    pub(super) mode: u32,
    pub(super) user: u32,
    pub(super) group: u32,
}

impl Want {
    fn flags(self) -> Access {
        match self {
            Self::Connect | Self::Write => Access::WRITE_OK,
            Self::Enter | Self::Run => Access::EXEC_OK,
            Self::List => Access::READ_OK | Access::EXEC_OK,
            Self::Read => Access::READ_OK,
        }
    }

    /// The bits of one class of a mode (inode(7)).
    fn bits(self) -> u32 {
        match self {
            Self::Connect | Self::Write => 2,
            Self::Enter | Self::Run => 1,
            Self::List => 5,
            Self::Read => 4,
        }
    }

    fn verb(self) -> &'static str {
        match self {
            Self::Connect => "connect to",
            Self::Enter => "enter",
            Self::List => "list",
            Self::Read => "read",
            Self::Run => "execute",
            Self::Write => "write to",
        }
    }

    /// As chmod(1) takes it.
    fn letters(self) -> &'static str {
        match self {
            Self::Connect | Self::Write => "w",
            Self::Enter | Self::Run => "x",
            Self::List => "rx",
            Self::Read => "r",
        }
    }
}

impl Ownership {
    /// Of a file; a link is followed.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let found = fs::metadata(path)?;
        Ok(Self {
            mode: found.mode(),
            user: found.uid(),
            group: found.gid(),
        })
    }

    /// Whether the mode alone lets somebody do it (path_resolution(7)).
    fn allows(&self, person: &Person, want: Want) -> bool {
        let ids = &person.ids;
        let shift = if ids.user == self.user {
            6
        } else if ids.group == self.group || ids.groups.contains(&self.group) {
            3
        } else {
            0
        };
        ids.user == 0 || (self.mode >> shift) & want.bits() == want.bits()
    }

    /// `drwxr-x--- root www-data`.
    pub(super) fn shown(&self) -> String {
        let kind = match self.mode & 0o170_000 {
            0o040_000 => 'd',
            0o140_000 => 's',
            _ => '-',
        };
        let bits = (0..9).rev().map(|bit| match self.mode & (1 << bit) != 0 {
            true => ['x', 'w', 'r'][bit % 3],
            false => '-',
        });
        let bits: String = bits.collect();
        format!(
            "{kind}{bits} {} {}",
            user_name(self.user),
            group_name(self.group)
        )
    }
}

/// The name of a user, or the number.
pub(super) fn user_name(user: u32) -> String {
    let known = uzers::get_user_by_uid(user);
    known.map_or_else(
        || user.to_string(),
        |user| user.name().to_string_lossy().into_owned(),
    )
}

/// The name of a group, or the number.
pub(super) fn group_name(group: u32) -> String {
    let known = uzers::get_group_by_gid(group);
    known.map_or_else(
        || group.to_string(),
        |group| group.name().to_string_lossy().into_owned(),
    )
}

/// What keeps whoever calls from a file; `None`: nothing, or the file is not there at all.
pub(super) fn obstacle(path: &Path, want: Want) -> Option<Obstacle> {
    let may = |path: &Path, want: Want| {
        let denied = access(path, want.flags());
        !denied.is_err_and(|errno| io::Error::from(errno).kind() == io::ErrorKind::PermissionDenied)
    };
    if may(path, want) {
        return None;
    }
    let mut above: Vec<&Path> = path.ancestors().skip(1).collect();
    above.reverse();
    let blocked = above.into_iter().find(|above| !may(above, Want::Enter));
    let (path, want) = match blocked {
        Some(above) => (above, Want::Enter),
        None => (path, want),
    };
    let path = path.to_owned();
    Some(Obstacle { path, want })
}

/// Looks at every need as `person`, and says what is in the way of each, an obstacle once; `None` when it cannot be
/// looked at.
pub(super) fn look(person: &Person, needs: &[Need]) -> Option<Vec<Entry>> {
    // Links are followed by us: behind one that leads into a directory which is closed, only we see where.
    let real: Vec<(Need, PathBuf)> = needs
        .iter()
        .filter_map(|need| Some((need.clone(), fs::canonicalize(&need.path).ok()?)))
        .collect();
    let found = person.act(|| {
        let look = |(need, path): &(Need, PathBuf)| {
            // The way as it was written counts as well.
            let obstacle =
                obstacle(&need.path, need.want).map(|seen| match obstacle(path, need.want) {
                    Some(real) => real,
                    None => seen,
                });
            Some((need.clone(), obstacle?))
        };
        real.iter().filter_map(look).collect::<Vec<_>>()
    })?;
    let mut told: Vec<Obstacle> = Vec::new();
    let mut entries = Vec::new();
    for (need, obstacle) in found {
        if !told.contains(&obstacle) {
            let ownership = Ownership::of(&obstacle.path).ok();
            entries.push(judge(person, &need, &obstacle, ownership.as_ref()));
            told.push(obstacle);
        }
    }
    Some(entries)
}

/// What is wrong, and which command makes it right.
pub(super) fn judge(
    person: &Person,
    need: &Need,
    obstacle: &Obstacle,
    ownership: Option<&Ownership>,
) -> Entry {
    let Person { name, .. } = person;
    let path = obstacle.path.display();
    let shown = ownership.map(|ownership| format!(" ({})", ownership.shown()));
    let verb = obstacle.want.verb();
    let why = match obstacle.path == need.path {
        true => format!("{} needs it", need.key),
        false => format!("{} is behind it ({})", need.path.display(), need.key),
    };
    let message = format!(
        "{name} may not {verb} {path}{}; {why}",
        shown.unwrap_or_default()
    );
    Entry::wrong(TOPIC, message, advice(person, obstacle, ownership))
}

fn advice(person: &Person, obstacle: &Obstacle, ownership: Option<&Ownership>) -> String {
    let Obstacle { path, want } = obstacle;
    let (path, letters) = (path.display(), want.letters());
    match (ownership, want) {
        (Some(found), _) if found.allows(person, *want) => format!(
            "its mode allows it, so an access control list, SELinux or AppArmor does not: getfacl {path}; journalctl --dmesg --grep=DENIED; ausearch -m avc -ts recent"
        ),
        (_, Want::Connect) => {
            "give the socket a group that both are in: `group` of [[listen]], then systemctl daemon-reload and restart the socket".to_owned()
        }
        (_, Want::Enter) => format!("chmod o+x {path}"),
        (_, Want::Write) => format!("chown {} {path}", person.name),
        (Some(found), _) if found.group == person.ids.group => format!("chmod g+{letters} {path}"),
        _ => {
            let group = group_name(person.ids.group);
            format!("chgrp {group} {path} && chmod g+{letters} {path}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{doctor::entry::lines, sys::Account};

    fn nobody() -> Person {
        Person {
            name: "shop".to_owned(),
            ids: Account {
                user: 54321,
                group: 54322,
                groups: vec![54323],
            },
        }
    }

    #[track_caller]
    fn check_allows(mode: u32, user: u32, group: u32, want: Want, expected: bool) {
        let ownership = Ownership { mode, user, group };
        assert_eq!(ownership.allows(&nobody(), want), expected);
    }

    #[test]
    fn one_class_of_the_mode_counts() {
        check_allows(0o700, 54321, 0, Want::List, true);
        check_allows(0o077, 54321, 54322, Want::Read, false);
        check_allows(0o040, 0, 54322, Want::Read, true);
        check_allows(0o707, 0, 54323, Want::Read, false);
        check_allows(0o701, 0, 0, Want::Enter, true);
        check_allows(0o660, 0, 0, Want::Connect, false);
    }

    #[track_caller]
    fn check(need: (&str, Want), at: (&str, Want), found: (u32, u32, u32), expected: &str) {
        let need = Need {
            path: need.0.into(),
            want: need.1,
            key: "app.file".to_owned(),
        };
        let obstacle = Obstacle {
            path: at.0.into(),
            want: at.1,
        };
        let (mode, user, group) = found;
        let ownership = Ownership { mode, user, group };
        let entry = judge(&nobody(), &need, &obstacle, Some(&ownership));
        assert_eq!(lines(&[entry]), [expected]);
    }

    #[test]
    fn what_is_in_the_way_is_named_with_its_remedy() {
        let file = ("/srv/a.py", Want::Read);
        check(
            file,
            file,
            (0o100_600, 0, 0),
            "Wrong permissions: shop may not read /srv/a.py (-rw------- root root); app.file needs it \
             -> chgrp 54322 /srv/a.py && chmod g+r /srv/a.py",
        );
        check(
            file,
            ("/srv", Want::Enter),
            (0o040_750, 0, 0),
            "Wrong permissions: shop may not enter /srv (drwxr-x--- root root); /srv/a.py is behind it (app.file) \
             -> chmod o+x /srv",
        );
        check(
            file,
            file,
            (0o100_644, 0, 0),
            "Wrong permissions: shop may not read /srv/a.py (-rw-r--r-- root root); app.file needs it \
             -> its mode allows it, so an access control list, SELinux or AppArmor does not: getfacl /srv/a.py; \
             journalctl --dmesg --grep=DENIED; ausearch -m avc -ts recent",
        );
    }

    #[test]
    fn the_first_closed_directory_is_the_obstacle() {
        let directory = tempfile::tempdir().unwrap();
        let open = |mode| {
            use std::os::unix::fs::PermissionsExt;
            fs::set_permissions(directory.path(), fs::Permissions::from_mode(mode)).unwrap();
        };
        fs::create_dir_all(directory.path().join("a/b")).unwrap();
        open(0o700);
        let path = directory.path().join("a/b");
        let need = Need {
            path: path.clone(),
            want: Want::List,
            key: "app.chdir".to_owned(),
        };
        assert_eq!(
            look(&Person::ourselves(), std::slice::from_ref(&need)),
            Some(Vec::new())
        );
        if rustix::process::geteuid().is_root() {
            let entries = look(&nobody(), &[need.clone(), need]).unwrap();
            assert_eq!(entries.len(), 1);
            let expected = format!("shop may not enter {} (drwx", directory.path().display());
            assert!(entries[0].message.starts_with(&expected), "{entries:?}");
        }
        open(0o755);
    }
}
