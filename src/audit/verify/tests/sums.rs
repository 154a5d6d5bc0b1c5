//! Records that stand for several numbers.

use super::*;

/// attacks 130 and 133: a record that stands for several numbers says how many, and has as many
#[test]
fn a_sum_stands_for_as_many_numbers_as_it_says_denials() {
    let denials = |seq: u64, from: u64, since: i64, count: u64| {
        format!(
            r#"{{"seq":{seq},"at":9,"kind":"denials","from":{from},"since":{since},"reasons":{{"a":{count},"b":1}}}}"#
        )
    };
    let again = |seq: u64, from: u64, since: i64, count: u64| {
        let count = count + 1;
        format!(
            r#"{{"seq":{seq},"at":9,"kind":"denied_again","from":{from},"count":{count},"since":{since},"stage":"call","code":"c","reason":"a"}}"#
        )
    };
    let wrong = |seq, summed| Some(Fault::WrongSum { seq, summed });
    for line in [&denials as &dyn Fn(u64, u64, i64, u64) -> String, &again] {
        for (text, found) in [
            (line(4, 2, 5, 2), None),
            (line(4, 2, 9, 2), None),
            (line(4, 2, 10, 2), wrong(4, 3)),
            (line(4, 2, 5, 1), wrong(4, 2)),
            (line(4, 2, 5, 3), wrong(4, 4)),
            (line(4, 3, 5, 1), Some(Fault::out_of_order(2, 3))),
            (line(4, 1, 5, 3), Some(Fault::out_of_order(2, 1))),
            (line(1, 2, 5, 0), wrong(1, 1)),
        ] {
            let mut lines = written(&key(1), &[(1, ended("a"))]);
            let tag = key(1).next(&lines[0].1, &text).unwrap();
            lines.push((text.clone(), tag));
            assert_eq!(check(&lines, None).err(), found, "{text}");
        }
    }
}
