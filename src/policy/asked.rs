//! Questions that denials keep, so that they are explained when somebody reads them.

use std::sync::Arc;

use super::compiled::Compiled;
use super::decide::Verdict;
use super::guards::guards_told;
use super::moment::Moment;
use super::nearest::{nearest_for_call, nearest_for_request};
use super::question::{Question, Setting, What};
use super::request::Answer;
use super::seen::Seen;
use super::wanted::{Wanted, When};
use crate::call::Call;
use crate::clock::Timestamp;
use crate::denial::{Account, Explain};
use crate::form::Form;
use crate::identity::Identity;
use crate::meter::Meter;
use crate::purpose::CheckedPurpose;
use crate::scope::{Capability, Readings};
use crate::value::{Object, Value};

/// What is known before any call is made, kept.
struct KeptSetting {
    policy: Arc<Compiled>,
    moment: Moment,
    who: Identity,
    purpose: Arc<CheckedPurpose>,
    context: Object,
    seen: Seen,
    now: Timestamp,
}

impl KeptSetting {
    fn of(policy: &Arc<Compiled>, purpose: &Arc<CheckedPurpose>, setting: &Setting<'_>) -> Self {
        KeptSetting {
            policy: policy.clone(),
            moment: setting.moment,
            who: setting.who.clone(),
            purpose: purpose.clone(),
            context: setting.context.clone(),
            seen: setting.seen.clone(),
            now: setting.now,
        }
    }

    fn setting<'k>(
        &'k self,
        now_text: Option<&'k Value>,
        meter: &'k Meter,
        readings: &'k Readings<'k>,
    ) -> Setting<'k> {
        Setting {
            moment: self.moment,
            who: &self.who,
            purpose: &self.purpose,
            context: &self.context,
            seen: &self.seen,
            now: self.now,
            now_text,
            meter,
            readings,
        }
    }
}

/// What was not paid for is unknown, and nothing that was told of it is true.
fn settle(account: Account, meter: &Meter) -> Account {
    if meter.is_spent() { Account::of(meter.said()) } else { account }
}

/// A question about a call, kept.
pub(crate) struct AskedCall {
    setting: KeptSetting,
    call: Call,
    form: Form,
}

impl AskedCall {
    /// Keeps a question about `call`, whose arguments are spelled as the tool gets them.
    pub(crate) fn keep(
        policy: &Arc<Compiled>,
        purpose: &Arc<CheckedPurpose>,
        call: &Call,
        question: &Question<'_>,
    ) -> Self {
        AskedCall {
            setting: KeptSetting::of(policy, purpose, &question.setting),
            call: call.clone(),
            form: question.what.form,
        }
    }

    /// Asks the question again, for words, with steps of its own: the reader of the words waits, and no one
    /// else.
    pub(crate) fn again(&self, tell: impl FnOnce(&Question<'_>) -> Account) -> Account {
        let policy = &self.setting.policy;
        let listed = policy.catalogue.get(self.call.tool());
        let what = listed.map(|listed| What::of(&self.call, listed));
        // It was asked before, and so can be again.
        let Some(Ok(what)) = what else { return Account::default() };
        let what = What { form: self.form, ..what };
        let time = policy.time(self.setting.now);
        let (meter, readings) = (Meter::of_question(self.call.args().size()), Readings::new());
        let setting = self.setting.setting(time.as_ref(), &meter, &readings);
        settle(tell(&Question { setting, what }), &meter)
    }
}

/// Why rules denied a call.
pub(crate) struct DeniedCall {
    pub(crate) asked: AskedCall,
    pub(crate) verdict: Verdict,
}

impl Explain for DeniedCall {
    fn explain(&self) -> Account {
        let policy = &self.asked.setting.policy;
        self.asked.again(|question| match &self.verdict {
            Verdict::Forbid(rules) | Verdict::Ask { asks: rules, .. } => {
                Account::of(guards_told(policy, rules, |rule| rule.told_of_call(question)))
            }
            Verdict::NoPermit | Verdict::Permit(_) => {
                Account { detail: None, nearest: nearest_for_call(policy, question) }
            }
        })
    }
}

/// Why rules denied a request for a capability.
pub(crate) struct DeniedRequest {
    setting: KeptSetting,
    capability: Capability,
    when: When,
    answer: Answer,
}

impl DeniedRequest {
    pub(crate) fn keep(
        policy: &Arc<Compiled>,
        purpose: &Arc<CheckedPurpose>,
        wanted: &Wanted<'_>,
        answer: Answer,
    ) -> Self {
        DeniedRequest {
            setting: KeptSetting::of(policy, purpose, &wanted.setting),
            capability: wanted.capability.clone(),
            when: wanted.when,
            answer,
        }
    }

    /// Who wanted what.
    fn shown(&self) -> String {
        let verb = match self.setting.moment {
            Moment::Delegate => "to delegate",
            Moment::Request | Moment::Call => "to hold",
            Moment::BreakGlass => "to break the glass for",
        };
        format!("`{}` {verb} `{}`", self.setting.who.subject(), self.capability.to_value())
    }
}

impl Explain for DeniedRequest {
    fn explain(&self) -> Account {
        let policy = &self.setting.policy;
        let asked = self.shown();
        let tool = self.capability.tool.as_str();
        let Some(labels) = policy.catalogue.labels_of(tool) else { return Account::of(asked) };
        let capability = &self.capability;
        let time = policy.time(self.setting.now);
        let (meter, readings) = (Meter::of_question(capability.size()), Readings::new());
        let setting = self.setting.setting(time.as_ref(), &meter, &readings);
        let wanted = Wanted { setting, capability, labels, when: self.when, is_first: true };
        let account = match &self.answer {
            Answer::Forbidden(rules) | Answer::Ask { asks: rules, .. } => {
                let told = guards_told(policy, rules, |rule| rule.told_of_request(&wanted));
                Account::of(format_args!("{asked}: {told}"))
            }
            Answer::NotCovered | Answer::Covered(_) => {
                let nearest = nearest_for_request(policy, &wanted);
                let why = match (&nearest, self.setting.moment) {
                    (Some(_), _) => "lies within no one permit",
                    (None, Moment::Delegate) => {
                        "no permit speaks of delegating it: add one with `on = [\"delegate\"]`"
                    }
                    (None, Moment::BreakGlass) => {
                        "no permit speaks of breaking the glass for it: add one with `on = [\"break_glass\"]`"
                    }
                    (None, _) => "no rule speaks of it",
                };
                Account { nearest, ..Account::of(format_args!("{asked}: {why}")) }
            }
        };
        settle(account, &meter)
    }
}
