//! What most tests are met by: the text that a pattern begins with, and lists of what is named. Where one of them is what
//! is looked for, which is mostly so, nothing has to be built.

use super::super::constraint::Node;
use super::cells::Sampler;
use crate::meter::{Meter, Work};
use crate::value::Value;

/// The most elements of a list of what is named.
const MOST_ELEMENTS: usize = 16;

/// What each test names, and lists of it: of one test after the other, each with what those before it name.
pub(super) fn sample(sampler: &mut Sampler<'_>, meter: &Meter) {
    let mut elements: Vec<Value> = Vec::new();
    for test in sampler.tests {
        let before = elements.len();
        let mut texts = Vec::new();
        test.leaves(&mut |leaf, negated| match &leaf.0 {
            Node::Prefix(text) | Node::Suffix(text) | Node::Contains(text) | Node::Under(text) => {
                texts.push(&**text);
            }
            Node::HasAny(set) if !negated => elements.extend(set.iter().next().cloned()),
            Node::HasAll(set) if !negated => {
                elements.extend(set.iter().take(MOST_ELEMENTS).cloned());
            }
            _ => {}
        });
        for text in texts {
            offer(sampler, Value::from(text), meter);
        }
        if elements.len() > MOST_ELEMENTS {
            return;
        }
        if elements.len() > before {
            offer(sampler, Value::List(elements.clone()), meter);
        }
    }
}

fn offer(sampler: &mut Sampler<'_>, value: Value, meter: &Meter) {
    if sampler.done() {
        return;
    }
    match meter.charge_bytes(value.size(), Work::Containing) {
        true => sampler.offer(Some(value), meter),
        false => sampler.give_up(),
    }
}
