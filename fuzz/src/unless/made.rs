//! Rules made of bytes, and their text.

use serde_json::{Map, Value as Json, json};

/// What one value must be.
pub(super) enum C {
    Any,
    Present(bool),
    Eq(Json),
    OneOf(Vec<Json>),
    Max(i64),
    Prefix(&'static str),
    HasAny(Vec<Json>),
    Count(u64),
    /// A kind that takes a list, of what was noted in the task.
    Noted(&'static str),
    Not(Box<C>),
    All(Vec<C>),
    AnyOf(Vec<C>),
}

/// A part of the question.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    Tool,
    Groups,
    W,
    Arg(&'static str),
}

pub(super) struct Rule {
    pub(super) id: String,
    pub(super) effect: &'static str,
    /// One tool, or any.
    pub(super) tool: Option<&'static str>,
    /// Each part once.
    pub(super) says: Vec<(Part, C)>,
    /// Of a permit: arguments that it does not name may be there.
    pub(super) open: bool,
    pub(super) unless: Vec<Vec<(Part, C)>>,
    /// It speaks at calls alone, at which it is known what was noted.
    pub(super) at_calls: bool,
}

impl C {
    fn to_json(&self) -> Json {
        let all = |parts: &[C]| parts.iter().map(C::to_json).collect::<Vec<_>>();
        match self {
            C::Any => json!("any"),
            C::Present(own) => json!({ "present": own }),
            C::Eq(own) => json!({ "eq": own }),
            C::OneOf(own) => json!({ "one_of": own }),
            C::Max(own) => json!({ "max": own }),
            C::Prefix(own) => json!({ "prefix": own }),
            C::HasAny(own) => json!({ "has_any": own }),
            C::Count(own) => json!({ "count": own }),
            C::Noted(word) => json!({ *word: { "ref": super::noted::NAME } }),
            C::Not(inner) => json!({ "not": inner.to_json() }),
            C::All(parts) => json!({ "all": all(parts) }),
            C::AnyOf(parts) => json!({ "any": all(parts) }),
        }
    }
}

impl Rule {
    pub(super) fn is_permit(&self) -> bool {
        self.effect == "permit"
    }

    pub(super) fn names(&self, argument: &str) -> bool {
        self.says.iter().any(|(part, _)| matches!(part, Part::Arg(name) if *name == argument))
    }

    /// A permit of one tool that does not name what is given where it is left out lets that be there.
    pub(super) fn take_default(&mut self, name: &'static str, default: &str) {
        if self.is_permit() && !self.open && self.tool == Some("t") && !self.names(name) {
            self.says.push((Part::Arg(name), C::Eq(json!(default))));
        }
    }

    pub(super) fn to_json(&self) -> Json {
        let mut own = said(&self.says);
        own.insert("id".into(), json!(self.id));
        own.insert("effect".into(), json!(self.effect));
        let what = own.entry("what").or_insert_with(|| json!({}));
        match self.tool {
            Some(tool) => what["tool"] = json!(tool),
            None => what["tool"] = json!("any"),
        }
        if self.open && self.is_permit() {
            let names_none = what.get("args").is_none();
            what[if names_none { "args" } else { "other_args" }] = json!("any");
        }
        if self.at_calls {
            own.insert("on".into(), json!(["call"]));
        }
        if self.effect == "ask" {
            let review = json!([{ "groups": { "has_any": ["o"] }, "count": 1 }]);
            own.insert("approval".into(), json!({ "review": review }));
        }
        if !self.unless.is_empty() {
            let unless: Vec<Json> = self.unless.iter().map(|one| Json::Object(said(one))).collect();
            own.insert("unless".into(), json!(unless));
        }
        Json::Object(own)
    }
}

fn said(conditions: &[(Part, C)]) -> Map<String, Json> {
    let mut all = json!({});
    for (part, own) in conditions {
        let own = own.to_json();
        match part {
            Part::Tool => all["what"]["tool"] = own,
            Part::Groups => all["who"]["groups"] = own,
            Part::W => all["when"]["w"] = own,
            Part::Arg(name) => all["what"]["args"][*name] = own,
        }
    }
    match all {
        Json::Object(all) => all,
        _ => Map::new(),
    }
}

/// Makes whatever is asked for; when the bytes are used up, of zeros.
pub(super) struct Source<'b> {
    bytes: &'b [u8],
    /// Whether rules compare with notes.
    notes: bool,
}

impl<'b> Source<'b> {
    pub(super) const fn of(bytes: &'b [u8]) -> Self {
        Source { bytes, notes: false }
    }

    pub(super) const fn with_notes(bytes: &'b [u8]) -> Self {
        Source { bytes, notes: true }
    }

    fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.bytes.split_first() else { return 0 };
        self.bytes = rest;
        *first
    }

    fn of_these<T: Copy>(&mut self, these: &[T]) -> T {
        these[usize::from(self.byte()) % these.len()]
    }

    pub(super) fn value(&mut self, depth: usize) -> Json {
        match (self.byte() % 8, depth) {
            (0, 1..) => (0..self.byte() % 3).map(|_| self.value(depth - 1)).collect(),
            (1, _) => Json::Null,
            (2, _) => json!(true),
            (3 | 4, _) => json!(self.of_these(&["x", "xy", "y", ""])),
            _ => json!(self.byte() % 10),
        }
    }

    fn values(&mut self, depth: usize) -> Vec<Json> {
        (0..1 + self.byte() % 3).map(|_| self.value(depth)).collect()
    }

    fn constraint(&mut self, depth: usize) -> C {
        let parts =
            |own: &mut Self| (0..1 + own.byte() % 2).map(|_| own.constraint(depth - 1)).collect();
        match (self.byte() % 12, depth) {
            (0 | 1, 1..) => C::Not(Box::new(self.constraint(depth - 1))),
            (2, 1..) => C::All(parts(self)),
            (3, 1..) => C::AnyOf(parts(self)),
            (4 | 7 | 8, _) if self.notes => {
                C::Noted(self.of_these(&["one_of", "one_of", "has_any", "has_all", "subset_of"]))
            }
            (4, _) => C::Any,
            (5, _) => C::Present(self.byte().is_multiple_of(2)),
            (6, _) => C::OneOf(self.values(1)),
            (7, _) => C::Max(i64::from(self.byte() % 10)),
            (8, _) => C::Prefix(self.of_these(&["x", "xy"])),
            (9, _) => C::HasAny(self.values(0)),
            (10, _) => C::Count(u64::from(self.byte() % 3)),
            _ => C::Eq(self.value(1)),
        }
    }

    fn of_groups(&mut self) -> C {
        let own = C::HasAny(vec![json!(self.of_these(&["g", "h"]))]);
        if self.byte().is_multiple_of(3) { C::Not(Box::new(own)) } else { own }
    }

    fn of_part(&mut self, part: Part) -> C {
        match part {
            Part::Tool => C::Eq(json!("t")),
            Part::Groups => self.of_groups(),
            Part::W | Part::Arg(_) => self.constraint(2),
        }
    }

    /// Of some of these parts.
    fn conditions(&mut self, parts: &[Part]) -> Vec<(Part, C)> {
        let chosen: Vec<Part> =
            parts.iter().copied().filter(|_| !self.byte().is_multiple_of(3)).collect();
        chosen.into_iter().map(|part| (part, self.of_part(part))).collect()
    }

    pub(super) fn rules(&mut self) -> Vec<Rule> {
        (0..1 + self.byte() % 4).map(|at| self.rule(at)).collect()
    }

    /// What stands for `b` where a call of `t` leaves it out, if anything does.
    pub(super) fn default(&mut self) -> Option<&'static str> {
        self.of_these(&[None, None, Some("/b"), Some("/x")])
    }

    /// What the host noted, if it did: no empty list, and each value once.
    pub(super) fn noted(&mut self) -> Option<Vec<Json>> {
        let all = [json!("x"), json!("xy"), json!(0), json!(2), json!(9)];
        let kept = self.byte();
        let noted = (0..).zip(all).filter(|(at, _)| kept >> at & 1 == 1).map(|(_, own)| own);
        let noted: Vec<Json> = noted.collect();
        (!noted.is_empty()).then_some(noted)
    }

    fn rule(&mut self, at: u8) -> Rule {
        let mut rule = Rule {
            id: format!("r{at}"),
            effect: self.of_these(&["permit", "permit", "permit", "forbid", "ask"]),
            tool: self.of_these(&[Some("t"), Some("t"), Some("u"), None]),
            says: self.conditions(&[Part::Arg("a"), Part::Arg("b"), Part::W, Part::Groups]),
            open: self.byte().is_multiple_of(2),
            unless: Vec::new(),
            at_calls: self.notes,
        };
        for _ in 0..self.byte() % 3 {
            // A permit excepts what it lets be there alone, and nothing excepts a tool that is not spoken of.
            let may_be = |part: &Part| match part {
                Part::Arg(name) => !rule.is_permit() || rule.open || rule.names(name),
                Part::Tool => rule.tool != Some("u"),
                Part::Groups | Part::W => true,
            };
            let parts = [Part::Arg("a"), Part::Arg("b"), Part::W, Part::Groups, Part::Tool];
            let parts: Vec<Part> = parts.into_iter().filter(may_be).collect();
            let exception = self.conditions(&parts);
            if !exception.is_empty() {
                rule.unless.push(exception);
            }
        }
        rule
    }
}
