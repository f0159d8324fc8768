//! The configuration of uWSGI's tutorial for static files and CGI, converted and served: nothing of it is Python.

use std::{fs, process::Command};

use super::{ECHO, write};
use crate::support::{
    address,
    process::Process,
    site::{program, serves},
};

const OLD: &str = "[uwsgi]
plugins = cgi
http = 0.0.0.0:@PORT@
http-modifier1 = 9
check-static = @DIR@/www
static-index = index.html
static-skip-ext = .lua
cgi = /cgi-bin=@DIR@/cgi
cgi = /dump=@DIR@/cgi/dump.py
cgi-allowed-ext = .lua
cgi-helper = .lua=lua
cgi-index = index.lua
cgi-timeout = 30
";
const LUA: &str = r#"
local length = tonumber(os.getenv("CONTENT_LENGTH") or "0")
print("Status: 201 Made")
print("Content-Type: text/plain\r\n\r")
print(os.getenv("SCRIPT_NAME"), os.getenv("PATH_INFO"), os.getenv("QUERY_STRING"), io.read(length))
"#;

#[test]
fn the_tutorial_works_after_conversion() {
    let holder = tempfile::tempdir().unwrap();
    let place = holder.path().canonicalize().unwrap();
    let address = address::free();
    for (name, text) in [
        ("www/index.html", "<p>home"),
        ("www/script.lua", "source"),
        ("cgi/index.lua", LUA),
        ("cgi/dump.py", ECHO),
    ] {
        write(&place, name, text);
    }
    let old = OLD.replace("@DIR@", place.to_str().unwrap());
    fs::write(
        place.join("site.ini"),
        old.replace("@PORT@", address.port()),
    )
    .unwrap();
    let convert = |command: &mut Command| command.current_dir(&place).status().unwrap();
    let status = convert(program().args(["convert-ini", "-o", "site.toml", "site.ini"]));
    assert_eq!(status.code(), Some(0));

    let mut serve = program();
    serve.current_dir(&place).env("RUNTIME_DIRECTORY", &place);
    let site = Process::start("hostler", serve.args(["serve", "site.toml"]));
    site.wait_for("that it serves", |line| serves(line).then_some(()));

    assert_eq!(address.get("/").text(), "<p>home");
    let answer = address.request("POST", "/cgi-bin/index.lua/x?y", &[], b"body");
    assert_eq!((answer.status, answer.reason.as_str()), (201, "Made"));
    assert_eq!(answer.text(), "/cgi-bin/index.lua\t/x\ty\tbody\n");
    assert_eq!(
        address.get("/cgi-bin/").text(),
        "/cgi-bin/index.lua\tnil\t\tnil\n"
    );
    assert_eq!(address.get("/dump/x").json()["env"]["PATH_INFO"], "/x");
    assert_eq!(address.get("/cgi-bin/dump.py").status, 403);
    assert_eq!(address.get("/cgi-bin/none.lua").status, 404);
    assert_eq!(address.get("/script.lua").status, 404);
}
