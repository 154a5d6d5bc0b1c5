use super::*;
use crate::audit::{BrokenGlass, GrantShortened, Outcome};
use crate::value::{Object, Value};

fn at(minute: i64) -> Timestamp {
    Timestamp::from_unix_millis(minute * 60_000).unwrap()
}

/// Broken by `ada`, in task 1, to be reviewed before minute 60.
fn broken(grant: &'static str, who: &'static str) -> Event<'static> {
    Event::BrokenGlass(BrokenGlass {
        task: "t".into(),
        generation: 1,
        grant: grant.into(),
        who: who.into(),
        aliases: vec!["a.smith@acme.test".into()],
        justification: "down".into(),
        scope: Cow::Owned(Value::Object(Object::new())),
        context: "00".into(),
        rules: vec!["incident".into()],
        passed: vec![],
        epoch: 1,
        policy: "00".into(),
        expires: at(15),
        due: at(60),
        refuses_while_open: false,
        trace: None,
        plain: None,
    })
}

fn refusing(mut event: Event<'static>) -> Event<'static> {
    if let Event::BrokenGlass(BrokenGlass { refuses_while_open, .. }) = &mut event {
        *refuses_while_open = true;
    }
    event
}

fn closed(grant: &'static str, who: &'static str) -> Event<'static> {
    Event::DebtClosed {
        task: "t".into(),
        generation: 1,
        grant: grant.into(),
        who: who.into(),
        aliases: vec![],
        verdict: "justified".into(),
        note: "seen".into(),
        refused: None,
    }
}

fn unalerted(given: bool) -> Event<'static> {
    let (task, grant, cause) = ("t".into(), "g".into(), "no".into());
    Event::AlertFailed { task, generation: 1, grant, cause, given }
}

fn permitted(grant: &'static str, break_glass: bool) -> Event<'static> {
    Event::Permitted {
        task: "t".into(),
        generation: 1,
        grant: grant.into(),
        serial: 1,
        who: "ada".into(),
        acts_for: vec![],
        tool: "db".into(),
        resource_type: None,
        resource_id: None,
        args: "00".into(),
        context: None,
        rules: vec![],
        approvals: vec![],
        spent: vec![],
        epoch: 1,
        break_glass,
        passed: vec![],
        trace: None,
        plain: None,
    }
}

fn outcome(of: u64, break_glass: bool) -> Event<'static> {
    let (task, outcome) = ("t".into(), Outcome::Ok);
    Event::Outcome { task, generation: 1, of, outcome, task_over: false, noted: 0, break_glass }
}

fn starting(of: u64, break_glass: bool) -> Event<'static> {
    Event::Starting { task: "t".into(), generation: 1, of, break_glass }
}

fn grant_ended(grant: &'static str, break_glass: bool) -> Event<'static> {
    let (below, running) = (vec![], vec![]);
    let (task, grant, why) = ("t".into(), grant.into(), "revoked".into());
    Event::GrantEnded { task, generation: 1, grant, why, below, running, break_glass }
}

fn shortened(grant: &'static str, break_glass: bool) -> Event<'static> {
    let (task, grant) = ("t".into(), grant.into());
    let expires = Timestamp::from_unix_millis(5).unwrap();
    Event::GrantShortened(GrantShortened {
        task,
        generation: 1,
        grant,
        expires,
        epoch: 2,
        break_glass,
    })
}

fn granted(grant: &'static str, parent: Option<&'static str>) -> Event<'static> {
    Event::Granted {
        aliases: Vec::new(),
        task: "t".into(),
        generation: 1,
        grant: grant.into(),
        serial: 2,
        parent: parent.map(Into::into),
        requester: "ada".into(),
        holder: "ada".into(),
        acts_for: vec![],
        scope: Cow::Owned(Value::Object(Object::new())),
        rules: vec![],
        approvals: vec![],
        epoch: 1,
        policy: "00".into(),
        starts: None,
        expires: at(15),
        trace: None,
        plain: None,
    }
}

/// The first fault of these records, of these minutes.
fn fault(events: &[(i64, Event<'static>)]) -> Option<Fault> {
    let mut glass = Emergencies::default();
    events.iter().zip(1..).find_map(|((minute, event), seq)| {
        glass.note(&Record { seq, at: at(*minute), event: event.clone() }).err()
    })
}

/// attack 125, as the log shows it
#[test]
fn a_use_while_a_review_is_owed_that_refuses_it_is_a_fault() {
    let twice = |minute, second| [(0, broken("g", "ada")), (minute, second)];
    assert_eq!(fault(&twice(59, broken("h", "ada"))), None);
    assert_eq!(fault(&twice(60, broken("h", "ada"))), Some(Fault::ReviewOwed { seq: 2 }));
    assert_eq!(fault(&twice(1, refusing(broken("h", "ada")))), Some(Fault::ReviewOwed { seq: 2 }));
    let first = [(0, refusing(broken("g", "ada"))), (1, broken("h", "ada"))];
    assert_eq!(fault(&first), Some(Fault::ReviewOwed { seq: 2 }));
    // By an alias, in another spelling; and somebody else.
    let alias = broken("h", "A.Smith+x@acme.test");
    assert_eq!(fault(&twice(60, alias)), Some(Fault::ReviewOwed { seq: 2 }));
    let mut other = broken("h", "bob");
    if let Event::BrokenGlass(BrokenGlass { aliases, .. }) = &mut other {
        aliases.clear();
    }
    assert_eq!(fault(&twice(60, other)), None);
    // Through a third name.
    let named = |grant, who, alias: Option<&'static str>| {
        let mut event = broken(grant, who);
        if let Event::BrokenGlass(BrokenGlass { aliases, .. }) = &mut event {
            *aliases = alias.into_iter().map(Into::into).collect();
        }
        event
    };
    let later = |mut event: Event<'static>| {
        if let Event::BrokenGlass(BrokenGlass { due, .. }) = &mut event {
            *due = at(120);
        }
        event
    };
    let linked = |alias| {
        let second = later(named("h", "ada", alias));
        fault(&[(0, named("g", "a.smith", None)), (1, second), (60, named("i", "ada", None))])
    };
    assert_eq!(linked(Some("a.smith")), Some(Fault::ReviewOwed { seq: 3 }));
    assert_eq!(linked(None), None);
    // Once it was reviewed, or nothing was given.
    for settles in [closed("g", "eve"), unalerted(false)] {
        assert_eq!(fault(&[(0, broken("g", "ada")), (1, settles), (60, broken("h", "ada"))]), None);
    }
    let stands = [(0, broken("g", "ada")), (1, unalerted(true)), (60, broken("h", "ada"))];
    assert_eq!(fault(&stands), Some(Fault::ReviewOwed { seq: 3 }));
}

#[test]
fn a_review_by_the_same_person_or_of_nothing_owed_is_a_fault() {
    let reviewed = |who| fault(&[(0, broken("g", "ada")), (1, closed("g", who))]);
    assert_eq!(reviewed("eve"), None);
    for same in ["ada", " ADA", "a.smith+1@ACME.test"] {
        assert_eq!(reviewed(same), Some(Fault::OwnReview { seq: 2 }), "{same}");
    }
    let mut by_alias = closed("g", "eve");
    if let Event::DebtClosed { aliases, .. } = &mut by_alias {
        aliases.push("Ada".into());
    }
    assert_eq!(fault(&[(0, broken("g", "ada")), (1, by_alias)]), Some(Fault::OwnReview { seq: 2 }));
    assert_eq!(fault(&[(0, closed("g", "eve"))]), Some(Fault::NoDebt { seq: 1 }));
    let twice = [(0, broken("g", "ada")), (1, closed("g", "eve")), (2, closed("g", "eve"))];
    assert_eq!(fault(&twice), Some(Fault::NoDebt { seq: 3 }));
    // One that does not count changes nothing.
    let mut refused = closed("g", "ada");
    if let Event::DebtClosed { refused, .. } = &mut refused {
        *refused = Some("not_eligible".into());
    }
    let closes = [(0, broken("g", "ada")), (1, refused), (2, closed("g", "eve"))];
    assert_eq!(fault(&closes), None);
}

/// A verifier that follows a log for years keeps what can still be marked.
#[test]
fn the_grants_of_a_task_that_has_ended_are_not_kept() {
    let ended = |generation| {
        let (task, how) = ("t".into(), crate::audit::How::Completed);
        let (reason, running, unsettled) = (None, vec![], false);
        Event::Ended { task, generation, how, reason, running, unsettled }
    };
    let mut glass = Emergencies::default();
    for (seq, event) in (1..).zip([broken("g", "ada"), ended(2), ended(1)]) {
        glass.note(&Record { seq, at: at(0), event }).unwrap();
        assert_eq!(glass.grants.len(), usize::from(seq < 3));
    }
    assert_eq!(glass.debts.len(), 1, "what is owed outlives the task");
}

/// attack 122, as the log shows it
#[test]
fn what_is_not_marked_or_renewed_or_delegated_is_a_fault() {
    let after = |events: &[Event<'static>]| {
        let events = events.iter().map(|event| (1, event.clone()));
        fault(&[(0, broken("g", "ada"))].into_iter().chain(events).collect::<Vec<_>>())
    };
    assert_eq!(after(&[permitted("g", true), outcome(2, true), grant_ended("g", true)]), None);
    assert_eq!(after(&[permitted("h", false), outcome(2, false), granted("h", None)]), None);
    let unmarked = |seq| Some(Fault::GlassUnmarked { seq });
    assert_eq!(after(&[permitted("g", false)]), unmarked(2));
    assert_eq!(after(&[permitted("h", true)]), unmarked(2));
    assert_eq!(after(&[permitted("g", true), outcome(2, false)]), unmarked(3));
    assert_eq!(after(&[permitted("h", false), outcome(2, true)]), unmarked(3));
    assert_eq!(after(&[permitted("g", true), starting(2, true), outcome(2, true)]), None);
    assert_eq!(after(&[permitted("g", true), starting(2, false)]), unmarked(3));
    assert_eq!(after(&[permitted("h", false), starting(2, true)]), unmarked(3));
    assert_eq!(after(&[grant_ended("g", false)]), unmarked(2));
    assert_eq!(after(&[grant_ended("h", true)]), unmarked(2));
    assert_eq!(after(&[shortened("g", true), shortened("h", false)]), None);
    assert_eq!(after(&[shortened("g", false)]), unmarked(2));
    assert_eq!(after(&[shortened("h", true)]), unmarked(2));
    assert_eq!(after(&[granted("g", None)]), unmarked(2));
    assert_eq!(after(&[granted("h", Some("g"))]), unmarked(2));
    assert_eq!(after(&[broken("g", "bob")]), unmarked(2));
    // A call may end after its task has.
    let ended = Event::Ended {
        task: "t".into(),
        generation: 1,
        how: crate::audit::How::Completed,
        reason: None,
        running: vec![2],
        unsettled: false,
    };
    assert_eq!(after(&[permitted("g", true), ended, outcome(2, true)]), None);
}
