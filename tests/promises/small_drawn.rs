//! Rules, scopes and people of the smaller universe, at random.

use std::collections::BTreeMap;

use hallpass::identity::Kind;
use hallpass::policy::{Effect, Moment};
use hallpass::token::Form;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use crate::life_defaults::DEFAULTS;
use crate::life_notes::NOTED;
use crate::small::{BOSS, LETTERS, MINTING_TOOL, MINTS, PEOPLE, SMALL_TOOLS};
use crate::universe::*;

fn letters() -> BoxedStrategy<C> {
    let text = |letter: &str| V::Text(letter.into());
    prop_oneof![
        3 => vec(select(LETTERS.to_vec()), 1..4)
            .prop_map(move |set| C::OneOf(set.into_iter().map(text).collect())),
        1 => select(LETTERS.to_vec()).prop_map(move |letter| C::Eq(text(letter))),
        1 => Just(C::Any),
    ]
    .boxed()
}

/// One of what was noted in the task.
fn noted() -> BoxedStrategy<C> {
    select(NOTED.to_vec()).prop_map(|own| C::Ref("one_of", RefSaid::Part(own.into()))).boxed()
}

fn numbers() -> BoxedStrategy<C> {
    prop_oneof![3 => select(vec![1i64, 2, 9]).prop_map(C::Max), 1 => Just(C::Any)].boxed()
}

pub(crate) fn small_capabilities() -> BoxedStrategy<CapabilitySaid> {
    let args = (option::weighted(0.6, letters()), option::weighted(0.6, numbers()));
    (select(SMALL_TOOLS.to_vec()), args, proptest::bool::weighted(0.3))
        .prop_map(|(tool, (x, n), other_args)| {
            let args = [x.map(|c| ("x".to_owned(), c)), n.map(|c| ("n".to_owned(), c))];
            let args: Vec<_> = args.into_iter().flatten().collect();
            CapabilitySaid {
                tool: tool.into(),
                other_args: other_args || args.is_empty(),
                args,
                resource: None,
                any_resource: false,
            }
        })
        .boxed()
}

/// Of two rates with different windows, either may be the one that holds a call back.
fn small_rates() -> BoxedStrategy<(u64, u64)> {
    (1..5u64, select(vec![20u64, 60])).boxed()
}

fn small_limits() -> BoxedStrategy<LimitsSaid> {
    let times = (
        option::weighted(0.3, select(vec![30u64, 90])),
        option::weighted(0.25, select(vec![90u64, 200])),
        option::weighted(0.2, select(vec![20u64, 60])),
    );
    let counts = (
        option::weighted(0.4, 1..6u64),
        option::weighted(0.25, small_rates()),
        option::weighted(0.25, select(vec![2i64, 9, 20])),
    );
    let windows = windows(select(vec![20u64, 60]).boxed());
    let limits = (times, counts, proptest::bool::weighted(0.4), windows).prop_map(
        |((ttl, max_life, idle), (uses, rate, budget_halves), per_identity, windows)| {
            LimitsSaid {
                ttl,
                max_life,
                idle,
                uses,
                rate,
                budget_halves,
                per_identity: per_identity
                    && (uses.is_some() || rate.is_some() || budget_halves.is_some()),
                ..LimitsSaid::default()
            }
            .within(windows)
        },
    );
    let limits = prop_oneof![1 => Just(LimitsSaid::default()), 1 => limits];
    (limits, option::weighted(0.7, select(vec![1u8, 2, 3, 3])))
        .prop_map(|(limits, depth)| LimitsSaid { depth, ..limits })
        .boxed()
}

fn small_moments(effect: Effect) -> BoxedStrategy<Vec<Moment>> {
    use Moment::{BreakGlass, Call, Delegate, Request};
    let all = vec![Request, Call, Delegate];
    if effect == Effect::Permit {
        prop_oneof![
            8 => Just(all),
            3 => Just(vec![Request, Call]),
            1 => Just(vec![Request]),
            1 => Just(vec![Call]),
            1 => Just(vec![Delegate]),
            // Never speaks at any of these.
            1 => Just(vec![BreakGlass]),
        ]
        .boxed()
    } else {
        prop_oneof![
            3 => Just(all),
            4 => Just(vec![Call]),
            1 => Just(vec![Request]),
            1 => Just(vec![Delegate]),
            1 => Just(vec![BreakGlass]),
        ]
        .boxed()
    }
}

fn small_rules(effect: Effect) -> BoxedStrategy<RuleSaid> {
    let permit = effect == Effect::Permit;
    let people = vec(select(PEOPLE.to_vec()), 1..3)
        .prop_map(|ids| C::OneOf(ids.into_iter().map(|id| V::Text(id.into())).collect()));
    let seen = (select(LABELS.to_vec()), any::<bool>()).prop_map(|(label, not)| {
        let c = C::HasAny(vec![V::Text(label.into())]);
        if not { C::Not(Box::new(c)) } else { c }
    });
    let setting = (
        option::weighted(0.3, people),
        option::weighted(0.15, (1..3i64).prop_map(|n| C::Eq(V::Halves(n)))),
        option::weighted(0.15, Just(C::Eq(V::Text("reporting".into())))),
        option::weighted(0.2, (1..3i64).prop_map(|n| C::Eq(V::Halves(n)))),
        option::weighted(0.15, seen),
    );
    let x = prop_oneof![
        2 => letters(),
        1 => (noted(), any::<bool>())
            .prop_map(move |(c, not)| if not && !permit { C::Not(Box::new(c)) } else { c }),
    ];
    let call = (option::weighted(0.5, x), option::weighted(0.4, numbers()));
    let tools = prop_oneof![
        2 => Just(ToolsSaid::Any),
        3 => select(SMALL_TOOLS.to_vec()).prop_map(|tool| ToolsSaid::Named(vec![tool.into()])),
    ];
    let form = option::weighted(0.1, select(vec![Form::Bearer, Form::CallBound]));
    let until = option::weighted(0.1, select(vec![40i64, 90]));
    // Of the call alone, or of nothing of it: which calls a rule is on is then the same for everybody.
    let env = || (1..3i64).prop_map(|n| (F::When("env".into()), C::Eq(V::Halves(n))));
    let team = || (1..3i64).prop_map(|n| (F::WhoAttr("team".into()), C::Eq(V::Halves(n))));
    let unless = prop_oneof![
        8 => Just(Vec::new()),
        1 => letters().prop_map(|c| vec![vec![(F::Arg("x".into()), c)]]),
        1 => (letters(), numbers())
            .prop_map(|(x, n)| vec![vec![(F::Arg("x".into()), x), (F::Arg("n".into()), n)]]),
        1 => noted().prop_map(|c| vec![vec![(F::Arg("x".into()), c)]]),
        1 => (env(), team()).prop_map(|(env, team)| vec![vec![env, team]]),
        1 => (env(), team()).prop_map(|(env, team)| vec![vec![env], vec![team]]),
    ];
    let more = (form, until, any::<bool>(), unless);
    (setting, call, tools, small_moments(effect), small_limits(), more)
        .prop_map(move |(setting, (x, n), tools, moments, limits, (form, until, flag, unless))| {
            let (who, team, why, env, seen) = setting;
            let of_call = [x.map(|c| (F::Arg("x".into()), c)), n.map(|c| (F::Arg("n".into()), c))];
            let of_call: Vec<(F, C)> = of_call.into_iter().flatten().collect();
            let of_setting = [
                who.map(|c| (F::WhoId, c)),
                team.map(|c| (F::WhoAttr("team".into()), c)),
                why.map(|c| (F::Purpose, c)),
                env.map(|c| (F::When("env".into()), c)),
                seen.map(|c| (F::Seen, c)),
            ];
            let at_calls = moments.contains(&Moment::Call);
            RuleSaid {
                id: "r".into(),
                effect,
                tools,
                other_args: permit && !of_call.is_empty() && flag,
                any_args: permit && of_call.is_empty(),
                any_resource: false,
                per_task: flag,
                form: form.filter(|_| at_calls),
                conditions: of_setting.into_iter().flatten().chain(of_call).collect(),
                unless,
                limits: if permit { limits } else { LimitsSaid::default() },
                from: None,
                until,
                moments,
            }
            .sound_exceptions()
            .plain_exceptions()
        })
        // What calls will note is not known before, and a rule that never speaks of calls would never speak.
        .prop_filter("notes are known at calls", |rule| {
            !rule.is_of_notes() || rule.moments.contains(&Moment::Call)
        })
        .prop_filter("can be meant", RuleSaid::is_sound)
        .boxed()
}

/// Policies that share the names of their rules, so that a counter lives on under the next one; in
/// most of them nearly everything is permitted.
pub(crate) fn small_policies() -> BoxedStrategy<PolicySaid> {
    let rules = prop_oneof![
        5 => small_rules(Effect::Permit),
        2 => small_rules(Effect::Forbid),
        1 => small_rules(Effect::Ask),
    ];
    let labels = vec(vec(select(LABELS.to_vec()), 0..2), SMALL_TOOLS.len());
    let missing = option::weighted(0.1, select(SMALL_TOOLS.to_vec()));
    // So that reloads change one rate into another.
    let rate = option::weighted(0.6, small_rates());
    let mints = proptest::bool::weighted(0.7);
    let defaults = vec(option::weighted(0.3, select(DEFAULTS.to_vec())), SMALL_TOOLS.len());
    let mints = (mints, defaults);
    (vec(rules, 0..5), option::weighted(0.75, (small_limits(), rate)), labels, (missing, mints))
        .prop_map(|(mut rules, broad, labels, (missing, (mints, defaults)))| {
            for (at, rule) in rules.iter_mut().enumerate() {
                rule.id = format!("r{at}");
            }
            rules.extend(broad.map(|(limits, rate)| RuleSaid {
                moments: vec![Moment::Request, Moment::Call, Moment::Delegate],
                any_resource: false,
                limits: LimitsSaid {
                    depth: Some(limits.depth.unwrap_or(3).max(2)),
                    rate: limits.rate.or(rate),
                    ..limits
                },
                ..crate::door::door("broad")
            }));
            let labels = labels.into_iter().map(|l| l.into_iter().map(str::to_owned).collect());
            let tools = SMALL_TOOLS.iter().map(|tool| (*tool).to_owned());
            let mut catalogue: Labels = tools.zip(labels).collect();
            let own = catalogue.get_mut(MINTING_TOOL);
            own.into_iter().filter(|_| mints).for_each(|labels| labels.push(MINTS.to_owned()));
            for (labels, default) in catalogue.values_mut().zip(defaults) {
                labels.extend(default.map(|(label, _)| label.to_owned()));
            }
            if let Some(missing) = missing {
                catalogue.remove(missing);
            }
            PolicySaid { catalogue: Some(catalogue), rules }
        })
        .prop_filter("can be meant", |policy| policy.rules.iter().all(RuleSaid::is_sound))
        .boxed()
}

/// Somebody as attested on one day: of which team, and for whom.
pub(crate) fn small_whos() -> BoxedStrategy<WhoSaid> {
    let team = option::weighted(0.6, 1..3i64);
    (select(PEOPLE.to_vec()), team, proptest::bool::weighted(0.2))
        .prop_map(|(id, team, boss)| WhoSaid {
            id: id.into(),
            kind: Kind::Agent,
            groups: Vec::new(),
            attrs: team.map(|n| ("team".to_owned(), V::Halves(n))).into_iter().collect(),
            acts_for: boss.then(|| BOSS.to_owned()),
        })
        .boxed()
}

/// A context without an environment, and one with each.
pub(crate) fn small_contexts() -> Vec<ContextSaid> {
    let env = |n| BTreeMap::from([("env".to_owned(), V::Halves(n))]);
    vec![env(1), ContextSaid::new(), env(2)]
}

impl RuleSaid {
    /// Leaves out exceptions of a guard on arguments that its conditions are on. The broker asks of all that is
    /// wanted whether some of it meets the conditions, and whether all of it is an exception: where only what meets
    /// the conditions is one, it takes the guard to hold, and a list of calls would not.
    fn plain_exceptions(mut self) -> Self {
        let guards = self.effect != Effect::Permit;
        let shared = |fact: &F| {
            matches!(fact, F::Arg(_)) && self.conditions.iter().any(|(own, _)| own == fact)
        };
        let plain = |own: &&Vec<(F, C)>| !guards || !own.iter().any(|(fact, _)| shared(fact));
        self.unless = self.unless.iter().filter(plain).cloned().collect();
        self
    }
}
