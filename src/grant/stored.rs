//! How counters are written where a fleet keeps them: numbers exactly, and facts by their names.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

use crate::scope::Fact;
use crate::value::Number;

/// As decimal text, since serde has no exact decimals.
pub(super) mod number {
    use super::{Deserialize, Deserializer, Error, Number, Serializer};

    pub(in crate::grant) fn serialize<S: Serializer>(
        own: &Number,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_str(own)
    }

    pub(in crate::grant) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Number, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        text.parse().map_err(D::Error::custom)
    }
}

/// Something of each of several facts, and of uses, which have no name.
pub(super) mod of_facts {
    use super::{Deserialize, Deserializer, Error, Fact, Serialize, Serializer};

    pub(in crate::grant) fn serialize<T: Serialize, S: Serializer>(
        own: &[(Option<Fact>, T)],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(own.iter().map(|(of, own)| (of.as_ref().map(Fact::to_string), own)))
    }

    pub(in crate::grant) fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<(Option<Fact>, T)>, D::Error> {
        let all = Vec::<(Option<Box<str>>, T)>::deserialize(from)?;
        let fact = |name: Box<str>| Fact::parse(&name).map_err(D::Error::custom);
        all.into_iter().map(|(of, own)| Ok((of.map(fact).transpose()?, own))).collect()
    }
}

/// A number for each of several facts.
pub(super) mod sums {
    use super::{Deserialize, Deserializer, Error, Fact, Number, Serializer};

    pub(in crate::grant) fn serialize<S: Serializer>(
        own: &[(Fact, Number)],
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.collect_seq(own.iter().map(|(of, sum)| (of.to_string(), sum.to_string())))
    }

    pub(in crate::grant) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Vec<(Fact, Number)>, D::Error> {
        let all = Vec::<(Box<str>, Box<str>)>::deserialize(from)?;
        let sum = |(of, sum): (Box<str>, Box<str>)| {
            let of = Fact::parse(&of).map_err(D::Error::custom)?;
            Ok((of, sum.parse().map_err(D::Error::custom)?))
        };
        all.into_iter().map(sum).collect()
    }
}
