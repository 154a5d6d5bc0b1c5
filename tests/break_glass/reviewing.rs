//! What was done is looked at by somebody else.

use std::time::Duration;

use hallpass::audit::Event;
use hallpass::policy::{BreakGlassTerms, Reviewers};
use hallpass::prelude::*;
use hallpass::scope::{has_any, same_as};
use hallpass::{Halt, NotCounted};

use crate::ward::{MINUTE, Ward, incident, policy, run, terms};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn ada() -> Assertion {
    Assertion::human("ada@acme.test").alias("a.smith").group("sre")
}

/// The same person, as other attestors know her.
fn known_otherwise() -> [Assertion; 4] {
    [
        Assertion::human("ADA+oncall@acme.test"),
        Assertion::human("other").alias("\u{ff41}da@acme.test"),
        Assertion::human("A.Smith"),
        Assertion::human("smith").alias("Ada@Acme.test"),
    ]
}

/// attack 125
#[test]
fn a_review_that_is_overdue_refuses_the_next_use_by_that_person_under_any_name() {
    let ward = Ward::new([incident()]);
    let person = ward.attest(ada());
    ward.broke(&person);
    // As long as it is not due, not even the second.
    assert!(ward.breaks(&person).is_ok());
    ward.clock.advance(DAY - Duration::from_millis(1));
    assert!(ward.breaks(&person).is_ok());
    assert!(!ward.reviews.debts()[0].is_overdue());
    ward.clock.advance(Duration::from_millis(1));
    assert!(ward.reviews.debts()[0].is_overdue());
    for name in known_otherwise().into_iter().chain([ada()]) {
        assert_eq!(ward.refused(&ward.attest(name.group("sre"))), Reason::ReviewOwed);
    }
    assert!(ward.breaks(&ward.person("bob@acme.test", "sre")).is_ok());
    // All that are overdue have to be closed.
    let eve = ward.person("eve", "security");
    let debts = ward.reviews.debts();
    ward.reviews.close_debt(&debts[0], &eve, "justified", "as INC-7 says").unwrap();
    assert_eq!(ward.refused(&person), Reason::ReviewOwed);
    ward.reviews.close_debt(&debts[1], &eve, "justified", "as INC-7 says").unwrap();
    assert!(ward.breaks(&person).is_ok());
}

/// attack 125: so configured, by the rule that gave it or by the one that would
#[test]
fn a_rule_may_refuse_the_next_use_while_any_review_is_open() {
    let strict = || incident().break_glass(terms().refuse_while_open());
    for (first, second) in [(strict(), incident()), (incident(), strict())] {
        let ward = Ward::new([first]);
        let person = ward.attest(ada());
        ward.broke(&person);
        ward.broker.reload(&policy([second])).unwrap().finish();
        for name in known_otherwise().into_iter().chain([ada()]) {
            assert_eq!(ward.refused(&ward.attest(name.group("sre"))), Reason::ReviewOwed);
        }
        let eve = ward.person("eve", "security");
        ward.reviews.close_debt(&ward.debt(), &eve, "unjustified", "it could wait").unwrap();
        assert!(ward.breaks(&person).is_ok());
    }
}

/// attack 104
#[test]
fn no_one_reviews_what_they_did_themselves() {
    let ward = Ward::new([incident()]);
    ward.broke(&ward.attest(ada()));
    let close = |who: &Identity| ward.reviews.close_debt(&ward.debt(), who, "justified", "fine");
    for name in known_otherwise().into_iter().chain([ada()]) {
        let name = ward.attest(name.group("security"));
        assert_eq!(close(&name), Err(NotCounted::NotEligible));
    }
    // Somebody who acts for her is not another person, either.
    let deputy = Assertion::human("dan").group("security").acts_for("a.smith", Kind::Human);
    assert_eq!(close(&ward.attest(deputy)), Err(NotCounted::NotEligible));
    for (who, refused) in [
        (ward.person("bob", "sre"), NotCounted::NotEligible),
        (ward.attest(Assertion::agent("eve").group("security")), NotCounted::NotEligible),
        (Ward::new([]).person("eve", "security"), NotCounted::ForeignIdentity),
        (
            ward.attest(Assertion::human("eve").group("security").until(ward.debt().since())),
            NotCounted::IdentityExpired,
        ),
    ] {
        assert_eq!(close(&who), Err(refused));
    }
    let eve = ward.person("eve", "security");
    ward.broker.control().halt(Halt::identity("eve").unwrap());
    assert_eq!(close(&eve), Err(NotCounted::Halted));
    ward.broker.control().resume(&Halt::identity("eve").unwrap());
    let debt = ward.debt();
    for (verdict, note) in [("", "fine"), ("justified", " "), ("\n", "fine"), ("justified", "")] {
        let unsaid = ward.reviews.close_debt(&debt, &eve, verdict, note);
        assert_eq!(unsaid, Err(NotCounted::Unsaid));
    }
    let elsewhere = Ward::new([]);
    let foreign = elsewhere.reviews.close_debt(&debt, &eve, "justified", "fine");
    assert_eq!(foreign, Err(NotCounted::NotOwed));
    assert_eq!(close(&eve), Ok(()));
    let again = ward.reviews.close_debt(&debt, &eve, "justified", "fine");
    assert_eq!((again, ward.reviews.debts().len()), (Err(NotCounted::NotOwed), 0));
    // Who tried is in the log, and what was found.
    let told = ward.events().into_iter().filter_map(|event| match event {
        Event::DebtClosed { who, verdict, refused, .. } => Some((who, verdict, refused)),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    let counted = |(who, verdict, refused): &&(_, _, Option<_>)| -> bool {
        refused.is_none() && *who == "eve" && *verdict == "justified"
    };
    assert_eq!(told.iter().filter(counted).count(), 1);
    assert_eq!(told.len(), 5 + 1 + 4 + 1 + 4 + 1 + 1);
    ward.verify();
}

#[test]
fn a_review_ends_what_it_is_about() {
    let ward = Ward::new([incident()]);
    let (_task, grant) = ward.breaks(&ward.attest(ada())).unwrap();
    run(ward.call(&grant, "restart").unwrap());
    let permit = ward.call(&grant, "restart").unwrap();
    let eve = ward.person("eve", "security");
    ward.reviews.close_debt(&ward.debt(), &eve, "justified", "one restart").unwrap();
    assert_eq!(ward.call(&grant, "restart").unwrap_err().reason(), Reason::Revoked);
    assert!(permit.start().is_err());
    // One that does not count ends nothing.
    let (_task, grant) = ward.breaks(&ward.attest(ada())).unwrap();
    let bob = ward.person("bob", "sre");
    ward.reviews.close_debt(&ward.debt(), &bob, "justified", "fine").unwrap_err();
    run(ward.call(&grant, "restart").unwrap());
}

#[test]
fn the_line_of_today_says_who_reviews_and_that_of_then_where_the_rule_is_gone() {
    let of = |group: &str| {
        let line = Reviewers::in_groups(has_any([group]));
        incident().break_glass(BreakGlassTerms::reviewed_by(line))
    };
    for (today, may) in
        [(vec![of("security")], "security"), (vec![of("audit")], "audit"), (vec![], "security")]
    {
        let ward = Ward::new([of("security")]);
        ward.broke(&ward.attest(ada()));
        ward.broker.reload(&policy(today)).unwrap().finish();
        for group in ["security", "audit"] {
            let who = ward.person(group, group);
            let counts = ward.reviews.close_debt(&ward.debt(), &who, "justified", "fine").is_ok();
            assert_eq!(counts, group == may);
            if counts {
                break;
            }
        }
    }
}

#[test]
fn a_line_compares_the_reviewer_with_who_broke_the_glass() {
    let manager = Reviewers::with_id(same_as("asker.attrs.manager"));
    let ward = Ward::new([incident().break_glass(BreakGlassTerms::reviewed_by(manager))]);
    ward.broke(&ward.attest(ada().attr("manager", "max")));
    let close = |who: &str| {
        let who = ward.attest(Assertion::human(who));
        ward.reviews.close_debt(&ward.debt(), &who, "justified", "fine")
    };
    assert_eq!(close("eve"), Err(NotCounted::NotEligible));
    assert_eq!(close("max"), Ok(()));
    // As that person is seen today.
    ward.broke(&ward.attest(ada().attr("manager", "max")));
    let today = Assertion::human("ada@acme.test").group("sre").attr("manager", "mia");
    ward.broker.control().restate(today).unwrap().finish();
    assert_eq!(close("max"), Err(NotCounted::NotEligible));
    assert_eq!(close("mia"), Ok(()));
}

/// What is said of a reviewer today counts.
#[test]
fn a_reviewer_who_has_lost_the_role_reviews_nothing() {
    let ward = Ward::new([incident()]);
    ward.broke(&ward.attest(ada()));
    let eve = ward.person("eve", "security");
    ward.broker.control().restate(Assertion::human("eve")).unwrap().finish();
    let closed = ward.reviews.close_debt(&ward.debt(), &eve, "justified", "fine");
    assert_eq!(closed, Err(NotCounted::NotEligible));
}

/// A person who is never looked at does not fill the memory.
#[test]
fn open_reviews_of_one_person_are_capped() {
    let ward = Ward::new([incident()]);
    let person = ward.attest(ada());
    for _ in 0..64 {
        ward.broke(&person);
    }
    assert_eq!(ward.refused(&person), Reason::TooMany);
    assert!(ward.breaks(&ward.person("bob", "sre")).is_ok());
}

/// attack 107, for debts: linked through a third name
#[test]
fn who_was_known_by_two_names_once_is_known_by_either() {
    let ward = Ward::new([incident()]);
    ward.broke(&ward.attest(Assertion::human("a.smith").group("sre")));
    ward.clock.advance(MINUTE);
    ward.broke(&ward.attest(ada()));
    // The first is overdue by now, and the second links both names.
    ward.clock.advance(DAY - MINUTE);
    let mailbox = ward.attest(Assertion::human("ada@acme.test").group("sre"));
    assert_eq!(ward.refused(&mailbox), Reason::ReviewOwed);
    ward.verify();
}

/// attack 76, for debts: of uses at once, one
#[test]
fn of_uses_at_once_by_one_person_one_is_given() {
    let ward = Ward::new([incident().break_glass(terms().refuse_while_open())]);
    // Each of them is known by the same mailbox.
    let names = known_otherwise().into_iter().filter(|name| *name != Assertion::human("A.Smith"));
    let people: Vec<Identity> =
        names.chain([ada()]).map(|name| ward.attest(name.group("sre"))).collect();
    let barrier = std::sync::Barrier::new(people.len());
    let given = std::thread::scope(|scope| {
        let threads: Vec<_> = people
            .iter()
            .map(|who| {
                scope.spawn(|| {
                    barrier.wait();
                    ward.breaks(who).is_ok()
                })
            })
            .collect();
        threads.into_iter().map(|own| own.join().unwrap()).filter(|own| *own).count()
    });
    assert_eq!((given, ward.reviews.debts().len()), (1, 1));
    ward.verify();
}
