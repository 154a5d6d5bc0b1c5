//! P5: a rule says what is written. Policies as text, each decision compared with all rules taken one by one; and every
//! kind of constraint that a policy may say, held to the same where it is true and where it is false.

use std::collections::{BTreeMap, BTreeSet};

use hallpass::policy::{Effect, Moment, Policy};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::Value as Json;

use crate::door::{OpenDoor, at_calls, by_the_book_after, door};
use crate::model_rules::Says;
use crate::probe::likely;
use crate::random_constraints::{
    FACTS, constraints, leaves, notes, of_notes, reading, references, values,
};
use crate::universe::*;
use crate::written::Style;

proptest! {
    #![proptest_config(config(128))]

    /// P5
    #[test]
    fn a_policy_as_it_is_written_says_what_its_rules_say_one_by_one(
        policy in policies("r", 3, 8),
        who in whos(),
        why in whys(),
        noted in notes(),
        asked in vec((calls(), contexts()), 1..12),
    ) {
        let policy = at_calls(policy);
        let own = policy.loaded(Style::Short);
        let gate = OpenDoor::under(own, policy.catalogue.as_ref(), &noted, (&who, &why));
        let Some(gate) = gate else {
            return Err(TestCaseError::reject("asking for everything is too costly"));
        };
        // What is not in the catalogue is refused before any rule.
        let asked = asked.iter().filter(|(call, _)| call.tool != OUTSIDE);
        for (call, context) in asked {
            let says = by_the_book_after(&noted, (&policy, &who, &why), call, context);
            prop_assert_eq!(gate.asks(call, context), says, "{:?} in {:?}", call, context);
        }
    }
}

/// How often a kind was decided as true, and as false.
type Told = BTreeMap<String, [u32; 2]>;

/// The words of a constraint as it is written, and of those that compare, with what.
fn words(c: &C, style: Style) -> Vec<String> {
    let written = c.written(style);
    let Json::Object(kinds) = &written else {
        return vec![if *c == C::Any { "any value".to_owned() } else { "bare value".to_owned() }];
    };
    let word = |(word, own): (&String, &Json)| {
        let with = ["ref", "join"].into_iter().find(|with| own.get(with).is_some());
        with.map_or(word.clone(), |with| format!("{word} {with}"))
    };
    kinds.iter().map(word).collect()
}

/// Every word that the schema of a policy file has for constraints, and of those that may compare, that they do.
fn every_word() -> BTreeSet<String> {
    let schema: Json = serde_json::from_str(&Policy::schema().to_json()).unwrap();
    let kinds = schema["$defs"]["kinds"]["properties"].as_object().unwrap();
    let compares = |own: &Json| own.to_string().contains("#/$defs/reference");
    let compared = kinds.iter().filter(|(_, own)| compares(own));
    let compared = compared.map(|(word, _)| format!("{word} ref"));
    let joined = ["eq", "prefix", "suffix", "contains", "under"].map(|own| format!("{own} join"));
    let mut words: BTreeSet<String> = kinds.keys().cloned().chain(compared).chain(joined).collect();
    words.extend(["any value", "bare value", "eq ref"].map(str::to_owned));
    if !cfg!(feature = "url") {
        words.remove("url");
    }
    words
}

/// A permit and a forbid of the same, of two tools.
fn both_sides(c: &C) -> PolicySaid {
    let of = |id: &str, effect, tool: &str| RuleSaid {
        effect,
        moments: vec![Moment::Call],
        tools: ToolsSaid::Named(vec![tool.into()]),
        conditions: vec![(F::Arg("x".into()), c.clone())],
        other_args: effect == Effect::Permit,
        any_args: false,
        any_resource: effect == Effect::Permit,
        ..door(id)
    };
    let mut open = of("open", Effect::Permit, TOOLS[1]);
    (open.conditions, open.other_args, open.any_args) = (Vec::new(), false, true);
    let rules = vec![of("p", Effect::Permit, TOOLS[0]), of("f", Effect::Forbid, TOOLS[1]), open];
    PolicySaid { catalogue: None, rules: at_calls(PolicySaid { catalogue: None, rules }).rules }
}

/// Values of the part that is compared with, for which a comparison may hold.
fn fitting(c: &C) -> Vec<V> {
    let text = |own: &str| V::Text(own.into());
    match c {
        C::Ref(_, RefSaid::Joined(..)) => vec![text("b")],
        C::Ref("min" | "max" | "above" | "below", _) => vec![V::Halves(1), V::Halves(2)],
        C::Ref("min_in" | "max_in" | "above_in" | "below_in", _) => ORDER.map(text).into(),
        C::Ref("after" | "before", _) => vec![text("2027-01-15T08:00:30Z")],
        C::Ref("under", _) => vec![text("/a")],
        C::Ref("one_of" | "subset_of" | "has_any" | "has_all", _) => {
            vec![V::List(vec![text("a")]), V::List(vec![text("a"), text("b")])]
        }
        C::SameAs(_) | C::Ref(..) => vec![text("a"), text("b")],
        C::All(parts) | C::AnyOf(parts) => parts.iter().flat_map(fitting).collect(),
        C::Not(inner) => fitting(inner),
        _ => Vec::new(),
    }
}

/// Values of which such a comparison may be true, and others.
fn compared() -> Vec<V> {
    let text = |own: &str| V::Text(own.into());
    let texts = ["b", "/a/b", "a/b", "/a/b/", "/a/b/c", "/c/a/b/c", "/b/b"];
    let times = ["2027-01-15T08:00:00Z", "2027-01-16T12:00:00Z"];
    let all = [V::Halves(1), V::Halves(4), V::List(vec![text("b"), text("a")])];
    texts.into_iter().chain(times).map(text).chain(all).collect()
}

/// Who asks why, what is noted, the call and its context, and values of the argument.
type Drawn = (WhoSaid, WhySaid, NotesSaid, CallSaid, ContextSaid, Vec<V>);

/// What is asked of a permit and a forbid of one constraint, where it is likely to be true and where not.
fn ask_both_sides(c: &C, style: Style, told: &mut Told, drawn: Drawn) {
    let policy = both_sides(c);
    let (mut who, why, noted, mut call, mut context, mut more) = drawn;
    let fitting = fitting(c);
    if !fitting.is_empty() {
        let own = fitting[more.len() % fitting.len()].clone();
        who.attrs.insert("team".into(), own.clone());
        context.insert("env".into(), own.clone());
        call.args.insert("y".into(), own.clone());
        let attrs = BTreeMap::from([("owner".to_owned(), own)]);
        call.resource = Some(ResourceSaid { kind: "T".into(), id: "a".into(), attrs });
        more.extend(compared());
    }
    let gate = OpenDoor::under(policy.loaded(style), None, &noted, (&who, &why)).unwrap();
    let own = likely(c).into_iter().chain(more).map(Some);
    for x in own.chain([None]).collect::<Vec<_>>() {
        call.args.remove("x");
        call.args.extend(x.map(|x| ("x".to_owned(), x)));
        let mut ask = |tool: &str| {
            call.tool = tool.to_owned();
            let own = gate.asks(&call, &context);
            let says = by_the_book_after(&noted, (&policy, &who, &why), &call, &context);
            assert_eq!(own, says, "{} of {call:?} in {context:?}", policy.written(style));
            own
        };
        let is_true = matches!(ask(TOOLS[0]), Says::Permit(_));
        let is_false = matches!(ask(TOOLS[1]), Says::Permit(_));
        for word in words(c, style) {
            let [so, not] = told.entry(word).or_default();
            *so += u32::from(is_true);
            *not += u32::from(is_false);
        }
    }
}

/// P5: none of the kinds that a policy may say is left out of what is held to the rules one by one.
#[test]
fn every_kind_is_decided_as_true_and_as_false() {
    let mut runner = TestRunner::deterministic();
    let mut told = Told::new();
    let drawn = prop_oneof![
        6 => leaves(),
        4 => reading(),
        6 => references(FACTS.to_vec()),
        1 => of_notes(),
        6 => constraints(),
    ];
    let setting = (whos(), whys(), notes(), calls(), contexts(), vec(values(), 2));
    for at in 0..MOST {
        if at >= LEAST && missing(&told).is_empty() {
            return;
        }
        let c = drawn.new_tree(&mut runner).unwrap().current();
        let style = if at % 2 == 0 { Style::Long } else { Style::Short };
        if both_sides(&c).rules.iter().all(RuleSaid::is_sound) {
            let setting = setting.new_tree(&mut runner).unwrap().current();
            ask_both_sides(&c, style, &mut told, setting);
        }
    }
    panic!("{:?} of {told:?}", missing(&told));
}

/// How many constraints are drawn: so many in any case, and at most so many for all kinds to be among them.
const LEAST: usize = 300;
const MOST: usize = 2000;

/// Kinds that were not decided as true, or not as false.
fn missing(told: &Told) -> Vec<(String, [u32; 2])> {
    let of = |word: String| (told.get(&word).copied().unwrap_or_default(), word);
    let all = every_word().into_iter().map(of);
    all.filter(|(counts, _)| counts.contains(&0)).map(|(counts, word)| (word, counts)).collect()
}
