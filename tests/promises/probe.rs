//! Calls and capabilities that are likely to tell.

use std::collections::BTreeMap;

use crate::model_rules::looks_at_the_call;
use crate::universe::*;

/// The capability that names just this call.
pub(crate) fn pinned(call: &CallSaid) -> CapabilitySaid {
    let eq = |text: &str| C::Eq(V::Text(text.into()));
    CapabilitySaid {
        tool: call.tool.clone(),
        args: call.args.iter().map(|(name, v)| (name.clone(), C::Eq(v.clone()))).collect(),
        other_args: false,
        resource: call
            .resource
            .as_ref()
            .map(|r| (eq(&r.kind), eq(&r.id), r.attrs.get("owner").map(|v| C::Eq(v.clone())))),
        any_resource: false,
    }
}

/// What a permit says of calls, as a capability; `None` if it takes more than a capability can say.
pub(crate) fn of_permit(rule: &RuleSaid) -> Option<CapabilitySaid> {
    let tool = match &rule.tools {
        ToolsSaid::Named(names) => names[0].clone(),
        ToolsSaid::Any => TOOLS[0].to_owned(),
        _ => return None,
    };
    let on = |fact: &F| -> Vec<C> {
        rule.conditions.iter().filter(|(own, _)| own == fact).map(|(_, c)| c.clone()).collect()
    };
    let (kind, id, owner) =
        (on(&F::ResourceType), on(&F::ResourceId), on(&F::ResourceAttr("owner".into())));
    let compares = rule.conditions.iter().any(|(_, c)| c.compares() || c.is_of_policies());
    // A capability can't say what an exception leaves of it.
    let excepts = rule.unless.iter().any(|own| looks_at_the_call(own));
    if kind.len() > 1 || id.len() > 1 || owner.len() > 1 || compares || excepts {
        return None;
    }
    Some(CapabilitySaid {
        tool,
        args: rule
            .conditions
            .iter()
            .filter_map(|(fact, c)| match fact {
                F::Arg(name) => Some((name.clone(), c.clone())),
                _ => None,
            })
            .collect(),
        other_args: rule.any_args || rule.other_args,
        resource: (!kind.is_empty())
            .then(|| (kind[0].clone(), id[0].clone(), owner.first().cloned())),
        any_resource: rule.any_resource,
    })
}

/// Calls of a capability's tool that are likely to lie within it, at least one.
pub(crate) fn inside(capability: &CapabilitySaid, others: &[CallSaid]) -> Vec<CallSaid> {
    let mut calls = Vec::new();
    for n in 0..24usize {
        let mut call =
            CallSaid { tool: capability.tool.clone(), args: BTreeMap::new(), resource: None };
        for (at, (name, c)) in capability.args.iter().enumerate() {
            let likely = likely(c);
            // The same value for all at first, then each its own.
            let pick = if n < likely.len() { n } else { n * 7 + at * 3 };
            if let Some(value) = likely.get(pick % (likely.len() + usize::from(n >= 12))) {
                call.args.insert(name.clone(), value.clone());
            }
        }
        if capability.other_args && n % 3 == 1 {
            let extra = ["extra", "x", "y", "n"][n % 4].to_owned();
            call.args.entry(extra).or_insert(V::Halves(2));
        }
        if let Some((kind, id, owner)) = &capability.resource {
            let text = |c: &C, n: usize, else_: &str| match likely(c).get(n % 2) {
                Some(V::Text(text)) if (1..64).contains(&text.len()) && is_name(text) => {
                    text.clone()
                }
                _ => else_.to_owned(),
            };
            let owners = owner.as_ref().map(likely).unwrap_or_default();
            let kind = text(kind, n, "T").replace('/', "T");
            call.resource = Some(ResourceSaid {
                kind,
                id: text(id, n, "1"),
                attrs: owners
                    .get(n % owners.len().max(1))
                    .map(|v| ("owner".to_owned(), v.clone()))
                    .into_iter()
                    .collect(),
            });
        } else if capability.any_resource && n % 4 == 1 {
            call.resource =
                Some(ResourceSaid { kind: "T".into(), id: "1".into(), attrs: BTreeMap::new() });
        }
        calls.push(call);
    }
    for other in others {
        calls.push(CallSaid { tool: capability.tool.clone(), ..other.clone() });
    }
    calls
}

/// Whether a resource may be called so.
fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Values of which a constraint may be true.
pub(crate) fn likely(c: &C) -> Vec<V> {
    let text = |t: &str| V::Text(t.into());
    let mut values = match c {
        C::Eq(value) => vec![value.clone(), V::List(vec![value.clone()])],
        C::OneOf(set) => set.iter().cloned().chain([V::List(set.clone())]).collect(),
        C::HasAny(set) | C::HasAll(set) | C::SubsetOf(set) => {
            let one = V::List(vec![set[0].clone()]);
            vec![
                V::List(set.clone()),
                one,
                V::List(set.iter().chain([&V::Null]).cloned().collect()),
            ]
        }
        C::Min(n) | C::Max(n) => vec![V::Halves(*n), V::List(vec![V::Halves(*n)])],
        C::Above(n) => vec![V::Halves(n + 1)],
        C::Below(n) => vec![V::Halves(n - 1)],
        C::Prefix(t) | C::Suffix(t) | C::Contains(t) => vec![text(t), V::List(vec![text(t)])],
        C::Under(_) => vec![text("/a"), text("/a/b"), text("a/b/c")],
        C::Cidr(_) => vec![text("10.0.0.1"), text("64:ff9b::a00:1"), text("::1")],
        C::Level(..) => ORDER.map(text).into(),
        #[cfg(feature = "zones")]
        C::WeeklyIn(..) => vec![text("2027-01-15T08:00:30Z"), text("2027-01-16T12:00:00Z")],
        C::After(_) | C::Before(_) | C::Weekly(..) => {
            vec![text("2027-01-15T08:00:30Z"), text("2027-01-16T12:00:00Z")]
        }
        C::Json(_) => ["1", "\"a\"", "[1,2]", "{\"p\":1}"].map(text).into(),
        #[cfg(feature = "url")]
        C::Url(_) => {
            let others = ["https://x.a.test/a/b", "https://a.test:8443/a", "http://127.0.0.1/"];
            [&["https://a.test/a"], &others[..]].concat().into_iter().map(text).collect()
        }
        C::Glob(_) => crate::reading::long_texts().iter().map(|own| text(own)).collect(),
        C::All(parts) | C::AnyOf(parts) => parts.iter().flat_map(likely).collect(),
        C::Each(inner) | C::Some(inner) => {
            likely(inner).into_iter().map(|v| V::List(vec![v])).collect()
        }
        C::Items(places, rest) => {
            let first = |c: &C| likely(c).first().cloned().unwrap_or(V::Null);
            let own: Vec<V> = places.iter().map(first).collect();
            let more = rest.iter().map(|rest| first(rest));
            vec![V::List(own.iter().cloned().chain(more).collect()), V::List(own)]
        }
        C::Fields(named, _) => vec![V::Object(
            named
                .iter()
                .filter_map(|(name, c)| Some((name.clone(), likely(c).first()?.clone())))
                .collect(),
        )],
        _ => Vec::new(),
    };
    values.extend([
        V::Halves(2),
        text("a"),
        text("ab"),
        text("a/b"),
        V::List(vec![text("a"), text("b")]),
        V::Halves(-1),
        text(""),
        V::Null,
        V::List(Vec::new()),
        V::List(vec![V::List(vec![text("a")])]),
        V::Bool(true),
        V::Object(BTreeMap::new()),
    ]);
    values
}
