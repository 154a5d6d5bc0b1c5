//! P5: what a policy looks at first never changes what it says. Policies of many rules that demand
//! certain values, each decision compared with all rules taken one by one.

use hallpass::policy::{Effect, Moment};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::door::{OpenDoor, at_calls, by_the_book, door};
use crate::model::{Says, args};
use crate::universe::*;

fn demands() -> BoxedStrategy<C> {
    let set = || vec(scalars(), 1..3);
    let demand = prop_oneof![
        4 => scalars().prop_map(C::Eq),
        3 => set().prop_map(C::OneOf),
        3 => set().prop_map(C::HasAny),
        2 => set().prop_map(C::HasAll),
        1 => values().prop_map(C::Eq),
    ];
    prop_oneof![
        6 => demand.clone().boxed(),
        1 => (demand.clone(), constraints()).prop_map(|(a, b)| C::All(vec![a, b])).boxed(),
        1 => (demand.clone(), comparisons()).prop_map(|(a, b)| C::All(vec![a, b])).boxed(),
        1 => vec(demand.clone(), 1..3).prop_map(C::AnyOf).boxed(),
        1 => demand.prop_map(|c| C::Not(Box::new(c))).boxed(),
    ]
    .prop_map(|c| if c.is_sound() { c } else { C::Any })
    .boxed()
}

/// What they compare with, a list perhaps, tells how a list is taken by all that stands next to them.
fn comparisons() -> BoxedStrategy<C> {
    let same = select(vec!["args.x", "args.y", "when.env"]).prop_map(|fact| C::SameAs(fact.into()));
    let same = prop_oneof![same, references(vec!["args.x", "args.y", "when.env"])];
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
    ];
    let effect = prop_oneof![
        2 => Just(Effect::Permit),
        2 => Just(Effect::Forbid),
        1 => Just(Effect::Ask),
    ];
    let tools = prop_oneof![
        3 => Just(ToolsSaid::Named(vec![TOOLS[0].into()])),
        1 => Just(ToolsSaid::Named(vec![TOOLS[0].into(), TOOLS[1].into()])),
        1 => Just(ToolsSaid::Any),
    ];
    (effect, tools, vec((fact, demands()), 1..4), any::<bool>())
        .prop_map(|(effect, tools, mut conditions, open)| {
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
                other_args: permit && names_args && open,
                any_args: permit && !names_args,
                any_resource: permit,
                per_task: false,
                form: None,
                limits: LimitsSaid::default(),
                from: None,
                until: None,
            }
        })
        .prop_filter("can be meant", RuleSaid::is_sound)
        .boxed()
}

fn crowded_policies() -> BoxedStrategy<PolicySaid> {
    // Drawn from a few, so that many rules demand the same.
    (
        vec(demanding_rules(), 1..24),
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

/// Calls of the tools these rules are about, with the arguments they look at.
fn probing_calls() -> BoxedStrategy<CallSaid> {
    let args = proptest::collection::btree_map(
        prop_oneof![Just("x".to_owned()), Just("y".to_owned())],
        values(),
        0..3,
    );
    let tool = prop_oneof![3 => Just(TOOLS[0]), 1 => Just(TOOLS[1])];
    (tool, args, resources())
        .prop_map(|(tool, args, resource)| CallSaid { tool: tool.into(), args, resource })
        .boxed()
}

proptest! {
    #![proptest_config(config(128))]

    /// P5
    #[test]
    fn what_is_looked_up_says_what_all_rules_say(
        policy in crowded_policies(),
        who in whos(),
        why in whys(),
        asked in vec((probing_calls(), contexts()), 1..16),
    ) {
        let gate = OpenDoor::new(&policy, &who, &why);
        for (call, context) in &asked {
            let says = by_the_book(&policy, &who, &why, call, context);
            prop_assert_eq!(gate.asks(call, context), says, "{:?} in {:?}", call, context);
        }
    }

    /// P5: one rule at a time, where a rule that is left out shows at once.
    #[test]
    fn a_guard_that_cannot_tell_is_never_left_out(
        effect in prop_oneof![Just(Effect::Forbid), Just(Effect::Ask)],
        mut rules in vec(demanding_rules(), 1..3),
        who in whos(),
        why in whys(),
        asked in vec((probing_calls(), contexts()), 1..16),
    ) {
        for (at, rule) in rules.iter_mut().enumerate() {
            *rule = RuleSaid { any_args: false, other_args: false, any_resource: false, ..rule.clone() };
            rule.effect = effect;
            rule.id = format!("guard{at}");
        }
        rules.retain(RuleSaid::is_sound);
        rules.push(RuleSaid { id: "open".into(), ..door("open") });
        let policy = at_calls(PolicySaid { catalogue: None, rules });
        let gate = OpenDoor::new(&policy, &who, &why);
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
