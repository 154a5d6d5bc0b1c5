//! Breaking the glass: the emergency path to a grant.

use std::sync::Arc;

use super::current::Current;
use super::debts::{Owed, OwedRule};
use super::grant::Grant;
use super::grant_request::{GrantRequest, Occasion};
use super::new_grant::{Descent, NewGrant};
use super::offer::{Offer, OfferInputs};
use super::retire::End;
use super::task::Task;
use crate::audit::{BrokenGlass, Event};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::grant::GrantId;
use crate::identity::Identity;
use crate::policy::{BreakGlassTerms, Moment};
use crate::scope::{Capability, Scope};

/// How many bytes a justification may have: as many as a purpose's intent.
const MAX_JUSTIFICATION: usize = 4096;

impl Task {
    /// Breaks the glass: access in an emergency, for the human who opened the task, past the people whom asks
    /// would ask first.
    ///
    /// Only permits `on = ["break_glass"]` speak, here and at the calls; every forbid and every halt holds; asks
    /// are passed over and named in the record, but for those that name `break_glass` themselves. It is for
    /// one human who acts for no one, and the grant is neither delegated nor renewed, and used no longer
    /// and no more often than [the broker allows](crate::BrokerBuilder::break_glass_at_most). It takes effect only
    /// when its record is in the log and [the alert](crate::BrokerBuilder::break_glass_alert) was accepted. It owes
    /// a review by somebody else: see [`Reviews::debts`](crate::Reviews::debts).
    ///
    /// ```
    /// use std::time::Duration;
    /// use hallpass::prelude::*;
    /// use serde_json::json;
    ///
    /// let policy = Policy::from_toml(r#"
    ///     version = 1
    ///
    ///     [[rule]]
    ///     id          = "incident"
    ///     effect      = "permit"
    ///     on          = ["break_glass"]
    ///     who         = { groups = { has_any = ["sre"] } }
    ///     what        = { tool = "db.restart", args = "any" }
    ///     grant       = { ttl = "15m", uses = 3 }
    ///     break_glass = { review = [{ groups = { has_any = ["security"] } }], due = "24h" }
    /// "#)?;
    /// let broker = Broker::builder(policy)
    ///     .break_glass_alert(|_record| Ok(()), Duration::from_secs(5)) // page somebody
    ///     .build()?;
    /// let ada = broker.assert_identity(Assertion::human("ada@acme.test").group("sre"))?;
    /// let task = broker.open(&ada, Purpose::new("incident").ticket("INC-7"))?;
    /// let scope = Scope::tool("db.restart").any_args();
    /// let grant = task.break_glass(scope, "orders are down", &Context::new())?;
    /// let call = Call::new("db.restart", json!({ "node": 2 }))?;
    /// broker.gate().authorize(&grant, &ada, call, &Context::new())?.run(|_| Ok::<_, std::fmt::Error>(()))?;
    ///
    /// // Somebody else looks at what was done.
    /// let reviews = broker.reviews();
    /// let eve = broker.assert_identity(Assertion::human("eve@acme.test").group("security"))?;
    /// for debt in reviews.debts() {
    ///     reviews.close_debt(&debt, &eve, "justified", "one restart, as INC-7 says")?;
    /// }
    /// assert!(reviews.debts().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// A [`Denial`]: among others [`Reason::NotOneHuman`], [`Reason::NoJustification`],
    /// [`Reason::ReviewOwed`] while a review of this person is overdue, and [`Reason::NotAlerted`].
    pub fn break_glass(
        &self,
        scope: Scope,
        justification: &str,
        context: &Context,
    ) -> Result<Grant, Denial> {
        let holder: &Identity = &self.cell.requester;
        let scope = Arc::new(scope);
        GrantRequest::ask(
            self,
            Occasion { break_glass: true, ..Occasion::REQUEST },
            holder,
            context,
            &scope,
            |request| request.break_glass(&scope, justification, context),
        )
    }
}

impl GrantRequest<'_> {
    fn break_glass(
        &self,
        scope: &Arc<Scope>,
        justification: &str,
        asked_in: &Context,
    ) -> Result<Grant, Denial> {
        // That the holder, who opened the task, is attested still is looked at with what is given.
        let GrantRequest { shared, cell, holder, now, .. } = *self;
        holder.check_is_one_human()?;
        let justification = check_justification(justification)?;
        let mut capabilities = self.checked_capabilities(scope)?;
        if !scope.verifiers().is_empty() {
            // A verifier counts no uses, and marks nothing.
            return Err(Denial::new(Reason::MalformedScope)
                .because("what breaking the glass gives is used at the gate alone"));
        }
        let context = self.checked_context()?;
        let id = self.new_id()?;

        let current = shared.current();
        let (scope, respelled) = self.respell(&current, scope, &mut capabilities)?;
        let mut life = cell.life.lock();
        let now = shared.as_of(now);
        self.check_task(&life)?;
        self.check_room(&life)?;
        let asking = OfferInputs::at_request(self, &current, &life, context, now);
        let asking = asking.recorded(self, respelled);
        let given = asking.give_by_glass(holder, &capabilities)?;
        let passed = asking.passed_over(holder, &capabilities)?;
        let root = Descent { parent: None, hops: 0, latest: cell.ceiling };
        let new = NewGrant::of(self, (&current, &life), id, (scope, given), root, now)?;
        let given = &new.given;
        let owed = Arc::new(self.owed(&current, given, id, justification, now));
        let (plain, values) = asking.plain_given()?;
        let required = owed.rules.iter().any(OwedRule::wants_alert);
        let digest = current.keys.digests.context(context);
        let event = Event::BrokenGlass(BrokenGlass {
            task: cell.name.to_string().into(),
            generation: cell.generation,
            grant: id.to_string().into(),
            who: holder.subject().as_str().to_owned().into(),
            aliases: holder.aliases().map(|alias| alias.to_owned().into()).collect(),
            justification: justification.to_owned().into(),
            scope: std::borrow::Cow::Owned(new.scope.to_value()),
            context: digest.as_str().to_owned().into(),
            rules: given.rules.iter().map(|rule| rule.to_string().into()).collect(),
            passed: passed.iter().map(|rule| rule.to_string().into()).collect(),
            epoch: current.epoch,
            policy: current.digest.to_string().into(),
            expires: new.made.expires,
            due: owed.due,
            refuses_while_open: owed.refuses_while_open,
            trace: self.context.trace().map(|own| own.to_string().into()),
            plain,
        });
        let mut book = shared.debts.book();
        book.check(holder, owed.refuses_while_open, now)?;
        let place = new.record(&event, values)?;
        // From here on it is owed, so that nothing else of this person comes in between.
        book.add(owed);
        drop(book);
        life.note_glass(id);
        let settled = new.enter(place, current, life).settle();
        let settled = settled.inspect_err(|_| {
            shared.debts.book().remove(id);
        })?;
        // Until the host was alerted, too, the token is not handed out.
        self.alert(id, event, required)?;
        Ok(settled.hand_out(asked_in))
    }

    /// Alerts the host. Where that is required and fails, nothing was given and nothing is owed.
    fn alert(&self, id: GrantId, event: Event<'static>, required: bool) -> Result<(), Denial> {
        let GrantRequest { shared, cell, .. } = *self;
        let raised = match &shared.alert {
            Some(alert) => alert.raise(event),
            None if required => Err("the broker has none".to_owned()),
            None => return Ok(()),
        };
        let Err(cause) = raised else { return Ok(()) };
        let at = shared.time_of_end().ok_or_else(|| Denial::new(Reason::Forked))?;
        if required {
            let unalerted = End::Grant { id, why: Reason::NotAlerted };
            shared.take_back(cell, unalerted, super::shared::Recorded::Yes);
        }
        let mut book = shared.debts.book();
        shared.record(
            at,
            &Event::AlertFailed {
                task: (&*cell.name).into(),
                generation: cell.generation,
                grant: id.to_string().into(),
                cause: crate::visible::cut(&cause, MAX_JUSTIFICATION),
                given: !required,
            },
        );
        if !required {
            return Ok(());
        }
        book.remove(id);
        Err(Denial::new(Reason::NotAlerted).because(format_args!("the alert: {cause}")))
    }

    /// What is owed for this: the shortest time of all rules that give it, and every doubt.
    fn owed(
        &self,
        current: &Current,
        given: &Offer,
        grant: GrantId,
        justification: &str,
        now: Timestamp,
    ) -> Owed {
        let policy = &current.policy;
        let terms = |id: &Arc<str>| {
            policy.place_of(id).and_then(|at| policy.rule(at)?.break_glass.as_deref())
        };
        let all = || given.rules.iter().filter_map(terms);
        let due = all().filter_map(|terms: &BreakGlassTerms| now.checked_add(terms.due)).min();
        let rules = given.rules.iter().map(|id| OwedRule {
            id: id.clone(),
            terms: terms(id).map(|terms| Box::new(terms.clone())),
        });
        Owed {
            grant,
            task: self.cell.name.clone(),
            generation: self.cell.generation,
            who: self.holder.clone(),
            justification: justification.into(),
            rules: rules.collect(),
            since: now,
            due: due.unwrap_or(now),
            refuses_while_open: all().any(|terms| terms.refuses_while_open),
        }
    }
}

impl OfferInputs<'_> {
    /// What breaking the glass gives, within what the broker allows.
    pub(super) fn give_by_glass(
        &self,
        holder: &Identity,
        capabilities: &[Capability],
    ) -> Result<Offer, Denial> {
        let settings = &self.shared.settings;
        let given = self.give(&[(holder, Moment::BreakGlass)], capabilities)?;
        // People can't be asked about a scope that has to be had at once.
        let mut given = given.unasked(self.current)?;
        given.ttl = given.ttl.min(settings.break_glass_ttl);
        let stamps = given.terms.scope.iter_mut().flat_map(|granted| &mut granted.stamps);
        stamps.for_each(|stamp| stamp.cap_uses(settings.break_glass_uses));
        Ok(given)
    }

    /// The asks that breaking the glass for these is not held up by.
    fn passed_over(
        &self,
        who: &Identity,
        capabilities: &[Capability],
    ) -> Result<Vec<Arc<str>>, Denial> {
        let mut passed: Vec<Arc<str>> = Vec::new();
        for capability in capabilities {
            let asks = self.wanted((who, Moment::BreakGlass), capability, |wanted| {
                crate::policy::passed_over_at_request(&self.current.policy, wanted)
            });
            passed.extend(asks.iter().flat_map(|asks| self.current.ids(asks)));
        }
        passed.sort();
        passed.dedup();
        self.meter.settle(Ok(passed))
    }
}

impl OwedRule {
    fn wants_alert(&self) -> bool {
        self.terms.as_ref().is_none_or(|terms| !terms.best_effort)
    }
}

fn check_justification(justification: &str) -> Result<&str, Denial> {
    let fault = |why: String| Err(Denial::new(Reason::NoJustification).because(why));
    // What no one can see says nothing.
    let said = justification.chars().any(|c| !c.is_whitespace() && !crate::visible::is_hidden(c));
    match justification.len() {
        _ if !said => fault("it is empty: say why the ordinary path will not do".to_owned()),
        long if long > MAX_JUSTIFICATION => {
            fault(format!("it has {long} bytes, expected at most {MAX_JUSTIFICATION}"))
        }
        _ => Ok(justification),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::Reviewers;
    use crate::prelude::*;
    use crate::scope::has_any;

    /// No policy of which a rule wants an alert is loaded without one: where that is not so all the same, doubt denies.
    #[test]
    fn what_has_to_be_told_and_can_be_told_to_no_one_is_taken_back() {
        let terms = BreakGlassTerms::reviewed_by(Reviewers::in_groups(has_any(["security"])));
        let rule = Rule::permit("incident").on([Moment::BreakGlass]).tool("db").any_args();
        let rule = rule.ttl(std::time::Duration::from_secs(60)).uses(3);
        let rule = rule.break_glass(terms.alert_best_effort());
        let broker = Broker::new(Policy::builder().rule(rule).build().unwrap()).unwrap();
        let ada = broker.assert_identity(Assertion::human("ada")).unwrap();
        let task = broker.open(&ada, Purpose::new("incident")).unwrap();
        let scope = Scope::tool("db").any_args();
        let context = Context::new();
        let grant = task.break_glass(scope.clone(), "orders are down", &context).unwrap();
        let call = || Call::new("db", serde_json::json!({})).unwrap();
        let permitted = || broker.gate().authorize(&grant, &ada, call(), &context).map(drop);
        assert!(permitted().is_ok() && broker.reviews().debts().len() == 1);
        let occasion = Occasion { break_glass: true, ..Occasion::REQUEST };
        let event = || Event::Reopened { torn: None, unanchored: false };
        let told = |required| {
            GrantRequest::ask(&task, occasion, &ada, &context, &scope, |request| {
                request.alert(grant.id(), event(), required)
            })
        };
        assert!(told(false).is_ok() && permitted().is_ok());
        assert_eq!(told(true).unwrap_err().reason(), Reason::NotAlerted);
        assert_eq!(permitted().unwrap_err().reason(), Reason::NotAlerted);
        assert!(broker.reviews().debts().is_empty());
    }
}
