//! What holds of every narrowed token and every call-bound presentation, whatever is done to them.

use std::collections::BTreeSet;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::clock::{Clock as _, ManualClock, Timestamp};
use hallpass::identity::Identity;
use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::scope::{
    Constraint, absent, after, any, before, cidr, contains, eq, fields, glob, has_any, json, len,
    max, min, not, one_of, optional, prefix, some, subset_of, under, weekly,
};
use hallpass::token::Presentation;
use proptest::arbitrary::any as arbitrary;
use proptest::prelude::*;
use ring::hmac;
use serde_json::{Value, json};

const START: i64 = 1_767_225_600_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_unix_millis(START + seconds * 1000).unwrap()
}

struct Setup {
    gate: Gate,
    clock: ManualClock,
    agent: Identity,
    task: Task,
}

/// A policy that gives everything but one call, so that scopes decide and a rule still counts.
fn setup() -> Setup {
    let policy = Policy::builder()
        .rule(Rule::permit("all").any_tool().any_args().ttl(Duration::from_secs(100)))
        .rule(Rule::forbid("never").on([Moment::Call]).tool("t").arg("n", eq(3)))
        .build()
        .unwrap();
    let clock = ManualClock::new(at(0));
    let broker = Broker::builder(policy).clock(clock.clone()).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("reporting")).unwrap();
    Setup { gate: broker.gate(), clock, agent, task }
}

impl Setup {
    fn grant(&self, scope: &Scope) -> Grant {
        self.task.request(scope.clone(), &Context::new()).unwrap()
    }

    fn allows(&self, token: &Token, call: &Call) -> bool {
        self.gate.check(token, &self.agent, call, &Context::new()).is_ok()
    }
}

fn constraints() -> impl Strategy<Value = Constraint> {
    let leaf = prop_oneof![
        Just(any()),
        Just(absent()),
        (0..4i64).prop_map(eq),
        (0..4i64).prop_map(max),
        (0..4i64).prop_map(min),
        "[ab]{1,2}".prop_map(eq),
        prop::collection::vec("[ab]{0,2}", 1..3).prop_map(one_of),
        "[ab]".prop_map(|text| prefix(&text)),
        "[ab]".prop_map(|text| contains(&text)),
        prop_oneof![Just("*"), Just("a*"), Just("?b"), Just("**")].prop_map(glob),
        (0..3u64).prop_map(|most| len(..=most)),
        prop::collection::vec("[ab]", 1..3).prop_map(subset_of),
        prop::collection::vec("[ab]", 1..3).prop_map(has_any),
    ];
    let leaf = prop_oneof![2 => leaf.boxed(), 1 => read_kinds()].boxed();
    prop_oneof![
        4 => leaf.clone(),
        1 => leaf.clone().prop_map(not),
        1 => leaf.clone().prop_map(optional),
        1 => leaf.prop_map(some),
    ]
    .prop_filter("can be meant", |constraint| constraint.check().is_ok())
}

/// Kinds that read a text as something.
fn read_kinds() -> BoxedStrategy<Constraint> {
    let kinds = prop_oneof![
        prop_oneof![Just("/"), Just("/a"), Just("/a/b"), Just("a")].prop_map(under),
        prop_oneof![Just("10.0.0.0/8"), Just("10.0.0.0/31"), Just("::/0")]
            .prop_map(|own| cidr([own])),
        (0..3i64).prop_map(|n| after(at(n))),
        (0..3i64).prop_map(|n| before(at(n))),
        prop_oneof![Just("thu"), Just("fri")].prop_map(|day| weekly(
            &[day],
            "00:00",
            "12:00",
            "+00:00"
        )),
        (0..4i64).prop_map(|n| json(max(n))),
        (0..4i64).prop_map(|n| json(fields([("n", eq(n))]))),
        Just(json(under("/a"))),
    ];
    #[cfg(feature = "url")]
    let kinds = {
        use hallpass::scope::{UrlPattern, url};
        let hosts = prop_oneof![
            Just(UrlPattern::any_host()),
            Just(UrlPattern::host("a.test")),
            Just(UrlPattern::subdomain_of("test").path_under("/a")),
            Just(UrlPattern::host("127.0.0.1").scheme("http").port(8080)),
        ];
        prop_oneof![6 => kinds.boxed(), 2 => hosts.prop_map(url)]
    };
    kinds.boxed()
}

/// What those kinds read, and what they do not.
const READ: [&str; 18] = [
    "/a",
    "/a/b",
    "/a/",
    "/a/../b",
    "/%61",
    "10.0.0.1",
    "::ffff:10.0.0.2",
    "10.1",
    "2026-01-01T00:00:01Z",
    "2026-01-01T13:00:00+14:00",
    "2026-01-02",
    "1",
    "{\"n\":1}",
    "{\"n\":1,\"n\":2}",
    "\"/a\"",
    "https://a.test/a",
    "https://A.test/a",
    "http://127.0.0.1:8080/",
];

fn capabilities() -> impl Strategy<Value = Scope> {
    let argument = || prop::option::weighted(0.7, constraints());
    (prop_oneof![4 => Just("t"), 1 => Just("u")], argument(), argument(), 0..4u8).prop_map(
        |(tool, n, s, open)| {
            let scope = Scope::tool(tool);
            if open == 3 {
                return scope.any_args();
            }
            let scope = n.into_iter().fold(scope, |scope, own| scope.arg("n", own));
            let scope = s.into_iter().fold(scope, |scope, own| scope.arg("s", own));
            if open > 0 { scope.other_args() } else { scope }
        },
    )
}

fn scopes() -> impl Strategy<Value = Scope> {
    prop::collection::vec(capabilities(), 1..3)
        .prop_map(|all| all.into_iter().fold(Scope::default(), Scope::and))
}

fn calls() -> impl Strategy<Value = Call> {
    let value = || {
        prop_oneof![
            2 => Just(None),
            3 => (0..5i64).prop_map(|n| Some(json!(n))),
            3 => "[ab]{0,2}".prop_map(|text| Some(json!(text))),
            3 => prop::sample::select(&READ[..]).prop_map(|text| Some(json!(text))),
            1 => prop::collection::vec("[ab]", 0..3).prop_map(|list| Some(json!(list))),
            1 => Just(Some(Value::Null)),
        ]
    };
    (prop_oneof![5 => Just("t"), 1 => Just("u")], value(), value(), any_bool()).prop_map(
        |(tool, n, s, other)| {
            let mut args = serde_json::Map::new();
            args.extend(n.map(|value| ("n".to_owned(), value)));
            args.extend(s.map(|value| ("s".to_owned(), value)));
            args.extend(other.then(|| ("x".to_owned(), json!(1))));
            Call::new(tool, Value::Object(args)).unwrap()
        },
    )
}

fn any_bool() -> impl Strategy<Value = bool> {
    prop::bool::weighted(0.1)
}

/// A scope, and the second from the start at which it ends.
fn hops() -> impl Strategy<Value = Vec<(Scope, Option<i64>)>> {
    prop::collection::vec((scopes(), prop::option::weighted(0.3, 1..12i64)), 1..5)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// P4, attacks 50 to 52, 60 and 65: a chain allows exactly what each of its scopes, granted
    /// alone, allows at that instant; so whatever it allows, every ancestor allows.
    #[test]
    fn a_child_never_exceeds_its_parent(
        root in scopes(), hops in hops(), calls in prop::collection::vec(calls(), 12), now in 0..12i64,
    ) {
        let setup = setup();
        let grant = setup.grant(&root);
        let alone: Vec<Grant> = hops.iter().map(|(scope, _)| setup.grant(scope)).collect();
        let mut chain = Vec::new();
        for (scope, ends) in &hops {
            let parent = chain.last().unwrap_or(grant.token());
            chain.push(parent.attenuate(scope, ends.map(at)).unwrap());
        }
        setup.clock.advance(Duration::from_secs(now as u64));
        for call in &calls {
            let mut expected = setup.allows(grant.token(), call);
            for ((token, alone), (_, ends)) in chain.iter().zip(&alone).zip(&hops) {
                expected &= setup.allows(alone.token(), call) && ends.is_none_or(|end| now < end);
                prop_assert_eq!(setup.allows(token, call), expected, "{:?}", call);
            }
        }
    }

    /// P4, attacks 57 and 58: whatever is made from the frames and tags of tokens somebody has,
    /// nothing allows a call that one of those tokens does not allow.
    #[test]
    fn splicing_reordering_and_truncating_never_widen(
        root in scopes(), ours in hops(), theirs in hops(),
        edits in prop::collection::vec((arbitrary::<u8>(), arbitrary::<prop::sample::Index>(), arbitrary::<prop::sample::Index>()), 1..4),
        seal in 0..4u8,
        calls in prop::collection::vec(calls(), 6),
    ) {
        let setup = setup();
        let grant = setup.grant(&root);
        let other = setup.grant(&root);
        let chain = |grant: &Grant, hops: &[(Scope, Option<i64>)]| {
            hops.iter().fold(Token::from_text(grant.token().expose().to_owned()), |token, (scope, end)| {
                token.attenuate(scope, end.map(at)).unwrap()
            })
        };
        let (ours, theirs) = (chain(&grant, &ours), chain(&other, &theirs));
        let (mut frames, tag) = take_apart(&ours);
        let (others, other_tag) = take_apart(&theirs);
        for (edit, at, from) in edits {
            let at = at.index(frames.len().max(1));
            match edit % 5 {
                0 if frames.len() > 1 => { frames.remove(at); }
                1 => { let to = from.index(frames.len()); frames.swap(at, to); }
                2 => { let again = frames[at].clone(); frames.insert(at, again); }
                3 => frames[at] = others[from.index(others.len())].clone(),
                _ => frames.insert(at, others[from.index(others.len())].clone()),
            }
        }
        // Every tag that can be worked out: the two known ones, or one that follows from them.
        let last = frames.last().unwrap().clone();
        let tag = match seal {
            0 => tag,
            1 => other_tag,
            2 => sign(&tag, &last),
            _ => sign(&other_tag, &last),
        };
        let text = format!("hp1.{}.{}", URL_SAFE_NO_PAD.encode(frames.concat()), URL_SAFE_NO_PAD.encode(tag));
        let forged = Token::from_text(text);
        for call in &calls {
            if setup.allows(&forged, call) {
                prop_assert!(setup.allows(&ours, call) || setup.allows(&theirs, call), "{:?}", call);
            }
        }
    }

    /// P12: each presentation gives at most one permit, for its call, near its time; and the model
    /// says which.
    #[test]
    fn a_captured_call_is_worth_one_call(steps in prop::collection::vec(steps(), 1..40)) {
        let setup = setup();
        let grant = setup.grant(&Scope::tool("t").any_args().and_tool("u").any_args());
        let context = Context::new();
        let mut made: Vec<(Presentation, usize, i64)> = Vec::new();
        let mut spent = BTreeSet::new();
        let mut now = 0;
        for step in steps {
            match step {
                Step::Present { call, ahead } => {
                    let of = now + ahead;
                    made.push((grant.token().present(&small_call(call), at(of)).unwrap(), call, of));
                }
                Step::Wait(seconds) => {
                    now += seconds;
                    setup.clock.advance(Duration::from_secs(seconds as u64));
                }
                Step::Try { which, call } if !made.is_empty() => {
                    let which = which.index(made.len());
                    let (presentation, bound_to, of) = &made[which];
                    let near = (now - of).abs() < 30;
                    let alive = now < 100 && *bound_to == call && near && at(now) == setup.clock.read().unwrap().wall;
                    let expected = alive && !spent.contains(&which);
                    if alive {
                        spent.insert(which);
                    }
                    let given = setup.gate.authorize(presentation, &setup.agent, small_call(call), &context);
                    prop_assert_eq!(given.is_ok(), expected);
                }
                Step::Try { .. } => {}
            }
        }
    }

    /// P12: a presentation that was touched is worth nothing.
    #[test]
    fn a_changed_presentation_is_refused(at_byte in arbitrary::<prop::sample::Index>(), bit in 0..8u8) {
        let setup = setup();
        let grant = setup.grant(&Scope::tool("t").any_args());
        let presentation = grant.token().present(&small_call(0), at(0)).unwrap();
        let mut bytes = presentation.expose().as_bytes().to_vec();
        bytes[at_byte.index(presentation.expose().len())] ^= 1 << bit;
        if let Ok(text) = String::from_utf8(bytes) {
            prop_assert!(!setup.allows(&Token::from_text(text), &small_call(0)));
        }
        prop_assert!(setup.gate.check(&presentation, &setup.agent, &small_call(0), &Context::new()).is_ok());
    }
}

#[derive(Clone, Debug)]
enum Step {
    Present { call: usize, ahead: i64 },
    Wait(i64),
    Try { which: prop::sample::Index, call: usize },
}

fn steps() -> impl Strategy<Value = Step> {
    prop_oneof![
        2 => (0..3usize, -35..36i64).prop_map(|(call, ahead)| Step::Present { call, ahead }),
        1 => (1..12i64).prop_map(Step::Wait),
        4 => (arbitrary::<prop::sample::Index>(), 0..3usize).prop_map(|(which, call)| Step::Try { which, call }),
    ]
}

/// Calls that differ in tool only, or in arguments only.
fn small_call(number: usize) -> Call {
    let (tool, n) = [("t", 0), ("t", 1), ("u", 0)][number];
    Call::new(tool, json!({ "n": n })).unwrap()
}

/// The frames of a token, and its tag.
fn take_apart(token: &Token) -> (Vec<Vec<u8>>, Vec<u8>) {
    let (body, tag) = token.expose().strip_prefix("hp1.").unwrap().split_once('.').unwrap();
    let body = URL_SAFE_NO_PAD.decode(body).unwrap();
    let mut frames = Vec::new();
    let mut left = &*body;
    while !left.is_empty() {
        let (frame, rest) = left.split_at(2 + usize::from(u16::from_be_bytes([left[0], left[1]])));
        frames.push(frame.to_vec());
        left = rest;
    }
    (frames, URL_SAFE_NO_PAD.decode(tag).unwrap())
}

fn sign(key: &[u8], message: &[u8]) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref().to_vec()
}
