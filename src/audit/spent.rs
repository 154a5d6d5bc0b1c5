//! What a permit took of a limit that spans tasks (`per = "identity"`), as its record says it: enough that a broker
//! which goes on with the log counts on from there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seal::SealKey;
use crate::grant::{CarriedCharge, Cost, SpanningCharge};
use crate::random::RandomError;
use crate::scope::Fact;
use crate::value::Number;

/// What a permit took of the counter of one identity and rule: one use, and what follows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Spent<'a> {
    /// The rule that counts.
    pub rule: Cow<'a, str>,
    /// Whom it counts.
    pub who: Cow<'a, str>,
    /// As many calls of the rate are remembered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calls: Option<u64>,
    /// The window of the rate, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u64>,
    /// It was charged to uses or to a budget without a window, which never pass.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lasting: bool,
    /// It stays spent if the call never starts.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub kept: bool,
    /// What counts within a window, `uses` or a budget's name, and how far each looks back, in milliseconds.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub windows: BTreeMap<Cow<'a, str>, u64>,
    /// What it adds to each budget, exactly: each sealed under the log's key, since it is the value of an argument.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sums: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
}

impl<'a> Spent<'a> {
    /// # Errors
    /// Without randomness nothing can be sealed.
    pub(crate) fn of(charge: &SpanningCharge<'a>, key: &SealKey) -> Result<Self, RandomError> {
        let Cost { rated, lasting, sums, windows, .. } = charge.cost;
        let millis = |own: Duration| u64::try_from(own.as_millis()).unwrap_or(u64::MAX);
        let (calls, window) = rated.unzip();
        let sum = |(fact, amount): &(Fact, Number)| {
            let fact = fact.to_string();
            let sealed = key.seal(&[charge.rule, charge.who, &fact], &amount.to_string())?;
            Ok((Cow::Owned(fact), Cow::Owned(sealed)))
        };
        Ok(Spent {
            rule: charge.rule.into(),
            who: charge.who.into(),
            calls,
            window: window.map(millis),
            lasting: *lasting,
            kept: charge.kept,
            windows: longest(windows).map(|(of, window)| (of, millis(window))).collect(),
            sums: sums.iter().map(sum).collect::<Result<_, _>>()?,
        })
    }

    /// The charge that this tells; nothing of one that can't be read.
    pub(super) fn charge(&self, key: &SealKey) -> Option<CarriedCharge> {
        let sum = |(fact, amount): (&Cow<'_, str>, &Cow<'_, str>)| {
            let amount = key.open(&[&self.rule, &self.who, fact], amount)?;
            Some((Fact::parse(fact).ok()?, amount.parse().ok()?))
        };
        let rated = match (self.calls, self.window) {
            (None, None) => None,
            (calls, window) => Some((calls?, Duration::from_millis(window?))),
        };
        let sums = self.sums.iter().map(sum).collect::<Option<_>>()?;
        let window = |(of, millis): (&Cow<'_, str>, &u64)| {
            let of = if **of == *USES { None } else { Some(Fact::parse(of).ok()?) };
            Some((of, Duration::from_millis(*millis)))
        };
        let windows = self.windows.iter().map(window).collect::<Option<_>>()?;
        let cost = Cost { rated, lasting: self.lasting, sums, windows, noted: Vec::new() };
        let (who, rule) = ((*self.who).into(), (*self.rule).into());
        Some(CarriedCharge { who, rule, cost, kept: self.kept, folded: None })
    }
}

/// What uses are called among what counts within a window: no argument is.
const USES: &str = "uses";

/// Each by its name, once, as far as any looks back.
fn longest(
    windows: &[(Option<Fact>, Duration)],
) -> impl Iterator<Item = (Cow<'static, str>, Duration)> {
    let mut all: BTreeMap<Cow<'static, str>, Duration> = BTreeMap::new();
    for (of, window) in windows {
        let name = of.as_ref().map_or(Cow::Borrowed(USES), |fact| fact.to_string().into());
        let own = all.entry(name).or_default();
        *own = (*own).max(*window);
    }
    all.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::{Event, Record, Resumption};
    use crate::identity::Fold;
    use crate::key::LogKeys;

    /// Its counter would begin anew.
    #[test]
    fn a_record_whose_sum_can_not_be_read_is_named() {
        let (own, other) = (LogKeys::generate().unwrap(), LogKeys::generate().unwrap());
        let key = SealKey::of(own.active_key());
        let sums = vec![(Fact::parse("args.amount").unwrap(), Number::from(98))];
        let amount = || Fact::parse("args.amount").ok();
        let windows = vec![(amount(), Duration::from_secs(60)), (None, Duration::from_millis(5))];
        let cost = Cost { rated: None, lasting: true, sums, windows, noted: Vec::new() };
        let charge = SpanningCharge { who: "ada", rule: "dear", cost: &cost, kept: false };
        let spent = Spent::of(&charge, &key).unwrap();
        assert_eq!(spent.charge(&key).unwrap().cost, cost);
        let elsewhere = Spent { who: "bob".into(), ..spent.clone() };
        assert_eq!(elsewhere.charge(&key), None);

        let line = format!(
            r#"{{"seq":7,"at":1,"kind":"permitted","task":"t","generation":1,"grant":"g","serial":1,"who":"ada","tool":"t","args":"","spent":[{}],"epoch":1}}"#,
            serde_json::to_string(&spent).unwrap()
        );
        let record = Record::from_line(&line).unwrap();
        assert!(matches!(record.event, Event::Permitted { .. }));
        for (keys, readable) in [(Some(&own), true), (Some(&other), false), (None, false)] {
            let mut resumption = Resumption::default();
            resumption.note(&record, keys.map(LogKeys::active_key));
            let found = resumption.spent(Fold::None).map(Iterator::count);
            assert_eq!(found, if readable { Ok(1) } else { Err(7) });
        }
    }
}
