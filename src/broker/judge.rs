//! A call that is asked for: what a good token led to, the call as the tool gets it, and what it is asked
//! with. Judged under the task's lock, against grant, ancestors, rules and limits.

use super::call_request::CallRequest;
use super::charged_call::ChargedCall;
use super::covering::{covering, covering_row};
use super::current::{Current, DecidingRules};
use super::plain_record::plain_of;
use super::presented::PresentedGrant;
use crate::audit::{self, DigestText, Event, KeptPlain, Place};
use crate::denial::{Denial, Reason};
use crate::grant::{Coverage, Row, SharedCharge, SharedDemand, stamps_on};
use crate::meter::Meter;
use crate::policy::{
    Deciders, Listed, Moment, Question, Seen, Setting, Verdict, What, decide, passed_over,
};
use crate::scope::Readings;
use crate::sync::MutexGuard;
use crate::task::{Approval, Basis, Claim, Life, Liveness, Spend};
use crate::value::Object;
use std::borrow::Cow;
use std::sync::Arc;

/// Everything that a call is judged by, but for the task's life.
pub(super) struct CallInputs<'a> {
    pub(super) request: CallRequest<'a>,
    pub(super) current: &'a Current,
    pub(super) presented: &'a PresentedGrant,
    what: What<'a>,
    pub(super) listed: &'a Listed,
    /// Whether the catalogue brought the call to another spelling.
    pub(super) respelled: bool,
    pub(super) context: &'a Object,
    /// What judging it may cost.
    pub(super) meter: Meter,
}

/// What only asks withhold.
pub(super) struct WithheldCall {
    pub(super) asks: Deciders,
    pub(super) permits: Deciders,
}

/// What permits a call.
struct PermittedBy {
    coverage: Coverage,
    rules: Deciders,
    /// What people agreed to, if they had to.
    approval: Option<Box<Approval>>,
    /// The asks that it is not held up by, where the glass is broken.
    passed: Option<Box<[Arc<str>]>>,
    /// What its record keeps in plain.
    plain: Option<Box<KeptPlain>>,
}

/// What a call spends, and the asks that it is not held up by where the glass is broken.
struct Spent<'s> {
    coverage: &'s Coverage,
    approval: Option<Box<Approval>>,
    passed: Option<&'s [Arc<str>]>,
    kept: Option<Box<KeptPlain>>,
    shared: Option<Arc<SharedCharge>>,
}

/// A place in the log for the call's permit, and what is reserved for it.
pub(super) struct Reserved {
    pub(super) place: Place,
    pub(super) rules: DecidingRules,
    pub(super) version: u64,
}

impl<'a> CallInputs<'a> {
    /// Call and context as rules see them.
    #[inline(always)]
    pub(super) fn of(
        request: CallRequest<'a>,
        current: &'a Current,
        presented: &'a PresentedGrant,
        (listed, respelled): (&'a Listed, bool),
    ) -> Result<Self, Denial> {
        let what = What::of(request.call, listed)?;
        match request.context.checked() {
            Ok(context) => {
                let meter = Meter::of_question(request.call.args().size());
                Ok(CallInputs {
                    request,
                    current,
                    presented,
                    what,
                    listed,
                    respelled,
                    context,
                    meter,
                })
            }
            Err(error) => Err(Denial::new(Reason::MalformedContext).because(error)),
        }
    }

    /// Judges the call and reserves what it costs. A call-bound presentation is spent whatever comes
    /// of it. What nodes count together has to be charged before: without it, nothing is reserved, and the second
    /// result says what to charge.
    pub(super) fn reserve(
        &self,
        charged: Option<&ChargedCall>,
    ) -> Result<Result<Reserved, Box<SharedDemand>>, Denial> {
        let CallRequest { caller, call, .. } = self.request;
        let (who, tool, args) = (caller.subject().as_str(), call.tool(), call.args().object());
        let digests = self.current.keys.digests.of_call(who, tool, args, self.context);
        self.reserve_with(&digests, charged)
            .inspect_err(|_| self.request.digested.note(self.current, digests))
    }

    #[inline(always)]
    fn reserve_with(
        &self,
        digests: &(DigestText, DigestText),
        charged: Option<&ChargedCall>,
    ) -> Result<Result<Reserved, Box<SharedDemand>>, Denial> {
        let mut life = self.life()?;
        let live = self.prove_live(&life)?;
        // The judgement before this one has taken it.
        if charged.is_none() {
            self.take_once(&mut life, &live)?;
        }
        // What lapsed gives back what it held, the approval that it was redeemed by included.
        self.request.shared.close_lapsed(&self.presented.cell, &mut life, live.at());
        self.check_redeemed(&live)?;
        let mut withheld = None;
        let decided = self.decide(&life, &live, &mut withheld);
        let PermittedBy { coverage, rules, approval, passed, plain } = match (decided, withheld) {
            (Ok(decided), _) => decided,
            (Err(denial), None) => return Err(denial),
            (Err(denial), Some(withheld)) => {
                // What was found to be void since is said to be.
                self.check_redeemed(&live)?;
                return Err(self.park(&mut life, &live, (&withheld, digests.0), denial));
            }
        };
        let shared = match self.shared_charge(&mut life, &live, &coverage, charged)? {
            Ok(shared) => shared,
            Err(demand) => return Ok(Err(demand)),
        };
        let rules = DecidingRules::by(self.current, rules);
        let (coverage, passed, kept) = (&coverage, passed.as_deref(), plain);
        let spent = Spent { coverage, approval, passed, kept, shared };
        let place = self.commit(&mut life, &live, spent, &rules, digests)?;
        Ok(Ok(Reserved { place, rules, version: self.current.version }))
    }

    /// What withholds the call, judged as `reserve` does: no ask, where it is given as it is.
    pub(super) fn weigh(&self, life: &Life) -> Result<WithheldCall, Denial> {
        let live = self.prove_live(life)?;
        let mut withheld = None;
        match self.decide(life, &live, &mut withheld) {
            Ok(PermittedBy { rules, .. }) => {
                Ok(WithheldCall { asks: Deciders::new(), permits: rules })
            }
            Err(denial) => withheld.ok_or(denial),
        }
    }

    /// Judges the call as `reserve` does, and takes nothing. What nodes count together is not looked at, and handed on.
    #[inline(always)]
    pub(super) fn probe(&self) -> Result<(DecidingRules, Option<Box<SharedDemand>>), Denial> {
        let mut life = self.life()?;
        let live = self.prove_live(&life)?;
        if let Some(once) = &self.presented.once {
            life.row(&live)?.probe(once, live.at())?;
        }
        let CallRequest { shared, call, .. } = self.request;
        shared.close_lapsed(&self.presented.cell, &mut life, live.at());
        let PermittedBy { coverage, rules, .. } = self.decide(&life, &live, &mut None)?;
        let demand = self.shared_demand(&life, &coverage);
        let most = shared.settings.max_permits;
        life.check_spend(&live, &coverage, call.args(), most, demand.is_some())?;
        Ok((DecidingRules::by(self.current, rules), demand))
    }

    /// The task's life, its lock taken, with the grant held to today's policy.
    fn life(&self) -> Result<MutexGuard<'a, Life>, Denial> {
        let PresentedGrant { cell, grant, .. } = self.presented;
        let CallRequest { shared, now, .. } = self.request;
        let mut life = cell.life.lock();
        shared.keep_up(self.current, cell, &mut life, *grant, shared.as_of(now))?;
        Ok(life)
    }

    /// Whether grant, ancestors and rules permit the call: what covers it, and the permits.
    /// Where only asks withhold it, which those are.
    #[inline(always)]
    fn decide(
        &self,
        life: &Life,
        live: &Liveness,
        withheld: &mut Option<WithheldCall>,
    ) -> Result<PermittedBy, Denial> {
        let decided = self.decide_by(life, live, withheld);
        if let Err(denial) = self.meter.check() {
            *withheld = None;
            return Err(denial);
        }
        decided
    }

    fn decide_by(
        &self,
        life: &Life,
        live: &Liveness,
        withheld: &mut Option<WithheldCall>,
    ) -> Result<PermittedBy, Denial> {
        let CallInputs {
            request, current, presented, ref what, listed, context, ref meter, ..
        } = *self;
        let row = life.row(live)?;
        let seen = match current.policy.looks_at_history {
            true => life.history().seen_after(what.tool, what.labels, current.listing()),
            false => Cow::Borrowed(Seen::nothing()),
        };
        let time = current.policy.time(live.at());
        let readings = Readings::new();
        let question = Question {
            setting: Setting {
                moment: life.moment_of_calls(row.id),
                who: &current.restated.seen(request.caller),
                purpose: &presented.cell.purpose,
                context,
                seen: &seen,
                now: live.at(),
                now_text: time.as_ref(),
                meter,
                readings: &readings,
            },
            what: What { form: presented.form(), ..*what },
        };
        let at = covering(row, presented, &question)
            .map_err(|scope| self.out_of_scope(scope, &question))?;
        let mut coverage = Coverage::by(row, at);
        self.ancestors_cover(row, life, &question, &mut coverage)?;
        let (rules, approval) = match decide(&current.policy, &question) {
            Verdict::Permit(rules) => match request.redeeming {
                None => (rules, None),
                // What people agreed to is spent, whether or not they have to agree by now.
                Some(_) => {
                    let approval = self.approved(life, live, &Deciders::new(), &rules, Vec::new());
                    (rules, Some(approval.ok_or_else(|| Denial::new(Reason::ApprovalVoid))?))
                }
            },
            Verdict::Ask { asks, permits } => {
                let (asks, scopes) = self.not_passed(life, live, &question, asks);
                match self.approved(life, live, &asks, &permits, scopes) {
                    Some(approval) => (permits, Some(approval)),
                    None => {
                        *withheld =
                            Some(WithheldCall { asks: asks.clone(), permits: permits.clone() });
                        return Err(self.denied(life, Verdict::Ask { asks, permits }, &question));
                    }
                }
            }
            denied => return Err(self.denied(life, denied, &question)),
        };
        let spanning = &request.shared.spanning;
        let stamps = stamps_on(row, at);
        coverage.hold_to(&rules, &current.policy, stamps, request.caller, spanning);
        let passed = match question.setting.moment {
            Moment::BreakGlass => {
                coverage.cap_uses(request.shared.settings.break_glass_uses);
                Some(current.ids(&passed_over(&current.policy, &question)).into())
            }
            _ => None,
        };
        let asked = (&question, self.respelled);
        let plain = plain_of(&current.policy, listed, asked, life.secrets())?;
        Ok(PermittedBy { coverage, rules, approval, passed, plain })
    }

    /// Whether every grant this one was delegated from covers the call itself: this, and not any
    /// comparison made before, is what keeps a child within its parents.
    fn ancestors_cover(
        &self,
        row: &Row,
        life: &Life,
        question: &Question<'_>,
        coverage: &mut Coverage,
    ) -> Result<(), Denial> {
        let mut next = row.parent;
        while let Some(id) = next {
            let above = life.grant(id).ok_or_else(|| life.gone(id))?;
            let at =
                covering_row(above, question).map_err(|own| self.out_of_scope(own, question))?;
            coverage.by_ancestor(above, at);
            next = above.parent;
        }
        Ok(())
    }

    /// Spends a call-bound presentation, whatever is decided next: it was good for this one try. Only
    /// now that signature, holder and liveness have passed, so that no one else can fill the memory.
    fn take_once(&self, life: &mut Life, live: &Liveness) -> Result<(), Denial> {
        match (&self.presented.once, life.grant_mut(live.grant())) {
            (None, _) => Ok(()),
            (Some(once), Some(row)) => row.take(once, live.at()),
            (Some(_), None) => Err(Denial::new(Reason::UnknownGrant)),
        }
    }

    fn prove_live(&self, life: &Life) -> Result<Liveness, Denial> {
        let CallInputs { request, presented, .. } = self;
        let claim = Claim {
            grant: presented.grant,
            basis: Basis::Token(presented.serial),
            who: request.caller,
            tool: Some(request.call.tool()),
        };
        // An attenuation that has expired since the token was read is not a token any more.
        let now = request.shared.as_of(request.now);
        presented.check_attenuations(now)?;
        presented.cell.prove_live(life, &request.shared.halts, &claim, now)
    }

    /// Spends what the call costs, with its place in the log, all under the task's lock.
    fn commit(
        &self,
        life: &mut Life,
        live: &Liveness,
        spent: Spent<'_>,
        rules: &DecidingRules,
        (arguments, context): &(DigestText, DigestText),
    ) -> Result<Place, Denial> {
        let CallInputs { request, presented, .. } = self;
        let CallRequest { shared, caller, call, .. } = *request;
        let Spent { coverage, approval, passed, kept, shared: charged } = spent;
        let now = live.at();
        let lapses = now
            .checked_add(shared.settings.permit_ttl)
            .ok_or_else(|| Denial::new(Reason::Expired))?;
        let lapses = presented.until.map_or(lapses, |until| lapses.min(until));
        let approvals: Vec<_> = approval.as_ref().map_or_else(Vec::new, |own| own.ids().collect());
        let spend = Spend {
            coverage,
            args: call.args(),
            serial: presented.serial,
            caller,
            tool: call.tool_name(),
            labels: self.what.labels,
            listing: self.current.listing(),
            lapses,
            approval,
            shared: charged,
        };
        let kept = kept.map(|kept| *kept);
        let (plain, values) = kept.map(|own| (Box::new(own.plain), own.values)).unzip();
        life.commit(live, spend, shared.settings.max_permits, |reserved| {
            let cell = &presented.cell;
            let grant = presented.grant.text();
            let seals = &self.current.keys.seals;
            // Most calls draw on none, and gathering none takes a hundredth of a call.
            let spent = match reserved.spans() {
                false => Vec::new(),
                true => {
                    let spent = reserved.spanning().map(|charge| audit::Spent::of(&charge, seals));
                    let spent = spent.collect::<Result<_, _>>();
                    spent.map_err(|error| Denial::new(Reason::NoRandomness).because(error))?
                }
            };
            let event = Event::Permitted {
                task: (&*cell.name).into(),
                generation: cell.generation,
                grant: grant.as_str().into(),
                serial: u64::from(presented.serial),
                who: caller.subject().as_str().into(),
                acts_for: caller.acts_for().iter().map(|own| own.subject.as_str().into()).collect(),
                tool: call.tool().into(),
                resource_type: call.resource().map(|resource| resource.resource_type().into()),
                resource_id: call.resource().map(|resource| resource.id().into()),
                args: arguments.as_str().into(),
                context: Some(context.as_str().into()),
                rules: rules.ids().map(Into::into).collect(),
                approvals: approvals.iter().map(|id| id.as_str().into()).collect(),
                spent,
                epoch: self.current.epoch,
                break_glass: passed.is_some(),
                passed: passed.unwrap_or_default().iter().map(|rule| (&**rule).into()).collect(),
                trace: request.context.trace().map(|own| own.as_str().into()),
                plain,
            };
            shared.place_with(now, &event, values)
        })
    }
}
