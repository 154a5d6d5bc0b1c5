//! Widths in whose calls some arguments may be others.

use hallpass::QuestionState;
use hallpass::policy::{Part, Width};
use hallpass::prelude::*;
use hallpass::value::Digest;
use serde_json::json;

#[cfg(feature = "url")]
use crate::desk::get;
use crate::desk::{Desk, pay, read, terms};
use crate::office::run;

/// attack 156: other arguments after the yes
#[test]
fn other_arguments_than_the_yes_reaches_are_another_question_and_the_approved_call_stays_good_once()
{
    for offer in [vec![], vec![Width::CALL, Width::calls(2)]] {
        let desk = Desk::new(terms().offer(offer.clone()));
        let pending = desk.approved(&pay(1), Width::CALL);
        let other = desk.office.ask(&desk.grant, &pay(2));
        assert_ne!(other.id(), pending.id());
        assert_eq!(pending.state(), QuestionState::Approved);
        desk.runs(&pay(1));
        assert!(!desk.is_served(&pay(1)));
        assert_eq!(other.state(), QuestionState::Waiting);
    }
    // One use lets nothing vary.
    let desk = Desk::new(terms().offer([Width::CALL, Width::calls(2)]).vary(["path"]));
    desk.approved(&read("/data/a"), Width::CALL);
    assert!(!desk.is_served(&read("/data/b")));
    assert!(desk.is_served(&read("/data/a")));
}

#[test]
fn what_is_named_may_vary_and_everything_else_stays_as_it_was_shown() {
    let desk = Desk::new(terms().offer([Width::calls(9)]).vary(["path", "note"]));
    let call = |args: serde_json::Value| Call::new("fs.read", args).unwrap();
    let shown = call(json!({ "path": "/data/a", "lines": 5 }));
    let pending = desk.approved(&shown, Width::calls(9));
    let view = desk.office.question(&pending).view().to_string();
    for line in ["ask may reach: calls:9", "ask lets vary: path, note"] {
        assert!(view.contains(line), "{view}");
    }
    for served in [
        json!({ "path": "/etc/passwd", "lines": 5 }),
        json!({ "path": "/data/a", "lines": 5.0 }),
        // Another spelling of a path is the same path.
        json!({ "path": "/data/./a//", "lines": 5 }),
    ] {
        assert!(desk.is_served(&call(served.clone())), "{served}");
    }
    for other in [
        json!({ "path": "/data/b", "lines": 6 }),
        json!({ "path": "/data/b" }),
        json!({ "path": "/data/b", "lines": "5" }),
        json!({ "path": "/data/b", "lines": 5, "more": true }),
        json!({ "path": "/data/b", "lines": null }),
        json!({ "Path": "/data/b", "path": "/data/a", "lines": 5 }),
        // Of what may vary the kind stays, and whether it is there: to leave it out may mean all.
        json!({ "path": ["/data/b"], "lines": 5 }),
        json!({ "lines": 5 }),
        json!({ "path": "/data/a", "lines": 5, "note": "x" }),
    ] {
        assert!(!desk.is_served(&call(other.clone())), "{other}");
    }
    let varied = call(json!({ "path": "/data/b", "lines": 5 }));
    assert!(!desk.is_served(&varied.clone().on(Resource::new("disk", "1"))));
    assert!(!desk.is_served(&varied.clone().material("script", Digest::of(b"1"))));
    let other_tool = Call::new("bank.pay", json!({ "path": "/data/b", "lines": 5 })).unwrap();
    assert!(!desk.is_served(&other_tool));
    desk.runs(&varied);
    assert_eq!(pending.state(), QuestionState::Approved);
    desk.office.verify();
}

#[test]
fn a_permit_of_a_varied_call_runs_the_varied_call() {
    let desk = Desk::new(terms().offer([Width::calls(2)]).vary(["amount"]));
    desk.approved(&pay(1), Width::calls(2));
    assert_eq!(run(desk.permit(&pay(7))), 7);
}

/// attacks 2 and 169: the same part in another spelling, and what climbs out of it
#[test]
fn a_pinned_part_of_what_varies_stays_in_every_spelling() {
    let wide = terms().offer([Width::calls(9)]).vary(["path"]);
    let desk = Desk::new(wide.same("path", Part::Folder));
    desk.approved(&read("/data/q3/a"), Width::calls(9));
    for path in ["/data/q3/b", "/data/q3/./c", "/data//q3/b", "/data/q3/b/"] {
        assert!(desk.is_served(&read(path)), "{path}");
    }
    for path in ["/data/q4/a", "/data/q3/deeper/b", "/data/q3", "/data/Q3/b", "data/q3/b", "/"] {
        assert!(!desk.is_served(&read(path)), "{path}");
    }
    for path in ["/data/q3/../q4/a", "/data/q3/%2e%2e/b", "/data/q3/..", "/data/q3/\u{0}b", ""] {
        let checked =
            desk.office.gate.check(&desk.grant, desk.grant.holder(), &read(path), &Context::new());
        assert!(checked.is_err(), "{path:?}");
    }
}

/// attack 169: another origin in another spelling, and a redirect in another argument
#[cfg(feature = "url")]
#[test]
fn a_pinned_origin_stays_in_every_spelling() {
    let wide = terms().offer([Width::calls(9)]).vary(["link"]);
    let desk = Desk::new(wide.same("link", Part::Origin));
    desk.approved(&get("https://acme.test/q?a=1"), Width::calls(9));
    for link in
        ["https://ACME.test/other", "https://acme.test:443/", "https://acme.test/?x=//evil.test"]
    {
        assert!(desk.is_served(&get(link)), "{link}");
    }
    for link in [
        "http://acme.test/q",
        "https://acme.test:8443/q",
        "https://acme.test.evil.test/",
        "https://evil.test/#https://acme.test/",
        "https://evil.test\\@acme.test/",
    ] {
        assert!(
            desk.office
                .gate
                .check(&desk.grant, desk.grant.holder(), &get(link), &Context::new())
                .is_err(),
            "{link}"
        );
    }
    let redirect = json!({ "link": "https://acme.test/", "next": "https://evil.test/" });
    assert!(!desk.is_served(&Call::new("web.get", redirect).unwrap()), "in another argument");
}
