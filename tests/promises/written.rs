//! The universe as policies are written: the same policy as text.

use hallpass::clock::format_duration;
use hallpass::policy::{Effect, Moment, Policy};
use serde_json::{Map, Value as Json, json};
use std::time::Duration;

use crate::life_defaults::default_in;
use crate::small::{CREDENTIAL, MINTS};
use crate::universe::*;

/// How much a writer leaves to what is usual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// As Rust says it, part by part.
    Long,
    /// Bare values, one table for several kinds, and nothing that is understood unsaid.
    Short,
}

impl V {
    pub(crate) fn written(&self) -> Json {
        match self {
            V::Null => Json::Null,
            V::Bool(own) => json!(own),
            V::Halves(n) if n % 2 == 0 => json!(n / 2),
            V::Halves(n) => json!(*n as f64 / 2.0),
            V::Text(own) => json!(own),
            V::List(list) => values(list),
            V::Object(fields) => {
                fields.iter().map(|(name, own)| (name.clone(), own.written())).collect()
            }
        }
    }
}

fn values(set: &[V]) -> Json {
    set.iter().map(V::written).collect()
}

impl C {
    pub(crate) fn written(&self, style: Style) -> Json {
        let all = |parts: &[C]| parts.iter().map(|own| own.written(style)).collect::<Vec<_>>();
        let is_short = style == Style::Short;
        let counted = |low: &u64, high: &u64| match low == high && is_short {
            true => json!(low),
            false => json!({"min": low, "max": high}),
        };
        let hour = |hour: &i64| format!("{hour:02}:00");
        match self {
            C::Any => json!("any"),
            C::Present(there) => json!({"present": there}),
            C::Eq(V::Text(own)) if is_short && own != "any" => json!(own),
            C::Eq(own @ (V::Bool(_) | V::Halves(_))) if is_short => own.written(),
            C::Eq(own) => json!({"eq": own.written()}),
            C::OneOf(set) => json!({"one_of": values(set)}),
            C::SameAs(fact) if is_short => json!({"eq": {"ref": fact}}),
            C::SameAs(fact) => json!({"same_as": fact}),
            C::Ref(word, with) => match word.strip_suffix("_in") {
                Some(word) => json!({"order": "level", word: with.written()}),
                None => json!({*word: with.written()}),
            },
            C::Min(n) => json!({"min": V::Halves(*n).written()}),
            C::Max(n) => json!({"max": V::Halves(*n).written()}),
            C::Above(n) => json!({"above": V::Halves(*n).written()}),
            C::Below(n) => json!({"below": V::Halves(*n).written()}),
            C::Level(word, level) => {
                json!({"order": "level", word.strip_suffix("_in").unwrap(): level})
            }
            C::Prefix(text) => json!({"prefix": text}),
            C::Suffix(text) => json!({"suffix": text}),
            C::Contains(text) => json!({"contains": text}),
            C::Glob(pattern) => json!({"glob": pattern}),
            C::Len(low, high) => json!({"len": counted(low, high)}),
            C::Type(own) => json!({"type": own.as_str()}),
            C::Regex(pattern) => json!({"regex": pattern}),
            C::Under(folder) => json!({"under": folder}),
            C::Cidr(networks) => match networks.as_slice() {
                [only] if is_short => json!({"cidr": only}),
                several => json!({"cidr": several}),
            },
            C::After(seconds) => json!({"after": at(*seconds).to_string()}),
            C::Before(seconds) => json!({"before": at(*seconds).to_string()}),
            C::Weekly(days, from, until) => {
                let mut own = json!({"days": days, "from": hour(from), "until": hour(until)});
                if !is_short {
                    own["offset"] = json!("+00:00");
                }
                json!({"weekly": own})
            }
            #[cfg(feature = "zones")]
            C::WeeklyIn(days, from, until) => {
                let (from, until) = (hour(from), hour(until));
                let zone = "Europe/Berlin";
                json!({"weekly": {"days": days, "from": from, "until": until, "zone": zone}})
            }
            C::Json(inner) => json!({"json": inner.written(style)}),
            #[cfg(feature = "url")]
            C::Url(said) => json!({"url": said.written()}),
            C::Fields(named, open) => {
                let fields = named.iter().map(|(name, own)| (name.clone(), own.written(style)));
                let mut own = json!({"fields": fields.collect::<Map<_, _>>()});
                if *open {
                    own["other_fields"] = json!("any");
                }
                own
            }
            C::Each(inner) => json!({"each": inner.written(style)}),
            C::Some(inner) => json!({"some": inner.written(style)}),
            C::Items(places, rest) => {
                let mut own = json!({"items": all(places)});
                if let Some(rest) = rest {
                    own["rest"] = rest.written(style);
                }
                own
            }
            C::Count(low, high) => json!({"count": counted(low, high)}),
            C::SubsetOf(set) => json!({"subset_of": values(set)}),
            C::HasAny(set) => json!({"has_any": values(set)}),
            C::HasAll(set) => json!({"has_all": values(set)}),
            C::All(parts) if is_short => in_one_table(all(parts)),
            C::All(parts) => json!({"all": all(parts)}),
            C::AnyOf(parts) => json!({"any": all(parts)}),
            C::Not(inner) => json!({"not": inner.written(style)}),
        }
    }
}

/// What holds together stands in one table, where no two say the same word: an order is said of all bounds next to it.
fn in_one_table(parts: Vec<Json>) -> Json {
    let mut table = Map::new();
    for part in &parts {
        match part {
            Json::Object(own)
                if !own.contains_key("order") && own.keys().all(|key| !table.contains_key(key)) =>
            {
                table.extend(own.clone());
            }
            _ => return json!({"all": parts}),
        }
    }
    Json::Object(table)
}

impl RefSaid {
    fn written(&self) -> Json {
        match self {
            RefSaid::Part(name) => json!({"ref": name}),
            RefSaid::Joined(before, name, None) => json!({"join": [before, {"ref": name}]}),
            RefSaid::Joined(before, name, Some(behind)) => {
                json!({"join": [before, {"ref": name}, behind]})
            }
        }
    }
}

#[cfg(feature = "url")]
impl UrlSaid {
    fn written(&self) -> Json {
        match self {
            UrlSaid::AnyHost => json!({"host": "any"}),
            UrlSaid::Host(name) => json!({"host": name}),
            UrlSaid::Below(name) => json!({"host": {"subdomain_of": name}}),
            UrlSaid::Under(folder) => json!({"host": ["any"], "path": {"under": folder}}),
            UrlSaid::Path(path) => json!({"host": "any", "path": path}),
            UrlSaid::Begins(start) => json!({"host": "any", "path": {"prefix": start}}),
            UrlSaid::Like(pattern) => json!({"host": "any", "path": [{"glob": pattern}]}),
            UrlSaid::Http(name) => json!({"host": name, "scheme": "http"}),
            UrlSaid::Port(port) => json!({"host": "any", "port": [port]}),
        }
    }
}

/// Puts a value into a table of tables.
fn put(table: &mut Json, path: &[&str], value: Json) {
    let place = path.iter().fold(table, |table, key| &mut table[*key]);
    *place = value;
}

/// Where a rule says something of a part of the question.
fn path(fact: &F) -> Vec<&str> {
    match fact {
        F::WhoId => vec!["who", "id"],
        F::WhoKind => vec!["who", "kind"],
        F::WhoGroups => vec!["who", "groups"],
        F::WhoActsFor => vec!["who", "acts_for"],
        F::WhoAttr(name) => vec!["who", "attrs", name],
        F::Purpose => vec!["why", "purpose"],
        F::Ticket => vec!["why", "ticket"],
        F::When(name) => vec!["when", name],
        F::Seen => vec!["when", "seen"],
        F::Labels => vec!["what", "labels"],
        F::ResourceType => vec!["what", "resource", "type"],
        F::ResourceId => vec!["what", "resource", "id"],
        F::ResourceAttr(name) => vec!["what", "resource", "attrs", name],
        F::Arg(name) => vec!["what", "args", name],
    }
}

/// What is said of one part more than once stands together.
fn conditions(table: &mut Json, said: &[(F, C)], style: Style) {
    let mut once: Vec<(&F, Vec<C>)> = Vec::new();
    for (fact, c) in said {
        match once.iter_mut().find(|(own, _)| *own == fact) {
            Some((_, parts)) => parts.push(c.clone()),
            None => once.push((fact, vec![c.clone()])),
        }
    }
    for (fact, mut parts) in once {
        let c = if parts.len() == 1 { parts.remove(0) } else { C::All(parts) };
        put(table, &path(fact), c.written(style));
    }
}

impl RuleSaid {
    pub(crate) fn written(&self, style: Style) -> Json {
        let mut rule = json!({"id": self.id, "effect": self.effect.as_str()});
        rule["on"] = self.moments.iter().map(|own| own.as_str()).collect();
        match &self.tools {
            ToolsSaid::Unsaid => {}
            ToolsSaid::Any => put(&mut rule, &["what", "tool"], json!("any")),
            ToolsSaid::Named(names) => {
                let own = match names.as_slice() {
                    [only] => json!(only),
                    several => json!({"one_of": several}),
                };
                put(&mut rule, &["what", "tool"], own);
            }
            ToolsSaid::Like(c) => put(&mut rule, &["what", "tool"], c.written(style)),
        }
        conditions(&mut rule, &self.conditions, style);
        for (is_said, key) in [
            (self.any_args, "args"),
            (self.other_args && !self.any_args, "other_args"),
            (self.any_resource, "resource"),
        ] {
            if is_said {
                put(&mut rule, &["what", key], json!("any"));
            }
        }
        let exceptions = self.unless.iter().map(|said| {
            let mut own = json!({});
            conditions(&mut own, said, style);
            own
        });
        match exceptions.collect::<Vec<_>>().as_slice() {
            [] => {}
            [only] if style == Style::Short => rule["unless"] = only.clone(),
            several => rule["unless"] = json!(several),
        }
        for (key, seconds) in [("from", self.from), ("until", self.until)] {
            if let Some(seconds) = seconds {
                put(&mut rule, &["valid", key], json!(at(seconds).to_string()));
            }
        }
        if let Some(form) = self.form {
            rule["presentation"] = json!(form.as_str());
        }
        if self.effect == Effect::Ask {
            let review = json!([{"groups": {"has_any": ["owners"]}}]);
            let per = if self.per_task { "task" } else { "call" };
            rule["approval"] = json!({"review": review, "per": per});
        }
        self.write_limits(&mut rule);
        rule
    }

    fn write_limits(&self, rule: &mut Json) {
        let LimitsSaid { ttl, max_life, idle, uses, uses_in, rate, .. } = self.limits;
        let LimitsSaid { budget_halves, budget_in, depth, per_identity, .. } = self.limits;
        let is_emergency =
            self.effect == Effect::Permit && self.moments.contains(&Moment::BreakGlass);
        let length = |seconds| format_duration(Duration::from_secs(seconds));
        let within = |most: Json, seconds| json!(format!("{most}/{}", length(seconds)));
        let ttl = if is_emergency { ttl.or(Some(60)) } else { ttl };
        let uses_in = uses_in.filter(|_| uses.is_none());
        let (uses, uses_in) = if is_emergency { (uses.or(Some(3)), None) } else { (uses, uses_in) };
        let most = budget_halves.map(|most| V::Halves(most).written());
        let most_in = budget_in.map(|(most, seconds)| within(V::Halves(most).written(), seconds));
        let depth = depth.filter(|_| self.moments != [Moment::BreakGlass]);
        for (path, own) in [
            (&["grant", "ttl"][..], ttl.map(|own| json!(length(own)))),
            (&["grant", "max_life"], max_life.map(|own| json!(length(own)))),
            (&["grant", "idle"], idle.map(|own| json!(length(own)))),
            (&["grant", "uses"], uses.map(|own| json!(own))),
            (&["grant", "uses"], uses_in.map(|(own, seconds)| within(json!(own), seconds))),
            (&["grant", "rate"], rate.map(|(own, seconds)| within(json!(own), seconds))),
            (&["grant", "budget", "args.n"], most_in.or(most)),
            (&["grant", "depth"], depth.map(|own| json!(own))),
            (&["grant", "per"], per_identity.then(|| json!("identity"))),
        ] {
            if let Some(own) = own {
                put(rule, path, own);
            }
        }
        if is_emergency {
            let review = json!([{"groups": {"has_any": ["security"]}}]);
            rule["break_glass"] = json!({"review": review, "alert": "best_effort"});
        }
    }
}

impl PolicySaid {
    pub(crate) fn written(&self, style: Style) -> Json {
        let rules: Vec<Json> = self.rules.iter().map(|own| own.written(style)).collect();
        let tools = self.catalogue.iter().flatten().map(|(name, labels)| {
            let names = ARGS.iter().chain(&["z", "extra"]);
            let plain = names.map(|name| ((*name).to_owned(), json!({"log": "plain"})));
            let mut tool = json!({"name": name, "args": plain.collect::<Map<_, _>>()});
            if !labels.is_empty() {
                tool["labels"] = json!(labels);
            }
            if labels.iter().any(|label| label == MINTS) {
                tool["credential"] = json!(CREDENTIAL);
            }
            if let Some(own) = default_in(labels) {
                tool["args"]["x"] = json!({"type": "path", "default": own, "log": "plain"});
            }
            tool
        });
        let mut policy = json!({"version": 1, "order": {"level": ORDER}, "log": {"plain": PLAIN}});
        for (key, list) in [("tool", tools.collect::<Vec<_>>()), ("rule", rules)] {
            if !list.is_empty() {
                policy[key] = json!(list);
            }
        }
        policy
    }

    /// The policy as its text loads.
    pub(crate) fn loaded(&self, style: Style) -> Policy {
        let text = self.written(style).to_string();
        Policy::from_json(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}
