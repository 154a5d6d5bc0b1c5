//! What operators do: take away, stop, load another policy, and look.

use std::collections::BTreeMap;

use crate::denial::{Code, Reason};
use crate::grant::GrantId;
use crate::identity::Assertion;
use crate::value::{Object, Value};
use crate::{Drifted, Halt, Policy};

use super::answer::{Answer, Refusal};
use super::fields::Misread;
use super::holding::Holding;
use super::host::{Errand, Host, load};
use super::operation::Revoked;

fn misread(error: crate::HaltError) -> Misread {
    Misread(error.to_string())
}

impl Host {
    pub(super) fn revoke(&mut self, what: &Revoked<'_>) -> Result<Answer, Misread> {
        let control = self.broker.control();
        Ok(match what {
            Revoked::Grant(alias) => {
                let revoked = match self.granted(alias)? {
                    Ok(granted) => match self.tasks.peek(&granted.of.task) {
                        Some(Errand::Open(_, task)) => {
                            !task.revoke_grant(&granted.grant).is_empty()
                        }
                        _ => false,
                    },
                    Err(_) => false,
                };
                Answer::new().with("grant", *alias).with("revoked", revoked)
            }
            Revoked::Identity(id) => {
                let ended = control.revoke_identity(id).map_err(misread)?;
                self.close_ended();
                Answer::new().with("identity", *id).with("revoked", ended.count())
            }
            Revoked::Tool(tool) => {
                let ended = control.revoke_tool(tool).map_err(misread)?;
                Answer::new().with("tool", *tool).with("revoked", ended.count())
            }
        })
    }

    /// Takes note of the tasks that were ended over the host's head.
    fn close_ended(&mut self) {
        let standing = self.broker.standing();
        for errand in self.tasks.meanings_mut() {
            if let Errand::Open(_, task) = errand
                && !standing.tasks.iter().any(|live| live.generation == task.generation())
            {
                *errand = Errand::Closed(Reason::TaskOver.into());
            }
        }
    }

    pub(super) fn halt(&self, what: &Halt) -> Result<Answer, Misread> {
        self.known(what)?;
        let halted = self.broker.control().halt(what.clone());
        Ok(named(what).with("running", self.running(&halted.running)))
    }

    pub(super) fn resume(&self, what: &Halt) -> Result<Answer, Misread> {
        self.known(what)?;
        Ok(named(what).with("resumed", self.broker.control().resume(what)))
    }

    /// # Errors
    /// [`Misread`] if it is a task that no line before named.
    fn known(&self, what: &Halt) -> Result<(), Misread> {
        match what {
            Halt::Task { name: alias } => self.tasks.get(alias).map(|_| ()),
            Halt::Everything | Halt::Identity { .. } | Halt::Tool { .. } => Ok(()),
        }
    }

    /// Puts a policy in force, and looks at every grant.
    pub(super) fn reload(&mut self, path: &str) -> Result<Answer, Misread> {
        let policy = self.beside_the_trace(path)?;
        self.credentials.seal_for(&policy)?;
        let reload = match self.broker.reload(&policy) {
            Ok(reload) => reload,
            Err(error) => {
                let refusal = Refusal { code: Code::BadRequest, reason: "missing_credential" };
                return Ok(Answer::refused(refusal, error.to_string()));
            }
        };
        let answer = Answer::new().with("epoch", reload.epoch());
        let drift = reload.finish();
        self.policy = policy;
        Ok(self.drifted(answer, &drift.grants))
    }

    pub(super) fn preview(&self, path: &str) -> Result<Answer, Misread> {
        let policy = self.beside_the_trace(path)?;
        Ok(self.drifted(Answer::new(), &self.broker.preview(&policy).grants))
    }

    /// States anew what is attested of a subject, and looks at every grant.
    pub(super) fn restate(&self, who: &Assertion) -> Answer {
        match self.broker.control().restate(who.clone()) {
            Ok(scan) => {
                let answer = Answer::new().with("restated", true);
                self.drifted(answer, &scan.finish().grants)
            }
            Err(error) => {
                let refusal = Refusal { code: Code::BadRequest, reason: "malformed_identity" };
                Answer::refused(refusal, error.to_string())
            }
        }
    }

    pub(super) fn unrestate(&self, who: &str) -> Answer {
        let scan = self.broker.control().unrestate(who);
        let answer = Answer::new().with("unrestated", scan.is_some());
        let drift = scan.map(|scan| scan.finish()).unwrap_or_default();
        self.drifted(answer, &drift.grants)
    }

    fn beside_the_trace(&self, path: &str) -> Result<Policy, Misread> {
        load(&self.folder.join(path))
            .map_err(|Misread(problem)| Misread(format!("policy `{path}`: {problem}")))
    }

    /// Says which grants a policy would not give, why not, and which calls were running on them.
    fn drifted(&self, answer: Answer, grants: &[Drifted]) -> Answer {
        let names = self.names();
        let mut drifted: Vec<(&str, &Drifted)> =
            grants.iter().map(|one| (name(&names, &one.id), one)).collect();
        drifted.sort_by_key(|(alias, _)| *alias);
        let told = drifted.iter().map(|(alias, one)| {
            let rules: Vec<String> = one.why.rules().map(str::to_owned).collect();
            let members = [
                ("grant", Value::from(*alias)),
                ("reason", Value::from(one.why.reason().as_str())),
                ("rules", Value::from(rules)),
            ];
            // No two of these names are the same.
            Object::from_pairs(members).map_or(Value::Null, Value::Object)
        });
        let told: Vec<Value> = told.collect();
        let why = drifted.iter().map(|(alias, one)| format!("{alias}: {}", one.why.explain()));
        let why: Vec<String> = why.collect();
        let running: Vec<u64> = grants.iter().flat_map(|one| one.running.iter().copied()).collect();
        answer.with("drifted", told).with("running", self.running(&running)).because(why.join("\n"))
    }

    pub(super) fn stats(&self) -> Answer {
        let stats = self.broker.stats();
        let denials = stats.denials.iter().map(|(reason, count)| (reason.as_str(), *count));
        let denials = Object::from_pairs(denials).unwrap_or_default();
        Answer::new()
            .with("tasks", stats.tasks)
            .with("grants", stats.grants)
            .with("permits", stats.permits)
            .with("sweep_debts", stats.sweep_debts)
            .with("record_debts", stats.record_debts)
            .with("denials", denials)
    }

    /// Removes what is past its time.
    pub(super) fn sweep(&self) -> Answer {
        Answer::new().with("swept", self.broker.sweep(usize::MAX))
    }

    pub(super) fn standing(&self) -> Answer {
        let standing = self.broker.standing();
        let names = self.names();
        let mut tasks: Vec<&str> = standing.tasks.iter().map(|task| &*task.name).collect();
        let mut grants: Vec<&str> =
            standing.grants.iter().map(|grant| name(&names, &grant.id)).collect();
        tasks.sort_unstable();
        grants.sort_unstable();
        Answer::new().with("tasks", tasks).with("grants", grants)
    }

    /// The aliases of the permits with these numbers, in order.
    pub(super) fn running(&self, numbers: &[u64]) -> Vec<&str> {
        let mut running: Vec<&str> =
            numbers.iter().filter_map(|number| Some(&**self.running.get(number)?)).collect();
        running.sort_unstable();
        running
    }

    /// The alias of each grant.
    fn names(&self) -> BTreeMap<GrantId, &str> {
        let grants = self.grants.iter().filter_map(|(alias, holding)| match holding {
            Holding::Granted(granted) => Some((granted.grant.id(), alias)),
            Holding::Offline(_) | Holding::Refused(_) => None,
        });
        grants.collect()
    }
}

fn name<'h>(names: &BTreeMap<GrantId, &'h str>, id: &GrantId) -> &'h str {
    names.get(id).copied().unwrap_or("?")
}

fn named(what: &Halt) -> Answer {
    match what {
        Halt::Everything => Answer::new().with("what", "everything"),
        Halt::Identity { id } => Answer::new().with("identity", &**id),
        Halt::Task { name } => Answer::new().with("task", &**name),
        Halt::Tool { name } => Answer::new().with("tool", &**name),
    }
}
