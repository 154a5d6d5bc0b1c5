//! Authorizing a call: the one way to a permit.

use std::sync::Arc;

use parking_lot::RwLockReadGuard;

use super::permit::Permit;
use super::shared::{Current, Shared};
use crate::audit::{Event, Place, Stage};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::{Denial, Reason};
use crate::grant::{GrantId, Granted, Life, OpenPermit, Row, Stamp, TaskCell, Terms};
use crate::identity::Identity;
use crate::policy::{
    Deciders, Moment, Question, Setting, Verdict, What, decide, failed, nearest_for_call,
};
use crate::scope::{Outside, Uncovered};
use crate::token::{Token, TokenError, Unverified};
use crate::value::{Digest, Object, Value};

/// The tool side's handle: turns a presented token and a call into a [`Permit`], or a [`Denial`].
///
/// Cloning it shares it: a clone can authorize and nothing else.
#[derive(Clone)]
pub struct Gate {
    pub(super) shared: Arc<Shared>,
}

impl Gate {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Gate { shared }
    }

    /// Authorizes one call: who presents which token, for what, in which context.
    ///
    /// In this order: the token's size and framing, its signature, its decoding, expiry, audience
    /// and holder; then task, grant and serial; then the grant's scope; then today's rules; then
    /// limits. What is permitted is in the log before this returns.
    ///
    /// # Errors
    /// A [`Denial`], which is in the log, too.
    pub fn authorize(
        &self,
        token: &Token,
        caller: &Identity,
        call: Call,
        context: &Context,
    ) -> Result<Permit, Denial> {
        let now = self.shared.now()?;
        let attempt = Attempt { shared: &self.shared, token, caller, call: &call, context, now };
        match attempt.commit() {
            Ok(committed) => Ok(committed.into_permit(&self.shared, call)),
            Err(refusal) => Err(attempt.record(refusal)),
        }
    }

    /// Answers as [`authorize`](Gate::authorize) would, and permits nothing: no use is spent, no
    /// history added, nothing recorded. Names the permits that would decide.
    ///
    /// # Errors
    /// The [`Denial`] that `authorize` would give, as long as nothing changes between the two.
    pub fn check(
        &self,
        token: &Token,
        caller: &Identity,
        call: &Call,
        context: &Context,
    ) -> Result<Vec<Arc<str>>, Denial> {
        let now = self.shared.now()?;
        let attempt = Attempt { shared: &self.shared, token, caller, call, context, now };
        attempt.check().map_err(|refusal| refusal.denial)
    }

    /// The holder gives its grant up: always possible while it lives, final when it returns.
    ///
    /// # Errors
    /// A [`Denial`] with [`Code::InvalidToken`](crate::denial::Code::InvalidToken) or
    /// [`Expired`](crate::denial::Code::Expired) if there is nothing to give up.
    pub fn give_up(&self, token: &Token, caller: &Identity) -> Result<(), Denial> {
        let now = self.shared.now()?;
        let current = self.shared.current();
        let presented = present(&self.shared, &current, token, caller, now)?;
        drop(current);
        if self.shared.end_grant(&presented.cell, presented.grant, Reason::Revoked).is_some() {
            Ok(())
        } else {
            Err(Denial::new(presented.cell.life.lock().why_gone(presented.grant)))
        }
    }
}

/// What a good token led to: a task that is live as far as the table knows.
pub(super) struct Presented {
    pub(super) cell: Arc<TaskCell>,
    pub(super) grant: GrantId,
    pub(super) serial: u32,
}

/// The token's part: everything that can be said before the task's lock is taken.
pub(super) fn present(
    shared: &Shared,
    current: &Current,
    token: &Token,
    caller: &Identity,
    now: Timestamp,
) -> Result<Presented, Denial> {
    let unverified = Unverified::parse(token.expose()).map_err(token_denial)?;
    let verified = unverified.verify(&current.keys, now).map_err(token_denial)?;
    let claims = verified.claims();
    if claims.issuer != &*shared.issuer {
        return Err(Denial::new(Reason::ForeignToken).because("another issuer's"));
    }
    shared.attested(caller)?;
    if claims.holder != caller.subject().as_str() {
        return Err(Denial::new(Reason::NotTheHolder).because(format_args!(
            "`{}` presents what `{}` holds",
            caller.subject(),
            claims.holder
        )));
    }
    let gone =
        if shared.table.knew(claims.generation) { Reason::TaskOver } else { Reason::UnknownGrant };
    let cell = shared.table.task(claims.generation).ok_or_else(|| Denial::new(gone))?;
    if *cell.name != *claims.task {
        // A generation of another run of a broker with the same key.
        return Err(Denial::new(Reason::UnknownGrant));
    }
    Ok(Presented { cell, grant: claims.grant, serial: claims.serial })
}

fn token_denial(error: TokenError) -> Denial {
    let reason = match error {
        TokenError::TooLong(_)
        | TokenError::UnknownVersion
        | TokenError::Framing
        | TokenError::TooManyBlocks
        | TokenError::Malformed(_) => Reason::MalformedToken,
        TokenError::UnknownKey(_) => Reason::UnknownKey,
        TokenError::RetiredKey(_) => Reason::RetiredKey,
        TokenError::BadSignature => Reason::BadSignature,
        TokenError::UnknownBlock => Reason::UnsupportedToken,
        TokenError::WrongAudience | TokenError::NotYetIssued => Reason::ForeignToken,
        TokenError::Expired => Reason::Expired,
    };
    Denial::new(reason).because(error)
}

/// One attempt to call.
struct Attempt<'a> {
    shared: &'a Shared,
    token: &'a Token,
    caller: &'a Identity,
    call: &'a Call,
    context: &'a Context,
    now: Timestamp,
}

/// A denial, and which grant it was about, if the token told.
struct Refusal {
    denial: Denial,
    about: Option<(Arc<TaskCell>, GrantId)>,
}

/// Where the grant, and each grant it was delegated from, covers the call.
struct Covered {
    own: (Arc<Terms>, usize),
    ancestors: Vec<(Arc<Terms>, usize)>,
}

impl Covered {
    /// The limits of every capability that covers the call.
    fn stamps(&self) -> impl Iterator<Item = &Stamp> + Clone {
        std::iter::once(&self.own)
            .chain(&self.ancestors)
            .filter_map(|(terms, at)| terms.scope.get(*at))
            .flat_map(|granted| &granted.stamps)
    }
}

/// A permit that the log has accepted.
struct Committed {
    cell: Arc<TaskCell>,
    grant: GrantId,
    seq: u64,
    epoch: u64,
    rules: Vec<Arc<str>>,
    lapses: Timestamp,
}

impl Attempt<'_> {
    fn commit(&self) -> Result<Committed, Refusal> {
        let current = self.shared.current();
        let presented = self.present(&current)?;
        let about = |denial| presented.refuse(denial);
        let context = self.well_formed().map_err(about)?;
        let labels = self.labels(&current).map_err(about)?;
        let arguments = self.shared.argument_digest(self.call.args());

        let mut life = presented.cell.life.lock();
        self.shared
            .keep_up(&current, &presented.cell, &mut life, presented.grant, self.now)
            .map_err(about)?;
        let (covered, rules) =
            self.decide(&current, &presented, &life, context, labels).map_err(about)?;
        let (place, lapses) = self
            .reserve(&current, &presented, &mut life, &covered, labels, (&rules, arguments))
            .map_err(about)?;
        let seq = place.seq();
        drop(life);
        let epoch = current.epoch;
        drop(current);

        // Outside the locks: the log may take its time.
        if let Err(denial) = self.shared.settle(place) {
            presented.cell.life.lock().close_permit(seq, false);
            return Err(presented.refuse(denial));
        }
        Ok(Committed { cell: presented.cell, grant: presented.grant, seq, epoch, rules, lapses })
    }

    fn check(&self) -> Result<Vec<Arc<str>>, Refusal> {
        let current = self.shared.current();
        let presented = self.present(&current)?;
        let about = |denial| presented.refuse(denial);
        let context = self.well_formed().map_err(about)?;
        let labels = self.labels(&current).map_err(about)?;
        let mut life = presented.cell.life.lock();
        self.shared
            .keep_up(&current, &presented.cell, &mut life, presented.grant, self.now)
            .map_err(about)?;
        let (covered, rules) =
            self.decide(&current, &presented, &life, context, labels).map_err(about)?;
        self.shared.close_lapsed(&presented.cell, &mut life, self.now);
        life.counters.probe(covered.stamps(), self.call.args(), self.now).map_err(about)?;
        Ok(rules)
    }

    fn present(&self, current: &Current) -> Result<Presented, Refusal> {
        present(self.shared, current, self.token, self.caller, self.now)
            .map_err(|denial| Refusal { denial, about: None })
    }

    fn well_formed(&self) -> Result<&Object, Denial> {
        self.call.check().map_err(|error| Denial::new(Reason::MalformedCall).because(error))?;
        self.context.checked().map_err(|error| Denial::new(Reason::MalformedContext).because(error))
    }

    fn labels<'c>(&self, current: &'c Current) -> Result<&'c Value, Denial> {
        let tool = self.call.tool();
        current.policy.catalogue.labels_of(tool).ok_or_else(|| {
            Denial::new(Reason::UnknownTool)
                .because(format_args!("`{tool}` is not in the catalogue"))
        })
    }

    /// Whether grant, ancestors and rules permit the call: what covers it, and the permits.
    fn decide(
        &self,
        current: &Current,
        presented: &Presented,
        life: &Life,
        context: &Object,
        labels: &Value,
    ) -> Result<(Covered, Vec<Arc<str>>), Denial> {
        let row = self.live(presented, life)?;
        let with_this = match current.policy.looks_at_history {
            true => life.history().with(labels),
            false => None,
        };
        let question = Question {
            setting: Setting {
                moment: Moment::Call,
                who: self.caller,
                purpose: &presented.cell.purpose,
                context,
                seen: with_this.as_ref().unwrap_or(life.history().labels()),
                now: self.now,
            },
            what: What {
                tool: self.call.tool(),
                labels,
                args: self.call.args().object(),
                resource: self.call.resource().and_then(|resource| resource.checked().ok()),
            },
        };
        let covered = Covered {
            own: (row.terms.clone(), covering(&row.terms.scope, &question)?),
            ancestors: self.ancestors_cover(row, life, &question)?,
        };
        match decide(&current.policy, &question) {
            Verdict::Permit(rules) => Ok((covered, current.ids(&rules))),
            Verdict::Ask(rules) => Err(denied(Reason::ApprovalRequired, current, &rules)),
            Verdict::Forbid(rules) => Err(denied(Reason::Forbidden, current, &rules)),
            Verdict::NoPermit => Err(Denial::new(Reason::NoPermit)
                .nearest_to(nearest_for_call(&current.policy, &question))),
        }
    }

    /// Whether every grant this one was delegated from lives and covers the call itself: this, and
    /// not any comparison made before, is what keeps a child within its parents.
    fn ancestors_cover(
        &self,
        row: &Row,
        life: &Life,
        question: &Question<'_>,
    ) -> Result<Vec<(Arc<Terms>, usize)>, Denial> {
        let mut covered = Vec::new();
        let mut next = row.parent;
        while let Some(id) = next {
            let above = life.grant(id).ok_or_else(|| Denial::new(life.why_gone(id)))?;
            if above.is_past(self.now) {
                return Err(
                    Denial::new(Reason::Expired).because("a grant above it is past its time")
                );
            }
            covered.push((above.terms.clone(), covering(&above.terms.scope, question)?));
            next = above.parent;
        }
        Ok(covered)
    }

    /// Whether task and grant live, and nothing is halted.
    fn live<'l>(&self, presented: &Presented, life: &'l Life) -> Result<&'l Row, Denial> {
        if life.over.is_some() {
            return Err(Denial::new(Reason::TaskOver));
        }
        let Some(row) = life.grant(presented.grant) else {
            return Err(Denial::new(life.why_gone(presented.grant)));
        };
        if row.serial != presented.serial {
            return Err(Denial::new(Reason::Superseded));
        }
        if row.is_past(self.now) || self.now >= presented.cell.ceiling {
            return Err(Denial::new(Reason::Expired));
        }
        let (halts, tool) = (&self.shared.halts, self.call.tool());
        let halt = halts
            .stopping(&presented.cell, self.caller, Some(tool))
            .or_else(|| halts.stopping_call(&presented.cell, life, presented.grant, tool));
        match halt {
            Some(halt) => Err(Denial::new(Reason::Halted).because(halt)),
            None => Ok(row),
        }
    }

    /// The commit: reserves what the call costs, adds to the history and takes the record's place,
    /// all under the task's lock.
    fn reserve(
        &self,
        current: &Current,
        presented: &Presented,
        life: &mut Life,
        covered: &Covered,
        labels: &Value,
        (rules, arguments): (&[Arc<str>], Digest),
    ) -> Result<(Place, Timestamp), Denial> {
        let lapses = self
            .now
            .checked_add(self.shared.settings.permit_ttl)
            .ok_or_else(|| Denial::new(Reason::Expired))?;
        self.shared.close_lapsed(&presented.cell, life, self.now);
        if life.permits().len() >= self.shared.settings.max_permits {
            return Err(Denial::new(Reason::TooMany)
                .because("the task has too many permits open: finish or drop some"));
        }
        let reservation = life.counters.reserve(covered.stamps(), self.call.args(), self.now)?;

        let cell = &presented.cell;
        let event = Event::Permitted {
            task: (&*cell.name).into(),
            generation: cell.generation,
            grant: presented.grant.to_string().into(),
            serial: u64::from(presented.serial),
            who: self.caller.subject().as_str().into(),
            tool: self.call.tool().into(),
            resource_type: self.call.resource().map(|resource| resource.resource_type().into()),
            resource_id: self.call.resource().map(|resource| resource.id().into()),
            args: arguments.to_string().into(),
            context: None,
            rules: rules.iter().map(|rule| (&**rule).into()).collect(),
            epoch: current.epoch,
            policy: (&*current.digest).into(),
        };
        let place = match self.shared.place(self.now, &event) {
            Ok(place) => place,
            Err(denial) => {
                life.counters.give_back(&reservation);
                return Err(denial);
            }
        };
        life.remember(labels);
        life.touch(presented.grant, self.now);
        let (seq, grant) = (place.seq(), presented.grant);
        let tool = self.call.tool_name().clone();
        life.hand_out(OpenPermit { seq, grant, tool, running: false, lapses, reservation });
        Ok((place, lapses))
    }

    /// Records the denial, and hands it on.
    fn record(&self, refusal: Refusal) -> Denial {
        let Refusal { denial, about } = refusal;
        let (epoch, digest) = {
            let current: RwLockReadGuard<'_, Current> = self.shared.current();
            (current.epoch, current.digest.clone())
        };
        let arguments = self.shared.argument_digest(self.call.args()).to_string();
        self.shared.record_denial(
            self.now,
            &denial,
            Event::Denied {
                stage: Stage::Call,
                task: about.as_ref().map(|(cell, _)| (&*cell.name).into()),
                generation: about.as_ref().map(|(cell, _)| cell.generation),
                grant: about.as_ref().map(|(_, grant)| grant.to_string().into()),
                who: Some(self.caller.subject().as_str().into()),
                tool: Some(self.call.tool().into()),
                args: Some(arguments.into()),
                code: denial.code().as_str().into(),
                reason: denial.reason().as_str().into(),
                rules: denial.rules().map(Into::into).collect(),
                epoch: Some(epoch),
                policy: Some((&*digest).into()),
            },
        );
        self.shared.trip(self.caller, &denial, self.now);
        denial
    }
}

/// The first capability that covers the call. Where none does, the denial says what was outside the
/// first of the same tool.
fn covering(scope: &[Granted], question: &Question<'_>) -> Result<usize, Denial> {
    let mut first_outside = None;
    for (at, granted) in scope.iter().enumerate() {
        let capability = &granted.capability;
        if capability.tool.as_str() != question.what.tool {
            continue;
        }
        let has_resource = question.what.resource.is_some();
        match capability.covers(question.what.args, has_resource, question) {
            Ok(()) => return Ok(at),
            Err(outside) => first_outside = first_outside.or(Some(outside)),
        }
    }
    let tool = question.what.tool;
    Err(Denial::new(Reason::OutOfScope).because(match first_outside {
        None => format!("the grant does not name `{tool}`"),
        Some(Outside::Condition(condition, truth)) => failed(condition, truth, question),
        Some(Outside::Uncovered(Uncovered::Argument(name))) => {
            format!("argument `{}` is not named by the grant", name.escape_default())
        }
        Some(Outside::Uncovered(Uncovered::Resource)) => {
            "the call's resource is not what the grant speaks of".into()
        }
    }))
}

fn denied(reason: Reason, current: &Current, rules: &Deciders) -> Denial {
    Denial::new(reason).by_rules(current.ids(rules))
}

impl Presented {
    fn refuse(&self, denial: Denial) -> Refusal {
        Refusal { denial, about: Some((self.cell.clone(), self.grant)) }
    }
}

impl Committed {
    fn into_permit(self, shared: &Arc<Shared>, call: Call) -> Permit {
        let Committed { cell, grant, seq, epoch, rules, lapses } = self;
        Permit::new(shared.clone(), cell, grant, seq, epoch, lapses, rules, call)
    }
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("audience", &self.shared.audience).finish_non_exhaustive()
    }
}
