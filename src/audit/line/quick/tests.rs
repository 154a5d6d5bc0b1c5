//! The quick text is the text that `serde` gives.

use proptest::prelude::*;

use super::super::timed;
use super::*;
use crate::audit::How;

fn words() -> impl Strategy<Value = Cow<'static, str>> {
    prop_oneof!["[ -~]{0,12}", any::<String>(), "[\"\\\\\u{7f}\n\u{202e}a]{0,4}"]
        .prop_map(Cow::Owned)
}

fn maybe() -> impl Strategy<Value = Option<Cow<'static, str>>> {
    proptest::option::of(words())
}

prop_compose! {
    fn permitted()(
        (task, grant, who, tool, args) in (words(), words(), words(), words(), words()),
        (generation, serial, epoch) in any::<(u64, u64, u64)>(),
        (resource_type, resource_id, context) in (maybe(), maybe(), maybe()),
        (rules, acts_for) in (
            proptest::collection::vec(words(), 0..4), proptest::collection::vec(words(), 0..3),
        ),
        (break_glass, passed, trace) in
            (any::<bool>(), proptest::collection::vec(words(), 0..3), maybe()),
    ) -> Event<'static> {
        Event::Permitted {
            task, generation, grant, serial, who, acts_for, tool, resource_type, resource_id, args,
            context, rules, approvals: vec![], spent: vec![],
            epoch, break_glass, passed, trace, plain: None,
        }
    }
}

prop_compose! {
    fn denied()(
        stage in proptest::sample::select(vec![
            Stage::Open, Stage::Request, Stage::Delegate, Stage::Renew, Stage::Call, Stage::Run,
        ]),
        (task, grant, who, tool, args) in (maybe(), maybe(), maybe(), maybe(), maybe()),
        (resource_type, resource_id, context) in (maybe(), maybe(), maybe()),
        scope in proptest::option::of(scopes().prop_map(Cow::Owned)),
        (generation, epoch) in any::<(Option<u64>, Option<u64>)>(),
        (code, reason, break_glass, trace) in (words(), words(), any::<bool>(), maybe()),
        rules in proptest::collection::vec(words(), 0..4),
    ) -> Event<'static> {
        Event::Denied {
            stage, task, generation, grant, who, tool, resource_type, resource_id, args, scope,
            context, code, reason, rules, epoch, break_glass, trace, plain: None,
        }
    }
}

prop_compose! {
    fn granted()(
        (task, grant, parent, trace) in (words(), words(), maybe(), maybe()),
        (requester, holder, policy) in (words(), words(), words()),
        (generation, serial, epoch) in any::<(u64, u64, u64)>(),
        (expires, starts) in (0_i64..1 << 40, proptest::option::of(0_i64..1 << 40)),
        scope in scopes(),
        (rules, approvals, acts_for, aliases) in (
            proptest::collection::vec(words(), 0..4), proptest::collection::vec(words(), 0..3),
            proptest::collection::vec(words(), 0..3), proptest::collection::vec(words(), 0..3),
        ),
    ) -> Event<'static> {
        let at = |millis| crate::clock::Timestamp::from_unix_millis(millis).unwrap();
        let (expires, starts) = (at(expires), starts.map(at));
        let scope = Cow::Owned(scope);
        Event::Granted {
            task, generation, grant, serial, parent, requester, holder, acts_for, aliases, scope, rules, approvals,
            epoch, policy, starts, expires, trace, plain: None,
        }
    }
}

/// As serde spells them, too: of integers, and of texts without the controls that it names in its own
/// way.
fn scopes() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[ -~]{0,8}", "[\"\\\\\u{7f}\n\u{202e}\u{3164}\u{e0041}a]{0,4}"];
    proptest::collection::vec((text, any::<i64>()), 0..4).prop_map(|parts| {
        let part = |(text, number): (String, i64)| {
            Value::List(vec![Value::from(text), Value::from(number)])
        };
        Value::List(parts.into_iter().map(part).collect())
    })
}

prop_compose! {
    fn opened()(
        (task, who, who_kind, purpose) in (words(), words(), words(), words()),
        (ticket, intent) in (maybe(), maybe()),
        (generation, ceiling) in (any::<u64>(), 0_i64..1 << 40),
        acts_for in proptest::collection::vec(words(), 0..3),
    ) -> Event<'static> {
        let ceiling = Timestamp::from_unix_millis(ceiling).unwrap();
        Event::Opened { task, generation, who, who_kind, acts_for, purpose, ticket, intent, ceiling }
    }
}

prop_compose! {
    fn ended()(
        (task, reason, generation) in (words(), maybe(), any::<u64>()),
        how in proptest::sample::select(vec![
            How::Completed, How::Failed, How::Dropped, How::Revoked, How::Ceiling, How::Closed,
            How::Interrupted, How::Lost,
        ]),
        (running, unsettled) in (proptest::collection::vec(any::<u64>(), 0..4), any::<bool>()),
    ) -> Event<'static> {
        Event::Ended { task, generation, how, reason, running, unsettled }
    }
}

prop_compose! {
    fn outcome()(
        task in words(),
        (generation, of, task_over, break_glass) in any::<(u64, u64, bool, bool)>(),
        noted in prop_oneof![Just(0), any::<u64>()],
        outcome in proptest::sample::select(vec![
            Outcome::Ok, Outcome::Error, Outcome::Abandoned, Outcome::Interrupted,
            Outcome::Forwarded, Outcome::Unknown,
        ]),
    ) -> Event<'static> {
        Event::Outcome { task, generation, of, outcome, task_over, noted, break_glass }
    }
}

proptest! {
    /// attack 134
    #[test]
    fn the_quick_text_is_the_text_of_serde(
        event in prop_oneof![permitted(), granted(), denied(), opened(), ended(), outcome()],
    ) {
        let at = Timestamp::from_unix_millis(1_767_225_600_000).unwrap();
        prop_assert_eq!(text(at, &event).unwrap(), timed(at, &json(&event).unwrap()));
    }
}
