use super::*;
use crate::audit::explain::tests::records;

const OPENED: &str = r#""kind":"opened","task":"t","generation":7,"who":"planner","who_kind":"agent","acts_for":["ada"],"purpose":"pay-bill","ticket":"INV-1","intent":"pay it","ceiling":900000"#;
const OTHER: &str = r#""kind":"opened","task":"u","generation":8,"who":"other","who_kind":"agent","purpose":"idle","ceiling":900000"#;
const GRANTED: &str = r#""kind":"granted","task":"t","generation":7,"grant":"g1","serial":1,"requester":"planner","holder":"planner","scope":[{"tool":"bank.pay","args":{}}],"rules":["pay"],"epoch":1,"policy":"p1","expires":500000"#;
const BELOW: &str = r#""kind":"granted","task":"t","generation":7,"grant":"g2","serial":1,"parent":"g1","requester":"planner","holder":"worker","acts_for":["planner","ada"],"scope":[{"tool":"bank.pay","args":{}}],"rules":["pay"],"epoch":1,"policy":"p1","expires":700000"#;
const CALL: &str = r#""kind":"permitted","task":"t","generation":7,"grant":"g2","serial":1,"who":"worker","tool":"bank.pay","resource_type":"bill","resource_id":"INV-1","args":"d","rules":["pay"],"epoch":1"#;
const ASKED: &str = r#""kind":"asked","task":"t","generation":7,"question":"q1","who":"worker","parties":["planner"],"tool":"bank.pay","args":"d","rules":["four-eyes"],"expires":600000,"epoch":1"#;
const PLAN: &str = r#""kind":"asked","task":"t","generation":7,"question":"q2","who":"worker","scope":[{"tool":"b"},{"tool":"a"}],"rules":["four-eyes"],"expires":600000,"epoch":1"#;
const APPROVED: &str = r#""kind":"answered","task":"t","generation":7,"question":"q1","who":"bob","answer":"approve","state":"approved","good_until":300000"#;
const BROKEN: &str = r#""kind":"broken_glass","task":"t","generation":7,"grant":"g9","who":"ada","justification":"down","scope":[{"tool":"db.fix"}],"context":"c","rules":["glass"],"epoch":1,"policy":"p1","expires":800000,"due":850000"#;
const PLANNED: &str = r#""kind":"credential_planned","task":"t","generation":7,"grant":"g1","of":3,"credential":"db","provider":"pg","name":"hp-1","lands_by":9,"expires":700000"#;
const ENDED: &str = r#""kind":"ended","task":"t","generation":7,"how":"completed""#;
const REOPENED: &str = r#""kind":"reopened""#;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(seconds * 1000).unwrap()
}

/// How it stands after these lines, each a second after the one before.
fn after(lines: &[&str]) -> Watched {
    later(lines, 0)
}

fn later(lines: &[&str], seconds: i64) -> Watched {
    let mut watcher = Watcher::new();
    records(lines).iter().for_each(|record| watcher.note(record));
    watcher.at(at(seconds))
}

fn held(watched: &Watched) -> Vec<&str> {
    watched.grants.iter().map(|own| own.id.as_str()).collect()
}

fn waiting(watched: &Watched) -> Vec<(&str, &str)> {
    watched.questions.iter().map(|own| (own.id.as_str(), own.state.as_str())).collect()
}

#[test]
fn it_is_told_who_holds_what_for_whom_and_why() {
    let watched = after(&[OPENED, OTHER, GRANTED, BELOW, CALL]);
    assert_eq!((watched.at, watched.through), (at(5), 5));
    let [task, other] = &watched.tasks[..] else { panic!("{watched:?}") };
    assert_eq!((&*task.task, task.generation, &*task.who), ("t", 7, "planner"));
    assert_eq!((&*task.purpose, task.ticket.as_deref()), ("pay-bill", Some("INV-1")));
    assert_eq!(
        (task.intent.as_deref(), &task.acts_for[..]),
        (Some("pay it"), &["ada".to_owned()][..])
    );
    assert_eq!((task.opened, task.ceiling, task.dormant), (at(1), at(900), false));
    assert_eq!(&*other.task, "u");
    let [above, below] = &watched.grants[..] else { panic!("{watched:?}") };
    assert_eq!((&*above.holder, above.expires, above.calls), ("planner", at(500), 0));
    assert_eq!((&*below.holder, below.parent.as_deref()), ("worker", Some("g1")));
    assert_eq!(below.expires, at(500), "it ends with what it was delegated from");
    assert_eq!(
        (&below.tools[..], &below.rules[..]),
        (&["bank.pay".to_owned()][..], &["pay".to_owned()][..])
    );
    assert_eq!((below.calls, below.break_glass), (1, false));
    let [call] = &watched.calls[..] else { panic!("{watched:?}") };
    assert_eq!((call.seq, &*call.who, &*call.tool, call.since), (5, "worker", "bank.pay", at(5)));
    assert_eq!(call.resource, Some(("bill".to_owned(), "INV-1".to_owned())));
    assert!(!call.task_over);
}

#[test]
fn what_has_ended_is_held_by_no_one() {
    let revoked = r#""kind":"grant_ended","task":"t","generation":7,"grant":"g1","why":"revoked""#;
    let own = r#""kind":"grant_ended","task":"t","generation":7,"grant":"g2","why":"given_up""#;
    let shortened = r#""kind":"grant_shortened","task":"t","generation":7,"grant":"g1","expires":100000,"epoch":2"#;
    let longer = r#""kind":"grant_shortened","task":"t","generation":7,"grant":"g1","expires":600000,"epoch":2"#;
    let base = [OPENED, GRANTED, BELOW];
    let with = |line| [&base[..], &[line]].concat();
    assert_eq!(held(&after(&base)), ["g1", "g2"]);
    assert_eq!(held(&after(&with(revoked))), [""; 0], "and all below it");
    assert_eq!(held(&after(&with(own))), ["g1"]);
    assert_eq!(held(&later(&base, 499)), ["g1", "g2"]);
    assert_eq!(held(&later(&base, 500)), [""; 0]);
    assert_eq!(held(&later(&with(shortened), 99)), ["g1", "g2"]);
    assert_eq!(held(&later(&with(shortened), 100)), [""; 0]);
    assert_eq!(held(&later(&with(longer), 500)), [""; 0]);
    assert_eq!(held(&after(&with(REOPENED))), [""; 0]);
    let ended = after(&with(ENDED));
    assert_eq!((held(&ended), ended.tasks.len()), (vec![], 0));
    // A time that is given does not take back what was recorded after it.
    assert_eq!(held(&later(&with(ENDED), 3)), [""; 0]);
    let long = GRANTED.replace("500000", "950000");
    assert_eq!(held(&later(&[OPENED, &long], 899)), ["g1"]);
    assert_eq!(later(&[OPENED, &long], 899).grants[0].expires, at(900));
    let past = later(&[OPENED, &long], 900);
    assert_eq!((held(&past), past.tasks.len()), (vec![], 0), "past its ceiling");
}

/// Nothing shows that a log without its key is what a broker wrote.
#[test]
fn a_circle_of_grants_is_held_by_no_one_and_is_followed_to_an_end() {
    let circle = GRANTED.replace(r#""serial":1"#, r#""serial":1,"parent":"g2""#);
    assert_eq!(held(&after(&[OPENED, &circle, BELOW])), [""; 0]);
}

#[test]
fn a_renewal_counts_on_and_a_call_that_never_started_does_not_count() {
    let renewed = BELOW.replace(r#""serial":1"#, r#""serial":2"#);
    let base = [OPENED, GRANTED, BELOW, CALL, CALL, &renewed];
    assert_eq!(after(&base).grants[1].calls, 2);
    let end =
        |how| format!(r#""kind":"outcome","task":"t","generation":7,"of":4,"outcome":"{how}""#);
    for (how, calls) in [("abandoned", 1), ("ok", 2), ("error", 2)] {
        let watched = after(&[&base[..], &[&end(how)]].concat());
        assert_eq!((watched.grants[1].calls, watched.calls.len()), (calls, 1), "{how}");
        assert_eq!(watched.calls[0].seq, 5);
    }
}

#[test]
fn a_call_is_told_until_it_has_its_outcome_also_after_its_task() {
    let watched = after(&[OPENED, GRANTED, BELOW, CALL, ENDED]);
    assert!(watched.calls[0].task_over && watched.tasks.is_empty());
    let done =
        r#""kind":"outcome","task":"t","generation":7,"of":4,"outcome":"ok","task_over":true"#;
    assert!(after(&[OPENED, GRANTED, BELOW, CALL, ENDED, done]).calls.is_empty());
}

#[test]
fn a_question_waits_for_people_until_it_is_settled_and_then_for_its_asker() {
    let answer = |answer: &str, state: &str| {
        format!(
            r#""kind":"answered","task":"t","generation":7,"question":"q1","who":"bob","answer":"{answer}","state":"{state}""#
        )
    };
    let refused = format!(r#"{},"refused":"own""#, answer("approve", "waiting"));
    let voided = r#""kind":"voided","task":"t","generation":7,"question":"q1","state":"void","why":"policy""#;
    let with = |lines: &[&str]| after(&[&[OPENED, GRANTED, BELOW, ASKED], lines].concat());
    let watched = with(&[]);
    let [own] = &watched.questions[..] else { panic!("{watched:?}") };
    assert_eq!(
        (&*own.who, &own.tools[..], own.of_call),
        ("worker", &["bank.pay".to_owned()][..], true)
    );
    assert_eq!(
        (&own.rules[..], &own.parties[..]),
        (&["four-eyes".to_owned()][..], &["planner".to_owned()][..])
    );
    assert_eq!((&*own.state, own.until, own.asked), ("waiting", Some(at(600)), at(4)));
    let lines = [OPENED, ASKED];
    assert_eq!((later(&lines, 599).questions.len(), later(&lines, 600).questions.len()), (1, 0));

    let refused = with(&[&refused]);
    assert_eq!(
        (waiting(&refused), refused.questions[0].agreed.len()),
        (vec![("q1", "waiting")], 0)
    );
    let half = with(&[&answer("approve", "waiting")]);
    assert_eq!(
        (waiting(&half), &half.questions[0].agreed[..]),
        (vec![("q1", "waiting")], &["bob".to_owned()][..])
    );
    let agreed = with(&[APPROVED]);
    assert_eq!(
        (waiting(&agreed), agreed.questions[0].until),
        (vec![("q1", "approved")], Some(at(300)))
    );
    assert_eq!(later(&[OPENED, ASKED, APPROVED], 300).questions.len(), 0);
    for settled in [
        &answer("deny", "denied"),
        &answer("cancel", "cancelled"),
        &answer("amend", "amended"),
        &voided.to_owned(),
        &ENDED.to_owned(),
    ] {
        assert!(with(&[settled]).questions.is_empty(), "{settled}");
        assert!(with(&[APPROVED, settled]).questions.is_empty(), "{settled}");
    }
}

#[test]
fn an_approval_that_was_used_is_waited_for_no_more_unless_it_reaches_several_calls() {
    let redeemed = format!(r#"{CALL},"approvals":["q1"]"#);
    let wide = format!(r#"{APPROVED},"width":"uses = 3""#);
    let base = [OPENED, GRANTED, BELOW, ASKED];
    assert!(after(&[&base[..], &[APPROVED, &redeemed]].concat()).questions.is_empty());
    assert_eq!(waiting(&after(&[&base[..], &[&wide, &redeemed]].concat())), [("q1", "approved")]);
    assert_eq!(waiting(&after(&[&base[..], &[APPROVED, CALL]].concat())), [("q1", "approved")]);
    let plan = after(&[OPENED, PLAN]);
    assert_eq!(
        (&plan.questions[0].tools[..], plan.questions[0].of_call),
        (&["a".to_owned(), "b".to_owned()][..], false)
    );
    let partial = r#""kind":"answered","task":"t","generation":7,"question":"q2","who":"bob","answer":"approve","items":[1],"given":[1],"state":"partial","good_until":300000"#;
    let permit = format!(r#"{CALL},"approvals":["q2"]"#);
    let plan = later(&[OPENED, GRANTED, BELOW, PLAN, partial, &permit], 400);
    assert_eq!(waiting(&plan), [("q2", "partial")], "each item has its own time");
}

/// A process that ended leaves tasks that are asked about, and they hold nothing until they are taken up.
#[test]
fn a_task_whose_process_has_ended_waits_and_holds_nothing() {
    let resumed = r#""kind":"task_resumed","task":"t","generation":7,"who":"planner""#;
    let watched = after(&[OPENED, GRANTED, ASKED, REOPENED]);
    assert!(watched.tasks[0].dormant && watched.grants.is_empty());
    assert_eq!(waiting(&watched), [("q1", "waiting")]);
    let watched = after(&[OPENED, GRANTED, ASKED, REOPENED, resumed]);
    assert!(!watched.tasks[0].dormant && watched.grants.is_empty());
}

#[test]
fn halts_are_told_until_they_are_lifted_or_lapse() {
    let halted = r#""kind":"halted","what":"tool `x`""#;
    let lapsing = r#""kind":"halted","what":"everything","until":50000"#;
    let resumed = r#""kind":"resumed","what":"tool `x`""#;
    let of = |watched: Watched| {
        watched.halts.into_iter().map(|own| (own.what, own.until)).collect::<Vec<_>>()
    };
    let [x, all] = [("tool `x`".to_owned(), None), ("everything".to_owned(), Some(at(50)))];
    assert_eq!(of(after(&[halted, lapsing])), [all, x.clone()]);
    assert_eq!(of(later(&[halted, lapsing], 50)), [x]);
    assert_eq!(of(later(&[halted, lapsing, resumed], 49)).len(), 1);
}

#[test]
fn a_broken_glass_is_held_and_owes_its_review_also_after_the_task() {
    let closed = r#""kind":"debt_closed","task":"t","generation":7,"grant":"g9","who":"bob","verdict":"justified","note":"n""#;
    let own = r#""kind":"debt_closed","task":"t","generation":7,"grant":"g9","who":"ada","verdict":"justified","note":"n","refused":"own_review""#;
    let failed = |given| {
        format!(
            r#""kind":"alert_failed","task":"t","generation":7,"grant":"g9","cause":"c","given":{given}"#
        )
    };
    let watched = after(&[OPENED, BROKEN]);
    assert!(watched.grants[0].break_glass);
    let [debt] = &watched.debts[..] else { panic!("{watched:?}") };
    assert_eq!(
        (&*debt.who, &*debt.justification, debt.due, debt.since),
        ("ada", "down", at(850), at(2))
    );
    for (lines, holds, owes) in [
        (vec![ENDED], 0, 1),
        (vec![closed], 1, 0),
        (vec![own], 1, 1),
        (vec![&*failed(true)], 1, 1),
        (vec![&*failed(false)], 0, 0),
    ] {
        let watched = after(&[&[OPENED, BROKEN], &lines[..]].concat());
        assert_eq!((watched.grants.len(), watched.debts.len()), (holds, owes), "{lines:?}");
    }
}

#[test]
fn a_credential_is_out_until_it_is_gone() {
    let minted =
        r#""kind":"credential_minted","task":"t","generation":7,"name":"hp-1","expires":600000"#;
    let owed = r#""kind":"credential_owed","name":"hp-1","attempt":1,"why":"w","until":650000"#;
    let withdrawn = r#""kind":"credential_withdrawn","name":"hp-1""#;
    let gone = r#""kind":"credential_gone","name":"hp-1","how":"verified""#;
    let mut lines = vec![OPENED, GRANTED, CALL, PLANNED];
    for (line, state, expires) in [
        (ENDED, "planned", 700),
        (minted, "minted", 600),
        (owed, "owed", 650),
        (withdrawn, "withdrawn", 650),
    ] {
        lines.push(line);
        let watched = after(&lines);
        let [own] = &watched.credentials[..] else { panic!("{watched:?}") };
        assert_eq!((&*own.state, own.expires), (state, at(expires)));
        assert_eq!(
            (&*own.name, &*own.credential, &*own.provider, &*own.task),
            ("hp-1", "db", "pg", "t")
        );
    }
    lines.push(gone);
    assert!(after(&lines).credentials.is_empty());
}
