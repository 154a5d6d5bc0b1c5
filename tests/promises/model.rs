//! What rules and scopes mean, by the book: every rule is evaluated for every question, one by one,
//! in three values.

use hallpass::identity::Kind;
use hallpass::policy::Moment;
use hallpass::token::Form;

use crate::model_values::{
    compares, empty, glob, in_list, in_relation, is_of_type, one_of, same, told,
};
use crate::reading::{self, climbs};
use crate::universe::*;

/// False, unknown, true: `and` is the least, `or` the greatest.
pub(crate) type Truth3 = u8;
pub(crate) const FALSE: Truth3 = 0;
pub(crate) const UNKNOWN: Truth3 = 1;
pub(crate) const TRUE: Truth3 = 2;

pub(crate) fn truth(holds: bool) -> Truth3 {
    if holds { TRUE } else { FALSE }
}

/// Which side asks: one that gives needs every element of a list, one that refuses any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Gives,
    Refuses,
}

/// Who, why, when, at which moment.
#[derive(Clone, Copy)]
pub(crate) struct Setting<'q> {
    pub(crate) moment: Moment,
    /// How the token is presented; before there is a call, it is not known.
    pub(crate) form: Option<Form>,
    pub(crate) who: &'q WhoSaid,
    pub(crate) why: &'q WhySaid,
    pub(crate) context: &'q ContextSaid,
    /// Labels of tools used before, without those of this call.
    pub(crate) history: &'q [String],
    pub(crate) notes: &'q NotesSaid,
    /// Milliseconds after [`START`].
    pub(crate) now: i64,
}

/// A question about one call.
#[derive(Clone, Copy)]
pub(crate) struct Question<'q> {
    pub(crate) setting: Setting<'q>,
    pub(crate) call: &'q CallSaid,
    pub(crate) labels: &'q [String],
}

impl Question<'_> {
    fn fact(&self, fact: &F) -> Option<V> {
        let Question { setting, call, labels } = self;
        let text = |t: &str| V::Text(t.to_owned());
        let texts = |list: &[String]| V::List(list.iter().map(|t| text(t)).collect());
        let resource = call.resource.as_ref();
        match fact {
            F::WhoId => Some(text(&setting.who.id)),
            F::WhoKind => Some(text(match setting.who.kind {
                Kind::Agent => "agent",
                Kind::Workload => "workload",
                Kind::Human => "human",
            })),
            F::WhoGroups => Some(texts(&setting.who.groups)),
            F::WhoActsFor => Some(texts(setting.who.acts_for.as_slice())),
            F::WhoAttr(name) => setting.who.attrs.get(name).cloned(),
            F::Purpose => Some(text(&setting.why.name)),
            F::Ticket => setting.why.ticket.as_deref().map(text),
            F::When(name) => setting.context.get(name).cloned(),
            F::Seen => {
                let all: Vec<String> = setting.history.iter().chain(*labels).cloned().collect();
                Some(texts(&all))
            }
            F::Labels => Some(texts(labels)),
            F::ResourceType => resource.map(|r| text(&r.kind)),
            F::ResourceId => resource.map(|r| text(&r.id)),
            F::ResourceAttr(name) => resource?.attrs.get(name).cloned(),
            F::Arg(name) => call.args.get(name).cloned(),
        }
    }

    fn named(&self, name: &str) -> Option<V> {
        let (root, rest) = name.split_once('.').unwrap();
        if root == "notes" {
            return Some(V::List(self.setting.notes.get(rest)?.clone()));
        }
        self.fact(&match (root, rest) {
            ("who", "id") => F::WhoId,
            ("who", "groups") => F::WhoGroups,
            ("who", attr) => F::WhoAttr(attr.strip_prefix("attrs.").unwrap().into()),
            ("why", "ticket") => F::Ticket,
            ("when", name) => F::When(name.into()),
            ("args", name) => F::Arg(name.into()),
            ("resource", attr) => F::ResourceAttr(attr.strip_prefix("attrs.").unwrap().into()),
            _ => panic!("{name}"),
        })
    }
}

pub(crate) fn condition(fact: &F, c: &C, side: Side, question: &Question<'_>) -> Truth3 {
    let absent_is = if matches!(fact, F::Arg(_)) { FALSE } else { UNKNOWN };
    Asked { side, absent_is, question }.ask(c, question.fact(fact).as_ref(), false)
}

/// What a condition says of the tool's name, which a call always has.
pub(crate) fn of_tool(tool: &str, c: &C, side: Side, question: &Question<'_>) -> Truth3 {
    Asked { side, absent_is: UNKNOWN, question }.ask(c, Some(&V::Text(tool.into())), false)
}

struct Asked<'q> {
    side: Side,
    /// What a plain kind says of something that is not there.
    absent_is: Truth3,
    question: &'q Question<'q>,
}

impl Asked<'_> {
    fn ask(&self, c: &C, value: Option<&V>, not: bool) -> Truth3 {
        let all = |answers: Vec<Truth3>| answers.into_iter().min().unwrap_or(TRUE);
        let any = |answers: Vec<Truth3>| answers.into_iter().max().unwrap_or(FALSE);
        if let Some(V::List(elements)) = value
            && self.is_of_one_value(c)
        {
            let of_element = in_list(c);
            let answers = elements.iter().map(|e| self.ask(&of_element, Some(e), not)).collect();
            return match self.side {
                _ if elements.is_empty() && compares(c) => UNKNOWN,
                Side::Gives if elements.is_empty() => FALSE,
                Side::Gives => all(answers),
                Side::Refuses => any(answers),
            };
        }
        self.ask_of_it(c, value, not)
    }

    /// Of the value itself, be it a list.
    fn ask_of_it(&self, c: &C, value: Option<&V>, not: bool) -> Truth3 {
        let all = |answers: Vec<Truth3>| answers.into_iter().min().unwrap_or(TRUE);
        let any = |answers: Vec<Truth3>| answers.into_iter().max().unwrap_or(FALSE);
        match (c, value) {
            (C::Not(inner), _) => self.ask_of_it(inner, value, !not),
            (C::All(parts), _) | (C::AnyOf(parts), _) => {
                let answers = parts.iter().map(|part| self.ask_of_it(part, value, not)).collect();
                if matches!(c, C::All(_)) != not { all(answers) } else { any(answers) }
            }
            (C::Present(wanted), _) => {
                let there = value.is_some_and(|v| *v != V::Null && *v != V::Text(String::new()));
                truth((there == *wanted) != not)
            }
            (C::SameAs(_), None) => UNKNOWN,
            (C::Ref(word, with), _) => match (self.referred(word, with), value) {
                (None, _) => UNKNOWN,
                (Some(_), None) if not => UNKNOWN,
                (Some(_), None) => self.absent_is,
                (Some(other), Some(value)) => {
                    let plain = in_relation(word, &other, value);
                    if not { TRUE - plain } else { plain }
                }
            },
            (_, None) => {
                if not {
                    UNKNOWN
                } else {
                    self.absent_is
                }
            }
            (C::Json(inner), Some(V::Text(text))) => {
                reading::json(text).map_or(UNKNOWN, |read| self.ask(inner, Some(&read), not))
            }
            #[cfg(feature = "url")]
            (C::Url(said), Some(V::Text(text))) => {
                let plain = self.url(said, text, (self.side == Side::Gives) != not);
                if not { TRUE - plain } else { plain }
            }
            (C::Each(inner) | C::Some(inner), Some(V::List(elements))) => {
                if elements.is_empty() {
                    return truth(not);
                }
                let answers = elements.iter().map(|e| self.ask(inner, Some(e), not)).collect();
                if matches!(c, C::Each(_)) != not { all(answers) } else { any(answers) }
            }
            (C::Items(places, rest), Some(V::List(elements))) => {
                // As a forbid, what is excluded under `not` looks at the places alone.
                let strict = (self.side == Side::Gives) != not;
                let beyond = strict && rest.is_none() && elements.len() > places.len();
                if beyond || elements.len() < places.len() {
                    return truth(not);
                }
                let said = places.iter().map(Some).chain(std::iter::repeat(rest.as_deref()));
                let told = elements.iter().zip(said).filter_map(|(own, said)| Some((own, said?)));
                let told = told.map(|(own, said)| self.ask(said, Some(own), not)).collect();
                if not { any(told) } else { all(told) }
            }
            (C::Fields(named, open), Some(V::Object(own))) => {
                let mut answers: Vec<Truth3> =
                    named.iter().map(|(name, field)| self.ask(field, own.get(name), not)).collect();
                let more = own.keys().any(|name| !named.contains_key(name));
                let outside = more && !open && self.side == Side::Gives;
                answers.push(truth(outside == not));
                if not { any(answers) } else { all(answers) }
            }
            (leaf, Some(value)) => {
                let plain = self.leaf(leaf, value);
                if not { TRUE - plain } else { plain }
            }
        }
    }

    /// Whether a constraint is asked of each element of a list rather than of the list.
    fn is_of_one_value(&self, c: &C) -> bool {
        let (mut element, mut list) = (false, false);
        self.kinds(c, &mut element, &mut list);
        element && !list
    }

    /// Whether some part is asked of one value, and whether some part looks at a list. What `same_as`
    /// compares with tells what that is.
    fn kinds(&self, c: &C, element: &mut bool, list: &mut bool) {
        let mut eq = |value: &V| match value {
            V::List(_) => *list = true,
            _ => *element = true,
        };
        match c {
            C::Any | C::Present(_) | C::Type(_) => {}
            C::SameAs(fact) => self.question.named(fact).iter().for_each(eq),
            C::Ref("subset_of" | "has_any" | "has_all", _) => *list = true,
            C::Eq(value) => eq(value),
            C::OneOf(set) => set.iter().for_each(eq),
            C::Each(_) | C::Some(_) | C::Items(..) | C::Count(..) => *list = true,
            C::SubsetOf(_) | C::HasAny(_) | C::HasAll(_) => *list = true,
            C::All(parts) | C::AnyOf(parts) => {
                parts.iter().for_each(|part| self.kinds(part, element, list));
            }
            C::Not(inner) => self.kinds(inner, element, list),
            _ => *element = true,
        }
    }

    fn leaf(&self, leaf: &C, value: &V) -> Truth3 {
        let any_of = |set: &[V], list: &[V]| list.iter().map(|v| one_of(set, v)).max();
        match (leaf, value) {
            (C::Any, _) => TRUE,
            (C::Eq(own), value) => same(own, value),
            (C::OneOf(set), value) => one_of(set, value),
            (C::SameAs(fact), value) => {
                let other =
                    self.question.named(fact).filter(|other| !empty(other) && !empty(value));
                other.map_or(UNKNOWN, |other| same(&other, value))
            }
            (C::Min(n), V::Halves(own)) => truth(own >= n),
            (C::Max(n), V::Halves(own)) => truth(own <= n),
            (C::Above(n), V::Halves(own)) => truth(own > n),
            (C::Below(n), V::Halves(own)) => truth(own < n),
            (C::Level(word, own), value) => in_relation(word, &V::Text((*own).into()), value),
            (C::Type(own), value) => truth(is_of_type(*own, value)),
            (C::Prefix(p), V::Text(own)) if p.contains('/') && !climbs(p) && climbs(own) => UNKNOWN,
            (C::Prefix(p), V::Text(own)) => truth(own.starts_with(p.as_str())),
            (C::Suffix(p), V::Text(own)) => truth(own.ends_with(p.as_str())),
            (C::Contains(p), V::Text(own)) => truth(own.contains(p.as_str())),
            (C::Glob(_) | C::Regex(_), V::Text(own)) if reading::is_too_long(own) => UNKNOWN,
            (C::Glob(pattern), V::Text(own)) => {
                let is_of_paths = (pattern.contains('/') || pattern == "**") && !climbs(pattern);
                match glob(pattern, own) {
                    _ if is_of_paths && climbs(own) => UNKNOWN,
                    true if own.contains(reading::is_control) => UNKNOWN,
                    matches => truth(matches),
                }
            }
            (C::Regex(pattern), V::Text(own)) => truth(reading::regex(pattern, own)),
            (C::Under(folder), V::Text(own)) => told(reading::under(folder, own)),
            (C::Cidr(networks), V::Text(own)) => told(reading::cidr(networks, own)),
            (C::After(seconds), V::Text(own)) => {
                told(reading::instant(own).map(|millis| millis >= START + seconds * 1000))
            }
            (C::Before(seconds), V::Text(own)) => {
                told(reading::instant(own).map(|millis| millis < START + seconds * 1000))
            }
            (C::Weekly(days, from, until), V::Text(own)) => {
                told(reading::weekly(days, *from, *until, 0, own))
            }
            #[cfg(feature = "zones")]
            (C::WeeklyIn(days, from, until), V::Text(own)) => {
                // In winter, in which all of it is.
                told(reading::weekly(days, *from, *until, 1, own))
            }
            (C::Len(low, high), V::Text(own)) => {
                truth((*low..=*high).contains(&(own.chars().count() as u64)))
            }
            (C::Count(low, high), V::List(own)) => {
                truth((*low..=*high).contains(&(own.len() as u64)))
            }
            (C::SubsetOf(set), V::List(own)) => {
                own.iter().map(|v| one_of(set, v)).min().unwrap_or(TRUE)
            }
            (C::HasAny(set), V::List(own)) => any_of(set, own).unwrap_or(FALSE),
            (C::HasAll(set), V::List(own)) => set
                .iter()
                .map(|wanted| any_of(std::slice::from_ref(wanted), own).unwrap_or(FALSE))
                .min()
                .unwrap_or(TRUE),
            _ => UNKNOWN,
        }
    }
}

impl Asked<'_> {
    /// What stands in the place of a value, if it is there and of the kind that such a value has.
    fn referred(&self, word: &str, with: &RefSaid) -> Option<V> {
        let other = self.question.named(with.part())?;
        let other = match with {
            RefSaid::Part(_) => other,
            RefSaid::Joined(before, _, behind) => {
                let V::Text(own) = other else { return None };
                if !reading::is_one_segment(&own) {
                    return None;
                }
                let before = before.trim_end_matches('/');
                let behind = behind.map(|own| format!("/{}", own.trim_start_matches('/')));
                V::Text(format!("{before}/{own}{}", behind.unwrap_or_default()))
            }
        };
        let takes = match (word, &other) {
            ("min" | "max" | "above" | "below", V::Halves(_)) => true,
            ("min_in" | "max_in" | "above_in" | "below_in", V::Text(own)) => {
                ORDER.contains(&own.as_str())
            }
            ("after" | "before", V::Text(own)) => reading::instant(own).is_some(),
            ("under", V::Text(own)) => reading::folder(own).is_some(),
            ("prefix" | "suffix" | "contains" | "eq", V::Text(own)) => !own.is_empty(),
            ("one_of", V::List(own)) => {
                !own.is_empty() && !own.iter().any(|own| matches!(own, V::List(_)))
            }
            ("subset_of" | "has_any" | "has_all", V::List(own)) => !own.is_empty(),
            _ => false,
        };
        takes.then_some(other)
    }
}

#[cfg(feature = "url")]
impl Asked<'_> {
    /// What is unsaid is taken strictly, or not at all.
    fn url(&self, said: &UrlSaid, text: &str, strict: bool) -> Truth3 {
        let Some(own) = reading::Url::read(text) else { return UNKNOWN };
        let is_scheme = match said {
            UrlSaid::Http(_) => own.scheme == "http",
            _ => !strict || own.scheme == "https",
        };
        let is_port = match said {
            UrlSaid::Port(port) => own.port == *port,
            _ => !strict || matches!((own.scheme, own.port), ("https", 443) | ("http", 80)),
        };
        let is_host = match said {
            UrlSaid::Host(name) | UrlSaid::Http(name) => *name == own.host,
            UrlSaid::Below(name) => {
                let is_below = own.host.ends_with(&format!(".{name}"));
                is_below && (!strict || !own.is_private || *name == "corp.internal")
            }
            _ => !(strict && own.is_private),
        };
        let path = own.path;
        let is_path = match said {
            UrlSaid::Under(folder) => path == *folder || path.starts_with(&format!("{folder}/")),
            UrlSaid::Path(whole) => path == *whole,
            UrlSaid::Begins(start) => path.starts_with(start),
            UrlSaid::Like(pattern) => glob(pattern, path),
            _ => return truth(is_scheme && is_port && is_host),
        };
        match is_scheme && is_port && is_host {
            true if own.is_read_otherwise() => UNKNOWN,
            elsewhere => truth(elsewhere && is_path),
        }
    }
}
