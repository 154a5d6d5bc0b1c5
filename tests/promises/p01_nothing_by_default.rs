//! P1: nothing by default. An empty policy denies everything; what is unknown is refused; an empty
//! list never means all; "anything goes" has to be spelled out.

use hallpass::clock::ManualClock;
use hallpass::policy::Policy;
use hallpass::scope::{self, Scope};
use hallpass::token::Token;
use hallpass::{Broker, Context, Reason};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::door::{OpenDoor, at_calls, door};
use crate::model_rules::Says;
use crate::stand::shows_nothing;
use crate::universe::*;

proptest! {
    #![proptest_config(config(64))]

    /// P1
    #[test]
    fn an_empty_policy_gives_nothing_to_anyone(
        who in whos(),
        why in whys(),
        said in contexts(),
        wanted in vec(capabilities(), 1..4),
        catalogue in proptest::option::of(catalogue()),
    ) {
        let policy = PolicySaid { catalogue, rules: Vec::new() };
        let broker =
            Broker::builder(policy.policy()).clock(ManualClock::new(at(0))).build().unwrap();
        let caller = broker.assert_identity(who.assertion()).unwrap();
        let task = broker.open(&caller, why.purpose()).unwrap();
        let denial = task.request(scope_of(&wanted), &context(&said)).unwrap_err();
        prop_assert_eq!(denial.reason(), Reason::NotCovered);
        shows_nothing(&denial);
        prop_assert!(broker.standing().grants.is_empty());
    }

    /// P1: guards give nothing, however many there are.
    #[test]
    fn forbids_and_asks_alone_give_nothing(
        policy in policies("r", 3, 10),
        who in whos(),
        why in whys(),
        said in contexts(),
        call in calls(),
    ) {
        let mut policy = at_calls(policy);
        policy.rules.retain(|rule| {
            rule.effect != hallpass::policy::Effect::Permit || rule.id == door("zz-door").id
        });
        prop_assume!(call.tool != OUTSIDE);
        let says = OpenDoor::new(&policy, &who, &why).asks(&call, &said);
        prop_assert!(matches!(says, Says::NoPermit | Says::Forbid(_)), "{:?}", says);
    }

    /// P1: an argument, a field or a resource that is not named is not covered.
    #[test]
    fn what_a_permit_does_not_name_it_does_not_cover(
        mut permit in rules_of(hallpass::policy::Effect::Permit, 1),
        mut call in calls(),
        who in whos(),
        why in whys(),
        extra in values(),
    ) {
        (permit.any_args, permit.other_args) = (false, false);
        let policy = at_calls(PolicySaid {
            catalogue: Some(TOOLS.iter().map(|t| ((*t).to_owned(), Vec::new())).collect()),
            rules: vec![permit.sound_exceptions()],
        });
        prop_assume!(call.tool != OUTSIDE);
        call.args.insert("unheard-of".into(), extra);
        let says = OpenDoor::new(&policy, &who, &why).asks(&call, &ContextSaid::new());
        prop_assert_eq!(says, Says::NoPermit);
    }

    /// P1
    #[test]
    fn a_tool_outside_the_catalogue_is_refused_even_where_every_tool_is_permitted(
        catalogue in catalogue(),
        who in whos(),
        mut call in calls(),
    ) {
        call.tool = OUTSIDE.into();
        let rules = vec![door("door"), RuleSaid {
            moments: vec![hallpass::policy::Moment::Call],
            ..door("anything")
        }];
        let why = WhySaid { name: "reporting".into(), ticket: None };
        let policy = PolicySaid { catalogue: Some(catalogue), rules };
        let gate = OpenDoor::new(&policy, &who, &why);
        let denial =
            gate.gate.check(gate.grant.token(), &gate.caller, &call.call(), &Context::new());
        prop_assert_eq!(denial.unwrap_err().reason(), Reason::UnknownTool);
    }

    /// P1: no unsigned text is a token, whatever follows the version.
    #[test]
    fn no_made_up_text_is_a_token(text in "(hp1|hp2|hp1c|hp)[.][A-Za-z0-9_-]{0,80}([.][A-Za-z0-9_-]{43})?") {
        let policy = PolicySaid { catalogue: None, rules: vec![door("door")] };
        let gate =
            OpenDoor::new(&policy, &robot(), &WhySaid { name: "reporting".into(), ticket: None });
        let call = CallSaid { tool: TOOLS[0].into(), args: Default::default(), resource: None };
        let token = Token::from_text(text);
        let denial = gate.gate.authorize(&token, &gate.caller, call.call(), &Context::new());
        let denial = denial.map(drop).unwrap_err();
        prop_assert_eq!(denial.code(), hallpass::Code::InvalidToken);
        shows_nothing(&denial);
    }
}

/// P1
#[test]
fn an_empty_scope_is_refused_and_so_is_an_empty_set() {
    let rule = hallpass::policy::Rule::permit("all").any_tool().any_args().any_resource();
    let broker = Broker::new(Policy::builder().rule(rule).build().unwrap()).unwrap();
    let caller = broker.assert_identity("robot").unwrap();
    let task = broker.open(&caller, hallpass::Purpose::new("reporting")).unwrap();
    let refused = |scope| task.request(scope, &Context::new()).unwrap_err().reason();
    assert_eq!(refused(Scope::default()), Reason::MalformedScope);
    let none: [&str; 0] = [];
    for empty in [
        scope::one_of(none),
        scope::has_any(none),
        scope::has_all(none),
        scope::subset_of(none),
        scope::all_of([]),
        scope::any_of([]),
    ] {
        assert_eq!(refused(Scope::tool("t").arg("x", empty.clone())), Reason::MalformedScope);
        let rule = hallpass::policy::Rule::permit("r").tool("t").arg("x", empty);
        assert!(Policy::builder().rule(rule).build().is_err());
    }
}
