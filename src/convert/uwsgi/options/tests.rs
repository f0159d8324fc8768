//! The table is complete and in order.

use super::*;

#[test]
fn names_are_in_order_and_each_once() {
    let names: Vec<&str> = all().map(|(name, _)| *name).collect();
    assert!(names.is_sorted_by(|one, next| one < next));
}

#[test]
fn every_row_is_found_by_its_name() {
    for (name, rule) in all() {
        assert!(std::ptr::eq(find(name).unwrap(), rule), "{name}");
    }
    for name in ["", "a", "zzz", "buffer_size", "socke", "sockets"] {
        assert!(find(name).is_none(), "{name}");
    }
}

#[track_caller]
fn check_nearest(name: &str, expected: Option<&str>) {
    assert_eq!(nearest(name), expected);
}

#[test]
fn a_slip_of_the_hand_leads_home() {
    check_nearest("vaccum", Some("vacuum"));
    check_nearest("buffer_size", Some("buffer-size"));
    check_nearest("Master", Some("master"));
    check_nearest("procceses", Some("processes"));
    check_nearest("umask 027", Some("umask"));
    check_nearest("project", None);
    check_nearest("base", None);
    check_nearest("appname", None);
}
