//! Libraries that most sites are built of do all that they are for in the sandbox of the shipped service.

use super::{machine::Machine, on_each_system};

on_each_system!(django_numpy_pillow_and_psycopg_work_in_the_sandbox);

const SERVICE: &str = "hostler@shop.service";

fn django_numpy_pillow_and_psycopg_work_in_the_sandbox(machine: &Machine) {
    let version = "import sys; print('%d.%d' % sys.version_info[:2])";
    let version = machine.succeed(&["python3", "-c", version]);
    let settings = format!(
        "[app]\nfile = \"/opt/hostler/tests/apps/libraries/app.py\"\n\
         python-path = [\"/opt/venv/libraries/{}\"]\n[[listen]]\naddress = \"127.0.0.1:8000\"\n",
        version.trim()
    );
    machine.site("shop", &settings);
    machine.succeed(&["systemctl", "start", "hostler@shop.socket", SERVICE]);
    for (page, expected) in [
        ("/django", "1"),
        ("/numpy", "true"),
        ("/pillow", "[64,48]"),
        ("/psycopg", "42"),
    ] {
        assert_eq!(machine.get(8000, page).to_string(), expected, "{page}");
    }
    let complaints = machine.journal(&["-u", SERVICE, "-p", "warning"]);
    assert!(complaints.is_empty(), "{complaints:#?}");
}
