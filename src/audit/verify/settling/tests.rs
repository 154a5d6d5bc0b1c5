use super::*;
use crate::audit::explain::tests::records;

const PERMITTED: &str = r#""kind":"permitted","task":"t","generation":7,"grant":"g","serial":0,"who":"me","tool":"x","args":"d","rules":["r"],"epoch":0"#;
const PLANNED: &str = r#""kind":"credential_planned","task":"t","generation":7,"grant":"g","of":1,"credential":"db","provider":"p","name":"a","lands_by":10,"expires":90000"#;
const GONE: &str = r#""kind":"credential_gone","name":"a","how":"verified""#;
const FAILED: &str = r#""kind":"credential_owed","name":"a","attempt":1,"why":"down""#;
const LASTS: &str =
    r#""kind":"credential_owed","name":"a","attempt":1,"why":"never","until":90000"#;
const WITHDRAWN: &str = r#""kind":"credential_withdrawn","name":"a""#;
const ENDED: &str =
    r#""kind":"ended","task":"t","generation":7,"how":"completed","unsettled":true"#;
const RAN: &str =
    r#""kind":"ended","task":"t","generation":7,"how":"completed","running":[1],"unsettled":true"#;
const OUTCOME: &str = r#""kind":"outcome","task":"t","generation":7,"of":1,"outcome":"ok""#;
const SETTLED: &str = r#""kind":"settled","task":"t","generation":7,"gone":["a"]"#;
const BARE: &str = r#""kind":"settled","task":"t","generation":7"#;
const OWED: &str =
    r#""kind":"settled","task":"t","generation":7,"owed":[{"name":"a","until":90000}]"#;

fn broken(lines: &[&str]) -> Option<Fault> {
    let mut settling = Settling::default();
    records(lines).iter().find_map(|record| settling.note(record).err())
}

fn with(line: &str, from: &str, to: &str) -> String {
    let changed = line.replace(from, to);
    assert_ne!(changed, line);
    changed
}

#[test]
fn a_task_is_settled_once_all_of_it_is_done() {
    let b = with(PLANNED, r#""a""#, r#""b""#);
    let b_gone = with(GONE, r#""a""#, r#""b""#);
    let both = with(SETTLED, r#"["a"]"#, r#"["b","a"]"#);
    let counted = with(SETTLED, r#"["a"]"#, r#"["b"],"more":1"#);
    let mixed = with(OWED, r#""owed""#, r#""gone":["b"],"owed""#);
    for log in [
        vec![RAN, OUTCOME, BARE],
        vec![PLANNED, ENDED, GONE, SETTLED],
        vec![PLANNED, GONE, ENDED, SETTLED],
        vec![PLANNED, RAN, GONE, OUTCOME, SETTLED],
        vec![PLANNED, ENDED, LASTS, OWED, GONE],
        vec![PLANNED, LASTS, GONE, ENDED, SETTLED],
        vec![PLANNED, &b, ENDED, GONE, &b_gone, &both],
        vec![PLANNED, &b, ENDED, GONE, &b_gone, &counted],
        vec![PLANNED, &b, ENDED, LASTS, &b_gone, &mixed],
        // What was planned and refused by the sink leaves nothing.
        vec![ENDED, BARE],
    ] {
        assert_eq!(broken(&log), None, "{log:?}");
    }
}

/// attack 177, as a log would show that what is left was hidden
#[test]
fn a_task_that_is_said_to_be_settled_and_is_not_is_named_by_that_record() {
    let fault = |seq| Some(Fault::NotSettled { seq });
    let b = with(PLANNED, r#""a""#, r#""b""#);
    let silent = with(ENDED, r#","unsettled":true"#, "");
    let silent_ran = with(RAN, r#","unsettled":true"#, "");
    let twice = with(SETTLED, r#"["a"]"#, r#"["a","a"]"#);
    let other = with(SETTLED, r#"["a"]"#, r#"["b"]"#);
    let more = with(SETTLED, r#"["a"]"#, r#"["a"],"more":1"#);
    let later = with(OWED, "90000", "90001");
    let owed_twice = with(OWED, "}]", r#"},{"name":"a","until":90000}]"#);
    let other_owed = with(OWED, r#"{"name":"a""#, r#"{"name":"b""#);
    for (log, seq) in [
        (vec![BARE], 1),
        (vec![PLANNED, GONE, SETTLED], 3),
        (vec![RAN, BARE], 2),
        (vec![RAN, OUTCOME, BARE, BARE], 4),
        (vec![PLANNED, RAN, GONE, SETTLED], 4),
        (vec![PLANNED, ENDED, SETTLED], 3),
        (vec![PLANNED, ENDED, BARE], 3),
        (vec![PLANNED, ENDED, GONE, BARE], 4),
        (vec![PLANNED, ENDED, OWED], 3),
        (vec![PLANNED, ENDED, FAILED, OWED], 4),
        (vec![PLANNED, ENDED, LASTS, FAILED, OWED], 5),
        (vec![PLANNED, ENDED, LASTS, WITHDRAWN, OWED], 5),
        (vec![PLANNED, ENDED, LASTS, &later], 4),
        (vec![PLANNED, ENDED, LASTS, &owed_twice], 4),
        (vec![PLANNED, ENDED, LASTS, &other_owed], 4),
        (vec![PLANNED, ENDED, LASTS, BARE], 4),
        (vec![PLANNED, ENDED, GONE, &twice], 4),
        (vec![PLANNED, ENDED, GONE, &other], 4),
        (vec![PLANNED, ENDED, GONE, &more], 4),
        (vec![PLANNED, &b, ENDED, GONE, SETTLED], 5),
        (vec![PLANNED, &silent], 2),
        (vec![PLANNED, GONE, &silent], 3),
        (vec![&silent_ran], 1),
    ] {
        assert_eq!(broken(&log), fault(seq), "{log:?}");
    }
}

/// Otherwise a task would be said to be settled, or to have left nothing, while a call of it runs.
#[test]
fn a_call_that_ran_past_the_end_of_its_task_is_one_that_the_end_has_listed() {
    let fault = |seq| Some(Fault::NotSettled { seq });
    let outcome = |of: u64, how: &str| {
        OUTCOME.replace(r#""of":1"#, &format!(r#""of":{of}"#)).replace("ok", how)
    };
    let silent = with(ENDED, r#","unsettled":true"#, "");
    let other = with(PERMITTED, r#""generation":7"#, r#""generation":8"#);
    for (how, ran) in [
        ("ok", true),
        ("error", true),
        ("interrupted", true),
        ("forwarded", true),
        ("abandoned", false),
        ("unknown", false),
    ] {
        let (first, second) = (outcome(1, how), outcome(2, how));
        let told = |log: &[&str], seq| assert_eq!(broken(log), fault(seq).filter(|_| ran), "{how}");
        told(&[PERMITTED, &silent, &first], 3);
        told(&[PERMITTED, ENDED, BARE, &first], 4);
        told(&[PERMITTED, PERMITTED, RAN, &second], 4);
        told(&[PERMITTED, PERMITTED, RAN, OUTCOME, BARE, &second], 6);
        for log in [
            vec![PERMITTED, &first, &silent],
            vec![PERMITTED, RAN, &first, BARE],
            vec![&other, &silent, &first],
        ] {
            assert_eq!(broken(&log), None, "{how}: {log:?}");
        }
    }
}

#[test]
fn a_task_with_something_left_is_listed_once_it_has_ended() {
    let left = |lines: &[&str]| {
        let mut settling = Settling::default();
        records(lines).iter().for_each(|record| settling.note(record).unwrap());
        settling.ended()
    };
    assert_eq!(left(&[PLANNED]), [0_u64; 0]);
    assert_eq!(left(&[PLANNED, ENDED]), [7]);
    assert_eq!(left(&[PLANNED, ENDED, GONE]), [7]);
    assert_eq!(left(&[PLANNED, ENDED, GONE, SETTLED]), [0_u64; 0]);
    // What was told as owed may be found to stand still.
    assert_eq!(left(&[PLANNED, ENDED, LASTS, OWED, FAILED]), [0_u64; 0]);
    assert_eq!(left(&[PLANNED, ENDED, LASTS, OWED, FAILED, WITHDRAWN]), [0_u64; 0]);
}
