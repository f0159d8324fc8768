//! Whether the users and groups exist that the settings name.

use crate::config::{Address, Settings};

use super::host::Findings;

/// Looks for every account.
pub(super) fn look(settings: &Settings, findings: &mut Findings) {
    let service = &settings.service;
    if let Some(user) = &service.user {
        user_exists(&["service", "user"], user, findings);
    }
    if let Some(group) = &service.group {
        group_exists(&["service", "group"], group, findings);
    }
    for (number, group) in service.supplementary_groups.iter().enumerate() {
        let number = number.to_string();
        group_exists(
            &["service", "supplementary-groups", &number],
            group,
            findings,
        );
    }
    for (number, listen) in settings.listen.iter().enumerate() {
        let number = number.to_string();
        if !matches!(listen.address, Address::Unix(_)) {
            continue;
        }
        if let Some(owner) = &listen.owner {
            user_exists(&["listen", &number, "owner"], owner, findings);
        }
        if let Some(group) = &listen.group {
            group_exists(&["listen", &number, "group"], group, findings);
        }
    }
}

/// Numbers need no name.
fn user_exists(key: &[&str], user: &str, findings: &mut Findings) {
    if user.parse::<u32>().is_err() && uzers::get_user_by_name(user).is_none() {
        findings.error(
            key,
            format!("there is no user `{user}`; make it: useradd --system {user}"),
        );
    }
}

fn group_exists(key: &[&str], group: &str, findings: &mut Findings) {
    if group.parse::<u32>().is_err() && uzers::get_group_by_name(group).is_none() {
        findings.error(
            key,
            format!("there is no group `{group}`; make it: groupadd --system {group}"),
        );
    }
}
