//! Looking at the machine as somebody else: whoever runs the site, or whoever nginx runs as.
//!
//! The kernel is asked and not the mode of a file, so that groups, access control lists and security modules count. It
//! is asked by a thread that has become that person, which is possible because the kernel knows credentials of threads
//! and only the C library those of processes (credentials(7)).

use std::thread;

use rustix::{
    process::{Gid, Uid, getegid, geteuid, getgroups},
    thread::{set_thread_groups, set_thread_res_gid, set_thread_res_uid},
};

use crate::sys::Account;

/// Somebody who has to be able to use files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Person {
    /// As people know them.
    pub(crate) name: String,
    pub(crate) ids: Account,
}

impl Person {
    /// Of these numbers, by their name if they have one.
    pub(crate) fn of(ids: Account) -> Self {
        let user = uzers::get_user_by_uid(ids.user);
        let name = user.map(|user| user.name().to_string_lossy().into_owned());
        Self {
            name: name.unwrap_or_else(|| ids.user.to_string()),
            ids,
        }
    }

    /// Whoever runs this program.
    pub(crate) fn ourselves() -> Self {
        let groups = getgroups().unwrap_or_default();
        Self::of(Account {
            user: geteuid().as_raw(),
            group: getegid().as_raw(),
            groups: groups.iter().map(|group| group.as_raw()).collect(),
        })
    }

    /// Of this name, with all groups that they are in.
    pub(crate) fn named(name: &str) -> Option<Self> {
        let user = uzers::get_user_by_name(name)?;
        let group = user.primary_group_id();
        let groups = uzers::get_user_groups(name, group).unwrap_or_default();
        Some(Self::of(Account {
            user: user.uid(),
            group,
            groups: groups.iter().map(uzers::Group::gid).collect(),
        }))
    }

    /// Does something as this person; `None` when only root could.
    pub(crate) fn act<T: Send>(&self, act: impl FnOnce() -> T + Send) -> Option<T> {
        let ours = geteuid();
        if ours.as_raw() == self.ids.user {
            return Some(act());
        }
        if !ours.is_root() {
            return None;
        }
        thread::scope(|scope| {
            let as_them = scope.spawn(|| self.become_them().then(act));
            as_them.join().ok().flatten()
        })
    }

    /// For the calling thread, for good. The user comes last, since it is the one who may change the others.
    fn become_them(&self) -> bool {
        let Account {
            user,
            group,
            groups,
        } = &self.ids;
        let groups: Vec<Gid> = groups.iter().map(|group| Gid::from_raw(*group)).collect();
        let (user, group) = (Uid::from_raw(*user), Gid::from_raw(*group));
        set_thread_groups(&groups)
            .and_then(|()| set_thread_res_gid(group, group, group))
            .and_then(|()| set_thread_res_uid(user, user, user))
            .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt};

    use super::*;

    #[test]
    fn whoever_is_somebody_else_sees_what_they_see() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("secret");
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        fs::set_permissions(directory.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let stranger = Person::of(Account {
            user: 54321,
            group: 54321,
            groups: vec![54322],
        });
        assert_eq!(stranger.name, "54321");
        let seen = stranger.act(|| fs::read(&file).is_ok());
        assert_eq!(seen, geteuid().is_root().then_some(false));
        assert!(fs::read(&file).is_ok(), "this thread is still who it was");
        assert_eq!(
            Person::ourselves().act(|| fs::read(&file).is_ok()),
            Some(true)
        );
    }

    #[test]
    fn names_are_looked_up() {
        let root = Person::named("root").unwrap();
        assert_eq!((root.name.as_str(), root.ids.user), ("root", 0));
        assert_eq!(Person::named("no-such-user"), None);
    }
}
