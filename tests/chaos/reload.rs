//! Reloads under load, good and bad: not one request is lost, and no fewer workers serve.

use serde_json::json;

use crate::support::site::Site;

use super::{
    Chaos,
    control::{Census, reload, status},
};

fn settings(site: Site) -> Site {
    site.workers(2, 2)
}

#[test]
fn fifty_in_a_row() {
    let chaos = Chaos::start(settings);
    let (traffic, census) = (chaos.traffic(), Census::start(chaos.directory()));
    traffic.wait_for(100);
    for generation in 2..=51 {
        let reply = reload(chaos.directory());
        assert_eq!(
            reply,
            json!({"reloaded": {"generation": generation, "workers": 2}})
        );
    }
    traffic.wait_for(100);
    assert!(census.finish().fewest_serving >= 2);
    let account = traffic.finish();
    account.check_spotless(&chaos.ledger);
    assert!(
        account.by_worker().len() > 50,
        "hardly a generation had anything to do"
    );
    chaos
        .site
        .wait_until("only the last generation is left", || {
            chaos.site.children().len() == 3
        });
    assert_eq!(status(chaos.directory())["generation"], 51);
}

#[test]
fn to_broken_code_and_back() {
    let chaos = Chaos::start(settings);
    let (traffic, census) = (chaos.traffic(), Census::start(chaos.directory()));
    let broken = || chaos.ledger.site().env("TEST_APP", "broken");
    let bad = [
        settings(broken()),
        settings(broken()).app_setting("lazy-apps = true"),
        settings(chaos.ledger.site()).app_setting("post-fork = \"nowhere:nothing\""),
        settings(chaos.ledger.site()).virtualenv(Some("/nowhere".as_ref())),
        settings(chaos.ledger.site()).setting("nonsense", ""),
    ];
    for bad in bad {
        traffic.wait_for(50);
        chaos.site.rewrite(&bad);
        let reply = reload(chaos.directory());
        assert!(reply["failed"].is_object(), "{reply}");
        traffic.wait_for(50);
        chaos.site.rewrite(&settings(chaos.ledger.site()));
        let reply = reload(chaos.directory());
        assert!(reply["reloaded"].is_object(), "{reply}");
    }
    traffic.wait_for(100);
    assert!(census.finish().fewest_serving >= 2);
    traffic.finish().check_spotless(&chaos.ledger);
}
