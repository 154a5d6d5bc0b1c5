//! Any order of places and settles, against a model that does one thing after the other.

use proptest::prelude::*;

use super::*;

/// A journal by its rules alone: one map of what every number says, one attempt after the other.
#[derive(Default)]
struct Model {
    said: BTreeMap<u64, (String, String)>,
    gives: BTreeSet<u64>,
    refused: BTreeSet<u64>,
    written: u64,
    fail_next: u64,
}

impl Model {
    fn place(&mut self, kind: &str, task: &str) {
        let seq = self.said.len() as u64 + 1;
        self.said.insert(seq, is(kind, task));
        if kind == "opened" {
            self.gives.insert(seq);
        }
    }

    /// All that waits is one batch, which the sink takes or refuses as a whole.
    fn write(&mut self) -> bool {
        let last = self.said.len() as u64;
        if self.written < last && self.fail_next > 0 {
            self.fail_next -= 1;
            for seq in self.written + 1..=last {
                if self.gives.remove(&seq) {
                    let said = self.said.get_mut(&seq).unwrap();
                    said.0 = format!("withdrawn {}", said.0);
                    self.refused.insert(seq);
                }
            }
            return false;
        }
        self.written = last;
        true
    }

    fn settle(&mut self, seq: u64) -> bool {
        if self.refused.remove(&seq) {
            return false;
        }
        if self.written < seq {
            self.write();
        }
        !self.refused.remove(&seq)
    }

    fn debts(&self) -> usize {
        self.said.len() - self.written as usize
    }
}

#[derive(Clone, Debug)]
enum Step {
    Place { gives: bool },
    Settle { which: usize },
    FailNext(u64),
    Retry,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        5 => any::<bool>().prop_map(|gives| Step::Place { gives }),
        5 => any::<usize>().prop_map(|which| Step::Settle { which }),
        2 => (0..4u64).prop_map(Step::FailNext),
        1 => Just(Step::Retry),
    ];
    proptest::collection::vec(step, 0..80)
}

proptest! {
    /// attack 133, attack 135
    #[test]
    fn any_order_of_places_and_settles_gives_what_the_model_gives(steps in steps()) {
        hush();
        let (log, sink, journal) = journal();
        let mut model = Model::default();
        let mut open: Vec<Place> = vec![];
        for (number, step) in steps.into_iter().enumerate() {
            match step {
                Step::Place { gives } => {
                    let task = format!("t{number}");
                    model.place(if gives { "opened" } else { "ended" }, &task);
                    let seq = if gives {
                        open.push(journal.place(opened(&task)).unwrap());
                        open.last().unwrap().seq()
                    } else {
                        journal.note(ended(&task))
                    };
                    prop_assert_eq!(seq, model.said.len() as u64);
                }
                Step::Settle { which } if !open.is_empty() => {
                    let place = open.swap_remove(which % open.len());
                    let seq = place.seq();
                    let settled = journal.settle(place);
                    prop_assert_eq!(settled.is_ok(), model.settle(seq));
                    prop_assert_eq!(settled.unwrap_or(seq), seq);
                }
                Step::Settle { .. } => {}
                Step::FailNext(attempts) => {
                    sink.fail_next(attempts);
                    model.fail_next = attempts;
                }
                Step::Retry => {
                    model.write();
                    prop_assert_eq!(journal.retry(), model.debts());
                }
            }
            prop_assert_eq!(journal.debts(), model.debts());
            prop_assert_eq!(log.len() as u64, model.written);
            prop_assert_eq!(journal.unheard(), model.refused.len());
        }
        sink.recover();
        model.fail_next = 0;
        for place in open {
            let seq = place.seq();
            prop_assert_eq!(journal.settle(place).is_ok(), model.settle(seq));
        }
        model.write();
        prop_assert_eq!(journal.retry(), 0);
        prop_assert_eq!(story(&log, &journal), model.said.into_values().collect::<Vec<_>>());
        prop_assert_eq!((journal.unheard(), journal.waiting()), (0, 0));
    }
}
