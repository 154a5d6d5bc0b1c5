//! Denials: one word for the agent, the whole story for operators.
//!
//! ```
//! # use hallpass::prelude::*;
//! # let broker = Broker::new(Policy::builder().build()?)?;
//! # let agent = broker.assert_identity("agent-7")?;
//! let task = broker.open(&agent, Purpose::new("reporting"))?;
//! let denial = task.request(Scope::tool("db.query"), &Context::new()).unwrap_err();
//!
//! assert_eq!(denial.to_string(), "denied: not_permitted"); // all that an agent learns
//! assert_eq!(denial.code(), Code::NotPermitted);
//! assert_eq!(denial.reason(), Reason::NotCovered); // operators learn why
//! assert!(denial.explain().to_string().contains("no rule speaks of it"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod account;
mod code;
mod reason;

use std::any::Any;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

pub use account::Nearest;
pub use code::Code;
pub use reason::Reason;

use crate::clock::format_duration;
pub(crate) use account::{Account, Explain};

/// Something was asked for and not given.
///
/// | | for | says |
/// |---|---|---|
/// | `Display`, [`code`](Denial::code), [`retry_after`](Denial::retry_after) | agents | the code, and when a limit frees again: **send this** |
/// | `Debug`, [`reason`](Denial::reason), [`rules`](Denial::rules) | operators | why, without any value: fit for a host's own log |
/// | [`explain`](Denial::explain), [`nearest`](Denial::nearest) | operators | everything, with values: fit for a screen |
///
/// `Debug` tells more than an agent may know (whether a token is unknown or superseded, say), so an
/// error that is sent to one as `{:?}` is a leak. It never holds a value of an argument or the text of
/// a token.
///
/// Where rules or a scope decided, a denial keeps the question, arguments included, and puts the answer
/// into words when somebody reads it: refusing costs no explanation, and keeping a denial costs memory.
#[derive(Clone, PartialEq, Eq)]
pub struct Denial(Box<Inner>);

#[derive(Clone)]
struct Inner {
    reason: Reason,
    rules: Vec<Arc<str>>,
    retry_after: Option<Duration>,
    /// What [`account`](Inner::account) is made of, if it was not known at once.
    kept: Option<Arc<dyn Explain>>,
    account: OnceLock<Account>,
    /// What the asker can come back with, for those who made it to take out.
    pending: Option<Arc<dyn Any + Send + Sync>>,
    /// What its record says in addition, for those who decided to take out.
    recorded: Option<Arc<dyn Any + Send + Sync>>,
}

impl Inner {
    fn account(&self) -> &Account {
        self.account
            .get_or_init(|| self.kept.as_ref().map(|kept| kept.explain()).unwrap_or_default())
    }
}

/// Equal denials say the same to everybody who may read them.
impl PartialEq for Inner {
    fn eq(&self, other: &Self) -> bool {
        let plain = |own: &Self| (own.reason, own.retry_after);
        plain(self) == plain(other)
            && self.rules == other.rules
            && self.account() == other.account()
    }
}

impl Eq for Inner {}

impl Denial {
    pub(crate) fn new(reason: Reason) -> Self {
        let (rules, retry_after, kept, account, pending, recorded) = Default::default();
        Denial(Box::new(Inner { reason, rules, retry_after, kept, account, pending, recorded }))
    }

    pub(crate) fn because(mut self, detail: impl fmt::Display) -> Self {
        self.0.account = OnceLock::from(Account::of(detail));
        self
    }

    /// Explained by what `kept` says once somebody asks.
    pub(crate) fn explained_by(mut self, kept: impl Explain + 'static) -> Self {
        self.0.kept = Some(Arc::new(kept));
        self
    }

    /// With a word more, behind the explanation.
    pub(crate) fn and_because(mut self, why: String) -> Self {
        self.0.kept = Some(Arc::new(ExplainedAlso { first: self.0.kept.take(), why }));
        self
    }

    pub(crate) fn by_rules(mut self, rules: Vec<Arc<str>>) -> Self {
        self.0.rules = rules;
        self
    }

    /// The same question can get another answer after this long, and not before.
    pub(crate) fn free_after(mut self, wait: Duration) -> Self {
        self.0.retry_after = Some(wait);
        self
    }

    /// With what the asker can come back with. Denials are equal whatever that is.
    pub(crate) fn with_pending(mut self, pending: Arc<dyn Any + Send + Sync>) -> Self {
        self.0.pending = Some(pending);
        self
    }

    /// With what its record says in addition. Denials are equal whatever that is.
    pub(crate) fn with_recorded(mut self, recorded: Arc<dyn Any + Send + Sync>) -> Self {
        self.0.recorded = Some(recorded);
        self
    }

    /// Takes out what its record says in addition.
    pub(crate) fn take_recorded(&mut self) -> Option<Arc<dyn Any + Send + Sync>> {
        self.0.recorded.take()
    }

    /// What the asker can come back with.
    pub(crate) fn kept_pending(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.0.pending.as_deref()
    }

    /// The node of the fleet that the task is at home at, where a token of another node was presented: ask there, as
    /// `Fleet::authorize` does. For operators and for routing, never for agents.
    pub fn elsewhere(&self) -> Option<&str> {
        self.kept_pending()?.downcast_ref::<HomeNode>().map(|home| &*home.0)
    }

    /// The denial of a token whose task is at home at another node.
    pub(crate) fn at_home_at(node: &str) -> Self {
        Denial::new(Reason::Elsewhere)
            .because(format_args!("its task is at home at the node `{node}`"))
            .with_pending(Arc::new(HomeNode(node.into())))
    }

    /// What an agent may be told.
    pub fn code(&self) -> Code {
        self.0.reason.code()
    }

    /// Why, for operators.
    pub fn reason(&self) -> Reason {
        self.0.reason
    }

    /// The rules that decided: the forbids, or the asks; none where no rule permitted.
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.rules.iter().map(|id| &**id)
    }

    /// How long the asker has to wait before the same question can get another answer, from when it was
    /// denied: of a limit that frees by itself, which is a rate, uses and budgets within a window, and the memory of
    /// call-bound presentations. `None` of everything else; what is spent without a window never comes back.
    ///
    /// An agent may be told: that it has to wait is in its code, and asking again and again would show it
    /// for how long. HTTP says it in `Retry-After`, in whole seconds, rounded up.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # use std::time::Duration;
    /// # let minute = Duration::from_secs(60);
    /// # let rule = Rule::permit("search").tool("web.search").any_args().rate(1, minute);
    /// # let clock = hallpass::clock::ManualClock::new(hallpass::clock::Timestamp::MIN);
    /// # let policy = Policy::builder().rule(rule).build()?;
    /// # let broker = Broker::builder(policy).clock(clock.clone()).build()?;
    /// # let (gate, context) = (broker.gate(), Context::new());
    /// # let agent = broker.assert_identity("agent-7")?;
    /// # let task = broker.open(&agent, Purpose::new("errand"))?;
    /// # let grant = task.request(Scope::tool("web.search").any_args(), &context)?;
    /// # let call = Call::new("web.search", serde_json::json!({}))?;
    /// gate.authorize(grant.token(), &agent, call.clone(), &context)?; // `rate = "1/1m"`
    /// clock.advance(Duration::from_secs(20));
    ///
    /// let denial = gate.authorize(grant.token(), &agent, call, &context).unwrap_err();
    /// assert_eq!(denial.code(), Code::LimitReached);
    /// assert_eq!(denial.retry_after(), Some(Duration::from_secs(40)));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// The permit that came closest, where none applied.
    pub fn nearest(&self) -> Option<&Nearest> {
        self.0.account().nearest.as_ref()
    }

    /// Everything, for operators: shows values and rules, and so is never for agents.
    pub fn explain(&self) -> impl fmt::Display + fmt::Debug + use<'_> {
        FullExplanation(self)
    }
}

/// The node that a token is of.
struct HomeNode(Box<str>);

/// An explanation, and a word more.
struct ExplainedAlso {
    first: Option<Arc<dyn Explain>>,
    why: String,
}

impl Explain for ExplainedAlso {
    fn explain(&self) -> Account {
        let account = self.first.as_ref().map(|first| first.explain()).unwrap_or_default();
        let detail = match &account.detail {
            Some(detail) => format!("{detail}; {}", self.why),
            None => self.why.clone(),
        };
        Account { detail: Some(detail.into()), ..account }
    }
}

/// Another denial is why: what it says is the explanation.
impl Explain for Denial {
    fn explain(&self) -> Account {
        Account::of(FullExplanation(self))
    }
}

/// A denial in full. Only `Display`: it is for people.
#[derive(Clone, Copy)]
struct FullExplanation<'d>(&'d Denial);

impl fmt::Display for FullExplanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let inner = &*self.0.0;
        let account = inner.account();
        write!(f, "{} ({})", inner.reason, inner.reason.code())?;
        if let Some(detail) = &account.detail {
            write!(f, ": {detail}")?;
        }
        for (at, rule) in inner.rules.iter().enumerate() {
            f.write_str(if at == 0 { "; decided by " } else { ", " })?;
            write!(f, "`{rule}`")?;
        }
        if let Some(nearest) = &account.nearest {
            write!(f, "; nearest permit {nearest}")?;
        }
        if let Some(wait) = inner.retry_after {
            write!(f, "; free again in {}", format_duration(wait))?;
        }
        Ok(())
    }
}

/// What an agent may see.
impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "denied: {}", self.code())
    }
}

/// Code and reason, without any value: a `{:?}` in a log line must not tell more than the log does. It
/// tells more than an agent may know.
impl fmt::Debug for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Denial")
            .field("code", &self.code())
            .field("reason", &self.reason())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FullExplanation<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Denial {}

#[cfg(test)]
mod tests {
    use crate::prelude::*;
    use crate::scope::{any, eq, max};

    /// attack 145
    #[test]
    fn debug_tells_operators_why_and_shows_no_value_and_no_token() {
        const VALUE: &str = "swordfish";
        let own =
            Rule::permit("own").tool("t").arg("a", any()).arg("n", max(5)).budget("args.n", 5);
        let never = Rule::forbid("never").tool("t").arg("a", eq(VALUE)).when("on", eq(true));
        let broker = Broker::new(Policy::builder().rules([own, never]).build().unwrap()).unwrap();
        let (agent, other) =
            (broker.assert_identity("a").unwrap(), broker.assert_identity("b").unwrap());
        let task = broker.open(&agent, Purpose::new("errand")).unwrap();
        let (off, on) = (Context::new().with("on", false), Context::new().with("on", true));
        let scope = |n: i64| Scope::tool("t").arg("a", eq(VALUE)).arg("n", max(n));
        let grant = task.request(scope(5), &off).unwrap();
        let gate = broker.gate();
        let text = grant.token().expose();
        let (body, tag) = text.rsplit_once('.').unwrap();
        let first = if tag.starts_with('A') { 'B' } else { 'A' };
        let broken = Token::from_text(format!("{body}.{first}{}", &tag[1..]));
        let call = |n: i64, token: &Token, who: &Identity, context: &Context| {
            let call = Call::new("t", serde_json::json!({ "a": VALUE, "n": n })).unwrap();
            gate.authorize(token, who, call, context).unwrap_err()
        };
        let denials = [
            (Reason::NotCovered, task.request(scope(6), &off).unwrap_err()),
            (Reason::OutOfScope, call(6, grant.token(), &agent, &off)),
            (Reason::Forbidden, call(1, grant.token(), &agent, &on)),
            (Reason::BudgetSpent, call(-1, grant.token(), &agent, &off)),
            (Reason::NotTheHolder, call(1, grant.token(), &other, &off)),
            (Reason::BadSignature, call(1, &broken, &agent, &off)),
        ];
        for (reason, denial) in denials {
            assert_eq!(denial.reason(), reason);
            let operators = format!("{denial:?}");
            assert!(operators.contains(&format!("{reason:?}")), "{operators}");
            let agents = denial.to_string();
            assert_eq!(agents, format!("denied: {}", denial.code()));
            for shown in [operators, agents, format!("{:?}", crate::RunError::<()>::Denied(denial))]
            {
                assert!(!shown.contains(VALUE) && !shown.contains(&text[..20]), "{shown}");
            }
        }
    }
}
