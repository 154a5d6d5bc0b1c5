//! How the terms of an ask are met: its lines as a quorum, and what it offers.

use std::collections::{BTreeMap, BTreeSet};

use super::approval::{ApprovalTerms, Line, Reviewers};
use crate::approval::name::PersonName;
use crate::approval::pin::{Part, Pin};
use crate::approval::quorum::{Fits, MOST_PEOPLE, MOST_PLACES, Quorum};
use crate::approval::width::Width;
use crate::scope::{Condition, Fact, Set};
use crate::value::Value;

impl ApprovalTerms {
    /// How far a reviewer may have a yes reach: the one call alone, unless it is said. A width belongs to the
    /// task and the holder.
    ///
    /// ```
    /// use hallpass::policy::{ApprovalTerms, Part, Per, Reviewers, Width};
    /// use hallpass::scope::has_any;
    ///
    /// let terms = ApprovalTerms::per(Per::Call)
    ///     .review(Reviewers::in_groups(has_any(["web-owners"])))
    ///     .offer([Width::CALL, Width::calls(5)])
    ///     .vary(["link"])
    ///     .same("link", Part::Origin);
    /// ```
    pub fn offer(mut self, widths: impl IntoIterator<Item = Width>) -> Self {
        self.offer.widths.extend(widths);
        self
    }

    /// The arguments that may be others in the calls of one width. All that is not named stays as it was shown:
    /// tool, resource, material and every other argument.
    pub fn vary<'n>(mut self, arguments: impl IntoIterator<Item = &'n str>) -> Self {
        self.offer.variation.vary.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// A part of an argument that may [`vary`](Self::vary) stays.
    pub fn same(mut self, argument: &str, part: Part) -> Self {
        self.offer.variation.same.push(Pin { arg: argument.into(), part });
        self
    }

    /// A call of which people are not shown all, because something is long or can't be read, is denied
    /// instead of asked about.
    pub fn refuse_cut(mut self) -> Self {
        self.offer.refuses_cut = true;
        self
    }

    /// The lines of reviewers, in the order in which [`quorum`](Self::quorum) numbers them.
    pub(crate) fn lines(&self) -> Vec<&[Condition]> {
        let mut lines = Vec::new();
        each_line(&self.review, &mut |conditions, _| lines.push(conditions));
        lines
    }

    /// Who has to agree; `None` where no one has to review.
    pub(crate) fn quorum(&self) -> Option<Quorum> {
        let mut next = 0;
        let all: Vec<Quorum> = self.review.iter().map(|own| quorum_of(own, &mut next)).collect();
        (!all.is_empty()).then_some(Quorum::All(all))
    }

    /// Whether any line pins the people who may fill it.
    pub(crate) fn pins_people(&self) -> bool {
        self.lines().into_iter().any(|own| ids_of(own).is_some())
    }

    /// Why its lines could never all be met by people who are not `excluded`.
    pub(crate) fn fault_of_quorum(&self, excluded: &dyn Fn(&str) -> bool) -> Option<String> {
        let quorum = self.quorum()?;
        if let Err(fault) = quorum.check() {
            return Some(fault.to_string());
        }
        let mut places: usize = 0;
        each_line(&self.review, &mut |_, count| places = places.saturating_add(count as usize));
        // Everybody whom a line pins, and as many as there are places for lines that can't run short.
        let mut pinned: BTreeMap<PersonName, Fits> = BTreeMap::new();
        let mut others = Fits::NONE;
        for (at, conditions) in self.lines().into_iter().enumerate() {
            let ids = ids_of(conditions).map(|ids| ids.filter(|id| !excluded(id)));
            match ids.and_then(|ids| fewer_than(places, ids)) {
                Some(people) => people.into_iter().for_each(|person| {
                    let fits = pinned.entry(person).or_default();
                    *fits = fits.and(at);
                }),
                None => others = others.and(at),
            }
        }
        let others = std::iter::repeat_n(others, places.min(MOST_PLACES as usize));
        let people: Vec<Fits> = pinned.into_values().chain(others).take(MOST_PEOPLE).collect();
        (!quorum.progress(&people).is_met()).then(|| {
            "the people whom its lines pin can't fill all places, each filling one: they could never agree"
                .to_owned()
        })
    }
}

/// The people of these ids, if they are few enough to run short.
fn fewer_than<'i>(
    places: usize,
    ids: impl Iterator<Item = &'i str>,
) -> Option<BTreeSet<PersonName>> {
    let mut people = BTreeSet::new();
    for id in ids {
        people.insert(PersonName::of(id));
        if people.len() >= places {
            return None;
        }
    }
    Some(people)
}

/// The ids that a line pins, if it pins any.
fn ids_of(conditions: &[Condition]) -> Option<impl Iterator<Item = &str>> {
    let sets = conditions.iter().filter(|own| own.fact == Fact::WhoId);
    let set: &Set = sets.filter_map(|own| own.constraint.finite()).min_by_key(|set| set.len())?;
    Some(set.iter().filter_map(Value::as_text))
}

fn each_line<'l>(lines: &'l [Reviewers], visit: &mut impl FnMut(&'l [Condition], u32)) {
    for line in lines {
        match &line.0 {
            Line::People { conditions, count } => visit(conditions, *count),
            Line::All(inner) | Line::Any(inner) => each_line(inner, visit),
        }
    }
}

fn quorum_of(line: &Reviewers, next: &mut usize) -> Quorum {
    match &line.0 {
        Line::People { count, .. } => {
            let line = *next;
            *next += 1;
            Quorum::Line { line, count: *count }
        }
        Line::All(inner) => Quorum::All(inner.iter().map(|own| quorum_of(own, next)).collect()),
        Line::Any(inner) => Quorum::Any(inner.iter().map(|own| quorum_of(own, next)).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Per;
    use crate::scope::{eq, has_any, one_of};

    fn terms(lines: impl IntoIterator<Item = Reviewers>) -> ApprovalTerms {
        lines.into_iter().fold(ApprovalTerms::per(Per::Call), ApprovalTerms::review)
    }

    fn group(name: &str) -> Reviewers {
        Reviewers::in_groups(has_any([name]))
    }

    fn ids(ids: &[&str]) -> Reviewers {
        Reviewers::with_id(one_of(ids.iter().copied()))
    }

    #[test]
    fn lines_are_numbered_as_they_stand_in_the_tree() {
        let own = terms([
            group("a"),
            Reviewers::any([group("b").count(2), Reviewers::all([group("c"), group("d")])]),
        ]);
        let line = |line, count| Quorum::Line { line, count };
        let inner = Quorum::All(vec![line(2, 1), line(3, 1)]);
        let expected = Quorum::All(vec![line(0, 1), Quorum::Any(vec![line(1, 2), inner])]);
        assert_eq!(own.quorum(), Some(expected));
        let named: Vec<String> =
            own.lines().iter().map(|line| line[0].constraint.to_string()).collect();
        assert_eq!(named, ["a", "b", "c", "d"].map(|name| format!(r#"{{"has_any":["{name}"]}}"#)));
        assert_eq!(terms([]).confirm().quorum(), None);
    }

    /// attack 111: beyond the people named, taken together
    #[test]
    fn people_who_are_pinned_have_to_be_enough_for_all_places() {
        for (own, faulty) in [
            (terms([ids(&["a", "b"]).count(2)]), false),
            (terms([ids(&["a"]), ids(&["a"])]), true),
            (terms([ids(&["a", "b"]), ids(&["a"])]), false),
            (terms([ids(&["a", "b"]), ids(&["a", "b"]), ids(&["b"])]), true),
            // One person under two spellings fills one place.
            (terms([ids(&["alice@x", "ALICE+1@x"]).count(2)]), true),
            (terms([ids(&["a"]), group("g").count(5)]), false),
            (
                terms([Reviewers::any([Reviewers::all([ids(&["a"]), ids(&["a"])]), group("g")])]),
                false,
            ),
            (
                terms([Reviewers::all([Reviewers::any([ids(&["a"]), ids(&["b"])]), ids(&["a"])])]),
                false,
            ),
            (terms([Reviewers::with_id(eq("a")), Reviewers::with_id(eq("A"))]), true),
        ] {
            assert_eq!(own.fault_of_quorum(&|_| false).is_some(), faulty, "{own:?}");
        }
        let many: Vec<String> = (0..500).map(|at| format!("p{at}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(terms([ids(&many).count(64)]).fault_of_quorum(&|_| false), None);
        assert_eq!(
            terms([ids(&many[..63]).count(63), group("g")]).fault_of_quorum(&|_| false),
            None
        );
        // As many lines as pin more people than are counted at once, each with more than there are places.
        let five = (0..5).map(|at| ids(&many[60 * at..60 * (at + 1)])).chain([group("g")]);
        assert_eq!(terms(five).fault_of_quorum(&|_| false), None);
        let without = |gone: usize| {
            let excluded = move |id: &str| (0..gone).any(|at| id == format!("p{at}"));
            terms([ids(&many[..64]).count(60)]).fault_of_quorum(&excluded).is_some()
        };
        assert_eq!([4, 5].map(without), [false, true]);
        let over = terms((0..33).map(|_| group("g"))).fault_of_quorum(&|_| false).unwrap();
        assert!(over.contains("32 lines"), "{over}");
    }

    #[test]
    fn a_reviewer_may_choose_what_is_offered_and_nothing_else() {
        let own = terms([group("g")]);
        assert!(own.offer.has(Width::CALL) && !own.offer.has(Width::calls(5)));
        let wide = own.offer([Width::calls(5), Width::task()]);
        assert!(wide.offer.has(Width::calls(5)) && wide.offer.has(Width::task()));
        assert!(!wide.offer.has(Width::CALL) && !wide.offer.has(Width::calls(4)));
        assert!(!wide.offer.has(Width::task().with_uses(1)));
    }
}
