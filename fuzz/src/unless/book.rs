//! What rules say to a question: one after the other, in three values, with nothing of the crate.

use serde_json::{Map, Value as Json};

use super::made::{C, Part, Rule};

/// False, unknown, true: `and` is the least, `or` the greatest.
type Truth = u8;
const FALSE: Truth = 0;
const UNKNOWN: Truth = 1;
const TRUE: Truth = 2;

const fn truth(holds: bool) -> Truth {
    if holds { TRUE } else { FALSE }
}

/// A question.
pub(super) struct Asked<'q> {
    pub(super) tool: &'q str,
    pub(super) args: &'q Map<String, Json>,
    pub(super) groups: Json,
    pub(super) w: Option<&'q Json>,
    /// What was noted in the task, if anything was.
    pub(super) noted: Option<&'q [Json]>,
}

/// Which effect, if any rule acts, and by which rules.
pub(super) struct Says(pub(super) Option<&'static str>, pub(super) Vec<String>);

pub(super) fn decide(rules: &[Rule], asked: &Asked<'_>) -> Says {
    let acting = |effect: &str| -> Vec<String> {
        let acting = rules.iter().filter(|rule| rule.effect == effect && acts(rule, asked));
        acting.map(|rule| rule.id.clone()).collect()
    };
    let [permits, asks, forbids] = ["permit", "ask", "forbid"].map(acting);
    match (forbids.is_empty(), permits.is_empty(), asks.is_empty()) {
        (false, ..) => Says(Some("forbid"), forbids),
        (_, true, _) => Says(None, Vec::new()),
        (_, _, false) => Says(Some("ask"), asks),
        _ => Says(Some("permit"), permits),
    }
}

/// A permit needs true, and a call of which nothing is left unnamed; a guard acts where it is not false. What can't be
/// told is an exception of a permit and none of a guard.
fn acts(rule: &Rule, asked: &Asked<'_>) -> bool {
    if rule.tool.is_some_and(|own| own != asked.tool) {
        return false;
    }
    let told = all(&rule.says, rule.is_permit(), asked);
    let excepted = |own: &Vec<(Part, C)>| match rule.is_permit() {
        true => all(own, false, asked) != FALSE,
        false => all(own, true, asked) == TRUE,
    };
    if rule.unless.iter().any(excepted) {
        return false;
    }
    match rule.is_permit() {
        true => told == TRUE && (rule.open || asked.args.keys().all(|name| rule.names(name))),
        false => told != FALSE,
    }
}

fn all(conditions: &[(Part, C)], gives: bool, asked: &Asked<'_>) -> Truth {
    let tool = Json::from(asked.tool);
    let of = |(part, own): &(Part, C)| {
        let value = match part {
            Part::Tool => Some(&tool),
            Part::Groups => Some(&asked.groups),
            Part::W => asked.w,
            Part::Arg(name) => asked.args.get(*name),
        };
        // An argument is left out, and known to be; of an attribute nothing is known.
        let absent = if matches!(part, Part::Arg(_)) { FALSE } else { UNKNOWN };
        Asking { gives, absent, noted: asked.noted }.ask(own, value, false)
    };
    conditions.iter().map(of).min().unwrap_or(TRUE)
}

#[derive(Clone, Copy)]
struct Asking<'q> {
    /// Whether what holds is in favour of the call: then of a list every element has to be so, else one is enough.
    gives: bool,
    absent: Truth,
    noted: Option<&'q [Json]>,
}

impl Asking<'_> {
    fn ask(self, own: &C, value: Option<&Json>, not: bool) -> Truth {
        match value {
            Some(Json::Array(elements)) if is_of_one_value(own) => {
                let told = elements.iter().map(|element| self.ask(own, Some(element), not));
                match self.gives {
                    _ if elements.is_empty() => FALSE,
                    true => told.min().unwrap_or(FALSE),
                    false => told.max().unwrap_or(FALSE),
                }
            }
            value => self.ask_of_it(own, value, not),
        }
    }

    fn ask_of_it(self, own: &C, value: Option<&Json>, not: bool) -> Truth {
        let each = |parts: &[C]| -> Vec<Truth> {
            parts.iter().map(|part| self.ask_of_it(part, value, not)).collect()
        };
        let least = |told: Vec<Truth>| told.into_iter().min().unwrap_or(TRUE);
        let most = |told: Vec<Truth>| told.into_iter().max().unwrap_or(FALSE);
        let plain = match (own, value) {
            (C::Not(inner), _) => return self.ask_of_it(inner, value, !not),
            (C::All(parts), _) if not => return most(each(parts)),
            (C::All(parts), _) => return least(each(parts)),
            (C::AnyOf(parts), _) if not => return least(each(parts)),
            (C::AnyOf(parts), _) => return most(each(parts)),
            (C::Present(there), value) => {
                truth(value.is_some_and(|own| !own.is_null() && own != "") == *there)
            }
            // Compared with nothing.
            (C::Noted(_), _) if self.noted.is_none() => return UNKNOWN,
            (_, None) if not => return UNKNOWN,
            (_, None) => return self.absent,
            (C::Noted(word), Some(value)) => of_noted(word, self.noted.unwrap_or_default(), value),
            (own, Some(value)) => leaf(own, value),
        };
        if not { TRUE - plain } else { plain }
    }
}

fn leaf(own: &C, value: &Json) -> Truth {
    match (own, value) {
        (C::Any, _) => TRUE,
        (C::Eq(own), value) => one_of(std::slice::from_ref(own), value),
        (C::OneOf(own), value) => one_of(own, value),
        (C::Max(most), Json::Number(value)) => {
            truth(value.as_i64().is_some_and(|own| own <= *most))
        }
        (C::Prefix(own), Json::String(value)) => truth(value.starts_with(own)),
        (C::HasAny(own), Json::Array(value)) => {
            value.iter().map(|element| one_of(own, element)).max().unwrap_or(FALSE)
        }
        (C::Count(count), Json::Array(value)) => truth(value.len() as u64 == *count),
        _ => UNKNOWN,
    }
}

fn of_noted(word: &str, noted: &[Json], value: &Json) -> Truth {
    let any_of = |own: &[Json], of: &[Json]| own.iter().map(|own| one_of(of, own)).max();
    match (word, value) {
        ("one_of", value) => one_of(noted, value),
        ("has_any", Json::Array(own)) => any_of(own, noted).unwrap_or(FALSE),
        ("has_all", Json::Array(own)) => {
            let has = |wanted: &Json| any_of(own, std::slice::from_ref(wanted)).unwrap_or(FALSE);
            noted.iter().map(has).min().unwrap_or(TRUE)
        }
        ("subset_of", Json::Array(own)) => {
            own.iter().map(|own| one_of(noted, own)).min().unwrap_or(TRUE)
        }
        _ => UNKNOWN,
    }
}

/// A value of a kind that none of them has is not known to be another.
fn one_of(own: &[Json], value: &Json) -> Truth {
    match own.contains(value) {
        true => TRUE,
        false if own.iter().any(|own| kind(own) == kind(value)) => FALSE,
        false => UNKNOWN,
    }
}

const fn kind(value: &Json) -> u8 {
    match value {
        Json::Null => 0,
        Json::Bool(_) => 1,
        Json::Number(_) => 2,
        Json::String(_) => 3,
        Json::Array(_) => 4,
        Json::Object(_) => 5,
    }
}

/// Whether it is asked of each element of a list rather than of the list.
fn is_of_one_value(own: &C) -> bool {
    let (mut element, mut list) = (false, false);
    sorts(own, &mut element, &mut list);
    element && !list
}

fn sorts(own: &C, element: &mut bool, list: &mut bool) {
    let mut value = |own: &Json| if own.is_array() { *list = true } else { *element = true };
    match own {
        C::Any | C::Present(_) => {}
        C::Eq(own) => value(own),
        C::OneOf(own) => own.iter().for_each(value),
        C::Max(_) | C::Prefix(_) | C::Noted("one_of") => *element = true,
        C::HasAny(_) | C::Count(_) | C::Noted(_) => *list = true,
        C::Not(inner) => sorts(inner, element, list),
        C::All(parts) | C::AnyOf(parts) => parts.iter().for_each(|part| sorts(part, element, list)),
    }
}
