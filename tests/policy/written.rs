//! Policies at random, built in Rust and written as text.

use std::time::Duration;

use hallpass::clock::Timestamp;
use hallpass::clock::format_duration;
use hallpass::policy::{ApprovalTerms, Per, Reviewers, Rule};
use hallpass::scope::{
    Constraint, ValueType, above, absent, after, all_of, any, any_of, before, below, cidr,
    contains, count, each, eq, fields, glob, has_all, has_any, items, joined, json as json_of, len,
    max, min, not, of_type, one_of, prefix, present, reference, regex, same_as, some, subset_of,
    suffix, under, weekly,
};
use proptest::prelude::{any as arbitrary, *};
use serde_json::{Map, Value, json};

/// A constraint twice: as Rust builds it and as a policy writes it.
type Both = (Constraint, Value);

pub(crate) fn leaf() -> impl Strategy<Value = Both> {
    let text = "[a-c/]{1,3}";
    let words = || prop::collection::vec("[a-c]{1,2}", 1..4);
    prop_oneof![
        Just((any(), json!("any"))),
        Just((present(), json!({"present": true}))),
        Just((absent(), json!({"present": false}))),
        Just((same_as("who.attrs.team"), json!({"same_as": "who.attrs.team"}))),
        Just((eq(serde_json_value(&json!([]))), json!({"eq": []}))),
        Just((eq("any"), json!({"eq": "any"}))),
        arbitrary::<i64>().prop_map(|n| (eq(n), json!(n))),
        arbitrary::<bool>().prop_map(|b| (eq(b), json!(b))),
        text.prop_map(|t| (eq(t.as_str()), json!({"eq": t}))),
        words().prop_map(|w| (one_of(w.iter().map(String::as_str)), json!({"one_of": w}))),
        (arbitrary::<i32>(), 0..9u8).prop_map(|(n, more)| {
            let high = i64::from(n) + i64::from(more);
            (min(n).and(max(high)), json!({"min": n, "max": high}))
        }),
        arbitrary::<u64>().prop_map(|n| (above(n), json!({"above": n}))),
        arbitrary::<i64>().prop_map(|n| (below(n), json!({"below": n}))),
        text.prop_map(|t| (prefix(&t), json!({"prefix": t}))),
        (text, text)
            .prop_map(|(a, b)| (suffix(&a).and(contains(&b)), json!({"suffix": a, "contains": b}))),
        text.prop_map(|t| (glob(&format!("{t}*")), json!({"glob": format!("{t}*")}))),
        (0..5u64, 0..5u64).prop_map(|(low, more)| {
            (len(low..=low + more), json!({"len": {"min": low, "max": low + more}}))
        }),
        (0..5u64).prop_map(|least| (len(least..), json!({"len": {"min": least}}))),
        (0..5u64).prop_map(|exactly| (count(exactly), json!({"count": exactly}))),
        words().prop_map(|w| (subset_of(w.iter().map(String::as_str)), json!({"subset_of": w}))),
        words().prop_map(|w| (has_any(w.iter().map(String::as_str)), json!({"has_any": w}))),
        words().prop_map(|w| (has_all(w.iter().map(String::as_str)), json!({"has_all": w}))),
        read_as_something(),
    ]
}

/// Kinds that read a text as something, and those that name another part of the question.
fn read_as_something() -> impl Strategy<Value = Both> {
    let word = "[a-c]{1,2}";
    let at = |day: u8| format!("2026-01-{day:02}T00:00:00Z");
    let instant = move |day| Timestamp::parse_rfc3339(&at(day)).unwrap();
    prop_oneof![
        Just((of_type(ValueType::Integer), json!({"type": "integer"}))),
        word.prop_map(|w| (regex(&format!("{w}+")), json!({"regex": format!("{w}+")}))),
        word.prop_map(|w| (under(&format!("/{w}")), json!({"under": format!("/{w}")}))),
        (0..9u8).prop_map(|n| {
            let network = format!("10.{n}.0.0/16");
            (cidr([&network]), json!({"cidr": [network]}))
        }),
        (1..9u8, 1..9u8).prop_map(move |(from, more)| {
            let both = after(instant(from)).and(before(instant(from + more)));
            (both, json!({"after": at(from), "before": at(from + more)}))
        }),
        Just((
            weekly(&["mon", "fri"], "09:00", "17:00", "+01:00"),
            json!({"weekly": {"days": ["mon", "fri"], "from": "09:00", "until": "17:00", "offset": "+01:00"}})
        )),
        word.prop_map(|w| {
            let fact = format!("args.{w}");
            (reference(&fact).as_max(), json!({"max": {"ref": fact}}))
        }),
        Just((reference("when.words").as_one_of(), json!({"one_of": {"ref": "when.words"}}))),
        word.prop_map(|w| {
            let own = joined(&format!("/{w}")).and_part("who.attrs.user").as_under();
            (own, json!({"under": {"join": [format!("/{w}"), {"ref": "who.attrs.user"}]}}))
        }),
    ]
}

pub(crate) fn constraint() -> impl Strategy<Value = Both> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        let several = || prop::collection::vec(inner.clone(), 1..3);
        let named = prop::collection::btree_map("[a-c]{1,2}", inner.clone(), 0..3);
        prop_oneof![
            inner.clone().prop_map(|(c, v)| (not(c), json!({"not": v}))),
            inner.clone().prop_map(|(c, v)| (each(c), json!({"each": v}))),
            inner.clone().prop_map(|(c, v)| (some(c), json!({"some": v}))),
            inner.clone().prop_map(|(c, v)| (json_of(c), json!({"json": v}))),
            (several(), prop::option::of(inner.clone())).prop_map(|(parts, rest)| {
                let (own, written): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
                match rest {
                    None => (items(own), json!({"items": written})),
                    Some((rest, more)) => {
                        (items(own).rest(rest), json!({"items": written, "rest": more}))
                    }
                }
            }),
            several().prop_map(|parts| {
                let (own, written): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
                (all_of(own), json!({"all": written}))
            }),
            several().prop_map(|parts| {
                let (own, written): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
                (any_of(own), json!({"any": written}))
            }),
            (named, arbitrary::<bool>()).prop_map(|(named, open)| {
                let written: Map<String, Value> =
                    named.iter().map(|(name, (_, v))| (name.clone(), v.clone())).collect();
                let own = fields(named.into_iter().map(|(name, (c, _))| (name, c)));
                if open {
                    (own.other_fields(), json!({"fields": written, "other_fields": "any"}))
                } else {
                    (own, json!({"fields": written}))
                }
            }),
        ]
    })
}

pub(crate) fn serde_json_value(value: &Value) -> hallpass::value::Value {
    value.try_into().unwrap()
}

/// A rule twice.
pub(crate) fn rule(id: usize) -> impl Strategy<Value = (Rule, Value)> {
    let who = prop::option::of(constraint());
    let args = prop::collection::btree_map("[a-z.]{1,4}", constraint(), 0..4);
    let when = prop::collection::btree_map("[a-z]{1,4}", constraint(), 0..2);
    let grant = (prop::option::of(1..90u64), prop::option::of(1..9u64), arbitrary::<bool>());
    (0..3u8, who, args, when, grant, arbitrary::<bool>()).prop_map(
        move |(effect, who, args, when, (minutes, uses, rated), open)| {
            let id = format!("rule-{id}");
            let (mut rule, effect) = match effect {
                0 => (Rule::permit(id.as_str()), "permit"),
                1 => (Rule::ask(id.as_str()), "ask"),
                _ => (Rule::forbid(id.as_str()), "forbid"),
            };
            let mut what = Map::from_iter([("tool".to_owned(), json!("db.query"))]);
            rule = rule.tool("db.query");
            if !args.is_empty() {
                let written: Map<String, Value> =
                    args.iter().map(|(name, (_, v))| (name.clone(), v.clone())).collect();
                what.insert("args".into(), written.into());
                rule = args.iter().fold(rule, |rule, (name, (c, _))| rule.arg(name, c.clone()));
            }
            if effect == "permit" && open {
                what.insert("other_args".into(), json!("any"));
                rule = rule.other_args();
            }
            let mut written = json!({"id": id, "effect": effect, "what": what});
            if let Some((own, value)) = who {
                rule = rule.who_attr("team", own);
                written["who"] = json!({"attrs": {"team": value}});
            }
            for (name, (own, value)) in when.into_iter().filter(|(name, _)| name != "seen") {
                rule = rule.when(&name, own);
                written["when"][name] = value;
            }
            if effect == "permit" {
                if let Some(minutes) = minutes {
                    let ttl = Duration::from_secs(60 * minutes);
                    rule = rule.ttl(ttl);
                    written["grant"]["ttl"] = json!(format_duration(ttl));
                }
                if let Some(uses) = uses {
                    rule = rule.uses(uses).budget("args.sum", uses);
                    written["grant"]["uses"] = json!(uses);
                    written["grant"]["budget"] = json!({"args.sum": uses});
                }
                if rated {
                    rule = rule.rate(10, Duration::from_secs(60)).depth(2);
                    written["grant"]["rate"] = json!("10/1m");
                    written["grant"]["depth"] = json!(2);
                }
            }
            if effect == "ask" {
                let terms = ApprovalTerms::per(Per::Task)
                    .review(Reviewers::in_groups(has_any(["owners"])).count(2))
                    .expires(Duration::from_secs(60));
                rule = rule.approval(terms);
                let review = json!([{"groups": {"has_any": ["owners"]}, "count": 2}]);
                written["approval"] = json!({"review": review, "per": "task", "expires": "1m"});
            }
            (rule, written)
        },
    )
}

pub(crate) fn rules() -> impl Strategy<Value = Vec<(Rule, Value)>> {
    (1..4usize).prop_flat_map(|count| (0..count).map(rule).collect::<Vec<_>>())
}

pub(crate) fn document(rules: &[Value]) -> Value {
    json!({"version": 1, "tool": [{"name": "db.query", "labels": ["private"]}], "rule": rules})
}

/// TOML of a JSON document without null: tables inline.
pub(crate) fn toml_of(document: &Value) -> String {
    let entries = document.as_object().unwrap().iter();
    entries.map(|(key, value)| format!("{key} = {}\n", inline(value))).collect()
}

pub(crate) fn inline(value: &Value) -> String {
    match value {
        Value::Array(list) => {
            format!("[{}]", list.iter().map(inline).collect::<Vec<_>>().join(", "))
        }
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| format!("\"{key}\" = {}", inline(value)));
            format!("{{ {} }}", entries.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}
