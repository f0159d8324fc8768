//! Every settings file under `examples/` loads, and its README shows the same settings.

use std::fs;

use super::*;

fn sites() -> Vec<PathBuf> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let sites = fs::read_dir(examples)
        .unwrap()
        .map(|entry| entry.unwrap().path().join("site.toml"));
    sites.filter(|site| site.exists()).collect()
}

#[test]
fn examples_load_with_their_own_directories() {
    assert!(sites().len() >= 2);
    for site in sites() {
        let app = load(&site).unwrap().app;
        assert_eq!(app.chdir.as_deref(), site.parent());
        assert_eq!(app.virtualenv, Some(site.with_file_name(".venv")));
    }
}

#[test]
fn a_readme_shows_the_settings_that_are_there() {
    for site in sites() {
        let readme = fs::read_to_string(site.with_file_name("README.md")).unwrap();
        let shown = readme
            .split("```toml\n")
            .nth(1)
            .unwrap()
            .split("```")
            .next()
            .unwrap();
        assert_eq!(parse(shown, &site).unwrap(), load(&site).unwrap());
    }
}
