//! `limits.max-fd`: with all descriptors in use connections wait in the queue, and are served when there are some again.

use crate::support::site::Site;

fn site(most: u64) -> Site {
    Site::app("memory")
        .bare()
        .setting("limits", &format!("max-fd = {most}"))
}

#[test]
fn the_limit_is_that_of_the_worker() {
    let site = site(64).start();
    assert_eq!(site.get("/limits").json()["nofile"][0], 64);
}

#[test]
fn who_comes_when_there_are_none_left_is_served_later() {
    let site = site(64).start();
    let mut clients: Vec<_> = (0..80).map(|_| site.address().connect()).collect();
    site.process
        .wait_for_text("connections cannot be accepted for a moment");
    // Half of them go; then the others, those in the queue too, are answered.
    clients.drain(..40);
    for client in &mut clients {
        client.send_get("/pid");
    }
    for client in &mut clients {
        assert_eq!(client.answer().status, 200);
    }
}

#[test]
fn more_than_the_service_may_have_is_refused() {
    let (mut process, _directory) = site(1 << 30).launch();
    process.wait_for_text("limits.max-fd cannot be set");
    assert!(!process.wait().success());
}
