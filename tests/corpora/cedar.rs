//! The handwritten decision tables of Cedar's integration tests, as policies of this crate.
//!
//! A principal is an identity called `Type::id`, its parents (all the way up) are its groups. What
//! lies above a resource, itself included, is its attribute `in`; attributes of entities it refers to
//! are laid out next to its own (`account_owner`). Rules are called as in the tables, so that not only
//! the decision but also the rules that decided are compared.

mod policies;

use hallpass::identity::Assertion;
use hallpass::value::Value;
use hallpass::{Broker, Context, Policy, Resource};
use testkit::corpora::table::{Answer, Entities, Question, name_of, plain};
use testkit::corpora::{Json, corpus, list, own, text};

use self::policies::POLICIES;

fn load() -> Vec<Json> {
    list(&corpus("cedar/handwritten.json")["sets"]).to_vec()
}

fn question(entities: &Entities<'_>, request: &Json) -> Question {
    let principal = name_of(&request["principal"]);
    let mut groups = entities.above(&principal);
    groups.remove(&principal);
    let who = entities
        .attributes(&principal)
        .into_iter()
        .fold(Assertion::human(&*principal).groups(groups), |who, (name, own)| who.attr(name, own));

    let name = name_of(&request["resource"]);
    let above = entities.above(&name).into_iter().map(|name| Value::Text(name.into())).collect();
    let [kind, id] = ["type", "id"].map(|part| text(&request["resource"][part]));
    let resource =
        entities.attributes(&name).into_iter().fold(
            Resource::new(kind, id).attr("in", Value::List(above)),
            |resource, (name, own)| resource.attr(name, own),
        );

    let context = request["context"].as_object().into_iter().flatten();
    Question {
        who,
        tool: text(&request["action"]["name"]).to_owned(),
        args: serde_json::json!({}),
        resource: Some(resource),
        context: context
            .fold(Context::new(), |all, (name, own)| all.with(name.clone(), plain(own))),
    }
}

/// The rules that a table says decided, as this crate names them.
fn deciders(case: &Json) -> Vec<String> {
    list(&case["deciding_policies"]).iter().map(|id| text(id).to_owned()).collect()
}

/// Puts every case of one set to its policy: how many there were.
fn check_set(name: &str, rules: &str, set: &Json) -> usize {
    let policy = Policy::from_toml(&format!("version = 1\n{rules}"));
    let policy = policy.unwrap_or_else(|error| panic!("{name}: {error}"));
    let broker = Broker::new(policy.clone()).unwrap();
    let entities = Entities::of(set);
    let cases = list(&set["cases"]);
    for case in cases {
        let question = question(&entities, &case["request"]);
        let answer = question.ask(&broker);
        let agrees = match (text(&case["expect"]), &answer) {
            // Where one policy of the table took two rules, the second is named after it.
            ("allow", Answer::Ran(rules)) => {
                let rules = rules.iter().map(|id| id.split('-').next().unwrap());
                rules.eq(deciders(case).iter().map(String::as_str))
            }
            ("deny", Answer::Refused(_, forbids)) => *forbids == deciders(case),
            _ => false,
        };
        assert!(agrees, "{}: {answer:?}, expected {case}", case["id"]);
        let at_call = question.ask_at_call(&policy);
        match answer {
            Answer::Ran(_) => assert_eq!(at_call, answer, "{}", case["id"]),
            _ => assert!(!at_call.is_permit(), "{}: {at_call:?}", case["id"]),
        }
    }
    assert!(broker.standing().is_empty());
    cases.len()
}

/// The table of the reading room is this repository's own: a clone checks it without the published
/// ones.
#[test]
fn every_decision_of_the_reading_room_agrees_and_so_do_the_rules_that_decided() {
    let set = own("decisions.json");
    assert_eq!(check_set("reading room", text(&set["policy"]), &set), 7);
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn every_decision_agrees_and_so_do_the_rules_that_decided() {
    let sets = load();
    let set_of = |name: &str| {
        let set = sets.iter().find(|set| set["set"] == *name);
        set.expect("the set is in the corpus")
    };
    let cases: usize =
        POLICIES.iter().map(|(name, rules)| check_set(name, rules, set_of(name))).sum();
    println!("cedar: {} of {} sets, {cases} decisions agree", POLICIES.len(), sets.len());
    assert_eq!((POLICIES.len(), cases), (22, 74));
}

#[test]
#[ignore = "published data: HALLPASS_CORPORA says where it is"]
fn every_set_has_a_policy() {
    let sets = load();
    let mut all: Vec<_> = sets.iter().map(|set| text(&set["set"])).collect();
    let mut told: Vec<_> = POLICIES.iter().map(|(name, _)| *name).collect();
    all.sort_unstable();
    told.sort_unstable();
    assert_eq!(all, told);
}
