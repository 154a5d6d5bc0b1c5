use super::*;
use crate::audit::Outcome;

/// Records of these lines, each without its number and its time, which is a second after the one before.
pub(in crate::audit) fn records(lines: &[&str]) -> Vec<Record> {
    let record = |(seq, line): (usize, &&str)| {
        let line = format!(r#"{{"seq":{seq},"at":{},{line}}}"#, seq * 1000);
        Record::from_line(&line).unwrap()
    };
    (1..).zip(lines).map(record).collect()
}

const OPENED: &str = r#""kind":"opened","task":"t","generation":7,"who":"planner","who_kind":"agent","acts_for":["ada"],"purpose":"pay-bill","ticket":"INV-1","intent":"pay it","ceiling":900000"#;
const GRANTED: &str = r#""kind":"granted","task":"t","generation":7,"grant":"g1","serial":1,"requester":"planner","holder":"planner","scope":[{"tool":"bank.pay","args":{}}],"rules":["pay"],"epoch":1,"policy":"p1","expires":800000"#;
const DELEGATED: &str = r#""kind":"granted","task":"t","generation":7,"grant":"g2","serial":1,"parent":"g1","requester":"planner","holder":"worker","acts_for":["planner","ada"],"scope":[{"tool":"bank.pay","args":{}}],"rules":["pay"],"epoch":1,"policy":"p1","expires":700000"#;
const ASKED: &str = r#""kind":"asked","task":"t","generation":7,"question":"q1","who":"worker","tool":"bank.pay","args":"d","rules":["four-eyes"],"expires":600000,"epoch":1"#;
const REFUSED: &str = r#""kind":"answered","task":"t","generation":7,"question":"q1","who":"worker","answer":"approve","refused":"not_eligible","state":"waiting""#;
const APPROVED: &str = r#""kind":"answered","task":"t","generation":7,"question":"q1","who":"bob","answer":"approve","state":"approved","good_until":600000"#;
const PERMITTED: &str = r#""kind":"permitted","task":"t","generation":7,"grant":"g2","serial":1,"who":"worker","tool":"bank.pay","resource_type":"bill","resource_id":"INV-1","args":"d","rules":["pay"],"approvals":["q1"],"epoch":1"#;
const ENDED: &str =
    r#""kind":"ended","task":"t","generation":7,"how":"failed","reason":"no funds","running":[8]"#;

/// A payment that was delegated and agreed to.
fn story() -> Vec<Record> {
    records(&[
        r#""kind":"reloaded","epoch":1,"policy":"p1""#,
        OPENED,
        GRANTED,
        DELEGATED,
        ASKED,
        REFUSED,
        APPROVED,
        PERMITTED,
        r#""kind":"denied","stage":"call","task":"t","generation":7,"grant":"g2","who":"worker","tool":"bank.pay","code":"out_of_scope","reason":"out_of_scope""#,
        r#""kind":"outcome","task":"t","generation":7,"of":8,"outcome":"error""#,
        r#""kind":"halted","what":"tool `bank.pay`""#,
        ENDED,
    ])
}

const BROKEN: &str = r#""kind":"broken_glass","task":"t","generation":7,"grant":"g1","who":"ada","justification":"the \u001b[2Jsite is down","scope":[{"tool":"db.fix"}],"context":"c","rules":["glass"],"passed":["four-eyes"],"epoch":1,"policy":"p1","expires":800000,"due":900000"#;

/// What was done when the glass was broken is told with why, who was alerted, and what the review said of it.
#[test]
fn a_broken_glass_is_explained_by_its_justification_and_its_review() {
    let records = records(&[
        OPENED,
        BROKEN,
        r#""kind":"alert_failed","task":"t","generation":7,"grant":"g1","cause":"no pager","given":true"#,
        r#""kind":"permitted","task":"t","generation":7,"grant":"g1","serial":1,"who":"ada","tool":"db.fix","args":"d","rules":["glass"],"epoch":1,"break_glass":true"#,
        ENDED,
        r#""kind":"debt_closed","task":"t","generation":7,"grant":"g1","who":"ada","verdict":"fine","note":"me","refused":"own_review""#,
        r#""kind":"debt_closed","task":"t","generation":7,"grant":"g1","who":"bob","verdict":"justified","note":"it was down""#,
    ]);
    let [story] = explain(&records, "t").try_into().unwrap();
    let [grant] = &story.grants[..] else { panic!("{story:?}") };
    assert_eq!((&*grant.id, &*grant.holder, &*grant.requester), ("g1", "ada", "ada"));
    assert_eq!((grant.seq, &grant.rules[..]), (2, &["glass".to_owned()][..]));
    assert_eq!(story.calls[0].chain, ["g1"]);
    let emergency = grant.emergency.as_ref().unwrap();
    assert_eq!(emergency.justification, "the \u{1b}[2Jsite is down");
    assert_eq!(emergency.due, Timestamp::from_unix_millis(900_000).unwrap());
    assert_eq!(emergency.unalerted.as_deref(), Some("no pager"));
    let review = (emergency.reviewer.as_deref(), emergency.verdict.as_deref());
    assert_eq!(review, (Some("bob"), Some("justified")), "a review that does not count is none");
    assert_eq!(emergency.reviewed, Some(records[6].at));
    let told = story.to_string();
    for sentence in [
        "`ada` broke the glass for `db.fix` by rule `glass`, until 1970-01-01T00:13:20Z: grant `g1`",
        "not held up by ask `four-eyes`; it has to be reviewed before 1970-01-01T00:15:00Z",
        "the alert of the broken glass failed: `no pager`; grant `g1` stands all the same",
        "`ada` reviewed grant `g1` of the broken glass as `fine`, saying `me`, which does not count: `own_review`",
        "`bob` reviewed grant `g1` of the broken glass as `justified`, saying `it was down`",
    ] {
        assert!(told.contains(sentence), "{sentence} in {told}");
    }
    assert!(!told.contains('\u{1b}'), "what can't be seen is escaped");
}

/// attack 170: a call that people agreed to has not run where no record says that it was about to
#[test]
fn a_call_is_told_to_have_run_not_to_have_run_or_to_be_unknown() {
    const STARTING: &str = r#""kind":"starting","task":"t","generation":7,"of":8"#;
    let ends = |more: &[&str]| {
        let lines =
            [&[OPENED, GRANTED, DELEGATED, ASKED, REFUSED, APPROVED, ENDED, PERMITTED][..], more];
        let [story] = explain(&records(&lines.concat()), "t").try_into().unwrap();
        story.calls[0].has_run()
    };
    let outcome = |told: &str| {
        format!(r#""kind":"outcome","task":"t","generation":7,"of":8,"outcome":"{told}""#)
    };
    assert_eq!(ends(&[]), Some(false));
    assert_eq!(ends(&[STARTING]), None);
    for (told, has_run) in [
        ("ok", Some(true)),
        ("error", Some(true)),
        ("interrupted", Some(true)),
        ("abandoned", Some(false)),
        ("unknown", None),
    ] {
        assert_eq!(ends(&[STARTING, &outcome(told)]), has_run, "{told}");
    }
    // What lies in a scope that people agreed to is called as often as that says: no record.
    let of_scope = ASKED.replace(r#""tool":"#, r#""was":"#).replace(r#""args":"#, r#""were":"#);
    assert_ne!(of_scope, ASKED);
    let lines = [OPENED, GRANTED, DELEGATED, &of_scope, REFUSED, APPROVED, ENDED, PERMITTED];
    let [story] = explain(&records(&lines), "t").try_into().unwrap();
    assert_eq!(story.calls[0].has_run(), None);
    // Of a call that no one was asked about, no record says that it is about to start.
    let unasked = PERMITTED.replace(r#""approvals":["q1"],"#, "");
    let [story] =
        explain(&records(&[OPENED, GRANTED, DELEGATED, &unasked]), "t").try_into().unwrap();
    assert_eq!(story.calls[0].has_run(), None);
}

#[test]
fn a_call_is_explained_by_who_for_whom_why_under_which_rule_and_who_agreed() {
    let [story] = explain(&story(), "t").try_into().unwrap();
    assert_eq!((&*story.who, &*story.who_kind), ("planner", "agent"));
    assert_eq!((&*story.acts_for, story.generation), (&["ada".to_owned()][..], 7));
    assert_eq!((&*story.purpose, story.ticket.as_deref()), ("pay-bill", Some("INV-1")));
    assert_eq!((story.intent.as_deref(), story.denied), (Some("pay it"), 1));
    let [call] = &story.calls[..] else { panic!("{story:?}") };
    assert_eq!((&*call.who, &*call.tool, call.seq), ("worker", "bank.pay", 8));
    assert_eq!(call.resource, Some(("bill".to_owned(), "INV-1".to_owned())));
    assert_eq!((&*call.rules, call.policy.as_deref()), (&["pay".to_owned()][..], Some("p1")));
    assert_eq!(call.chain, ["g2", "g1"]);
    let [agreement] = &call.agreements[..] else { panic!("{call:?}") };
    assert!(agreement.agreed().eq(["bob"]), "an answer that does not count is not an agreement");
    assert_eq!((agreement.answers.len(), &*agreement.rules), (2, &["four-eyes".to_owned()][..]));
    assert_eq!(call.ended.as_ref().unwrap().outcome, Outcome::Error);
    assert_eq!(story.grants[1].acts_for, ["planner", "ada"]);
    let end = story.ended.unwrap();
    assert_eq!((end.how, end.reason.as_deref()), (How::Failed, Some("no funds")));
    for grant in &story.grants {
        let end = grant.ended.as_ref().unwrap();
        assert_eq!((end.seq, &*end.why), (Some(12), "failed"));
    }
}

#[test]
fn the_story_is_told_in_sentences_in_the_order_of_the_log() {
    let [story] = explain(&story(), "t").try_into().unwrap();
    let told = story.to_string();
    let expected = [
        "#2  agent `planner`, acting for `ada`, opened task `t`, for the purpose `pay-bill`, ticket `INV-1`, to `pay it`",
        "#4  `worker`, acting for `planner`, for `ada`, was granted `bank.pay` by rule `pay`",
        "delegated from `g1`, requested by `planner`",
        "whether `worker` may call `bank.pay`, by rule `four-eyes`",
        "`worker` approved question `q1`, which does not count: `not_eligible`",
        "#7  `bob` approved question `q1`, which is `approved` now",
        "#8  `worker` may call `bank.pay` on `bill` `INV-1` by rule `pay`, under grant `g2`, as agreed to in question `q1`",
        "denied at the stage `call`, for `out_of_scope`, to `worker`: `bank.pay`",
        "#10  the call failed, that of #8",
        "was halted",
        "#12  the task ended: failed, saying `no funds`, while #8 ran",
    ];
    let mut rest = &*told;
    for sentence in expected {
        let (_, after) = rest.split_once(sentence).unwrap_or_else(|| panic!("{sentence}: {told}"));
        rest = after;
    }
    assert!(told.starts_with("1970-01-01T00:00:02Z  #2"), "{told}");
}

/// attack 134
#[test]
fn what_agents_wrote_can_neither_end_a_line_nor_a_quotation_of_the_story() {
    let line =
        OPENED.replace("pay it", r"`; it ends now\n1970-01-01T00:00:09Z  #9  \u202ethe task ended");
    let [story] = explain(&records(&[&line]), "t").try_into().unwrap();
    let told = story.to_string();
    assert_eq!(told.lines().count(), 1, "{told}");
    assert!(told.contains(r"to `\`; it ends now\n1970"), "{told}");
    assert!(told.contains(r"\u{202e}the"), "{told}");
}

#[test]
fn a_grant_ends_with_what_it_hangs_from_with_its_time_or_with_its_task_whatever_is_first() {
    let end = |lines: &[&str], grant: usize| {
        let lines: Vec<&str> = [OPENED, GRANTED, DELEGATED].iter().chain(lines).copied().collect();
        let [story] = explain(&records(&lines), "t").try_into().unwrap();
        story.grants[grant].ended.clone().map(|end| (end.at.unix_millis(), end.why))
    };
    let ended = |at, why: &str| Some((at, why.to_owned()));
    assert_eq!(end(&[], 0), None, "it stands");
    let above =
        r#""kind":"grant_ended","task":"t","generation":7,"grant":"g1","why":"revoked","below":[]"#;
    assert_eq!(end(&[above], 1), ended(4000, "revoked"));
    assert_eq!(end(&[above, ENDED], 1), ended(4000, "revoked"));
    assert_eq!(end(&[ENDED], 1), ended(4000, "failed"));
    let below = above.replace(r#""below":[]"#, r#""below":["g2"]"#);
    assert_eq!(end(&[&below], 1), ended(4000, "revoked"));
    // Swept long after its time was over.
    let late = r#""kind":"halted","what":"everything""#;
    let mut lines = vec![late; 700];
    lines.push(r#""kind":"grant_ended","task":"t","generation":7,"grant":"g2","why":"expired""#);
    assert_eq!(end(&lines, 1), ended(700_000, "expired"));
    assert_eq!(end(&lines, 0), None);
}

#[test]
fn a_renewal_moves_the_end_and_the_rules_and_is_no_other_grant() {
    let renewed = GRANTED
        .replace(r#""serial":1"#, r#""serial":2"#)
        .replace("800000", "850000")
        .replace(r#"["pay"]"#, r#"["pay-more"]"#);
    let [story] = explain(&records(&[OPENED, GRANTED, &renewed]), "t").try_into().unwrap();
    let [grant] = &story.grants[..] else { panic!("{story:?}") };
    assert_eq!((grant.renewals, grant.expires.unix_millis()), (1, 850_000));
    assert_eq!(grant.rules, ["pay-more"]);
}

/// A name is free again after the end, and says nothing of which task is meant.
#[test]
fn tasks_of_one_name_are_told_apart_and_one_can_be_asked_for_by_generation() {
    let again = OPENED.replace(r#""generation":7"#, r#""generation":9"#);
    let other = OPENED.replace(r#""task":"t""#, r#""task":"u""#);
    let granted = GRANTED.replace(r#""generation":7"#, r#""generation":9"#);
    let log = records(&[OPENED, ENDED, &again, &granted, &other.replace('7', "8")]);
    let stories = explain(&log, "t");
    let told: Vec<_> = stories.iter().map(|own| (own.generation, own.grants.len())).collect();
    assert_eq!(told, [(7, 0), (9, 1)]);
    assert!(stories[1].ended.is_none());
    let mut explainer = Explainer::of_generation(9);
    log.iter().for_each(|record| explainer.note(record));
    let [story] = explainer.finish().try_into().unwrap();
    assert_eq!(story, stories[1]);
    assert!(explain(&log, "v").is_empty());
}

/// After a restart epochs begin anew: the policy is that of the last record which names the epoch.
#[test]
fn the_policy_of_a_call_is_the_one_that_was_in_force_in_its_life() {
    let reloaded = |policy: &str| format!(r#""kind":"reloaded","epoch":1,"policy":"{policy}""#);
    let log = [&reloaded("old"), r#""kind":"reopened""#, &reloaded("new"), OPENED, PERMITTED];
    let [story] = explain(&records(&log), "t").try_into().unwrap();
    assert_eq!(story.calls[0].policy.as_deref(), Some("new"));
}

/// What is left of a task outlives it.
#[test]
fn each_credential_is_followed_until_it_is_gone_and_one_that_is_owed_is_told_so() {
    let planned = |name: &str| {
        format!(
            r#""kind":"credential_planned","task":"t","generation":7,"grant":"g1","of":4,"credential":"orders-db","provider":"pg","name":"{name}","lands_by":9000,"expires":90000"#
        )
    };
    let named =
        |kind: &str, name: &str, more: &str| format!(r#""kind":"{kind}","name":"{name}"{more}"#);
    let minted = named("credential_minted", "a", r#","task":"t","generation":7,"expires":90000"#);
    let owed = named("credential_owed", "b", r#","attempt":3,"why":"down""#);
    let [withdrawn, other] = ["a", "c"].map(|name| named("credential_withdrawn", name, ""));
    let gone = named("credential_gone", "a", r#","how":"verified""#);
    let (a, b) = (planned("a"), planned("b"));
    let log = [OPENED, GRANTED, &a, &minted, &b, ENDED, &withdrawn, &other, &owed, &gone];
    let [story] = explain(&records(&log), "t").try_into().unwrap();
    let told = |own: &ExplainedCredential| {
        (own.name.clone(), own.minted.is_some(), own.gone.map(|(at, _)| at.unix_millis()))
    };
    let expected = [("a".to_owned(), true, Some(10_000)), ("b".to_owned(), false, None)];
    assert!(story.credentials.iter().map(told).eq(expected), "{story:?}");
    let told = story.to_string();
    assert!(told.contains("credential `b` could not be withdrawn (3): `down`"), "{told}");
    assert!(!told.contains("`c`"), "that is another task's: {told}");
}

/// A flood is told in one sentence, and counted as what it is.
#[test]
fn denials_that_were_counted_are_told_with_how_many_they_were() {
    let records = records(&[
        OPENED,
        r#""kind":"denied","stage":"call","task":"t","generation":7,"grant":"g2","who":"worker","tool":"bank.pay","code":"out_of_scope","reason":"out_of_scope""#,
        ENDED,
        r#""kind":"denied_again","from":4,"count":990,"since":2000,"stage":"call","task":"t","generation":7,"who":"worker","tool":"bank.\u001b[2Jpay","resource_type":"bill","resource_id":"INV-1","code":"out_of_scope","reason":"out_of_scope""#,
    ]);
    let [story] = explain(&records, "t").try_into().unwrap();
    assert_eq!(story.denied, 991);
    let told = story.sentences.last().unwrap();
    assert_eq!(
        told.text,
        "denied 990 times more since 1970-01-01T00:00:02Z, at the stage `call`, for `out_of_scope`, to `worker`: \
         `bank.\\u{1b}[2Jpay` on `bill` `INV-1`"
    );
}
