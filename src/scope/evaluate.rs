//! Does a value match? Answered in three values.

use std::borrow::Cow;

use super::constraint::{Constraint, Node};
use super::fact::{Absence, Fact};
use super::glob::MAX_PATTERN_TEXT;
use super::kind::{Fields, Set, Sort};
use super::network::address;
use super::path::{canonical_path, is_under};
use super::truth::Truth;
use crate::clock::Timestamp;
use crate::value::Value;

/// Where `same_as` finds the other part of the question.
pub(crate) trait Facts {
    fn fact(&self, fact: &Fact) -> Option<&Value>;
}

/// Which side a constraint works for: that decides what a list must do, and what unnamed fields mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stance {
    /// Of a permit or a capability: every element must match, and nothing unnamed may be there.
    Cover,
    /// Of a forbid or an ask: one element that matches, or may match, is enough.
    Guard,
}

/// What a constraint is asked of.
#[derive(Clone, Copy, Debug)]
enum Subject<'a> {
    There(&'a Value),
    Missing(Absence),
}

impl<'a> Subject<'a> {
    fn of(value: Option<&'a Value>, absence: Absence) -> Self {
        value.map_or(Subject::Missing(absence), Subject::There)
    }
}

impl Constraint {
    /// Whether `value` alone is as the constraint (or, `negated`, its negation) says; a `same_as`
    /// finds nothing and stays unknown.
    pub(super) fn holds_of(
        &self,
        value: Option<&Value>,
        absence: Absence,
        stance: Stance,
        negated: bool,
    ) -> Truth {
        Evaluation { stance, facts: &Nothing, absence }.ask(
            self,
            Subject::of(value, absence),
            negated,
        )
    }

    /// Whether `fact` is as the constraint says.
    pub(crate) fn holds<F: Facts>(&self, fact: &Fact, stance: Stance, facts: &F) -> Truth {
        let absence = fact.absence();
        let subject = Subject::of(facts.fact(fact), absence);
        Evaluation { stance, facts, absence }.ask(self, subject, false)
    }
}

/// A question of which nothing is known.
struct Nothing;

impl Facts for Nothing {
    fn fact(&self, _: &Fact) -> Option<&Value> {
        None
    }
}

/// One evaluation; `not` is pushed to the leaves by carrying `negated` down.
struct Evaluation<'a, F> {
    stance: Stance,
    facts: &'a F,
    absence: Absence,
}

impl<F: Facts> Evaluation<'_, F> {
    /// The whole constraint is asked of each element of a list, unless it is of the kinds that see
    /// the list itself.
    fn ask(&self, constraint: &Constraint, subject: Subject<'_>, negated: bool) -> Truth {
        if let Subject::There(Value::List(elements)) = subject
            && let Ok(Sort::Element(_)) = constraint.sort()
        {
            return self.ask_each(constraint, elements, negated);
        }
        self.ask_one(constraint, subject, negated)
    }

    fn ask_each(&self, constraint: &Constraint, elements: &[Value], negated: bool) -> Truth {
        let answers =
            elements.iter().map(|element| self.ask(constraint, Subject::There(element), negated));
        match self.stance {
            Stance::Cover if elements.is_empty() => Truth::False,
            Stance::Cover => answers.fold(Truth::True, |all, one| all & one),
            Stance::Guard => answers.fold(Truth::False, |any, one| any | one),
        }
    }

    fn ask_one(&self, constraint: &Constraint, subject: Subject<'_>, negated: bool) -> Truth {
        match &constraint.0 {
            Node::Not(inner) => self.ask_one(inner, subject, !negated),
            // De Morgan: under `not`, all becomes any, and the other way round.
            Node::All(parts) => self.combine(parts, subject, negated, !negated),
            Node::AnyOf(parts) => self.combine(parts, subject, negated, negated),
            Node::Fields(fields) => self.ask_fields(fields, subject, negated),
            Node::Each(inner) => self.ask_elements(inner, subject, negated, true),
            Node::Some(inner) => self.ask_elements(inner, subject, negated, false),
            Node::Json(inner) => match subject {
                // What is no strict JSON leaves it open, under `not` too.
                Subject::There(Value::Text(text)) => Value::from_json(text)
                    .map_or(Truth::Unknown, |read| self.ask(inner, Subject::There(&read), negated)),
                Subject::Missing(Absence::Argument) if !negated => Truth::False,
                Subject::There(_) | Subject::Missing(_) => Truth::Unknown,
            },
            Node::Url(pattern) => match subject {
                // What a cover leaves unsaid it takes strictly; what it excludes it takes widely, as a
                // guard does what it names.
                Subject::There(Value::Text(text)) => {
                    let plain = pattern.matches(text, (self.stance == Stance::Cover) != negated);
                    if negated { !plain } else { plain }
                }
                Subject::Missing(Absence::Argument) if !negated => Truth::False,
                Subject::There(_) | Subject::Missing(_) => Truth::Unknown,
            },
            Node::Present(wanted) => {
                let there = match subject {
                    Subject::There(Value::Null) | Subject::Missing(_) => false,
                    Subject::There(Value::Text(text)) => !text.is_empty(),
                    Subject::There(_) => true,
                };
                Truth::of((there == *wanted) != negated)
            }
            leaf => match subject {
                Subject::There(value) => {
                    let plain = self.ask_leaf(leaf, value);
                    if negated { !plain } else { plain }
                }
                Subject::Missing(Absence::Argument) if !negated => Truth::False,
                Subject::Missing(_) => Truth::Unknown,
            },
        }
    }

    fn combine(
        &self,
        parts: &[Constraint],
        subject: Subject<'_>,
        negated: bool,
        conjunction: bool,
    ) -> Truth {
        let answers = parts.iter().map(|part| self.ask_one(part, subject, negated));
        if conjunction {
            answers.fold(Truth::True, |all, one| all & one)
        } else {
            answers.fold(Truth::False, |any, one| any | one)
        }
    }

    /// `each` and `some`: an empty list has no element that is so, hence neither holds of it.
    fn ask_elements(
        &self,
        inner: &Constraint,
        subject: Subject<'_>,
        negated: bool,
        every: bool,
    ) -> Truth {
        let elements = match subject {
            Subject::There(Value::List(elements)) => elements,
            Subject::Missing(Absence::Argument) if !negated => return Truth::False,
            Subject::There(_) | Subject::Missing(_) => return Truth::Unknown,
        };
        if elements.is_empty() {
            return Truth::of(negated);
        }
        let answers =
            elements.iter().map(|element| self.ask(inner, Subject::There(element), negated));
        if every != negated {
            answers.fold(Truth::True, |all, one| all & one)
        } else {
            answers.fold(Truth::False, |any, one| any | one)
        }
    }

    fn ask_fields(&self, fields: &Fields, subject: Subject<'_>, negated: bool) -> Truth {
        let object = match subject {
            Subject::There(Value::Object(object)) => object,
            Subject::There(_) => return Truth::Unknown,
            Subject::Missing(Absence::Argument) if !negated => return Truth::False,
            Subject::Missing(_) => return Truth::Unknown,
        };
        let named = fields.iter().map(|(name, field)| {
            self.ask(field, Subject::of(object.get(name), self.absence), negated)
        });
        // A guard looks only at what it names.
        let closed = self.stance == Stance::Cover && !fields.open;
        let unnamed = closed && object.keys().any(|key| fields.get(key).is_none());
        if negated {
            named.fold(Truth::of(unnamed), |any, one| any | one)
        } else {
            named.fold(Truth::of(!unnamed), |all, one| all & one)
        }
    }

    fn ask_leaf(&self, leaf: &Node, value: &Value) -> Truth {
        match (leaf, value) {
            (Node::Any, _) => Truth::True,
            (Node::Is(set), value) => is_one_of(set, value),
            (Node::SameAs(fact), value) => match self.facts.fact(fact) {
                Some(other) => is_same(value, other),
                None => Truth::Unknown,
            },
            (Node::Range(range), Value::Number(number)) => Truth::of(range.contains(*number)),
            (Node::Prefix(start), Value::Text(text)) => Truth::of(text.starts_with(&**start)),
            (Node::Suffix(end), Value::Text(text)) => Truth::of(text.ends_with(&**end)),
            (Node::Contains(part), Value::Text(text)) => Truth::of(text.contains(&**part)),
            (Node::Glob(_) | Node::Regex(_), Value::Text(text))
                if text.len() > MAX_PATTERN_TEXT =>
            {
                Truth::Unknown
            }
            (Node::Glob(glob), Value::Text(text)) => Truth::of(glob.matches(text)),
            (Node::Regex(regex), Value::Text(text)) => Truth::of(regex.matches(text)),
            (Node::Under(folder), Value::Text(text)) => match canonical_path(text) {
                Ok(Cow::Borrowed(path)) => Truth::of(is_under(path, folder)),
                // Another spelling: the tool might get somewhere else than was judged.
                _ => Truth::Unknown,
            },
            (Node::Cidr(networks), Value::Text(text)) => match address(text) {
                Some(address) => Truth::of(networks.iter().any(|own| own.contains(address))),
                None => Truth::Unknown,
            },
            (Node::Instants(range), Value::Text(text)) => match Timestamp::parse_rfc3339(text) {
                Ok(instant) => Truth::of(range.contains(instant)),
                Err(_) => Truth::Unknown,
            },
            (Node::Weekly(weekly), Value::Text(text)) => match Timestamp::parse_rfc3339(text) {
                Ok(instant) => Truth::of(weekly.contains(instant)),
                Err(_) => Truth::Unknown,
            },
            (Node::Len(count), Value::Text(text)) => {
                Truth::of(count.contains(text.chars().count() as u64))
            }
            (Node::Count(count), Value::List(elements)) => {
                Truth::of(count.contains(elements.len() as u64))
            }
            (Node::SubsetOf(set), Value::List(elements)) => elements
                .iter()
                .map(|element| is_one_of(set, element))
                .fold(Truth::True, |all, one| all & one),
            // As `some` of `one_of`: an element of another kind (a list around the value, say)
            // leaves it open instead of turning a forbid off.
            (Node::HasAny(set), Value::List(elements)) => elements
                .iter()
                .map(|element| is_one_of(set, element))
                .fold(Truth::False, |any, one| any | one),
            (Node::HasAll(set), Value::List(elements)) => set
                .iter()
                .map(|wanted| has(elements, wanted))
                .fold(Truth::True, |all, one| all & one),
            // The wrong kind of value, or a constraint that was never valid: nothing can be said.
            _ => Truth::Unknown,
        }
    }
}

fn has(elements: &[Value], wanted: &Value) -> Truth {
    elements.iter().fold(Truth::False, |any, element| any | is_same(element, wanted))
}

fn is_same(value: &Value, wanted: &Value) -> Truth {
    if value == wanted {
        Truth::True
    } else if value.kind_name() == wanted.kind_name() {
        Truth::False
    } else {
        Truth::Unknown
    }
}

fn is_one_of(set: &Set, value: &Value) -> Truth {
    if set.contains(value) {
        Truth::True
    } else if set.has_kind_of(value) {
        Truth::False
    } else {
        Truth::Unknown
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::model::{self, Small};
    use super::super::*;
    use super::*;
    use crate::scope::{any, json as json_of};
    use crate::value::Number;
    use Truth::{False, True, Unknown};

    fn json(text: &str) -> Value {
        Value::from_json(text).unwrap()
    }

    /// Asked of an argument; `-` stands for one that is not there.
    fn ask(constraint: &Constraint, stance: Stance, value: &str) -> Truth {
        let value = (value != "-").then(|| json(value));
        constraint.holds(&Fact::arg("x"), stance, &Small { value, ..Small::default() })
    }

    fn covers(constraint: &Constraint, value: &str) -> Truth {
        ask(constraint, Stance::Cover, value)
    }

    fn guards(constraint: &Constraint, value: &str) -> Truth {
        ask(constraint, Stance::Guard, value)
    }

    proptest! {
        #[test]
        fn agrees_with_the_model(
            constraint in model::constraints(),
            facts in model::facts(),
            guard in proptest::bool::ANY,
            attribute in proptest::bool::ANY,
        ) {
            let stance = if guard { Stance::Guard } else { Stance::Cover };
            let fact = if attribute { Fact::Context("x".into()) } else { Fact::arg("x") };
            prop_assert_eq!(
                constraint.holds(&fact, stance, &facts),
                model::holds(&constraint, &fact, stance, &facts),
                "{} of {:?}", constraint, facts
            );
        }

        /// attack 147: `not` of all that may hold must never make a guard stand down where the
        /// plain condition is unknown.
        #[test]
        fn unknown_stays_unknown_under_not(
            constraint in model::constraints(),
            facts in model::facts(),
        ) {
            let fact = Fact::Context("x".into());
            let plain = constraint.holds(&fact, Stance::Guard, &facts);
            let negated = not(constraint).holds(&fact, Stance::Guard, &facts);
            let list = matches!(facts.value, Some(Value::List(_)));
            prop_assert!(list || facts.nested() || (plain == Unknown) == (negated == Unknown));
        }
    }

    #[test]
    fn three_values_combine_as_kleene_says() {
        for (a, b, and, or) in [
            (True, True, True, True),
            (True, Unknown, Unknown, True),
            (True, False, False, True),
            (Unknown, Unknown, Unknown, Unknown),
            (Unknown, False, False, Unknown),
            (False, False, False, False),
        ] {
            assert_eq!((a & b, b & a, a | b, b | a), (and, and, or, or));
            assert_eq!(!(a & b), !a | !b);
        }
    }

    /// attacks 25, 44
    #[test]
    fn what_is_absent_is_false_for_an_argument_and_unknown_for_an_attribute() {
        let attribute =
            |c: &Constraint| c.holds(&Fact::Context("x".into()), Stance::Cover, &Small::default());
        for plain in
            [eq(1), one_of([1, 2]), any(), min(1), prefix("a"), glob("*"), len(1..), each(any())]
        {
            assert_eq!(covers(&plain, "-"), False, "{plain}");
            assert_eq!(attribute(&plain), Unknown, "{plain}");
            let negated = not(plain);
            assert_eq!(covers(&negated, "-"), Unknown, "{negated}");
            assert_eq!(attribute(&negated), Unknown, "{negated}");
        }
        for (constraint, truth) in
            [(present(), False), (absent(), True), (not(present()), True), (not(absent()), False)]
        {
            assert_eq!(covers(&constraint, "-"), truth);
            assert_eq!(attribute(&constraint), truth);
        }
    }

    /// attack 44
    #[test]
    fn null_and_empty_text_are_not_present() {
        for (value, truth) in [
            ("null", False),
            (r#""""#, False),
            (r#"" ""#, True),
            ("0", True),
            ("false", True),
            ("[]", True),
            ("{}", True),
            (r#"[""]"#, True),
        ] {
            assert_eq!(covers(&present(), value), truth, "{value}");
            assert_eq!(covers(&absent(), value), !truth, "{value}");
        }
    }

    /// attacks 25, 26, 40
    #[test]
    fn a_value_of_the_wrong_kind_is_unknown_under_not_too() {
        for (constraint, value) in [
            (eq(100), r#""100""#),
            (eq(1), "true"),
            (eq(true), "1"),
            (eq("a"), "null"),
            (one_of(["a", "b"]), "1"),
            (max(100), r#""1""#),
            (max(1), "null"),
            (max(1), "true"),
            (prefix("a"), "1"),
            (suffix("a"), "{}"),
            (contains("a"), "true"),
            (glob("*"), "null"),
            (len(1..), "12"),
            (each(any()), "{}"),
            (some(any()), r#""a""#),
            (count(1..), "{}"),
            (has_any(["a"]), r#""a""#),
            (has_all(["a"]), r#""a""#),
            (subset_of(["a"]), r#""a""#),
            (fields([("a", any())]), r#""a""#),
            (same_as("args.other"), "1"),
        ] {
            for stance in [Stance::Cover, Stance::Guard] {
                assert_eq!(ask(&constraint, stance, value), Unknown, "{constraint} of {value}");
                let negated = not(constraint.clone());
                assert_eq!(ask(&negated, stance, value), Unknown, "{negated} of {value}");
            }
        }
    }

    /// attack 27
    #[test]
    fn numbers_are_compared_exactly() {
        let limit = max(Number::parse("9007199254740992").unwrap());
        assert_eq!(covers(&limit, "9007199254740993"), False);
        assert_eq!(covers(&limit, "9007199254740992.0"), True);
        assert_eq!(covers(&max(u64::MAX), "18446744073709551616"), False);
        assert_eq!(covers(&min(i64::MIN), "-9223372036854775808"), True);
        assert_eq!(covers(&eq(0), "-0.0"), True);
    }

    /// attacks 15, 16
    #[test]
    fn a_list_is_asked_element_by_element() {
        let data = prefix("/data/");
        for (value, cover, guard) in [
            (r#"["/data/a","/etc/passwd"]"#, False, True),
            (r#"["/data/a","/data/b"]"#, True, True),
            (r#"["/etc/a","/etc/b"]"#, False, False),
            (r#"["/data/a",1]"#, Unknown, True),
            (r#"["/etc/a",1]"#, False, Unknown),
            ("[]", False, False),
            (r#"[["/data/a"],"/data/b"]"#, True, True),
            (r#"[[],"/data/b"]"#, False, True),
        ] {
            assert_eq!(covers(&data, value), cover, "{value}");
            assert_eq!(guards(&data, value), guard, "{value}");
        }
        // `not` is asked of each element as well: a permit needs all of them not to be so.
        assert_eq!(covers(&not(data.clone()), r#"["/etc/a","/data/b"]"#), False);
        assert_eq!(guards(&not(data), r#"["/etc/a","/data/b"]"#), True);
        assert_eq!(covers(&fields([("a", eq(1))]), r#"[{"a":1},{"a":2}]"#), False);
        assert_eq!(guards(&fields([("a", eq(1))]), r#"[{"a":1},{"a":2}]"#), True);
    }

    /// attacks 16, 22
    #[test]
    fn list_kinds_see_the_list_itself() {
        for (constraint, value, truth) in [
            (each(eq(1)), "[1,1]", True),
            (each(eq(1)), "[1,2]", False),
            (each(eq(1)), "[]", False),
            (some(eq(1)), "[1,2]", True),
            (some(eq(1)), "[2]", False),
            (some(eq(1)), "[]", False),
            (some(eq(1)), r#"["a"]"#, Unknown),
            (not(each(eq(1))), "[]", True),
            (not(each(eq(1))), "[1,2]", True),
            (not(some(eq(1))), "[1,2]", False),
            (count(2), "[1,2]", True),
            (count(2), "[]", False),
            (count(0), "[]", True),
            (subset_of([1, 2]), "[1]", True),
            (subset_of([1, 2]), "[]", True),
            (subset_of([1, 2]), "[1,3]", False),
            (subset_of([1, 2]), r#"[1,"a"]"#, Unknown),
            (has_any([1, 2]), "[2,3]", True),
            (has_any([1, 2]), "[3]", False),
            (has_any([1, 2]), "[]", False),
            (has_any(["a"]), r#"[["a"]]"#, Unknown),
            (has_all([1, 2]), "[2,1,3]", True),
            (has_all([1, 2]), "[1]", False),
            (has_all(["a"]), r#"[["a"]]"#, Unknown),
            (not(has_any(["a"])), r#"[["a"]]"#, Unknown),
            (eq(vec![1, 2]), "[1,2]", True),
            (eq(vec![1, 2]), "[2,1]", False),
        ] {
            assert_eq!(covers(&constraint, value), truth, "{constraint} of {value}");
        }
    }

    /// attacks 22, 23
    #[test]
    fn fields_are_closed_for_a_cover_and_guards_look_only_at_what_they_name() {
        let closed = fields([("query", eq("select"))]);
        for (value, cover, guard) in [
            (r#"{"query":"select"}"#, True, True),
            (r#"{"query":"select","x":1}"#, False, True),
            (r#"{"query":"drop","note":"select"}"#, False, False),
            (r#"{"note":"select"}"#, False, False),
            (r#"{"query":1}"#, Unknown, Unknown),
            ("{}", False, False),
        ] {
            assert_eq!(covers(&closed, value), cover, "{value}");
            assert_eq!(guards(&closed, value), guard, "{value}");
            let open = closed.clone().other_fields();
            assert_eq!(covers(&open, value), guard, "{value}");
        }
        assert_eq!(covers(&fields([("a", optional(eq(1)))]), "{}"), True);
    }

    /// attacks 9, 10, 13
    #[test]
    fn text_is_compared_byte_for_byte() {
        assert_eq!(covers(&eq("shell"), r#""Shell""#), False);
        assert_eq!(covers(&prefix("/data"), r#""/DATA/x""#), False);
        assert_eq!(covers(&eq("caf\u{e9}"), "\"cafe\u{301}\""), False);
        assert_eq!(covers(&len(4), "\"caf\u{e9}\""), True);
        assert_eq!(covers(&len(5), "\"cafe\u{301}\""), True);
    }
    /// attack 146: what a text carries is pinned by `json`, and what does not parse is not judged.
    #[test]
    fn json_inside_text_is_read_strictly() {
        let inner = json_of(fields([("tool", eq("read")), ("n", optional(max(3)))]));
        for (text, cover, guard) in [
            (r#"{"tool":"read"}"#, True, True),
            (r#"{"tool":"read","n":3}"#, True, True),
            (r#"{"tool":"read","n":4}"#, False, False),
            (r#"{"tool":"delete"}"#, False, False),
            (r#"{"tool":"read","more":1}"#, False, True),
            (r#"{"tool":"read","tool":"delete"}"#, Unknown, Unknown),
            (r#"{"tool":"read","to\u006fl":"delete"}"#, Unknown, Unknown),
            ("read", Unknown, Unknown),
            ("", Unknown, Unknown),
            (r#"{"tool":"read"} "x""#, Unknown, Unknown),
            (r#"[{"tool":"read"},{"tool":"delete"}]"#, False, True),
        ] {
            let value = Value::from(text).to_json();
            assert_eq!(covers(&inner, &value), cover, "{text}");
            assert_eq!(guards(&inner, &value), guard, "{text}");
            if !text.starts_with('[') {
                assert_eq!(covers(&not(inner.clone()), &value), !cover, "{text}");
            }
        }
        // A call given as an object is not a text, and pinning the outside says nothing of it.
        assert_eq!(covers(&inner, r#"{"tool":"read"}"#), Unknown);
        assert_eq!(covers(&inner, "-"), False);
    }

    #[test]
    fn what_cannot_be_read_is_unknown_under_not_too() {
        let noon = crate::clock::Timestamp::parse_rfc3339("2026-01-05T12:00:00Z").unwrap();
        for (constraint, yes, no, unknown) in [
            (regex("a+"), "aa", "b", None),
            (under("/data"), "/data/a", "/etc", Some("/data/../etc")),
            (under("/data"), "/data", "/data-x", Some("/data/")),
            (cidr(["10.0.0.0/8"]), "::ffff:10.0.0.1", "11.0.0.1", Some("10.1")),
            (after(noon), "2026-01-05T13:00:00+01:00", "2026-01-05T11:59:59Z", Some("noon")),
            (before(noon), "2026-01-05T11:59:59Z", "2026-01-05T12:00:00Z", Some("2026-01-05")),
            (
                weekly(&["mon"], "09:00", "17:00", "+00:00"),
                "2026-01-05T09:00:00Z",
                "2026-01-06T09:00:00Z",
                Some(""),
            ),
        ] {
            constraint.check().unwrap();
            let text = |text: &str| Value::from(text).to_json();
            let negated = not(constraint.clone());
            assert_eq!(
                (covers(&constraint, &text(yes)), covers(&negated, &text(yes))),
                (True, False)
            );
            assert_eq!(
                (covers(&constraint, &text(no)), covers(&negated, &text(no))),
                (False, True)
            );
            for wrong in unknown.map(text).iter().map(String::as_str).chain(["1", "null"]) {
                assert_eq!(
                    (covers(&constraint, wrong), covers(&negated, wrong)),
                    (Unknown, Unknown)
                );
                assert_eq!(
                    (guards(&constraint, wrong), guards(&negated, wrong)),
                    (Unknown, Unknown)
                );
            }
        }
    }
}
