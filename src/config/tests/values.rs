//! Texts that are not TOML, and values that their key does not take.

use super::*;

#[test]
fn what_is_not_toml_is_told_in_one_line() {
    check_error(
        "[app\nx = 1",
        ":1:5: this is not TOML: unclosed table, expected `]`",
    );
    check_error(
        "[app]\nmodule = shop",
        ":2:10: `shop` stands without quotes; write \"shop\"",
    );
    check_error("[app]\nmodule =", ":2:9: the value is missing behind `=`");
    check_error(
        "[app]\nmodule: 'shop'",
        ":2:9: this is not TOML: key with no value, expected `=`",
    );
    check_error(
        "[workers]\nthreads = 08",
        ":2:11: this is not TOML: unexpected leading zero",
    );
    check_error(
        "[app]\nmodule = 'a'\nmodule = 'b'",
        ":3:1: `module` is given twice; keep one",
    );
    check_error(
        "[app]\nmodule = 'a'\n[app]",
        ":3:2: `app` is given twice; keep one",
    );
}

#[test]
fn a_byte_order_mark_is_no_column() {
    check_error(
        "\u{feff}app = 1",
        ":1:1: `app` is a section; write [app], and its keys below",
    );
}

#[test]
fn values_of_the_wrong_type_name_key_expected_and_found() {
    let time = ": `socket`: expected a time span like \"30s\", found";
    check_error_behind(
        "[timeouts]\nsocket = true",
        &format!(":6:10{time} a boolean"),
    );
    check_error_behind(
        "[timeouts]\nsocket = 1.5",
        &format!(":6:10{time} the number 1.5"),
    );
    check_error_behind(
        "[timeouts]\nsocket = -4",
        &format!(":6:10{time} the number -4"),
    );
    check_error_behind("[timeouts]\nsocket = []", &format!(":6:10{time} a list"));
    check_error_behind(
        "[timeouts]\nsocket = 07:32:00",
        &format!(":6:10{time} a date"),
    );
    check_error_behind(
        "[timeouts]\nsocket = { s = 4 }",
        &format!(":6:10{time} a table"),
    );
    check_error_behind(
        "[request]\nspool-above = false",
        ":6:15: `spool-above`: expected a size like \"64K\", found a boolean",
    );
    check_error_behind(
        "[workers]\nthreads = \"4\"",
        ":6:11: `threads`: expected a whole number from 0 to 4294967295, found a string",
    );
    check_error_behind(
        "[workers]\nthreads = -1",
        ":6:11: `threads`: expected a whole number from 0 to 4294967295, found the number -1",
    );
    check_error_behind(
        "[http]\ntrusted-proxies = [\"unix\",\n 8]",
        ":7:2: `trusted-proxies`: expected a network like \"10.0.0.0/8\", or \"unix\", found the number 8",
    );
}

#[test]
fn values_of_the_wrong_type_in_app_and_listen() {
    check_app_error(
        "module = 1",
        ":2:10: `module`: expected a string, found the number 1",
    );
    check_app_error(
        "file = true",
        ":2:8: `file`: expected a path in quotes, found a boolean",
    );
    check_app_error(
        "lazy-apps = 1",
        ":2:13: `lazy-apps`: expected a boolean, found the number 1",
    );
    check_app_error(
        "argv = \"-v\"",
        ":2:8: `argv`: expected a list in square brackets, found a string",
    );
    check_app_error(
        "env = \"A=b\"",
        ":2:7: `env`: expected a table like { NAME = \"value\" }, found a string",
    );
    check_app_error(
        "env = { A = 1 }",
        ":2:13: `A`: expected a string, found the number 1",
    );
    check_listen_error(
        "address = 80",
        ":6:11: `address`: expected an address like \"127.0.0.1:8000\" or \"/run/site.sock\", \
         found the number 80",
    );
    check_listen_error(
        "address = \"/a\"\nmode = 0o660",
        ":7:8: `mode`: expected a file mode in quotes like \"0660\", found the number 0o660",
    );
    check_listen_error("backlog = 5", ":5:1: [[listen]] needs the key `address`");
}

#[test]
fn values_that_are_not_well_formed_keep_their_own_reason() {
    check_error_behind(
        "[timeouts]\nstart = \"5 fortnights\"",
        ":6:9: `start`: `5 fortnights` is not a time span: `fortnights` is not a unit; \
         units are us, ms, s, min, h, d, w, as in \"1min 30s\"",
    );
    check_listen_error(
        "address = \"localhost:99999\"",
        ":6:11: `address`: `localhost:99999` is not an address: \
         the port 99999 is out of range; ports go from 0 to 65535",
    );
    check_error_behind(
        "[uwsgi]\nbuffer-size = \"64k\\n\"",
        ":6:15: `buffer-size`: `64k\\n` is not a size: `k` is not a suffix; \
         suffixes are K, M, G, T (base 1024), as in \"64K\"",
    );
}

#[test]
fn words_of_a_fixed_set_are_compared_with_it() {
    check_listen_error(
        "protocol = \"htpp\"",
        ":6:12: `protocol` cannot be \"htpp\"; did you mean \"http\"?",
    );
    check_listen_error(
        "protocol = \"gopher\"",
        ":6:12: `protocol` cannot be \"gopher\"; known are `http`, `https`, `uwsgi`, `fastcgi`, `scgi`",
    );
    check_error_behind(
        "[log]\nlevel = \"warn\"",
        ":6:9: `level` cannot be \"warn\"; did you mean \"warning\"?",
    );
    check_error_behind(
        "[log]\nto = [\"stdrr\"]",
        ":6:7: `to` cannot be \"stdrr\"; did you mean \"stderr\"?",
    );
    check_error_behind(
        "[log]\nlevel = 3",
        ":6:9: `level`: expected a string, found the number 3",
    );
    check_error_behind(
        "[log]\nlevel = {}",
        ":6:9: `level`: expected a string, found a table",
    );
}
