//! The request of a record, put together from it, the values next to it, and what the log said before of its task.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::NotReplayable;
use super::compare::Said;
use super::known::KnownTask;
use super::outcome::{Decided, Ruled};
use super::question::{identity_of, ruled};
use crate::audit::{BrokenGlass, DeniedAgain, Event, Plain, PlainValues, Record, Stage};
use crate::clock::Timestamp;
use crate::context::Context;
use crate::denial::Reason;
use crate::identity::Identity;
use crate::policy::{Moment, Policy, RecordedRequest};
use crate::scope::{Fact, Scope};
use crate::value::{Object, Value};

/// A record of what rules decided about a scope that was asked for.
pub(super) struct Requested<'r> {
    seq: u64,
    at: Timestamp,
    task: &'r str,
    pub(super) generation: u64,
    holder: &'r str,
    about: Decided,
    /// Of what is delegated the grant above it; of what is renewed itself, where the record does not say what is above.
    grant: Option<&'r str>,
    parent: Option<&'r str>,
    scope: &'r Value,
    pub(super) epoch: u64,
    ruled: Ruled,
    rules: &'r [Cow<'static, str>],
    was_approved: bool,
    plain: Option<&'r Plain<'static>>,
}

/// One of those who have to be permitted.
struct Party<'p> {
    /// What the names of the parts of the record begin with that are about this party.
    prefix: Cow<'static, str>,
    id: &'p str,
    moment: Moment,
}

/// A request that stands in the log as a whole.
pub(super) struct WholeRequest {
    rounds: Vec<Vec<(Identity, Moment)>>,
    scope: Scope,
    context: Context,
    seen: Value,
    now: Timestamp,
}

impl<'r> Requested<'r> {
    pub(super) fn of(record: &'r Record) -> Option<Self> {
        let Record { seq, at, event } = record;
        let (seq, at) = (*seq, *at);
        match event {
            Event::Granted {
                task,
                generation,
                grant,
                serial,
                parent,
                holder,
                scope,
                rules,
                approvals,
                epoch,
                plain,
                ..
            } => Some(Requested {
                seq,
                at,
                task,
                generation: *generation,
                holder,
                about: match (*serial, parent) {
                    (2.., _) => Decided::Renewal,
                    (_, Some(_)) => Decided::Delegation,
                    (_, None) => Decided::Request,
                },
                grant: Some(&**grant).filter(|_| *serial > 1),
                parent: parent.as_deref(),
                scope,
                epoch: *epoch,
                ruled: Ruled::Permitted,
                rules,
                was_approved: !approvals.is_empty(),
                plain: plain.as_deref(),
            }),
            Event::BrokenGlass(BrokenGlass {
                task,
                generation,
                who,
                scope,
                rules,
                epoch,
                plain,
                ..
            }) => Some(Requested {
                seq,
                at,
                task,
                generation: *generation,
                holder: who,
                about: Decided::Emergency,
                grant: None,
                parent: None,
                scope,
                epoch: *epoch,
                ruled: Ruled::Permitted,
                rules,
                was_approved: false,
                plain: plain.as_deref(),
            }),
            Event::Denied {
                stage,
                task: Some(task),
                generation: Some(generation),
                grant,
                who: Some(holder),
                scope: Some(scope),
                reason,
                rules,
                epoch: Some(epoch),
                break_glass,
                plain,
                ..
            } => {
                let about = match stage {
                    Stage::Request if *break_glass => Decided::Emergency,
                    Stage::Request => Decided::Request,
                    Stage::Delegate => Decided::Delegation,
                    Stage::Renew => Decided::Renewal,
                    _ => return None,
                };
                // What else is denied for this reason there, or waits for people, has no such mark.
                let ruled = ruled_of_scope(reason)?;
                let is_clear = *stage == Stage::Request && ruled != Ruled::Asked;
                (is_clear || plain.is_some()).then_some(Requested {
                    seq,
                    at,
                    task,
                    generation: *generation,
                    holder,
                    about,
                    grant: grant.as_deref().filter(|_| about == Decided::Renewal),
                    parent: grant.as_deref().filter(|_| about == Decided::Delegation),
                    scope,
                    epoch: *epoch,
                    ruled,
                    rules,
                    was_approved: false,
                    plain: plain.as_deref(),
                })
            }
            _ => None,
        }
    }

    pub(super) fn said(&self) -> Said<'r> {
        let tools = Scope::from_value(self.scope);
        Said {
            seq: self.seq,
            task: self.task,
            who: self.holder,
            about: self.about,
            tools: tools.iter().flat_map(Scope::tools).map(str::to_owned).collect(),
            ruled: self.ruled,
            rules: self.rules,
            was_approved: self.was_approved,
        }
    }

    /// The request, if all that rules look at of it is there.
    pub(super) fn whole(
        &self,
        kept: Option<&str>,
        task: &KnownTask,
        policy: &Policy,
        is_own: bool,
    ) -> Result<WholeRequest, NotReplayable> {
        let nothing = Plain::default();
        let plain = self.plain.unwrap_or(&nothing);
        if plain.by_parts {
            return Err(NotReplayable::ByParts);
        }
        // Another policy may have another catalogue, which reads what was asked for in its own way.
        if plain.respelled && !is_own {
            return Err(NotReplayable::NotPlain);
        }
        let scope = Scope::from_value(self.scope).map_err(|_| NotReplayable::NotPlain)?;
        let rounds = self.rounds(task, plain)?;
        let PlainValues { mut values, erased, changed } = plain.open(kept);
        for name in self.asked(&rounds, &scope, policy, is_own)? {
            let is_it = |own: &String| *own == name;
            if changed.iter().any(is_it) {
                return Err(NotReplayable::Changed);
            }
            if erased.iter().any(is_it) {
                return Err(NotReplayable::Erased);
            }
            if !values.contains_key(&name) && !plain.absent.iter().any(|own| *own == name) {
                return Err(NotReplayable::NotPlain);
            }
        }
        let mut attest = |party: &Party<'_>| {
            let identity = identity_of(policy, party.id, &party.prefix, &mut values)?;
            Some((identity, party.moment))
        };
        let rounds = rounds
            .iter()
            .map(|round| round.iter().map(&mut attest).collect::<Option<Vec<_>>>())
            .collect::<Option<Vec<_>>>();
        Ok(WholeRequest {
            rounds: rounds.ok_or(NotReplayable::NotPlain)?,
            scope,
            seen: values.remove("when.seen").unwrap_or(Value::List(Vec::new())),
            context: context_of(values).ok_or(NotReplayable::NotPlain)?,
            now: plain.decided.unwrap_or(self.at),
        })
    }

    /// Who had to be permitted, and in which order rules were asked.
    fn rounds<'p>(
        &self,
        task: &'p KnownTask,
        plain: &Plain<'_>,
    ) -> Result<Vec<Vec<Party<'p>>>, NotReplayable>
    where
        'r: 'p,
    {
        let moment = match self.about {
            Decided::Emergency => Moment::BreakGlass,
            _ => Moment::Request,
        };
        let holder = Party { prefix: "who".into(), id: self.holder, moment };
        let parent = match (self.parent, self.grant) {
            (Some(parent), _) => Some(parent),
            (None, Some(own)) => task.grant(own).ok_or(NotReplayable::NoGrant)?.parent.as_deref(),
            (None, None) => None,
        };
        let Some(parent) = parent else {
            let requester = &*task.requester;
            let is_told = |name: &str| name.starts_with("requester.");
            let names = plain.values.keys().chain(&plain.absent).chain(&plain.digest_only);
            // The holder may be the requester, attested otherwise: rules were asked about both then.
            let is_other = *requester != *self.holder || names.into_iter().any(|own| is_told(own));
            let requester = Party { prefix: "requester".into(), id: requester, moment };
            return Ok(vec![[holder].into_iter().chain(is_other.then_some(requester)).collect()]);
        };
        let mut above = Vec::new();
        let mut next = Some(parent);
        while let Some(id) = next {
            let grant = task.grant(id).ok_or(NotReplayable::NoGrant)?;
            let prefix = format!("delegator-{}", above.len() + 1).into();
            above.push(Party { prefix, id: &grant.holder, moment: Moment::Delegate });
            next = grant.parent.as_deref();
            // A log in which grants hang from each other was not written by a broker.
            if above.len() > usize::from(u8::MAX) {
                return Err(NotReplayable::NoGrant);
            }
        }
        Ok(vec![above, vec![holder]])
    }

    /// The names of the parts that rules may look at and that do not stand in the record itself.
    fn asked(
        &self,
        rounds: &[Vec<Party<'_>>],
        scope: &Scope,
        policy: &Policy,
        is_own: bool,
    ) -> Result<Vec<String>, NotReplayable> {
        let mut names = Vec::new();
        for party in rounds.iter().flatten() {
            for tool in scope.tools() {
                for fact in policy.facts_asked(tool, party.moment).facts {
                    match fact {
                        Fact::WhoId => {}
                        // Another policy may have given other labels to what was called before.
                        Fact::Seen if !is_own => return Err(NotReplayable::NotPlain),
                        Fact::Seen | Fact::Context(_) => names.push(fact.to_string()),
                        fact if fact.is_of_the_asker() => {
                            let name = fact.to_string();
                            let own = name.strip_prefix("who").unwrap_or(&name);
                            names.push(format!("{}{own}", party.prefix));
                        }
                        // Of the record itself, of its task, or of the policy.
                        _ => {}
                    }
                }
            }
        }
        Ok(names)
    }
}

impl WholeRequest {
    pub(super) fn ask<'q>(&'q self, why: &'q crate::purpose::Purpose) -> RecordedRequest<'q> {
        let WholeRequest { rounds, scope, context, seen, now } = self;
        RecordedRequest { rounds, why, scope, context, seen, now: *now }
    }
}

/// Whether equal denials that are counted are decisions of rules about what was asked for.
pub(super) fn counts_requests(denials: &DeniedAgain<'_>) -> bool {
    let is_of_scope = matches!(denials.stage, Stage::Request | Stage::Delegate | Stage::Renew);
    is_of_scope && denials.task.is_some() && ruled_of_scope(&denials.reason).is_some()
}

fn ruled_of_scope(reason: &str) -> Option<Ruled> {
    if reason == Reason::NotCovered.as_str() { Some(Ruled::NotCovered) } else { ruled(reason) }
}

fn context_of(values: BTreeMap<String, Value>) -> Option<Context> {
    let mut context = Object::new();
    for (name, value) in values {
        if let Some(name) = name.strip_prefix("when.") {
            context.insert(name.to_owned(), value).ok()?;
        }
    }
    Some(Context::from(context))
}
