//! What the log counts instead of telling it: denials equal to ten that it tells.

use std::collections::BTreeMap;

use hallpass::audit::DeniedAgain;

/// As many equal denials stand in full before others are counted.
const IN_FULL: u64 = 10;

const SUM: &str = "denied_again ";

/// What a sum of denials tells.
pub(crate) fn told(denials: &DeniedAgain<'_>) -> String {
    let stage = format!("{:?}", denials.stage).to_lowercase();
    format!("{SUM}{} denied {stage} {}", denials.count, denials.reason)
}

/// Takes out what the log counts: of what it tells the sums, and of what happened the denials that these are of, but
/// for sums that both have. Each of those comes after ten that are told. `timeless` says what has no place in the order.
/// Where not all is `written`, some may be in no sum.
pub(crate) fn without_summed(
    told: &[String],
    all: &[String],
    written: bool,
    timeless: impl Fn(&str) -> bool,
) -> (Vec<String>, Vec<String>) {
    let mut told_left = told.iter().filter(|event| !timeless(event)).peekable();
    let mut kept: Vec<String> = Vec::new();
    let (mut in_full, mut counted, mut summed) = <(Counts<'_>, Counts<'_>, Counts<'_>)>::default();
    for event in all {
        if timeless(event) {
            kept.push(event.clone());
            continue;
        }
        while let Some(sum) = told_left.next_if(|told| is_sum(told) && *told != event) {
            add_sum(&mut summed, sum);
        }
        if told_left.next_if(|told| class(told) == class(event)).is_some() {
            kept.push(event.clone());
            *in_full.entry(event).or_default() += 1;
        } else if event.starts_with("denied ") && in_full.get(&**event) >= Some(&IN_FULL) {
            *counted.entry(event).or_default() += 1;
        } else {
            // Told or not, it is no denial that may be counted: whoever compares finds it.
            kept.push(event.clone());
        }
    }
    told_left.filter(|told| is_sum(told)).for_each(|sum| add_sum(&mut summed, sum));
    match written {
        true => assert_eq!(summed, counted, "P9: each denial is told or counted"),
        false => {
            let fits = |(event, count): (&&str, &u64)| counted.get(event) >= Some(count);
            assert!(summed.iter().all(fits), "P9: {summed:?} of {counted:?}");
        }
    }
    let own = |event: &&String| !is_sum(event) || all.contains(event);
    (told.iter().filter(own).cloned().collect(), kept)
}

type Counts<'e> = BTreeMap<&'e str, u64>;

fn is_sum(event: &str) -> bool {
    event.starts_with(SUM)
}

/// Of grants that end at once none is the first.
fn class(event: &str) -> &str {
    if event.starts_with("grant_ended") { "grant_ended" } else { event }
}

fn add_sum<'e>(summed: &mut Counts<'e>, sum: &'e str) {
    let (count, of) = sum[SUM.len()..].split_once(' ').unwrap();
    *summed.entry(of).or_default() += count.parse::<u64>().unwrap();
}
