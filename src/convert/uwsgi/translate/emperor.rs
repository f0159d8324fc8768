//! Emperors: each vassal becomes an instance of hostler@.service.

use super::{
    super::options::refusals, Applied, Outcome, Topic, Verdict, engine::Translation, value,
};

pub(in crate::convert::uwsgi) static EMPEROR: Topic = Topic {
    documentation: "moved to systemd: an instance of `hostler@.service` for each vassal",
    slot: None,
    early: false,
    run: emperor,
};

pub(in crate::convert::uwsgi) static VASSALS: Topic = Topic {
    documentation: "not possible here: the file is named before or behind the vassal's own when that is converted",
    slot: None,
    early: false,
    run: vassals,
};

pub(in crate::convert::uwsgi) static TYRANT: Topic = Topic {
    documentation: "moved to systemd: `User=` of each site by its `service.user`",
    slot: Some("emperor-tyrant"),
    early: false,
    run: tyrant,
};

fn emperor(_: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = value::text(&option.value).value;
    let source = text
        .strip_prefix("dir://")
        .unwrap_or(&text)
        .trim_end_matches('/');
    if source.contains("://") {
        return Outcome::refused(&refusals::CONFIG_SOURCE);
    }
    let example = match source.contains(['*', '.']) {
        true => source.to_owned(),
        false => format!("{source}/*.ini"),
    };
    let outcome = Outcome::new(Verdict::Moved {
        directive: "hostler@SITE.service".to_owned(),
        key: String::new(),
    });
    outcome.ask(format!(
        "each vassal is a site of its own; convert it by `hostler convert-ini --emperor FILE -o /etc/hostler/SITE.toml` \
         for every FILE of {example}, then `systemctl daemon-reload` and `systemctl enable --now hostler@SITE.socket`"
    ))
}

fn vassals(_: &mut Translation<'_>, option: &Applied) -> Outcome {
    let place = match option.name.contains("before") || option.name.contains("set") {
        true => "before",
        false => "behind",
    };
    let file = &option.value;
    let instead = match option.name.ends_with("set") {
        true => format!("`hostler convert-ini --emperor VASSAL.ini -- --{file}` for each vassal"),
        false => format!("`{file}` named {place} VASSAL.ini, in `hostler convert-ini --emperor`"),
    };
    Outcome::not_possible("it is about the files of the vassals", instead.as_str())
}

fn tyrant(_: &mut Translation<'_>, option: &Applied) -> Outcome {
    if super::remarks::is_off(&option.value) {
        return Outcome::not_needed("it was off");
    }
    let outcome = Outcome::new(Verdict::Moved {
        directive: "User=".to_owned(),
        key: "service.user".to_owned(),
    });
    outcome.ask(
        "each vassal ran as the owner of its file; name that user in `service.user` of its site",
    )
}
