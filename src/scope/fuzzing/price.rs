//! What questions take, led to those that take the most for what they say.

use std::hint::black_box;

use super::super::algebra::{Algebra, Difference};
use super::super::evaluate::Stance;
use super::super::fact::Absence;
use super::super::truth::Truth;
use super::source::Source;
use crate::meter::Meter;
use crate::value::Value;

/// Two constraints and a list made from the bytes: with however few steps, nothing is told that is not told
/// with many, and no more steps are taken than there are.
pub fn price(bytes: &[u8]) {
    let mut source = Source(bytes);
    let (a, b) = (source.constraint(3), source.constraint(3));
    if a.check().is_err() || b.check().is_err() {
        return;
    }
    let one = source.value(2);
    let times = 1 + source.byte() % 64;
    let list = Value::List((0..times).map(|_| one.clone()).collect());
    let mut taken = 0;
    for value in [&one, &list] {
        for stance in [Stance::Cover, Stance::Guard] {
            let truth =
                |meter: &Meter| a.holds_of(Some(value), Absence::Argument, stance, false, meter);
            let meter = Meter::ample();
            let told = truth(&meter);
            taken += meter.taken();
            for steps in [0, 1, 10, meter.taken() / 2, meter.taken().saturating_sub(1)] {
                let few = Meter::of(steps);
                let of_few = truth(&few);
                assert!(few.taken() <= steps);
                let as_well = of_few == told || (of_few == Truth::Unknown && few.is_spent());
                assert!(as_well, "{a} of {value}: {of_few:?} with {steps} steps, and {told:?}");
            }
        }
    }
    let meter = Meter::ample();
    let told = a.difference(&b, &meter);
    taken += meter.taken();
    for steps in [10, 1000, meter.taken() / 2] {
        let few = Meter::of(steps);
        let of_few = a.difference(&b, &few);
        let is_within = a.is_within(&b, &few);
        assert!(few.taken() <= steps);
        let differs = matches!(told, Difference::Witness(_));
        assert!(!(differs && (is_within || of_few == Difference::Empty)), "{a} within {b}");
    }
    note(taken / (1 + bytes.len() as u64));
}

/// Each of these is another edge for the fuzzer: what takes more for each byte than anything before is kept,
/// and changed further.
fn note(ratio: u64) {
    macro_rules! reached {
        ($($steps:literal)*) => {
            $(if ratio > $steps {
                black_box($steps);
            })*
        };
    }
    reached!(1 2 4 8 16 32 64 128 256 512 1024 2048 4096 8192 16384 32768 65536 131072 262144 524288);
}
