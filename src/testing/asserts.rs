//! Assertions about who may do what, for a host's test suite.
//!
//! They ask the gate without permitting anything: no use is spent and nothing is recorded.

use crate::broker::{Broker, Gate, Grant};
use crate::call::Call;
use crate::context::Context;
use crate::denial::{Denial, Reason};

/// A call, for tests.
///
/// # Panics
/// If the tool's name or the arguments are not well formed.
#[track_caller]
#[expect(clippy::panic, reason = "a test that builds a malformed call has to fail there")]
pub fn call(tool: &str, args: serde_json::Value) -> Call {
    match Call::new(tool, args) {
        Ok(call) => call,
        Err(error) => panic!("`{tool}` is not a call: {error}"),
    }
}

/// What was asked for, for tests: a task, a grant, a permit.
///
/// An `unwrap` shows reasons and no values, as all that may end up in a log; this shows the
/// operator's whole explanation.
///
/// ```should_panic
/// # use hallpass::prelude::*;
/// # use hallpass::scope::max;
/// use hallpass::testing::granted;
///
/// # let rule = Rule::permit("small").tool("bank.pay").arg("amount", max(500));
/// # let broker = Broker::new(Policy::builder().rule(rule).build().unwrap()).unwrap();
/// # let payer = broker.assert_identity("payer").unwrap();
/// let task = granted(broker.open(&payer, Purpose::new("pay-bill")));
/// let scope = Scope::tool("bank.pay").arg("amount", max(501));
/// let grant = granted(task.request(scope, &Context::new())); // denied: … nearest permit `small`: …
/// ```
///
/// # Panics
/// If it was denied.
#[track_caller]
#[expect(clippy::panic, reason = "a test that is denied what it builds on has to fail there")]
pub fn granted<T>(answer: Result<T, Denial>) -> T {
    match answer {
        Ok(given) => given,
        Err(denial) => panic!("denied: {}", denial.explain()),
    }
}

/// What the gate says to a call by the grant's holder, in the context in which the grant was
/// requested, or in another: nothing is permitted, spent or recorded, as by [`Gate::check`].
///
/// # Errors
/// The gate's [`Denial`].
pub fn ask(
    gate: &Gate,
    grant: &Grant,
    call: &Call,
    context: Option<&Context>,
) -> Result<(), Denial> {
    let context = context.unwrap_or_else(|| grant.context());
    gate.check(grant.token(), grant.holder(), call, context).map(|_| ())
}

/// # Panics
/// If the gate denies; prints the operator's explanation.
#[doc(hidden)]
#[track_caller]
#[expect(clippy::panic, reason = "an assertion")]
pub fn expect_permitted(gate: &Gate, grant: &Grant, call: &Call, context: Option<&Context>) {
    if let Err(denial) = ask(gate, grant, call, context) {
        panic!("`{}` {} is denied: {}", call.tool(), call.args(), denial.explain());
    }
}

/// # Panics
/// If the gate permits, or denies for another reason.
#[doc(hidden)]
#[track_caller]
#[expect(clippy::panic, reason = "an assertion")]
pub fn expect_denied(
    gate: &Gate,
    grant: &Grant,
    call: &Call,
    context: Option<&Context>,
    reason: Reason,
) {
    match ask(gate, grant, call, context) {
        Ok(()) => {
            panic!("`{}` {} is permitted, expected `{reason}`", call.tool(), call.args())
        }
        Err(denial) if denial.reason() == reason => {}
        Err(denial) => panic!(
            "`{}` {} is denied for another reason than `{reason}`: {}",
            call.tool(),
            call.args(),
            denial.explain()
        ),
    }
}

/// # Panics
/// If a task or a grant is live.
#[doc(hidden)]
#[track_caller]
#[expect(clippy::panic, reason = "an assertion")]
pub fn expect_nothing_stands(broker: &Broker) {
    let standing = broker.standing();
    if !standing.is_empty() {
        panic!("access stands: {standing:#?}");
    }
}

/// Asserts that the gate permits a call by the grant's holder, and prints why not if it does not.
///
/// The context is the one in which the grant was requested, unless another is given as fourth:
/// `assert_permitted!(gate, grant, call, context)`, and before the reason in
/// [`assert_denied!`](crate::assert_denied).
///
/// It [asks](crate::Gate::check) and permits nothing, so no use, rate or budget is spent: what
/// limits do is seen after calls that were [authorized](crate::Gate::authorize). What is presented
/// is the grant's own token; about a narrowed one, or another caller,
/// [`Gate::check`](crate::Gate::check) is asked.
///
/// ```
/// use hallpass::prelude::*;
/// use hallpass::scope::{eq, max};
/// use hallpass::testing::call;
/// use hallpass::{assert_denied, assert_nothing_stands, assert_permitted};
/// use serde_json::json;
///
/// # let policy = Policy::builder()
/// #     .rule(
/// #         Rule::permit("p")
/// #             .tool("bank.pay")
/// #             .arg("to", hallpass::scope::any())
/// #             .arg("amount", max(500))
/// #             .uses(1),
/// #     )
/// #     .build()?;
/// # let broker = Broker::new(policy)?;
/// # let gate = broker.gate();
/// # let payer = broker.assert_identity("payer")?;
/// let task = broker.open(&payer, Purpose::new("pay-bill"))?;
/// let grant = task.request(
///     Scope::tool("bank.pay").arg("to", eq("CH93")).arg("amount", max(100)),
///     &Context::new(),
/// )?;
///
/// assert_permitted!(gate, grant, call("bank.pay", json!({ "to": "CH93", "amount": 100 })));
/// assert_denied!(
///     gate,
///     grant,
///     call("bank.pay", json!({ "to": "CH93", "amount": 101 })),
///     Reason::OutOfScope
/// );
///
/// // The rule says `uses = 1`: one call that runs, and no more.
/// let bill = call("bank.pay", json!({ "to": "CH93", "amount": 100 }));
/// let permit = gate.authorize(grant.token(), &payer, bill.clone(), &Context::new())?;
/// permit.run(|_call| Ok::<_, std::io::Error>(()))?;
/// assert_denied!(gate, grant, bill, Reason::UsesSpent);
///
/// task.complete();
/// assert_nothing_stands!(broker);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[macro_export]
macro_rules! assert_permitted {
    ($gate:expr, $grant:expr, $call:expr $(,)?) => {
        $crate::testing::expect_permitted(&$gate, &$grant, &$call, None)
    };
    ($gate:expr, $grant:expr, $call:expr, $context:expr $(,)?) => {
        $crate::testing::expect_permitted(&$gate, &$grant, &$call, Some(&$context))
    };
}

/// Asserts that the gate denies a call by the grant's holder for this [`Reason`], and prints why if
/// it does for another; see [`assert_permitted!`].
#[macro_export]
macro_rules! assert_denied {
    ($gate:expr, $grant:expr, $call:expr, $reason:expr $(,)?) => {
        $crate::testing::expect_denied(&$gate, &$grant, &$call, None, $reason)
    };
    ($gate:expr, $grant:expr, $call:expr, $context:expr, $reason:expr $(,)?) => {
        $crate::testing::expect_denied(&$gate, &$grant, &$call, Some(&$context), $reason)
    };
}

/// Asserts that no task and no grant is live at a broker; see [`assert_permitted!`].
#[macro_export]
macro_rules! assert_nothing_stands {
    ($broker:expr $(,)?) => {
        $crate::testing::expect_nothing_stands(&$broker)
    };
}

#[cfg(test)]
mod tests {
    use super::granted;
    use crate::prelude::*;
    use crate::scope::max;

    #[test]
    #[should_panic(expected = "nearest permit `small`: `args.amount`")]
    fn what_a_test_is_denied_is_explained() {
        let rule = Rule::permit("small").tool("bank.pay").arg("amount", max(500));
        let broker = Broker::new(Policy::builder().rule(rule).build().unwrap()).unwrap();
        let payer = broker.assert_identity("payer").unwrap();
        let task = granted(broker.open(&payer, Purpose::new("pay-bill")));
        let asked = |most: i64| Scope::tool("bank.pay").arg("amount", max(most));
        let _in_time = granted(task.request(asked(500), &Context::new()));
        let _too_much = granted(task.request(asked(501), &Context::new()));
    }
}
