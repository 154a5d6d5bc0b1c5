//! Arguments from serde's data, and to it.

use super::{Args, ArgsError};
use crate::value::{Misfit, Value};

impl Args {
    /// Writes a host's own data as arguments: what serde makes a map, a struct say. Floats count as the
    /// shortest decimal that reads back as them; one that is not finite is `null`, as `serde_json` writes it.
    ///
    /// ```
    /// use hallpass::args::Args;
    ///
    /// #[derive(serde::Serialize, serde::Deserialize)]
    /// struct Payment {
    ///     to: String,
    ///     amount: f64,
    /// }
    /// let args = Args::from_serialize(&Payment { to: "CH93".into(), amount: 99.95 })?;
    /// assert_eq!(args, Args::from_json(r#"{"to": "CH93", "amount": 99.95}"#)?);
    ///
    /// let payment: Payment = args.parse()?;
    /// assert_eq!((payment.to.as_str(), payment.amount), ("CH93", 99.95));
    /// # Ok::<(), hallpass::args::ArgsError>(())
    /// ```
    ///
    /// # Errors
    /// [`ArgsError::Unwritable`] for data that is not JSON (a map whose keys are not text, say), else as
    /// [`Args::from_json`] of the text: a key that is there twice, through `flatten` for one, is refused.
    pub fn from_serialize<T: serde::Serialize + ?Sized>(data: &T) -> Result<Self, ArgsError> {
        let text = serde_json::to_string(data)
            .map_err(|error| ArgsError::Unwritable(error.to_string().into()))?;
        Args::from_json(&text)
    }

    /// The arguments as a host's own type, which may borrow from them.
    ///
    /// A number that does not fit its field as it is does not fit: a float takes only what is the
    /// shortest decimal of a float, so that nothing is rounded past what was decided about.
    ///
    /// # Errors
    /// [`ArgsError::Misfit`] names the argument, and what was expected. It may repeat values.
    pub fn parse<'a, T: serde::Deserialize<'a>>(&'a self) -> Result<T, ArgsError> {
        self.object.fit().map_err(|misfit: Misfit| ArgsError::Misfit(misfit.to_string().into()))
    }
}

/// What `serde_json` rounded or dropped before is gone: read agents' text with [`Args::from_json`].
///
/// # Errors
/// As from a [`Value`], and [`ArgsError::Number`].
impl TryFrom<serde_json::Value> for Args {
    type Error = ArgsError;

    fn try_from(json: serde_json::Value) -> Result<Self, Self::Error> {
        Args::try_from(Value::try_from(json)?)
    }
}

/// As from an owned one.
///
/// # Errors
/// As from an owned one.
impl TryFrom<&serde_json::Value> for Args {
    type Error = ArgsError;

    fn try_from(json: &serde_json::Value) -> Result<Self, Self::Error> {
        Args::try_from(Value::try_from(json)?)
    }
}

/// As from a `serde_json::Value`: what frameworks hand over as the arguments of a call.
///
/// # Errors
/// As from a `serde_json::Value`.
impl TryFrom<serde_json::Map<String, serde_json::Value>> for Args {
    type Error = ArgsError;

    fn try_from(map: serde_json::Map<String, serde_json::Value>) -> Result<Self, Self::Error> {
        Args::try_from(serde_json::Value::Object(map))
    }
}

/// For numbers see [`Value`]: one that `serde_json` would round is its decimal text.
impl From<Args> for serde_json::Value {
    fn from(args: Args) -> Self {
        serde_json::Value::Object(args.object.into())
    }
}

/// As from owned ones.
impl From<&Args> for serde_json::Value {
    fn from(args: &Args) -> Self {
        serde_json::Value::from(args.clone())
    }
}
