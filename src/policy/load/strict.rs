//! Loading where a warning is an error.

use super::super::{Policy, PolicyError};
use super::{by_id, document_of_json, document_of_toml, placed, policy_of};
use crate::clock::Timestamp;
use crate::document::Written;

impl Policy {
    /// As [`Policy::from_toml`], and refuses what [`Policy::lint`] warns of at `now`: for tests and the
    /// checks before a policy is put in force. A broker that starts should not fail because a date for
    /// review has passed, and loads without.
    ///
    /// ```
    /// use hallpass::clock::Timestamp;
    /// use hallpass::policy::Policy;
    ///
    /// let now = Timestamp::parse_rfc3339("2026-01-01T00:00:00Z")?;
    /// let error = Policy::strict_from_toml(r#"
    ///     version = 1
    ///     rule = [{ id = "pay", effect = "permit", what = { tool = "pay", args.amount = { max = 500 } } }]
    /// "#, now).unwrap_err();
    /// assert_eq!(
    ///     error.to_string(),
    ///     "line 3, column 83: rule `pay`: `what.args.amount`: `args.amount` is bounded from above and may \
    ///      be any negative number: say the other end, too, as in `min = 0` (open_below)",
    /// );
    /// # Ok::<(), hallpass::clock::TimestampError>(())
    /// ```
    ///
    /// # Errors
    /// As [`Policy::from_toml`]; and the first warning, where it stands.
    pub fn strict_from_toml(text: &str, now: Timestamp) -> Result<Policy, PolicyError> {
        strict(&document_of_toml(text)?, text, now)
    }

    /// As [`Policy::strict_from_toml`], from JSON.
    ///
    /// # Errors
    /// As [`Policy::strict_from_toml`].
    pub fn strict_from_json(text: &str, now: Timestamp) -> Result<Policy, PolicyError> {
        strict(&document_of_json(text)?, text, now)
    }
}

fn strict(document: &Written, text: &str, now: Timestamp) -> Result<Policy, PolicyError> {
    let policy = policy_of(document, text)?;
    let warnings = policy.lint(now);
    let Some(first) = warnings.first() else { return Ok(policy) };
    let more = match warnings.len() - 1 {
        0 => String::new(),
        1 => "; and one more warning".to_owned(),
        more => format!("; and {more} more warnings"),
    };
    let problem = format!("{} ({}){more}", first.message(), first.code());
    let error = PolicyError::of_rule(first.rule(), first.at(), problem);
    // Rules stand by their ids in a policy, and in any order in its text.
    let error = match by_id(document, first.rule()) {
        Some(item) => error.of_item(item),
        None => error,
    };
    Err(placed(document, text, error))
}
