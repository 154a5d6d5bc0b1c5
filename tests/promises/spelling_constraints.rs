//! Constraints of the universe in the words of the crate.

use hallpass::policy::{Policy, PolicyBuilder, Rule};
use hallpass::scope::{self, Constraint};

use crate::spelling::halves;
use crate::universe::*;

impl C {
    pub(crate) fn constraint(&self) -> Constraint {
        let values = |set: &[V]| set.iter().map(V::value).collect::<Vec<_>>();
        let all = |parts: &[C]| parts.iter().map(C::constraint).collect::<Vec<_>>();
        match self {
            C::Any => scope::any(),
            C::Present(true) => scope::present(),
            C::Present(false) => scope::absent(),
            C::Eq(value) => scope::eq(value.value()),
            C::OneOf(set) => scope::one_of(values(set)),
            C::SameAs(fact) => scope::same_as(fact),
            C::Ref(word, with) => {
                let own = match with {
                    RefSaid::Part(name) => scope::reference(name),
                    RefSaid::Joined(before, name, None) => scope::joined(before).and_part(name),
                    RefSaid::Joined(before, name, Some(behind)) => {
                        scope::joined(before).and_part(name).and_text(behind)
                    }
                };
                match *word {
                    "eq" => own.as_eq(),
                    "one_of" => own.as_one_of(),
                    "min_in" => own.in_order("level").as_min(),
                    "max_in" => own.in_order("level").as_max(),
                    "above_in" => own.in_order("level").as_above(),
                    "below_in" => own.in_order("level").as_below(),
                    "min" => own.as_min(),
                    "max" => own.as_max(),
                    "above" => own.as_above(),
                    "below" => own.as_below(),
                    "after" => own.as_after(),
                    "before" => own.as_before(),
                    "prefix" => own.as_prefix(),
                    "suffix" => own.as_suffix(),
                    "contains" => own.as_contains(),
                    "under" => own.as_under(),
                    "subset_of" => own.as_subset_of(),
                    "has_any" => own.as_has_any(),
                    "has_all" => own.as_has_all(),
                    other => panic!("{other}"),
                }
            }
            C::Min(n) => scope::min(halves(*n)),
            C::Max(n) => scope::max(halves(*n)),
            C::Above(n) => scope::above(halves(*n)),
            C::Below(n) => scope::below(halves(*n)),
            C::Level("min_in", level) => scope::min_in("level", level),
            C::Level("max_in", level) => scope::max_in("level", level),
            C::Level("above_in", level) => scope::above_in("level", level),
            C::Level(_, level) => scope::below_in("level", level),
            C::Prefix(text) => scope::prefix(text),
            C::Suffix(text) => scope::suffix(text),
            C::Contains(text) => scope::contains(text),
            C::Glob(pattern) => scope::glob(pattern),
            C::Len(low, high) => scope::len(*low..=*high),
            C::Type(own) => scope::of_type(*own),
            C::Regex(pattern) => scope::regex(pattern),
            C::Under(folder) => scope::under(folder),
            C::Cidr(networks) => scope::cidr(networks),
            C::After(seconds) => scope::after(at(*seconds)),
            C::Before(seconds) => scope::before(at(*seconds)),
            C::Weekly(days, from, until) => {
                let clock = |hour: &i64| format!("{hour:02}:00");
                scope::weekly(days, &clock(from), &clock(until), "+00:00")
            }
            #[cfg(feature = "zones")]
            C::WeeklyIn(days, from, until) => {
                let clock = |hour: &i64| format!("{hour:02}:00");
                scope::weekly_in(days, &clock(from), &clock(until), "Europe/Berlin")
            }
            C::Json(inner) => scope::json(inner.constraint()),
            #[cfg(feature = "url")]
            C::Url(said) => scope::url(match said {
                UrlSaid::AnyHost => scope::UrlPattern::any_host(),
                UrlSaid::Host(name) => scope::UrlPattern::host(name),
                UrlSaid::Below(name) => scope::UrlPattern::subdomain_of(name),
                UrlSaid::Under(folder) => scope::UrlPattern::any_host().path_under(folder),
                UrlSaid::Path(path) => scope::UrlPattern::any_host().path(path),
                UrlSaid::Begins(start) => scope::UrlPattern::any_host().path_prefix(start),
                UrlSaid::Like(pattern) => scope::UrlPattern::any_host().path_glob(pattern),
                UrlSaid::Http(name) => scope::UrlPattern::host(name).scheme("http"),
                UrlSaid::Port(port) => scope::UrlPattern::any_host().port(*port),
            }),
            C::Fields(named, open) => {
                let named = named.iter().map(|(name, c)| (name.as_str(), c.constraint()));
                let closed = scope::fields(named);
                if *open { closed.other_fields() } else { closed }
            }
            C::Each(inner) => scope::each(inner.constraint()),
            C::Some(inner) => scope::some(inner.constraint()),
            C::Items(places, rest) => {
                let own = scope::items(all(places));
                rest.iter().fold(own, |own, rest| own.rest(rest.constraint()))
            }
            C::Count(low, high) => scope::count(*low..=*high),
            C::SubsetOf(set) => scope::subset_of(values(set)),
            C::HasAny(set) => scope::has_any(values(set)),
            C::HasAll(set) => scope::has_all(values(set)),
            C::All(parts) => scope::all_of(all(parts)),
            C::AnyOf(parts) => scope::any_of(all(parts)),
            C::Not(inner) => scope::not(inner.constraint()),
        }
    }

    /// Whether only a policy may say it.
    pub(crate) fn is_of_policies(&self) -> bool {
        let told = format!("{self:?}");
        let words = ["Regex(", "Level(", "_in\"", "WeeklyIn("];
        let mut of_policies = words.iter().any(|own| told.contains(own));
        self.for_each_part(&mut |name| of_policies |= !name.starts_with("args."));
        of_policies
    }

    /// Whether it compares with another part of the question.
    pub(crate) fn compares(&self) -> bool {
        let mut compares = false;
        self.for_each_part(&mut |_| compares = true);
        compares
    }

    /// Whether it compares with a part of the call.
    pub(crate) fn compares_with_the_call(&self) -> bool {
        let mut of_the_call = false;
        self.for_each_part(&mut |name| {
            of_the_call |= name.starts_with("args.") || name.starts_with("resource.");
        });
        of_the_call
    }

    fn for_each_part(&self, visit: &mut impl FnMut(&str)) {
        match self {
            C::SameAs(name) => visit(name),
            C::Ref(_, with) => visit(with.part()),
            C::All(parts) | C::AnyOf(parts) => {
                parts.iter().for_each(|part| part.for_each_part(visit));
            }
            C::Not(inner) | C::Each(inner) | C::Some(inner) | C::Json(inner) => {
                inner.for_each_part(visit);
            }
            C::Items(places, rest) => {
                places.iter().chain(rest.as_deref()).for_each(|part| part.for_each_part(visit));
            }
            C::Fields(named, _) => named.values().for_each(|field| field.for_each_part(visit)),
            _ => {}
        }
    }

    pub(crate) fn is_sound(&self) -> bool {
        let own = self.constraint();
        let by_order = format!("{self:?}").contains("Level(");
        // Bounds by an order are known to leave a level once the order is.
        let built = || builder().rule(Rule::forbid("r").tool("t").arg("x", own.clone())).build();
        own.check().is_ok() && (!by_order || built().is_ok())
    }
}

/// A policy that knows [`ORDER`].
pub(crate) fn builder() -> PolicyBuilder {
    Policy::builder().order("level", ORDER)
}
