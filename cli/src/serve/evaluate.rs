//! Decides an evaluation: a task of its own, a grant for exactly this call, and a permit that is forwarded.

use std::sync::Arc;

use hallpass::context::TraceParent;
use hallpass::identity::{Identity, Kind};
use hallpass::scope::eq;
use hallpass::value::{Object, Value};
use hallpass::{Broker, Call, Code, Context, Denial, Gate, Policy, Purpose, Reason, Scope, Task};

use super::authzen::{Entity, Evaluation, Malformed};
use super::entities::{Entities, assertion};
use super::options::Kinds;
use crate::remark::{remark, shown};

/// What of a request's context is not taken for a fact: what time it is the broker knows by its own clock.
const NO_FACT: &str = "time";

/// Decides what is asked over the network.
pub(super) struct Evaluator {
    pub(super) broker: Broker,
    /// What is in force, for searches, which ask nothing of the broker.
    pub(super) policy: Policy,
    pub(super) gate: Gate,
    pub(super) purpose: Purpose,
    /// What the operator knows of the moment, which goes before what requests say.
    pub(super) facts: Object,
    pub(super) kinds: Kinds,
    pub(super) entities: Arc<Entities>,
    /// Whether denials are explained on standard error.
    pub(super) explains: bool,
}

/// What came of an evaluation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// The permit is on record, and spent.
    Permitted,
    Denied {
        /// A word: the agent's code, or that no kind is told of the subject's type.
        reason: &'static str,
        /// The question that people would have to agree to.
        question: Option<String>,
    },
    /// It can't be read.
    Malformed(Malformed),
    /// It can't be decided or recorded now.
    Unavailable,
}

impl Decision {
    pub(super) fn is_permitted(&self) -> bool {
        matches!(self, Decision::Permitted)
    }
}

impl Evaluator {
    /// Decides one evaluation, which is of this trace. Nothing of it stands when this returns, and a permit is on record before it does.
    pub(super) fn evaluate(&self, asked: &Evaluation, trace: Option<TraceParent>) -> Decision {
        let Some(kind) = self.kinds.of(&asked.subject.of_type) else {
            return Decision::Denied { reason: "unknown_subject_type", question: None };
        };
        let who = match self.identity(kind, &asked.subject) {
            Ok(who) => who,
            Err(why) => return Decision::Malformed(Malformed(why)),
        };
        match self.decide(&who, asked, trace) {
            Ok(()) => Decision::Permitted,
            Err(denial) => self.denied(&asked.action, &denial),
        }
    }

    fn decide(
        &self,
        who: &Identity,
        asked: &Evaluation,
        trace: Option<TraceParent>,
    ) -> Result<(), Denial> {
        let call = match Call::from_json(&asked.action, &asked.action_properties.to_json()) {
            Ok(call) => call.on(self.entities.resource(&asked.resource)),
            Err(error) => {
                let why = error.to_string();
                return Err(self.gate.deny(who, &asked.action, Reason::MalformedCall, &why));
            }
        };
        self.forwarded(who, call, &self.context(&asked.context, trace))
    }

    /// Decides a call that is made elsewhere, in a task of its own.
    ///
    /// # Errors
    /// A denial, which is on record.
    pub(super) fn forwarded(
        &self,
        who: &Identity,
        call: Call,
        context: &Context,
    ) -> Result<(), Denial> {
        let task = self.broker.open(who, self.purpose.clone())?;
        let forwarded = self.forward(&task, who, call, context);
        drop(task.complete());
        forwarded
    }

    fn forward(
        &self,
        task: &Task,
        who: &Identity,
        call: Call,
        context: &Context,
    ) -> Result<(), Denial> {
        let mut wanted = Scope::exactly(&call);
        for (name, own) in call.resource().into_iter().flat_map(|own| own.attributes().iter()) {
            wanted = wanted.resource_attr(name, eq(own.clone()));
        }
        let wanted = wanted.digested();
        let grant = task.request(wanted.clone(), context)?;
        // What is granted is in the spelling that is decided about, and the call is made elsewhere as it was asked for.
        if *grant.scope() != wanted {
            let why = "an argument is not in the one spelling of its type, in which alone the call would be what was \
                       decided about: ask for it, and make it, in that one";
            return Err(self.gate.deny(who, call.tool(), Reason::MalformedCall, why));
        }
        self.gate.authorize(&grant, who, call, context)?.forward().map(drop)
    }

    /// Who a request is about: its subject, or the agent that is said to act for it.
    pub(super) fn identity(&self, kind: Kind, subject: &Entity) -> Result<Identity, String> {
        let attested = |who| self.broker.assert_identity(who).map_err(|error| error.to_string());
        let Some(actor) = subject.properties.get("act") else {
            // Its id in the spelling that the broker has, by which it is known.
            let plain = attested(assertion(kind, &subject.id))?;
            let as_known = plain.subject().as_str();
            return attested(self.entities.subject(
                kind,
                &subject.id,
                as_known,
                &subject.properties,
            ));
        };
        let actors = actors(actor)?;
        let mut ids = actors.iter();
        let Some(agent) = ids.next() else { return Err("`act` names no one".to_owned()) };
        let plain = attested(assertion(Kind::Agent, agent))?;
        let as_known = plain.subject().as_str();
        // The properties are the subject's, and not those of the agent that acts for it.
        let who = self.entities.subject(Kind::Agent, agent, as_known, &Object::new());
        let who = ids.fold(who, |who, actor| who.acts_for(*actor, Kind::Agent));
        attested(who.acts_for(subject.id.clone(), kind))
    }

    pub(super) fn context(&self, said: &Object, trace: Option<TraceParent>) -> Context {
        let said =
            said.iter().filter(|(name, _)| *name != NO_FACT && self.facts.get(name).is_none());
        let all = self.facts.iter().chain(said);
        let traced = trace.map_or_else(Context::new, |trace| Context::new().traced(trace));
        all.fold(traced, |all, (name, own)| all.with(name.to_owned(), own.clone()))
    }

    /// Says on standard error why something is denied, if it is to.
    pub(super) fn explain(&self, tool: &str, denial: &Denial) {
        if self.explains {
            remark(&format!("{}: {}", shown(tool), denial.explain()));
        }
    }

    fn denied(&self, tool: &str, denial: &Denial) -> Decision {
        self.explain(tool, denial);
        match denial.code() {
            Code::Unavailable => Decision::Unavailable,
            code => Decision::Denied {
                reason: code.as_str(),
                question: denial.pending().map(|pending| pending.id()),
            },
        }
    }
}

/// Who acts, and for whom that one does: `{ "sub": …, "act": { "sub": … } }` (RFC 8693), the acting one first.
fn actors(act: &Value) -> Result<Vec<&str>, String> {
    let (mut actors, mut next) = (Vec::new(), Some(act));
    while let Some(act) = next {
        let own = act.as_object().ok_or("`subject.properties.act` is not an object")?;
        let id = own.get("sub").and_then(Value::as_text);
        actors.push(id.ok_or("`subject.properties.act.sub` is missing or no text")?);
        next = own.get("act");
    }
    Ok(actors)
}
