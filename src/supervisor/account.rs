//! Who runs the application: `[service] user` and `group`, for whoever starts us as root.
//!
//! The supervisor stays root: it binds sockets anew at a reload, and reads what only root may read. Under systemd it
//! never is, since the unit says `User=`.

use std::ffi::OsStr;

use rustix::process::geteuid;
use uzers::{Group, User, os::unix::UserExt};

use crate::{config::Service, sys};

/// An account, and what a login would say of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Account {
    /// Numbers.
    pub(crate) ids: sys::Account,
    /// Variables of the environment, as systemd sets them with `User=` (systemd.exec(5)).
    pub(crate) environment: Vec<(&'static str, String)>,
}

/// Why there is no account.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AccountError {
    /// A name that nobody knows.
    #[error("service.{key}: there is no {what} {name}; correct the name, or make one")]
    Unknown {
        key: &'static str,
        what: &'static str,
        name: String,
    },
    /// A number without a name has no group of its own.
    #[error("service.user: the user {user} is not in the user database; set service.group as well")]
    NoGroup { user: u32 },
}

/// The account that the settings ask for, if it is another than ours and we may choose.
pub(super) fn account(service: &Service) -> Result<Option<Account>, AccountError> {
    if service.user.is_none() && service.group.is_none() {
        return Ok(None);
    }
    if !geteuid().is_root() {
        return Ok(None);
    }
    find(service).map(Some)
}

/// The account that the settings name; without one root's.
pub(crate) fn find(service: &Service) -> Result<Account, AccountError> {
    let user = service.user.as_deref().unwrap_or("0");
    let known = user_of(user);
    let user = match (&known, user.parse()) {
        (Some(known), _) => known.uid(),
        (None, Ok(number)) => number,
        (None, Err(_)) => return Err(unknown("user", "user", user)),
    };
    let group = match (&service.group, &known) {
        (Some(group), _) => group_id("group", group)?,
        (None, Some(known)) => known.primary_group_id(),
        (None, None) => return Err(AccountError::NoGroup { user }),
    };
    let of_user = known
        .as_ref()
        .and_then(|known| uzers::get_user_groups(known.name(), group));
    let mut groups: Vec<u32> = of_user.iter().flatten().map(Group::gid).collect();
    for name in &service.supplementary_groups {
        groups.push(group_id("supplementary-groups", name)?);
    }
    groups.sort_unstable();
    groups.dedup();
    let ids = sys::Account {
        user,
        group,
        groups,
    };
    let environment = known.as_ref().map(environment).unwrap_or_default();
    Ok(Account { ids, environment })
}

fn environment(user: &User) -> Vec<(&'static str, String)> {
    let text = |text: &OsStr| text.to_string_lossy().into_owned();
    vec![
        ("HOME", text(user.home_dir().as_os_str())),
        ("LOGNAME", text(user.name())),
        ("SHELL", text(user.shell().as_os_str())),
        ("USER", text(user.name())),
    ]
}

fn user_of(name: &str) -> Option<User> {
    let by_name = uzers::get_user_by_name(name);
    by_name.or_else(|| uzers::get_user_by_uid(name.parse().ok()?))
}

fn group_id(key: &'static str, name: &str) -> Result<u32, AccountError> {
    let by_name = uzers::get_group_by_name(name).map(|group| group.gid());
    by_name
        .or_else(|| name.parse().ok())
        .ok_or_else(|| unknown(key, "group", name))
}

fn unknown(key: &'static str, what: &'static str, name: &str) -> AccountError {
    let name = name.to_owned();
    AccountError::Unknown { key, what, name }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(user: &str, group: Option<&str>) -> Service {
        Service {
            user: Some(user.to_owned()),
            group: group.map(str::to_owned),
            ..Service::default()
        }
    }

    #[test]
    fn a_name_has_its_own_group_and_home() {
        let account = find(&service("root", None)).unwrap();
        assert_eq!((account.ids.user, account.ids.group), (0, 0));
        assert!(account.environment.contains(&("HOME", "/root".to_owned())));
        assert!(account.environment.contains(&("USER", "root".to_owned())));
    }

    #[test]
    fn numbers_need_no_entry_in_the_database() {
        let account = find(&service("54321", Some("54322"))).unwrap();
        assert_eq!((account.ids.user, account.ids.group), (54321, 54322));
        assert!(account.ids.groups.is_empty() && account.environment.is_empty());
    }

    #[track_caller]
    fn check_error(service: &Service, expected: &str) {
        assert_eq!(find(service).unwrap_err().to_string(), expected);
    }

    #[test]
    fn what_nobody_knows_is_named() {
        let correct = "correct the name, or make one";
        check_error(
            &service("no-such-user", None),
            &format!("service.user: there is no user no-such-user; {correct}"),
        );
        check_error(
            &service("root", Some("no-such-group")),
            &format!("service.group: there is no group no-such-group; {correct}"),
        );
        check_error(
            &service("54321", None),
            "service.user: the user 54321 is not in the user database; set service.group as well",
        );
    }
}
