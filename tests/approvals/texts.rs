//! The text of what waits: it finds a question, travels in anybody's hands, and lends no authority.

use hallpass::QuestionState;
use hallpass::prelude::*;
use serde_json::json;

use crate::office::{MINUTE, Office, four_eyes, pay, run};

#[test]
fn what_waits_is_found_by_its_text_and_redeemed() {
    let office = Office::new(four_eyes());
    let (task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let text = pending.to_text().unwrap();
    assert!(text.starts_with("hpq1."));
    let found = office.gate.pending(&text).unwrap();
    assert_eq!(found.id(), pending.id());
    let waiting: Vec<String> = task.pending().iter().map(|own| own.id()).collect();
    assert_eq!(waiting, [pending.id()]);
    let question = office.reviews.open(&text).unwrap();
    assert_eq!(question.id(), pending.id());
    office.approved(&pending, &office.person("ada", "finance"));
    assert!(task.pending().is_empty());
    assert_eq!(run(office.redeem(&found, &grant).unwrap()), 98);
    assert_eq!(office.refused(&found, &grant), Reason::ApprovalSpent);
}

/// attack 157: edited, cut, of another broker, of another task, after the end
#[test]
fn a_text_that_is_not_this_brokers_own_finds_nothing_and_none_carries_authority() {
    let (office, other) = (Office::new(four_eyes()), Office::new(four_eyes()));
    let payer = office.attest("payer");
    let (task, grant) = office.errand(&payer);
    let pending = office.ask(&grant, &pay(98));
    let text = pending.to_text().unwrap();
    for at in 0..text.len() {
        let cut = &text[..at];
        let put = if text[at..].starts_with('A') { "B" } else { "A" };
        let edited = format!("{}{put}{}", &text[..at], &text[at + 1..]);
        for wrong in [cut, &edited] {
            assert!(office.gate.pending(wrong).is_none(), "{wrong}");
            assert!(office.reviews.open(wrong).is_none(), "{wrong}");
        }
    }
    for wrong in [format!("{text}A"), format!(" {text}"), text.to_uppercase(), pending.id()] {
        assert!(office.gate.pending(&wrong).is_none(), "{wrong}");
    }
    assert!(other.gate.pending(&text).is_none(), "another broker's");
    office.approved(&pending, &office.person("ada", "finance"));
    // In another task, by another agent, it runs nothing.
    let found = office.gate.pending(&text).unwrap();
    let (_second, theirs) = office.errand(&payer);
    assert_eq!(office.refused(&found, &theirs), Reason::NotTheHolder);
    let (_third, thief) = office.errand(&office.attest("thief"));
    assert_eq!(office.refused(&found, &thief), Reason::NotTheHolder);
    task.complete();
    assert!(office.gate.pending(&text).is_none(), "with its task it is forgotten");
    assert_eq!(found.state(), QuestionState::Void);
}

#[test]
fn a_text_is_good_until_nothing_can_come_of_its_question() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let pending = office.ask(&grant, &pay(98));
    let text = pending.to_text().unwrap();
    // 15 minutes to answer, and as long to use the yes.
    office.clock.advance(30 * MINUTE - std::time::Duration::from_millis(1));
    assert!(office.gate.pending(&text).is_some());
    office.clock.advance(std::time::Duration::from_millis(1));
    assert!(office.gate.pending(&text).is_none());
}

/// attack 167: what the view cuts is there as a whole, as harmless
#[test]
fn a_long_argument_is_shown_whole_to_who_asks_for_it() {
    let office = Office::new(four_eyes());
    let (_task, grant) = office.errand(&office.attest("payer"));
    let long = format!("{}\u{1b}[2K\u{202e}end", "a ".repeat(6_000));
    let call = Call::new("bank.pay", json!({ "to": "CH93", "note": long })).unwrap();
    let question = office.question(&office.ask(&grant, &call));
    assert!(question.view().to_string().contains("cut"));
    let whole = office.reviews.whole(&question, "note").unwrap();
    assert!(whole.len() > 12_000 && whole.ends_with("end\""), "{}", &whole[12_000..]);
    assert!(!whole.contains('\u{1b}') && !whole.contains('\u{202e}'));
    assert_eq!(office.reviews.whole(&question, "other"), None);
}
