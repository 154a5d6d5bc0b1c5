//! Which tasks a log has as settled, compared with what it says of their calls and credentials.

use std::collections::{BTreeMap, BTreeSet};

use hallpass::audit::{Event, Record};

/// P9: a task that ends with something left says so, and is settled once nothing is; any other one is not, since its end
/// says it. `left` are the tasks of which a verifier says that they are not settled.
pub(crate) fn compare_settled(records: &[Record], left: &[u64]) {
    let mut open: BTreeMap<u64, BTreeSet<u64>> = BTreeMap::new();
    // Of each whose it is, and whether it is known to last, since it can't be withdrawn.
    let mut standing: BTreeMap<String, (u64, bool)> = BTreeMap::new();
    let mut planned = BTreeSet::new();
    let mut settled = BTreeSet::new();
    for record in records {
        match &record.event {
            Event::CredentialPlanned { generation, name, .. } => {
                planned.insert(*generation);
                standing.insert(name.to_string(), (*generation, false));
            }
            Event::CredentialOwed { name, until, .. } => {
                standing.entry(name.to_string()).and_modify(|own| own.1 = until.is_some());
            }
            Event::CredentialWithdrawn { name } => {
                standing.entry(name.to_string()).and_modify(|own| own.1 = false);
            }
            Event::CredentialGone { name, .. } => _ = standing.remove(&**name),
            Event::Outcome { generation, of, .. } => {
                open.entry(*generation).and_modify(|own| _ = own.remove(of));
            }
            Event::Ended { generation, running, unsettled, .. } => {
                let left = !running.is_empty() || planned.contains(generation);
                assert_eq!(*unsettled, left, "P9: an end says what is left: {record:?}");
                if left {
                    open.insert(*generation, running.iter().copied().collect());
                }
            }
            Event::Settled(own) => {
                let ran = open.get(&own.generation).expect("its end left something");
                assert_eq!(*ran, BTreeSet::new(), "P9: no call runs when it is settled");
                assert!(settled.insert(own.generation), "P9: settled once");
                // What can't be withdrawn was told then. It is tried again once it is to have expired, and may be found to
                // stand still: its task stays settled.
                standing.retain(|name, (generation, lasts)| {
                    let is_own = *generation == own.generation;
                    assert!(!is_own || *lasts, "P9: `{name}` is to be withdrawn still");
                    !is_own
                });
            }
            _ => {}
        }
    }
    let is_left = |generation: &u64, ran: &BTreeSet<u64>| {
        !ran.is_empty() || standing.values().any(|(own, lasts)| own == generation && !lasts)
    };
    for (generation, ran) in &open {
        let unsettled = is_left(generation, ran);
        assert_eq!(left.contains(generation), unsettled, "P9: {generation} is settled in time");
        assert_eq!(settled.contains(generation), !unsettled, "P9: by a record");
    }
    assert!(left.iter().all(|generation| open.contains_key(generation)));
}
