//! What the policy in force says that was probably not meant, by this broker's clock and settings.

use super::Broker;
use crate::clock::{ClockError, NoTime};
use crate::policy::{Policy, Warning};

impl Broker {
    /// What the policy in force says that was probably not meant: [`Policy::lint_under`] now, with the
    /// ceiling of this broker's tasks. For hosts that log it when they start and after a reload.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// let broker = Broker::new(Policy::from_toml(r#"
    ///     version = 1
    ///     rule = [{ id = "migrate", effect = "permit", what = { tool = "db.migrate" }, grant = { ttl = "12h" } }]
    /// "#)?)?;
    /// for warning in broker.lint()? {
    ///     eprintln!("{warning}");
    ///     assert_eq!(warning.code().as_str(), "past_ceiling");
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the clock can't be read.
    pub fn lint(&self) -> Result<Vec<Warning>, ClockError> {
        let now = match self.shared.keeper.now() {
            Ok(now) => now,
            Err(NoTime::Clock(error)) => return Err(error),
            Err(NoTime::Forked) => return Err(ClockError::Unreadable),
        };
        let policy = Policy(self.shared.current().policy.clone());
        Ok(policy.lint_under(now, self.shared.settings.ceiling))
    }
}
