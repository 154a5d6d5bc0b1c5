//! A gate at which only the rules under test decide.

use hallpass::clock::ManualClock;
use hallpass::policy::{Effect, Moment, Policy};
use hallpass::scope::Scope;
use hallpass::token::Form;
use hallpass::{Broker, Context, Gate, Grant, Reason, Task};

use crate::model::{Question, Setting};
use crate::model_rules::{Says, decide, labels_of};
use crate::universe::*;

/// A grant for any call at all, so that only the rules under test decide. Those speak at calls only,
/// the one that gives the grant only at requests.
pub(crate) struct OpenDoor {
    _broker: Broker,
    pub(crate) gate: Gate,
    pub(crate) grant: Grant,
    pub(crate) caller: hallpass::identity::Identity,
    _task: Task,
}

pub(crate) fn door(id: &str) -> RuleSaid {
    RuleSaid {
        id: id.into(),
        effect: Effect::Permit,
        moments: vec![Moment::Request],
        tools: ToolsSaid::Any,
        conditions: Vec::new(),
        unless: Vec::new(),
        other_args: false,
        any_args: true,
        any_resource: true,
        per_task: false,
        form: None,
        limits: LimitsSaid::default(),
        from: None,
        until: None,
    }
}

/// The policy with its rules speaking at calls only, and limiting nothing: what is asked is which
/// rules decide.
pub(crate) fn at_calls(mut policy: PolicySaid) -> PolicySaid {
    for rule in &mut policy.rules {
        rule.moments = vec![Moment::Call];
        rule.limits = LimitsSaid::default();
    }
    policy.rules.push(door("zz-door"));
    policy
}

impl OpenDoor {
    pub(crate) fn new(policy: &PolicySaid, who: &WhoSaid, why: &WhySaid) -> Self {
        OpenDoor::if_paid_for(policy, who, why)
            .expect("what everything asks of the rules is paid for")
    }

    /// `None` where many rules have exceptions that are dear to compare, and asking for everything is too
    /// costly.
    pub(crate) fn if_paid_for(policy: &PolicySaid, who: &WhoSaid, why: &WhySaid) -> Option<Self> {
        OpenDoor::after(&NO_NOTES, policy, who, why)
    }

    /// The same of a task in which this was noted, under a policy that permits every call.
    pub(crate) fn after(
        notes: &NotesSaid,
        policy: &PolicySaid,
        who: &WhoSaid,
        why: &WhySaid,
    ) -> Option<Self> {
        OpenDoor::under(policy.policy(), policy.catalogue.as_ref(), notes, (who, why))
    }

    /// The same under a policy as it is loaded, with that catalogue.
    pub(crate) fn under(
        policy: Policy,
        catalogue: Option<&Labels>,
        notes: &NotesSaid,
        (who, why): (&WhoSaid, &WhySaid),
    ) -> Option<Self> {
        let open = RuleSaid { moments: vec![Moment::Request, Moment::Call], ..door("open") };
        let open = PolicySaid { catalogue: catalogue.cloned(), rules: vec![open] };
        let first = if notes.is_empty() { policy.clone() } else { open.policy() };
        let broker = Broker::builder(first).clock(ManualClock::new(at(0))).build().unwrap();
        let caller = broker.assert_identity(who.assertion()).unwrap();
        let task = broker.open(&caller, why.purpose()).unwrap();
        let everything = TOOLS
            .iter()
            .fold(Scope::default(), |scope, tool| scope.and_tool(tool).any_args().any_resource());
        let grant = match task.request(everything, &Context::new()) {
            Err(denial) if denial.reason() == Reason::TooCostly => return None,
            answer => answer.unwrap(),
        };
        let opened = OpenDoor { gate: broker.gate(), _broker: broker, grant, caller, _task: task };
        if !notes.is_empty() {
            opened.note(notes);
            opened._broker.reload(&policy).unwrap();
        }
        Some(opened)
    }

    fn note(&self, notes: &NotesSaid) {
        for (name, list) in notes {
            let (tool, _) = name.split_once('#').unwrap();
            let call = hallpass::Call::from_json(tool, "{}").unwrap();
            let permit = self.gate.authorize(&self.grant, &self.caller, call, &Context::new());
            let running = permit.unwrap().start().unwrap();
            running.note(name, V::List(list.clone()).value()).unwrap();
            running.succeed();
        }
    }

    /// What the rules say, as the gate tells it.
    pub(crate) fn asks(&self, call: &CallSaid, said: &ContextSaid) -> Says {
        let answer =
            self.gate.check(self.grant.token(), &self.caller, &call.call(), &context(said));
        match answer {
            Ok(dry) => Says::Permit(dry.rules().map(str::to_owned).collect()),
            Err(denial) => {
                let rules = denial.rules().map(str::to_owned).collect();
                match denial.reason() {
                    Reason::Forbidden => Says::Forbid(rules),
                    Reason::ApprovalRequired => Says::Ask(rules),
                    Reason::NoPermit => Says::NoPermit,
                    _ => panic!("{}", denial.explain()),
                }
            }
        }
    }
}

/// What the rules say, taken one by one.
pub(crate) fn by_the_book(
    policy: &PolicySaid,
    who: &WhoSaid,
    why: &WhySaid,
    call: &CallSaid,
    context: &ContextSaid,
) -> Says {
    by_the_book_after(&NO_NOTES, (policy, who, why), call, context)
}

/// The same in a task with these notes.
pub(crate) fn by_the_book_after(
    notes: &NotesSaid,
    (policy, who, why): (&PolicySaid, &WhoSaid, &WhySaid),
    call: &CallSaid,
    context: &ContextSaid,
) -> Says {
    let form = Some(Form::Bearer);
    // The calls whose results were noted have left the labels of their tools.
    let noted = notes.keys().filter_map(|name| labels_of(policy, name.split('#').next()?));
    let (history, now) = (&noted.flatten().cloned().collect::<Vec<_>>(), 0);
    let setting = Setting { moment: Moment::Call, form, who, why, context, history, notes, now };
    let labels = labels_of(policy, &call.tool).unwrap();
    decide(policy, &Question { setting, call, labels })
}
