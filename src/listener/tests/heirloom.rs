//! Sockets that go to another supervisor, here to the same process.

use super::*;

/// As another supervisor would have them.
fn handed_over(listeners: &Listeners) -> Listeners {
    let heirlooms = listeners.heirlooms().map(|(heirloom, fd)| {
        let text = serde_json::to_string(&heirloom).unwrap();
        let fd = fd.try_clone_to_owned().unwrap();
        (serde_json::from_str(&text).unwrap(), fd)
    });
    Listeners::from_heirlooms(heirlooms.collect::<Vec<_>>()).unwrap()
}

#[test]
fn a_socket_of_the_same_address_is_shared() {
    let settings = [at("127.0.0.1:0"), at("@hostler-test-heirloom")];
    let before = bound(&settings);
    let after = handed_over(&before).rebind(&settings, DEFER).unwrap();
    assert_eq!(addresses(&after), addresses(&before));
    drop(before);
    assert!(TcpStream::connect(addresses(&after).remove(0)).is_ok());
}

#[test]
fn a_file_goes_with_whoever_owns_it() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("a.sock");
    let settings = [at(path.to_str().unwrap())];
    let before = bound(&settings);
    drop(handed_over(&before));
    assert!(connects(&path));
    let after = handed_over(&before);
    before.disown();
    drop(before);
    assert!(connects(&path));
    after.own();
    drop(after);
    assert!(!path.exists());
}

#[test]
fn the_service_managers_sockets_stay_its_own() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = socket.local_addr().unwrap().to_string();
    let before = Listeners::bind(&[at(&address)], DEFER, inherited(socket)).unwrap();
    assert!(handed_over(&before).are_inherited());
}
