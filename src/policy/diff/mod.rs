//! What one policy permits and another does not.

mod change;
mod side;
mod witness;

use std::fmt;

pub use change::RuleChange;
pub use side::Differences;
use side::Direction;
pub use witness::DiffWitness;

use super::Policy;
use crate::value::{Object, Value};

/// What a new policy says otherwise than an old one: [`Policy::diff`].
///
/// Its `Display` is for people who read a change before it is in force.
#[derive(Clone, Debug)]
pub struct PolicyDiff {
    changes: Vec<RuleChange>,
    wider: Differences,
    narrower: Differences,
}

impl Policy {
    /// Compares what calls the two policies permit: this one, which is in force, and `new`.
    ///
    /// Each difference is shown by a call and who makes it, which both policies were asked about; and there
    /// is said to be none only where that is shown. What grants are given is compared rule by rule alone.
    ///
    /// ```
    /// use hallpass::policy::Policy;
    ///
    /// let policy = |max: u32| {
    ///     Policy::from_toml(&format!(
    ///         r#"
    ///         version = 1
    ///         [[rule]]
    ///         id = "payers"
    ///         effect = "permit"
    ///         what = {{ tool = "bank.pay", args = {{ amount = {{ max = {max} }} }} }}
    ///         "#
    ///     ))
    /// };
    /// let diff = policy(500)?.diff(&policy(1000)?);
    /// assert!(diff.narrower().is_shown_empty());
    /// let witness = diff.wider().witnesses().next().expect("more is permitted");
    /// assert_eq!(witness.rule(), "payers");
    /// assert!(witness.to_string().contains(r#"`bank.pay` with {"amount":1000}"#), "{witness}");
    /// # Ok::<(), hallpass::policy::PolicyError>(())
    /// ```
    pub fn diff(&self, new: &Policy) -> PolicyDiff {
        PolicyDiff {
            changes: change::changes(&self.0, &new.0),
            wider: side::differences(&self.0, &new.0, Direction::Wider),
            narrower: side::differences(&new.0, &self.0, Direction::Narrower),
        }
    }
}

impl PolicyDiff {
    /// The rules that one of the policies has and the other has not, or has otherwise, by id.
    pub fn changes(&self) -> impl ExactSizeIterator<Item = &RuleChange> {
        self.changes.iter()
    }

    /// What the new policy permits, or asks people about, and the old one does not.
    pub fn wider(&self) -> &Differences {
        &self.wider
    }

    /// What the old policy permitted, or asked people about, and the new one does not.
    pub fn narrower(&self) -> &Differences {
        &self.narrower
    }

    /// Whether both are shown to permit the same calls, and to ask people about the same.
    pub fn permits_the_same(&self) -> bool {
        self.wider.is_shown_empty() && self.narrower.is_shown_empty()
    }

    /// All of it, for programs.
    pub fn to_value(&self) -> Value {
        let mut out = Object::new();
        // The keys are written once each.
        let changes = self.changes.iter().map(RuleChange::to_value).collect();
        let _ = out.insert("rules", Value::List(changes));
        let _ = out.insert("wider", self.wider.to_value());
        let _ = out.insert("narrower", self.narrower.to_value());
        Value::Object(out)
    }
}

impl fmt::Display for PolicyDiff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.changes.len() {
            0 => writeln!(f, "rules: the same")?,
            1 => writeln!(f, "rules: 1 differs")?,
            many => writeln!(f, "rules: {many} differ")?,
        }
        for change in &self.changes {
            writeln!(f, "  {change}")?;
        }
        write!(f, "permitted now and not before: {}", self.wider)?;
        write!(f, "permitted before and not now: {}", self.narrower)
    }
}

#[cfg(test)]
mod tests;
