//! Objects: put together from the cells of their fields.

use std::collections::BTreeMap;

use super::super::constraint::{Constraint, Node};
use super::cells::{Sampler, Test};
use crate::meter::{Meter, Work};
use crate::value::{Object, Value};

/// A field that no constraint names: what a closed world refuses.
pub(super) const UNNAMED: &str = "unnamed";

/// Exact but for objects that are compared whole: what `fields` answers depends on what each field
/// answers, on which fields are there, and on whether one is there that nothing names.
pub(super) fn sample(sampler: &mut Sampler<'_>, meter: &Meter) {
    let fields = asked_of_fields(sampler.tests);
    let unnamed = unnamed(&fields);
    let mut columns: Vec<(String, Vec<Option<Value>>)> = Vec::new();
    for (name, tests) in fields {
        let cells = sampler.inside(&tests, true, meter);
        if !cells.complete {
            sampler.miss();
        }
        columns.push((name.to_owned(), cells.found.into_values().collect()));
    }
    columns.push((unnamed, vec![None, Some(Value::from("x"))]));

    // Count through all choices, the first column fastest.
    let mut choice: Vec<usize> = columns.iter().map(|_| 0).collect();
    loop {
        if !meter.charge(16 * columns.len(), Work::Containing) {
            return sampler.give_up();
        }
        let mut object = Object::new();
        for ((name, cells), at) in columns.iter().zip(&choice) {
            if let Some(Some(value)) = cells.get(*at) {
                // Names differ from each other.
                let _ = object.insert(name.clone(), value.clone());
            }
        }
        let value = Value::Object(object);
        // Of the objects without any field there is but one.
        if value != Value::Object(Object::new()) && sampler.is_named(&value, meter) {
            sampler.miss();
        }
        sampler.offer(Some(value), meter);
        if sampler.done() || !advance(&mut choice, &columns) {
            return;
        }
    }
}

/// The next choice; `false` after the last.
fn advance(choice: &mut [usize], columns: &[(String, Vec<Option<Value>>)]) -> bool {
    for (at, (_, cells)) in choice.iter_mut().zip(columns) {
        *at += 1;
        if *at < cells.len() {
            return true;
        }
        *at = 0;
    }
    false
}

fn asked_of_fields<'a>(tests: &[Test<'a>]) -> BTreeMap<&'a str, Vec<Test<'a>>> {
    let mut asked: BTreeMap<&str, Vec<Test<'_>>> = BTreeMap::new();
    let mut add = |name: &'a str, test: Test<'a>| {
        let tests = asked.entry(name).or_insert_with(|| vec![Test::There]);
        if !tests.contains(&test) {
            tests.push(test);
        }
    };
    for test in tests {
        let Test::Ask { how, .. } = *test else { continue };
        test.leaves(&mut |leaf: &'a Constraint, negated| {
            if let Node::Fields(fields) = &leaf.0 {
                for (name, constraint) in fields.iter() {
                    add(name, Test::Ask { constraint, how: how.inside(negated) });
                }
            }
        });
    }
    asked
}

fn unnamed(fields: &BTreeMap<&str, Vec<Test<'_>>>) -> String {
    let mut name = UNNAMED.to_owned();
    while fields.contains_key(name.as_str()) {
        name.push('_');
    }
    name
}

/// Puts a value where an argument is: at a name, or in the fields further in.
pub(crate) fn put_argument(object: &mut Object, path: &[Box<str>], value: Value) {
    match path {
        [] => {}
        [name] => {
            let _ = object.insert(name.to_string(), value);
        }
        [name, rest @ ..] => {
            let _ = object.insert(name.to_string(), Object::new());
            if let Some(Value::Object(inner)) = object.get_mut(name) {
                put_argument(inner, rest, value);
            }
        }
    }
}
