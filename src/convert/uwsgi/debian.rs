//! The options that Debian's package gives every instance before its own file, unseen by most who use it.

use super::read::{Format, Input};

/// They are like a file that is read first. The log file is left out: root opened it, and the journal has the log now.
pub(super) fn defaults(site: &str) -> Input {
    let text = format!(
        "[uwsgi]\n\
         set-placeholder = deb-confnamespace=app\n\
         set-placeholder = deb-confname={site}\n\
         autoload = true\n\
         master = true\n\
         workers = 2\n\
         no-orphans = true\n\
         pidfile = /run/uwsgi/app/{site}/pid\n\
         socket = /run/uwsgi/app/{site}/socket\n\
         chmod-socket = 660\n\
         log-date = true\n\
         uid = www-data\n\
         gid = www-data\n"
    );
    Input::Text {
        name: "Debian's defaults".to_owned(),
        text: text.into_bytes(),
        format: Some(Format::Ini),
    }
}
