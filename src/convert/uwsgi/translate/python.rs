//! The interpreter and what is around the application: directories, environment, modules.

use super::{
    Applied, Outcome, Topic,
    engine::Translation,
    value::{self, Read},
};

pub(in crate::convert::uwsgi) static CHDIR: Topic = Topic {
    documentation: "kept: `app.chdir`",
    slot: Some("chdir"),
    early: true,
    run: chdir,
};

pub(in crate::convert::uwsgi) static CHDIR2: Topic = Topic {
    documentation: "kept: `app.chdir`, where no other is given",
    slot: Some("chdir2"),
    early: false,
    run: chdir2,
};

pub(in crate::convert::uwsgi) static HOME: Topic = Topic {
    documentation: "kept: `app.virtualenv`",
    slot: Some("home"),
    early: false,
    run: home,
};

pub(in crate::convert::uwsgi) static PYTHONPATH: Topic = Topic {
    documentation: "kept: `app.python-path`, the last one first",
    slot: None,
    early: false,
    run: python_path,
};

pub(in crate::convert::uwsgi) static ENV: Topic = Topic {
    documentation: "kept: `[app.env]`",
    slot: None,
    early: false,
    run: env,
};

pub(in crate::convert::uwsgi) static ARGV: Topic = Topic {
    documentation: "kept: `app.argv`",
    slot: Some("pyargv"),
    early: false,
    run: argv,
};

pub(in crate::convert::uwsgi) static IMPORT: Topic = Topic {
    documentation: "kept: `app.import`",
    slot: None,
    early: false,
    run: |translation, option| import(translation, option, "import"),
};

pub(in crate::convert::uwsgi) static PRELOAD: Topic = Topic {
    documentation: "kept: `app.preload`",
    slot: None,
    early: false,
    run: |translation, option| import(translation, option, "preload"),
};

pub(in crate::convert::uwsgi) static OPTIMIZE: Topic = Topic {
    documentation: "kept: `PYTHONOPTIMIZE` in `[app.env]`",
    slot: Some("optimize"),
    early: false,
    run: optimize,
};

/// The interpreter reads it from its environment as well.
fn optimize(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    match value::text(&option.value).value.as_str() {
        "0" | "false" => Outcome::not_needed("it was off"),
        "" | "true" => translation.keep("app.env", "PYTHONOPTIMIZE", "1"),
        level => translation.keep("app.env", "PYTHONOPTIMIZE", level),
    }
}

fn chdir(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let Read { value, notes } = value::text(&option.value);
    if value.is_empty() {
        return Outcome::not_needed("it names no directory");
    }
    let path = translation.absolute(&value);
    translation.keep("app", "chdir", path).notes(notes)
}

fn chdir2(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    if translation.last("chdir").is_none() {
        return chdir(translation, option)
            .note("uWSGI changed there after the import; now the import happens there as well");
    }
    let directory = |name: &str| {
        translation
            .last(name)
            .map(|option| value::text(&option.value).value)
    };
    if directory("chdir") == directory("chdir2") {
        return Outcome::not_needed("`chdir` names the same directory");
    }
    let chdir = "the directory changes once, before the import";
    Outcome::not_possible(chdir, "`os.chdir` at the end of the module")
        .ask("the working directory is that of `chdir`; call os.chdir in the module for another one afterwards")
}

fn home(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let Read { value, notes } = value::text(&option.value);
    if value.is_empty() {
        return Outcome::not_needed("it names no directory");
    }
    let system = ["/usr", "/usr/", "/usr/local", "/usr/local/"];
    if system.contains(&value.as_str()) {
        return Outcome::not_needed(
            "without `app.virtualenv` the system's python3 runs the application",
        );
    }
    translation
        .keep("app", "virtualenv", value::path(&value))
        .notes(notes)
}

/// Each is put in front of the ones before.
fn python_path(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let Read { value, notes } = value::text(&option.value);
    if value.is_empty() {
        return Outcome::not_needed("it names no directory");
    }
    let section = translation.draft.section("app");
    let path = toml::Value::from(value::path(&value));
    translation
        .draft
        .push_front(section, "python-path", path.clone());
    let outcome = Outcome::kept(section, "app", "python-path", &path).notes(notes);
    match value.contains('*') {
        true => {
            outcome.ask("uWSGI put every directory that the pattern matches on the path; name them")
        }
        false => outcome,
    }
}

fn env(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let (name, value) = option.value.split_once('=').unwrap_or((&option.value, ""));
    let trimmed = name.trim();
    if value::is_template(trimmed) {
        return Outcome::carried("app.env", &option.value);
    }
    if trimmed.is_empty() {
        return Outcome::not_possible("it names no variable", "`[app.env]`")
            .ask(format!("write `{}` in [app.env] yourself", option.value));
    }
    let outcome = translation.keep("app.env", trimmed, value.trim());
    match name == trimmed {
        true => outcome,
        false => outcome.note("the variable's name ended in a blank, which was not meant"),
    }
}

fn argv(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let words: Vec<&str> = option.value.split_whitespace().collect();
    translation.keep("app", "argv", words)
}

fn import(translation: &mut Translation<'_>, option: &Applied, key: &str) -> Outcome {
    let Read { value, notes } = value::text(&option.value);
    translation
        .gather("app", key, value)
        .notes(notes)
        .note("a module that cannot be imported ends the start; uWSGI only logged it")
}
