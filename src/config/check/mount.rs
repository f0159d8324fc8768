//! The rules of `[[mount]]` and `[dynamic-apps]`: where further applications are found, and by which requests.

use super::{
    app::{callable, dotted_name, module_name, target},
    host_name, path_text, problem, url_prefix,
};
use crate::config::{
    error::{Part, Problem},
    paths::is_file,
    schema::{DynamicApps, Mount},
};

pub(super) fn check(mounts: &[Mount]) -> Result<(), Problem> {
    for (number, mount) in mounts.iter().enumerate() {
        let number_text = number.to_string();
        let section = ["mount", number_text.as_str()];
        let key = |name| ["mount", number_text.as_str(), name];
        place(&section, mount, &mounts[..number])?;
        target(&section, mount.module.as_deref(), mount.file.as_deref())?;
        if let Some(module) = &mount.module {
            dotted_name(&key("module"), module)?;
        }
        if let Some(file) = &mount.file {
            path_text(&key("file"), file)?;
        }
        callable(&section, mount.module.as_deref(), mount.callable.as_deref())?;
    }
    Ok(())
}

/// A path, a host, or both, and no two mounts at the same place.
fn place(section: &[&str], mount: &Mount, earlier: &[Mount]) -> Result<(), Problem> {
    let key = |name| [section, &[name]].concat();
    if mount.path.is_empty() && mount.host.is_none() {
        let message = "a mount without a place; write for example path = \"/shop\", or host = \"shop.example.com\"";
        return Err(problem(section, Part::Value, message));
    }
    if !mount.path.is_empty() {
        url_prefix(&key("path"), Part::Value, &mount.path)?;
        if mount.path.ends_with('/') {
            let message = format!(
                "`{}` ends with a slash; write \"{}\"",
                mount.path,
                mount.path.trim_end_matches('/')
            );
            return Err(problem(&key("path"), Part::Value, message));
        }
    }
    if let Some(host) = &mount.host {
        host_name(&key("host"), host)?;
    }
    let is_same = |other: &Mount| {
        other.path == mount.path
            && other.host.as_deref().map(str::to_ascii_lowercase)
                == mount.host.as_deref().map(str::to_ascii_lowercase)
    };
    match earlier.iter().any(is_same) {
        true => {
            let message = "two applications are mounted at the same place; remove one [[mount]]";
            Err(problem(section, Part::Value, message))
        }
        false => Ok(()),
    }
}

/// A request may name what is allowed, and nothing else.
pub(super) fn dynamic_apps(dynamic: &DynamicApps) -> Result<(), Problem> {
    if dynamic.enabled && dynamic.allow.is_empty() {
        let message = "nothing is allowed, so no request could name anything; write the modules or files into `allow`";
        return Err(problem(&["dynamic-apps", "enabled"], Part::Key, message));
    }
    for (number, name) in dynamic.allow.iter().enumerate() {
        let number = number.to_string();
        let key = ["dynamic-apps", "allow", number.as_str()];
        match is_file(name) {
            true => path_text(&key, name.as_ref())?,
            false => module_name(&key, name)?,
        }
    }
    Ok(())
}
