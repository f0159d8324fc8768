//! What systemd does for a site: users, limits, directories.

use super::{super::options::refusals, Applied, Outcome, Topic, engine::Translation, typed, value};

pub(in crate::convert::uwsgi) static UID: Topic = Topic {
    documentation: "moved to systemd: `User=` by `service.user`",
    slot: Some("uid"),
    early: false,
    run: |translation, option| account(translation, option, "user", "User="),
};

pub(in crate::convert::uwsgi) static GID: Topic = Topic {
    documentation: "moved to systemd: `Group=` by `service.group`",
    slot: Some("gid"),
    early: false,
    run: |translation, option| account(translation, option, "group", "Group="),
};

pub(in crate::convert::uwsgi) static UMASK: Topic = Topic {
    documentation: "moved to systemd: `UMask=` by `service.umask`",
    slot: Some("umask"),
    early: false,
    run: umask,
};

pub(in crate::convert::uwsgi) static NICE: Topic = Topic {
    documentation: "moved to systemd: `Nice=` by `service.nice`",
    slot: Some("prio"),
    early: false,
    run: nice,
};

pub(in crate::convert::uwsgi) static CGROUP: Topic = Topic {
    documentation: "not needed: systemd gives each site a control group of its own",
    slot: None,
    early: false,
    run: |_, _| Outcome::not_needed("systemd gives each site a control group of its own"),
};

pub(in crate::convert::uwsgi) static CGROUP_LIMIT: Topic = Topic {
    documentation: "moved to systemd: `MemoryMax=` and the like, for limits that have one",
    slot: None,
    early: false,
    run: cgroup_limit,
};

pub(in crate::convert::uwsgi) static MOUNTPOINT: Topic = Topic {
    documentation: "moved to systemd: `Requires=` the mount, by `service.requires`",
    slot: None,
    early: false,
    run: mountpoint,
};

pub(in crate::convert::uwsgi) static WAIT_SOCKET: Topic = Topic {
    documentation: "not possible: `After=` the unit that opens the socket, by `service.after`",
    slot: None,
    early: false,
    run: |_, _| {
        let instead = "the unit that opens the socket, in `service.after` and `service.requires`";
        let why = "whose socket it is cannot be seen";
        Outcome::not_possible(why, instead)
    },
};

pub(in crate::convert::uwsgi) static KSM: Topic = Topic {
    documentation: "moved to systemd: `MemoryKSM=` by `service.directives`",
    slot: Some("ksm"),
    early: false,
    run: |translation, option| directive(translation, option, "MemoryKSM", "yes"),
};

pub(in crate::convert::uwsgi) static NEVER_SWAP: Topic = Topic {
    documentation: "moved to systemd: `MemorySwapMax=` by `service.directives`",
    slot: Some("never-swap"),
    early: false,
    run: |translation, option| directive(translation, option, "MemorySwapMax", "0"),
};

pub(in crate::convert::uwsgi) static CORE: Topic = Topic {
    documentation: "moved to systemd: `LimitCORE=` by `service.directives`",
    slot: Some("use-abort"),
    early: false,
    run: |translation, option| directive(translation, option, "LimitCORE", "infinity"),
};

pub(in crate::convert::uwsgi) static NPROC: Topic = Topic {
    documentation: "moved to systemd: `LimitNPROC=` by `service.directives`",
    slot: Some("limit-nproc"),
    early: false,
    run: |translation, option| {
        let value = option.value.trim().to_owned();
        directive(translation, option, "LimitNPROC", &value)
    },
};

pub(in crate::convert::uwsgi) static ROOT: Topic = Topic {
    documentation: "moved to systemd: `RootDirectory=` by `service.directives`",
    slot: Some("chroot"),
    early: false,
    run: |translation, option| {
        let text = value::text(&option.value).value;
        let root = text.split(' ').next().unwrap_or_default().to_owned();
        directive(translation, option, "RootDirectory", &root)
            .ask("paths of the settings count from inside the new root, and hostler has to be installed there")
    },
};

fn account(
    translation: &mut Translation<'_>,
    option: &Applied,
    key: &str,
    directive: &str,
) -> Outcome {
    let read = value::text(&option.value);
    if read.value.is_empty() {
        return Outcome::not_needed("it names nobody");
    }
    let outcome = translation
        .keep("service", key, read.value.as_str())
        .moved(directive)
        .notes(read.notes);
    match read.value.as_str() {
        "root" | "0" if key == "user" => {
            outcome.ask("the site runs as root; give it a user of its own")
        }
        _ => outcome,
    }
}

fn umask(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = value::text(&option.value).value;
    match u32::from_str_radix(&text, 8) {
        Ok(mask) if mask <= 0o777 => translation
            .keep("service", "umask", format!("{mask:04o}"))
            .moved("UMask="),
        _ => translation.unread(option, "service.umask", "it is no octal number"),
    }
}

fn nice(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = value::text(&option.value).value;
    match text.parse::<i64>() {
        Ok(number) => translation.keep("service", "nice", number).moved("Nice="),
        Err(_) => translation.unread(option, "service.nice", "it is no number"),
    }
}

fn directive(
    translation: &mut Translation<'_>,
    option: &Applied,
    name: &str,
    value: &str,
) -> Outcome {
    if super::remarks::is_off(&option.value) {
        return Outcome::not_needed("it was off");
    }
    translation
        .keep("service.directives", name, value)
        .moved(&format!("{name}="))
}

/// `name=value` of a control group, of the first version or the second.
fn cgroup_limit(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let (name, value) = option.value.split_once('=').unwrap_or((&option.value, ""));
    let value = value.trim();
    let number = value::number(value, super::super::options::Kind::Bytes);
    match (name.trim(), number) {
        ("memory.limit_in_bytes" | "memory.max", Ok(read)) => translation
            .keep("service", "memory-max", typed::bytes(read.value))
            .moved("MemoryMax="),
        ("memory.soft_limit_in_bytes" | "memory.high", Ok(read)) => translation
            .keep("service", "memory-high", typed::bytes(read.value))
            .moved("MemoryHigh="),
        ("pids.max", Ok(read)) => {
            let number = i64::try_from(read.value).unwrap_or(i64::MAX);
            translation
                .keep("service", "tasks-max", number)
                .moved("TasksMax=")
        }
        ("cpu.weight", Ok(_)) => translation
            .keep("service.directives", "CPUWeight", value)
            .moved("CPUWeight="),
        _ => Outcome::refused(&refusals::DIRECTIVES),
    }
}

fn mountpoint(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let path = value::text(&option.value).value;
    let unit = unit_of(&path);
    translation.gather("service", "after", unit.as_str());
    translation
        .gather("service", "requires", unit)
        .moved("Requires=")
}

/// The mount unit of a path, as `systemd-escape --path --suffix=mount` writes it.
fn unit_of(path: &str) -> String {
    let mut name = String::new();
    for c in path.trim_matches('/').chars() {
        match c {
            '/' => name.push('-'),
            c if c.is_ascii_alphanumeric() || c == '_' || c == '.' || c == ':' => name.push(c),
            c => {
                let mut bytes = [0; 4];
                for byte in c.encode_utf8(&mut bytes).bytes() {
                    name.push_str(&format!("\\x{byte:02x}"));
                }
            }
        }
    }
    format!("{name}.mount")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_has_its_mount_unit() {
        assert_eq!(unit_of("/srv/my-data"), "srv-my\\x2ddata.mount");
        assert_eq!(unit_of("/mnt/"), "mnt.mount");
    }
}
