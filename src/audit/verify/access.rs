//! Whether access was had as the log says it was given: by its holder, under a live grant of an open task, with
//! a tool that it names, and within its time and that of all it hangs from.

use std::collections::BTreeMap;

use super::Fault;
use crate::audit::review::tools_of;
use crate::audit::{Asked, BrokenGlass, Event, GrantShortened, Record};
use crate::clock::Timestamp;

/// The tasks that are open, by generation.
#[derive(Default)]
pub(super) struct Access {
    tasks: BTreeMap<u64, KnownTask>,
    /// Of openings that the sink refused, how many there were of each name: one that was revoked while it opened has
    /// an end all the same.
    withdrawn: BTreeMap<String, u64>,
}

struct KnownTask {
    ceiling: Timestamp,
    /// Whether its broker is gone, and none has taken it up again.
    is_dormant: bool,
    /// Those that have not ended by a record of their own. One whose parent is not there has ended with it.
    grants: BTreeMap<String, KnownGrant>,
}

struct KnownGrant {
    parent: Option<String>,
    holder: String,
    /// Of its newest token.
    serial: u64,
    starts: Option<Timestamp>,
    expires: Timestamp,
    tools: Vec<String>,
}

impl Access {
    pub(super) fn note(&mut self, record: &Record) -> Result<(), Fault> {
        let seq = record.seq;
        match &record.event {
            Event::Opened { generation, ceiling, .. } => {
                let task =
                    KnownTask { ceiling: *ceiling, is_dormant: false, grants: BTreeMap::new() };
                match self.tasks.insert(*generation, task) {
                    None => Ok(()),
                    Some(_) => Err(Fault::NoTask { seq }),
                }
            }
            Event::Reopened { .. } => {
                // What a broker gave is gone with it.
                for task in self.tasks.values_mut() {
                    task.is_dormant = true;
                    task.grants.clear();
                }
                Ok(())
            }
            Event::TaskResumed { generation, .. } => match self.tasks.get_mut(generation) {
                Some(task) if task.is_dormant => {
                    task.is_dormant = false;
                    Ok(())
                }
                _ => Err(Fault::NoTask { seq }),
            },
            Event::Granted { generation, .. } => self.find(*generation, seq)?.grant(record),
            Event::BrokenGlass(BrokenGlass { generation, .. }) => {
                self.find(*generation, seq)?.break_glass(record)
            }
            Event::Permitted { generation, .. } => self.find(*generation, seq)?.permit(record),
            Event::Asked(Asked { generation, .. }) => self.find(*generation, seq).map(drop),
            Event::GrantShortened(GrantShortened { generation, grant, expires, .. }) => {
                // One whose record the sink has refused since is not there.
                let task = self.tasks.get_mut(generation);
                match task.and_then(|task| task.grants.get_mut(&**grant)) {
                    Some(own) if *expires > own.expires => return Err(Fault::TooLong { seq }),
                    Some(own) => own.expires = *expires,
                    None => {}
                }
                Ok(())
            }
            Event::GrantEnded { generation, grant, below, .. } => {
                // One that was swept late may end after its task, of which nothing is left.
                if let Some(task) = self.tasks.get_mut(generation) {
                    below.iter().chain([grant]).for_each(|id| _ = task.grants.remove(&**id));
                }
                Ok(())
            }
            Event::Withdrawn { was, task: Some(task), .. } if was == "opened" => {
                *self.withdrawn.entry(task.to_string()).or_default() += 1;
                Ok(())
            }
            Event::Ended { task, generation, .. } => match self.tasks.remove(generation) {
                Some(_) => Ok(()),
                None => self.end_withdrawn(task).ok_or(Fault::NoTask { seq }),
            },
            _ => Ok(()),
        }
    }

    /// Takes one of the openings of this name that were refused, if there is one.
    fn end_withdrawn(&mut self, task: &str) -> Option<()> {
        let many = self.withdrawn.get_mut(task)?;
        *many -= 1;
        if *many == 0 {
            self.withdrawn.remove(task);
        }
        Some(())
    }

    fn find(&mut self, generation: u64, seq: u64) -> Result<&mut KnownTask, Fault> {
        let task = self.tasks.get_mut(&generation).filter(|task| !task.is_dormant);
        task.ok_or(Fault::NoTask { seq })
    }
}

impl KnownTask {
    /// A grant was given or renewed.
    fn grant(&mut self, record: &Record) -> Result<(), Fault> {
        let seq = record.seq;
        let Event::Granted { grant, serial, parent, holder, scope, starts, expires, .. } =
            &record.event
        else {
            return Ok(());
        };
        let parent = parent.as_deref();
        if *expires > self.ceiling {
            return Err(Fault::TooLong { seq });
        }
        if let Some(parent) = parent {
            let above = self.live(parent, record.at).ok_or(Fault::NoGrant { seq })?;
            if *expires > above.expires {
                return Err(Fault::TooLong { seq });
            }
        }
        let before = self.grants.get(&**grant);
        let is_next = match before {
            Some(before) => *serial > before.serial && before.parent.as_deref() == parent,
            // What has ended is not renewed.
            None => *serial == 1,
        };
        if !is_next {
            return Err(Fault::NoGrant { seq });
        }
        if before.is_some_and(|before| before.holder != **holder) {
            return Err(Fault::NotTheHolder { seq });
        }
        let new = KnownGrant {
            parent: parent.map(str::to_owned),
            holder: holder.to_string(),
            serial: *serial,
            starts: *starts,
            expires: *expires,
            tools: tools_of(scope),
        };
        self.grants.insert(grant.to_string(), new);
        Ok(())
    }

    /// The glass was broken: a grant that is neither renewed nor delegated.
    fn break_glass(&mut self, record: &Record) -> Result<(), Fault> {
        let seq = record.seq;
        let Event::BrokenGlass(BrokenGlass { grant, who, scope, expires, .. }) = &record.event
        else {
            return Ok(());
        };
        if *expires > self.ceiling {
            return Err(Fault::TooLong { seq });
        }
        let new = KnownGrant {
            parent: None,
            holder: who.to_string(),
            serial: 1,
            starts: None,
            expires: *expires,
            tools: tools_of(scope),
        };
        match self.grants.insert(grant.to_string(), new) {
            None => Ok(()),
            Some(_) => Err(Fault::NoGrant { seq }),
        }
    }

    /// A call was permitted.
    fn permit(&self, record: &Record) -> Result<(), Fault> {
        let seq = record.seq;
        let Event::Permitted { grant, serial, who, tool, .. } = &record.event else {
            return Ok(());
        };
        if record.at >= self.ceiling {
            return Err(Fault::NoTask { seq });
        }
        let own = self.live(grant, record.at).filter(|own| own.serial == *serial);
        let own = own.ok_or(Fault::NoGrant { seq })?;
        if own.holder != **who {
            return Err(Fault::NotTheHolder { seq });
        }
        // Of the constraints on arguments the log has digests: what they were put to is not known.
        let names = |grant: &KnownGrant| grant.tools.iter().any(|own| own == tool);
        let mut next = Some(own);
        while let Some(grant) = next {
            if !names(grant) {
                return Err(Fault::OutOfScope { seq });
            }
            next = grant.parent.as_deref().and_then(|parent| self.grants.get(parent));
        }
        Ok(())
    }

    /// A grant that is there and within its time, as are all it was delegated from. Each was given after
    /// its parent, so the chain ends.
    fn live(&self, id: &str, at: Timestamp) -> Option<&KnownGrant> {
        let own = self.grants.get(id)?;
        let mut next = own;
        loop {
            if at >= next.expires || next.starts.is_some_and(|starts| at < starts) {
                return None;
            }
            match &next.parent {
                Some(parent) => next = self.grants.get(parent)?,
                None => return Some(own),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::explain::tests::records;

    const OPENED: &str = r#""kind":"opened","task":"t","generation":7,"who":"a","who_kind":"agent","purpose":"p","ceiling":90000"#;
    const GRANTED: &str = r#""kind":"granted","task":"t","generation":7,"grant":"g","serial":1,"requester":"a","holder":"a","scope":[{"tool":"pay","args":{}},{"tool":"read","args":{}}],"epoch":1,"policy":"p","expires":80000"#;
    const BELOW: &str = r#""kind":"granted","task":"t","generation":7,"grant":"h","serial":1,"parent":"g","requester":"a","holder":"b","scope":[{"tool":"pay","args":{}}],"epoch":1,"policy":"p","expires":70000"#;
    const CALL: &str = r#""kind":"permitted","task":"t","generation":7,"grant":"g","serial":1,"who":"a","tool":"pay","args":"d","epoch":1"#;
    const CALL_BELOW: &str = r#""kind":"permitted","task":"t","generation":7,"grant":"h","serial":1,"who":"b","tool":"pay","args":"d","epoch":1"#;
    const SHORTENED: &str = r#""kind":"grant_shortened","task":"t","generation":7,"grant":"g","expires":5000,"epoch":2"#;
    const REVOKED: &str =
        r#""kind":"grant_ended","task":"t","generation":7,"grant":"g","why":"revoked""#;
    const REFUSED: &str = r#""kind":"withdrawn","was":"opened","task":"t","cause":"full""#;
    const REOPENED: &str = r#""kind":"reopened""#;
    const RESUMED: &str = r#""kind":"task_resumed","task":"t","generation":7,"who":"a""#;
    const ENDED: &str = r#""kind":"ended","task":"t","generation":7,"how":"completed""#;

    /// What a log of these lines breaks first. Each is a second after the one before.
    fn broken(lines: &[&str]) -> Option<Fault> {
        let mut access = Access::default();
        records(lines).iter().find_map(|record| access.note(record).err())
    }

    fn with(line: &str, from: &str, to: &str) -> String {
        let changed = line.replace(from, to);
        assert_ne!(changed, line);
        changed
    }

    #[test]
    fn what_a_broker_does_is_lawful() {
        let renewed = with(GRANTED, r#""serial":1"#, r#""serial":2"#);
        let call = with(CALL, r#""serial":1"#, r#""serial":2"#);
        let again = with(OPENED, "7", "8");
        let log =
            [OPENED, GRANTED, BELOW, CALL, CALL_BELOW, &renewed, &call, REVOKED, ENDED, &again];
        assert_eq!(broken(&log), None);
    }

    /// attacks 57, 59 and 62, as a log would show that they had come through
    #[test]
    fn access_that_was_not_given_is_named_by_its_record() {
        let (task, grant) = (|seq| Some(Fault::NoTask { seq }), |seq| Some(Fault::NoGrant { seq }));
        let holder = |seq| Some(Fault::NotTheHolder { seq });
        let (scope, long) =
            (|seq| Some(Fault::OutOfScope { seq }), |seq| Some(Fault::TooLong { seq }));
        let ask = r#""kind":"asked","task":"t","generation":7,"question":"q","who":"a","tool":"x","args":"d","rules":["r"],"expires":9,"epoch":1"#;
        let other_parent = with(BELOW, r#""parent":"g""#, r#""parent":"i""#);
        let renewed = with(GRANTED, r#""serial":1"#, r#""serial":2"#);
        let swapped = with(&renewed, r#""holder":"a""#, r#""holder":"b""#);
        let adopted =
            with(&with(BELOW, r#""grant":"h""#, r#""grant":"g""#), "\"serial\":1", "\"serial\":2");
        let later = with(GRANTED, r#""expires""#, r#""starts":5000,"expires""#);
        let lengthened = with(SHORTENED, "5000", "80001");
        let late = "\"kind\":\"halted\",\"what\":\"x\"";
        let mut past = vec![OPENED, GRANTED, BELOW];
        past.resize(69, late);
        let (mut past_own, mut past_ceiling) = (past.clone(), past.clone());
        past_own.push(CALL_BELOW);
        past.resize(79, late);
        // Its own time is not over, that of what it hangs from is.
        let longer = with(BELOW, "70000", "80000");
        past[2] = &longer;
        let shorter = with(&renewed, "80000", "75000");
        past[3] = &shorter;
        past.push(CALL_BELOW);
        past_ceiling.resize(89, late);
        past_ceiling.push(CALL);
        let cases: Vec<(Vec<&str>, Option<Fault>)> = vec![
            (vec![GRANTED], task(1)),
            (vec![OPENED, OPENED], task(2)),
            (vec![OPENED, ENDED, GRANTED], task(3)),
            (vec![OPENED, GRANTED, ENDED, CALL], task(4)),
            (vec![OPENED, ENDED, ENDED], task(3)),
            (vec![REFUSED, ENDED], None),
            (vec![REFUSED, REFUSED, ENDED, ENDED], None),
            (vec![REFUSED, ENDED, ENDED], task(3)),
            (vec![REFUSED, GRANTED], task(2)),
            (vec![ask], task(1)),
            (vec![OPENED, CALL], grant(2)),
            (vec![OPENED, GRANTED, REVOKED, CALL], grant(4)),
            (vec![OPENED, GRANTED, BELOW, REVOKED, CALL_BELOW], grant(5)),
            (vec![OPENED, GRANTED, REVOKED, BELOW], grant(4)),
            (vec![OPENED, GRANTED, &other_parent], grant(3)),
            (vec![OPENED, GRANTED, REVOKED, &renewed], grant(4)),
            (vec![OPENED, GRANTED, GRANTED], grant(3)),
            (vec![OPENED, GRANTED, &renewed, CALL], grant(4)),
            (vec![OPENED, GRANTED, &adopted], grant(3)),
            (vec![OPENED, GRANTED, &swapped], holder(3)),
            (vec![OPENED, GRANTED, SHORTENED, CALL], None),
            (vec![OPENED, GRANTED, SHORTENED, late, CALL], grant(5)),
            (vec![OPENED, GRANTED, BELOW, SHORTENED, CALL_BELOW], grant(5)),
            (vec![OPENED, GRANTED, SHORTENED, BELOW], long(4)),
            (vec![OPENED, GRANTED, &lengthened], long(3)),
            (vec![OPENED, GRANTED, REVOKED, SHORTENED], None),
            (vec![OPENED, GRANTED, REOPENED, ENDED], None),
            (vec![OPENED, GRANTED, REOPENED, CALL], task(4)),
            (vec![OPENED, REOPENED, GRANTED], task(3)),
            (vec![OPENED, GRANTED, REOPENED, RESUMED, CALL], grant(5)),
            (vec![OPENED, GRANTED, REOPENED, RESUMED, GRANTED, CALL], None),
            (vec![OPENED, RESUMED], task(2)),
            (vec![OPENED, REOPENED, RESUMED, RESUMED], task(4)),
            (vec![OPENED, REOPENED, ENDED, RESUMED], task(4)),
            (vec![OPENED, &later, late, CALL], grant(4)),
            (vec![OPENED, &later, late, late, CALL], None),
            (vec![OPENED, &later, BELOW], grant(3)),
            (past_own, grant(70)),
            (past, grant(80)),
            (past_ceiling, task(90)),
        ];
        for (lines, fault) in cases {
            assert_eq!(broken(&lines), fault, "{lines:?}");
        }
        let broken = |change: (&str, &str, &str)| {
            let call = with(change.0, change.1, change.2);
            broken(&[OPENED, GRANTED, BELOW, &call])
        };
        assert_eq!(broken((CALL, r#""who":"a""#, r#""who":"b""#)), holder(4));
        assert_eq!(broken((CALL, r#""tool":"pay""#, r#""tool":"rob""#)), scope(4));
        assert_eq!(broken((CALL_BELOW, r#""tool":"pay""#, r#""tool":"read""#)), scope(4));
        let wider = with(BELOW, r#""tool":"pay""#, r#""tool":"rob""#);
        let robbing = with(CALL_BELOW, r#""tool":"pay""#, r#""tool":"rob""#);
        assert_eq!(super::tests::broken(&[OPENED, GRANTED, &wider, &robbing]), scope(4));
        let longer = [with(GRANTED, "80000", "90001"), with(BELOW, "70000", "80001")];
        assert_eq!(super::tests::broken(&[OPENED, &longer[0]]), long(2));
        assert_eq!(super::tests::broken(&[OPENED, GRANTED, &longer[1]]), long(3));
    }
}
