//! P5: what a policy looks at first never changes what it says. Policies of many rules that demand
//! certain values, beginnings, ranges, networks, times or names, each decision compared with all rules taken
//! one by one, what can't be told included.

use hallpass::policy::{Effect, Moment};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::door::{OpenDoor, at_calls, by_the_book, by_the_book_after, door};
use crate::model_rules::{Says, args};
use crate::random_constraints::{constraints, notes, of_notes, references, scalars, values};
use crate::reading::long_texts;
use crate::universe::*;

pub(crate) fn demands() -> BoxedStrategy<C> {
    let set = || vec(scalars(), 1..3);
    let demand = prop_oneof![
        4 => scalars().prop_map(C::Eq),
        3 => set().prop_map(C::OneOf),
        3 => set().prop_map(C::HasAny),
        2 => set().prop_map(C::HasAll),
        1 => values().prop_map(C::Eq),
        9 => nesting(),
        1 => nesting().prop_map(|c| C::Each(Box::new(c))),
        1 => nesting().prop_map(|c| C::Some(Box::new(c))),
    ]
    .boxed();
    prop_oneof![
        6 => demand.clone().boxed(),
        1 => constraints(),
        1 => (demand.clone(), demand.clone()).prop_map(|(a, b)| C::All(vec![a, b])).boxed(),
        1 => (demand.clone(), constraints()).prop_map(|(a, b)| C::All(vec![a, b])).boxed(),
        1 => (demand.clone(), comparisons()).prop_map(|(a, b)| C::All(vec![a, b])).boxed(),
        1 => comparisons(),
        1 => vec(demand.clone(), 1..3).prop_map(C::AnyOf).boxed(),
        1 => demand.prop_map(|c| C::Not(Box::new(c))).boxed(),
    ]
    .prop_map(|c| if c.is_sound() { c } else { C::Any })
    .boxed()
}

/// Kinds of which one lies in another, or overlaps with it.
fn nesting() -> BoxedStrategy<C> {
    let text = |texts: &[&'static str]| select(texts.to_vec()).prop_map(str::to_owned);
    let networks =
        vec!["10.0.0.0/8", "10.0.0.0/16", "10.0.0.1", "11.0.0.0/8", "::/0", "2002:a00::/24"];
    let range = || {
        (-1..5i64, 0..3i64, any::<bool>()).prop_map(|(from, more, open)| {
            let (from, to) = if open {
                (C::Above(from), C::Below(from + more + 1))
            } else {
                (C::Min(from), C::Max(from + more))
            };
            C::All(vec![from, to])
        })
    };
    prop_oneof![
        3 => text(&["a", "ab", "b", "a/", "a/b", "/", "/a", "/a/b", "../", "é"]).prop_map(C::Prefix),
        3 => text(&["a*", "ab*", "a/*", "a/**", "/a/**", "/a/b*", "/*", "a", "../*"]).prop_map(C::Glob),
        // None that goes on and on in a long text, which many rules could not pay for.
        2 => select(vec!["b.*", "ab*", "ab(b|c)*", "a.b*", "/a.*"]).prop_map(C::Regex),
        2 => select(vec!["/", ".", "/a", "/a/b", "a", "a/b"]).prop_map(C::Under),
        3 => range(),
        1 => (-1..5i64).prop_map(C::Min),
        1 => (-1..5i64).prop_map(C::Max),
        1 => select(vec![
            C::Level("min_in", "a"),
            C::Level("max_in", "a"),
            C::Level("below_in", "a"),
        ]),
        1 => (-1..5i64).prop_map(C::Above),
        1 => (-1..5i64).prop_map(C::Below),
        2 => proptest::sample::subsequence(networks, 1..3).prop_map(C::Cidr),
        1 => (-1..3i64).prop_map(|n| C::After(n * 20)),
        1 => (-1..3i64, 1..3i64)
            .prop_map(|(n, more)| C::All(vec![C::After(n * 20), C::Before((n + more) * 20)])),
    ]
    .boxed()
}

/// What is demanded of who asks: always known, and a text or a list of texts.
fn demands_of_who() -> BoxedStrategy<(F, C)> {
    let text = |texts: &[&'static str]| select(texts.to_vec()).prop_map(str::to_owned);
    let groups = || vec(text(&["g0", "g1", "g2"]).prop_map(V::Text), 1..3);
    prop_oneof![
        text(&["a", "agent/", "agent/a", "r"]).prop_map(|own| (F::WhoId, C::Prefix(own))),
        text(&["agent/*", "agent/a", "*", "r*"]).prop_map(|own| (F::WhoId, C::Glob(own))),
        groups().prop_map(|set| (F::WhoGroups, C::HasAny(set))),
        groups().prop_map(|set| (F::WhoGroups, C::HasAll(set))),
    ]
    .boxed()
}

/// Names of which a call or a context has some.
fn names(initial: char) -> BoxedStrategy<String> {
    (0..16).prop_map(move |n| format!("{initial}{n}")).boxed()
}

/// What they compare with, a list perhaps, tells how a list is taken by all that stands next to them.
fn comparisons() -> BoxedStrategy<C> {
    let same = select(vec!["args.x", "args.y", "when.env"]).prop_map(|fact| C::SameAs(fact.into()));
    let same = prop_oneof![same, references(vec!["args.x", "args.y", "when.env"]), of_notes()];
    (same, any::<bool>())
        .prop_map(|(same, not)| if not { C::Not(same.into()) } else { same })
        .boxed()
}

fn demanding_rules() -> BoxedStrategy<RuleSaid> {
    let fact = prop_oneof![
        3 => Just(F::Arg("x".into())),
        2 => Just(F::Arg("y".into())),
        2 => Just(F::When("env".into())),
        1 => Just(F::When("risk".into())),
        1 => Just(F::WhoAttr("team".into())),
        1 => Just(F::ResourceAttr("owner".into())),
        1 => Just(F::Ticket),
        1 => names('a').prop_map(F::Arg),
        1 => names('c').prop_map(F::When),
    ]
    .boxed();
    let condition = prop_oneof![
        7 => (fact, demands()).boxed(),
        1 => demands_of_who(),
    ];
    rules_of(vec(condition, 1..4).boxed())
}

/// Each about a name or two, of many.
fn rules_by_name() -> BoxedStrategy<RuleSaid> {
    let fact = prop_oneof![3 => names('a').prop_map(F::Arg), 2 => names('c').prop_map(F::When)];
    let of_it = prop_oneof![
        1 => Just(C::Any),
        1 => any::<bool>().prop_map(C::Present),
        3 => demands(),
    ];
    rules_of(vec((fact, of_it), 1..3).boxed())
}

pub(crate) fn rules_of(conditions: BoxedStrategy<Vec<(F, C)>>) -> BoxedStrategy<RuleSaid> {
    let like = prop_oneof![
        select(vec!["db.", "db.read", "mail", "d"]).prop_map(|own| C::Prefix(own.into())),
        select(vec!["db.*", "*.read", "db.wr*", "db.?ead"]).prop_map(|own| C::Glob(own.into())),
        select(vec!["db.*", "(db|mail)..*"]).prop_map(C::Regex),
    ]
    .boxed();
    let effect = prop_oneof![
        2 => Just(Effect::Permit),
        2 => Just(Effect::Forbid),
        1 => Just(Effect::Ask),
    ];
    let tools = prop_oneof![
        3 => Just(ToolsSaid::Named(vec![TOOLS[0].into()])),
        1 => Just(ToolsSaid::Named(vec![TOOLS[0].into(), TOOLS[1].into()])),
        1 => Just(ToolsSaid::Any),
        2 => like.prop_map(ToolsSaid::Like),
    ]
    .boxed();
    let unless = prop_oneof![
        3 => Just(Vec::new()).boxed(),
        1 => conditions.clone().prop_map(|own| vec![own]).boxed(),
    ];
    (effect, tools, conditions, any::<bool>(), unless)
        .prop_map(|(effect, tools, mut conditions, open, unless)| {
            let permit = effect == Effect::Permit;
            if permit {
                // A permit that speaks of a resource asks for more than these rules are about.
                conditions.retain(|(fact, _)| !matches!(fact, F::ResourceAttr(_)));
            }
            let names_args = conditions.iter().any(|(fact, _)| matches!(fact, F::Arg(_)));
            // What is said of one fact twice has to go together.
            let mut said: Vec<(F, C)> = Vec::new();
            for (fact, c) in conditions {
                let own = said.iter().filter(|(own, _)| *own == fact).map(|(_, c)| c.clone());
                if C::All(own.chain([c.clone()]).collect()).is_sound() {
                    said.push((fact, c));
                }
            }
            let conditions = said;
            RuleSaid {
                id: "rule".into(),
                effect,
                moments: vec![Moment::Call],
                tools,
                conditions,
                unless,
                other_args: permit && names_args && open,
                any_args: permit && !names_args,
                any_resource: permit,
                per_task: false,
                form: None,
                limits: LimitsSaid::default(),
                from: None,
                until: None,
            }
            .sound_exceptions()
        })
        .prop_filter("can be meant", RuleSaid::is_sound)
        .boxed()
}

pub(crate) fn crowded_policies(rules: BoxedStrategy<RuleSaid>) -> BoxedStrategy<PolicySaid> {
    // Drawn from a few, so that many rules demand the same.
    (
        vec(rules, 1..24),
        vec(any::<prop::sample::Index>(), 1..200),
        vec(any::<prop::sample::Index>(), 0..20),
    )
        .prop_map(|(few, picks, dropped)| {
            let mut rules: Vec<RuleSaid> =
                picks.iter().map(|pick| pick.get(&few).clone()).collect();
            // With fewer guards, so that some calls are permitted.
            for drop in dropped {
                let at = drop.index(rules.len());
                if rules[at].effect != Effect::Permit && rules.len() > 1 {
                    rules.remove(at);
                }
            }
            rules.retain(RuleSaid::is_sound);
            for (at, rule) in rules.iter_mut().enumerate() {
                rule.id = format!("r{at:03}");
            }
            at_calls(PolicySaid { catalogue: None, rules })
        })
        .boxed()
}

/// Values that lie in what rules demand, or nearly, or of which it can't be told.
fn probing_values() -> BoxedStrategy<V> {
    let texts = vec![
        "a",
        "ab",
        "abb",
        "aa",
        "b",
        "a/b",
        "a/b/c",
        "/a",
        "/ab",
        "/a/b",
        "/a/b/c",
        "/a/../b",
        "../a",
        "a/./b",
        "/a//b",
        "~a",
        "a%b",
        "a\rb",
        "10.0.0.1",
        "10.0.1.1",
        "10.1.0.1",
        "11.0.0.1",
        "12.0.0.1",
        "::10.0.0.1",
        "64:ff9b:1::a00:1",
        "2002:a00:1::1",
        "2001:db8::1",
    ];
    let text = || select(texts.clone()).prop_map(|own| V::Text(own.to_owned()));
    let number = || (-2..7i64).prop_map(V::Halves);
    prop_oneof![
        4 => values(),
        3 => text(),
        2 => number(),
        1 => select(long_texts()).prop_map(V::Text),
        1 => vec(prop_oneof![4 => text().boxed(), 1 => number().boxed()], 0..12).prop_map(V::List),
    ]
    .boxed()
}

fn probing_contexts() -> BoxedStrategy<ContextSaid> {
    let name = prop_oneof![
        2 => Just("env".to_owned()),
        2 => Just("risk".to_owned()),
        3 => names('c'),
    ];
    proptest::collection::btree_map(name, probing_values(), 0..5).boxed()
}

/// Calls of the tools these rules are about, with the arguments they look at.
fn probing_calls() -> BoxedStrategy<CallSaid> {
    let args = proptest::collection::btree_map(
        prop_oneof![2 => Just("x".to_owned()), 2 => Just("y".to_owned()), 3 => names('a')],
        probing_values(),
        0..4,
    );
    let tool = prop_oneof![6 => Just(TOOLS[0]), 2 => Just(TOOLS[1]), 1 => Just(TOOLS[2])];
    (tool, args, resources())
        .prop_map(|(tool, args, resource)| CallSaid { tool: tool.into(), args, resource })
        .boxed()
}

proptest! {
    #![proptest_config(config(128))]

    /// P5
    #[test]
    fn what_is_looked_up_says_what_all_rules_say(
        policy in prop_oneof![
            2 => crowded_policies(demanding_rules()),
            1 => crowded_policies(rules_by_name()),
        ].boxed(),
        who in whos(),
        why in whys(),
        noted in notes(),
        asked in vec((probing_calls(), probing_contexts()), 1..16),
    ) {
        let Some(gate) = OpenDoor::after(&noted, &policy, &who, &why) else {
            return Err(TestCaseError::reject("asking for everything is too costly"));
        };
        for (call, context) in &asked {
            let says = by_the_book_after(&noted, (&policy, &who, &why), call, context);
            prop_assert_eq!(gate.asks(call, context), says, "{:?} in {:?}", call, context);
        }
    }

    /// P5: one rule at a time, where a rule that is left out shows at once.
    #[test]
    fn a_guard_that_cannot_tell_is_never_left_out(
        effect in prop_oneof![Just(Effect::Forbid), Just(Effect::Ask)],
        mut rules in prop_oneof![
            3 => vec(demanding_rules(), 1..3),
            1 => vec(rules_by_name(), 1..40),
        ].boxed(),
        who in whos(),
        why in whys(),
        asked in vec((probing_calls(), probing_contexts()), 1..16),
    ) {
        for (at, rule) in rules.iter_mut().enumerate() {
            *rule = RuleSaid { any_args: false, other_args: false, any_resource: false, ..rule.clone() };
            rule.effect = effect;
            rule.id = format!("guard{at}");
        }
        rules.retain(RuleSaid::is_sound);
        rules.push(RuleSaid { id: "open".into(), ..door("open") });
        let policy = at_calls(PolicySaid { catalogue: None, rules });
        let Some(gate) = OpenDoor::if_paid_for(&policy, &who, &why) else {
            return Err(TestCaseError::reject("asking for everything is too costly"));
        };
        for (call, context) in &asked {
            let says = by_the_book(&policy, &who, &why, call, context);
            prop_assert_eq!(gate.asks(call, context), says, "{:?} in {:?}", call, context);
        }
    }
}

/// P5: of a list with a member of another kind it can't be said that it has none of these; attack 147.
#[test]
fn a_forbid_of_members_sees_a_member_of_another_kind() {
    let mut forbid = door("no-a");
    forbid.effect = Effect::Forbid;
    (forbid.any_args, forbid.any_resource) = (false, false);
    forbid.conditions = vec![(F::Arg("x".into()), C::HasAny(vec![V::Text("a".into())]))];
    let policy = at_calls(PolicySaid { catalogue: None, rules: vec![forbid, door("open")] });
    let gate =
        OpenDoor::new(&policy, &robot(), &WhySaid { name: "reporting".into(), ticket: None });
    let says = |x: V| {
        let call = CallSaid { tool: TOOLS[0].into(), args: args([("x", x)]), resource: None };
        gate.asks(&call, &ContextSaid::new())
    };
    let forbidden = Says::Forbid(vec!["no-a".into()]);
    assert_eq!(says(V::List(vec![V::Halves(2)])), forbidden);
    assert_eq!(says(V::List(vec![V::List(vec![V::Text("a".into())])])), forbidden);
    assert_eq!(says(V::List(vec![V::Text("b".into())])), Says::Permit(vec!["open".into()]));
}

/// P5: a list in a list is asked for what is in it.
#[test]
fn a_permit_of_one_value_is_found_for_a_list_of_lists_of_it() {
    let mut permit = door("only-a");
    (permit.any_args, permit.moments) = (false, vec![Moment::Call]);
    permit.conditions = vec![(F::Arg("x".into()), C::Eq(V::Text("a".into())))];
    let policy = at_calls(PolicySaid { catalogue: None, rules: vec![permit] });
    let gate =
        OpenDoor::new(&policy, &robot(), &WhySaid { name: "reporting".into(), ticket: None });
    let nested = V::List(vec![V::List(vec![V::Text("a".into())])]);
    let call = CallSaid { tool: TOOLS[0].into(), args: args([("x", nested)]), resource: None };
    assert_eq!(gate.asks(&call, &ContextSaid::new()), Says::Permit(vec!["only-a".into()]));
}
