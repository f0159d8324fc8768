//! What to type to switch a site over, and back.

use std::path::{Path, PathBuf};

use crate::{
    config::Settings,
    systemd::units::{SiteName, units},
};

/// How the old service is run.
pub(super) enum Old {
    /// By Debian's package.
    Debian,
    /// In a way that cannot be seen.
    Unknown,
    /// By this unit.
    Unit(String),
    /// By an emperor that watches this file.
    Vassal(PathBuf),
}

/// The units that systemd is told of, and the commands; nginx stays as it is.
pub(super) fn steps(site: &str, settings: &Settings, file: &Path, old: &Old) -> String {
    let place = PathBuf::from(format!("/etc/hostler/{site}.toml"));
    let mut text =
        String::from("# What systemd is told (hostler-generator does this by itself):\n\n");
    if let Some(name) = SiteName::of_file(&place) {
        for unit in units(&name, settings, &place) {
            text.push_str(&format!("# {}\n{}\n", unit.path.display(), unit.text));
        }
    }
    let (stop, start) = commands(site, old);
    let file = file.display();
    text.push_str(&format!(
        "# Switch over; the front server stays as it is:\n\
         install -m 0644 {file} {place}\n\
         hostler check {place}\n\
         systemctl daemon-reload\n\
         {stop}\n\
         systemctl enable --now hostler@{site}.socket hostler@{site}.service\n\
         systemctl status hostler@{site}.service\n\
         \n\
         # Switch back:\n\
         systemctl disable --now hostler@{site}.socket hostler@{site}.service\n\
         {start}\n",
        place = place.display(),
    ));
    text
}

/// Ends the old service for good, and brings it back.
fn commands(site: &str, old: &Old) -> (String, String) {
    match old {
        Old::Debian => (
            format!("service uwsgi stop {site} && mv /etc/uwsgi/apps-enabled/{site}.ini /root/"),
            format!("mv /root/{site}.ini /etc/uwsgi/apps-enabled/ && service uwsgi start {site}"),
        ),
        Old::Unit(unit) => (
            format!("systemctl disable --now {unit}"),
            format!("systemctl enable --now {unit}"),
        ),
        Old::Vassal(file) => {
            let file = file.display();
            (
                format!("mv {file} {file}.off"),
                format!("mv {file}.off {file}"),
            )
        }
        Old::Unknown => (
            "# ... and here what stops uWSGI, for example: systemctl disable --now uwsgi.service"
                .to_owned(),
            "# ... and here what starts it again".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;

    #[test]
    fn the_way_back_is_the_way_there_in_reverse() {
        let text = "app.module = \"shop\"\nlisten = [{ address = \"/run/shop.sock\" }]";
        let settings = config::parse(text, Path::new("/etc/hostler/shop.toml")).unwrap();
        let old = Old::Unit("uwsgi-shop.service".to_owned());
        let steps = steps("shop", &settings, Path::new("shop.toml"), &old);
        let (there, back) = steps.split_once("# Switch back:\n").unwrap();
        assert!(there.contains("ListenStream=/run/shop.sock"), "{there}");
        assert!(there.contains(
            "systemctl disable --now uwsgi-shop.service\nsystemctl enable --now hostler@shop.socket"
        ));
        let expected = "systemctl disable --now hostler@shop.socket hostler@shop.service\n\
                        systemctl enable --now uwsgi-shop.service\n";
        assert_eq!(back, expected);
    }
}
