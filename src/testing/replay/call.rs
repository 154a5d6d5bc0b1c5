//! Calls: presented at the gate, run, finished.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use crate::identity::Identity;
use crate::token::Token;
use crate::value::Object;
use crate::vault::Secrets;
use crate::{Call, Context, Permit, RunError, Running};

use super::answer::Answer;
use super::attempt::{Attempt, Outcome, Presented, Source};
use super::fields::Misread;
use super::host::{Host, Slip};
use super::noting::{Noting, note_all, told};

/// Everything the gate is asked with, or the answer that refuses it before the gate.
type Asked<'h> = Result<(Shown<'h>, Identity, Call), Answer>;

/// The token that is shown at the gate: the host's own, or one made from text.
enum Shown<'h> {
    Own(&'h Token),
    Made(Token),
}

impl Shown<'_> {
    fn token(&self) -> &Token {
        match self {
            Shown::Own(token) => token,
            Shown::Made(token) => token,
        }
    }

    fn tampered(self, presented: &Presented<'_>) -> Self {
        match presented.tamper {
            None => self,
            Some(tamper) => Shown::Made(Token::from_text(tamper.apply(self.token().expose()))),
        }
    }
}

impl Host {
    /// Authorizes, runs and finishes in one line.
    pub(super) fn call(
        &mut self,
        attempt: &Attempt<'_>,
        outcome: Outcome,
        line: usize,
    ) -> Result<Answer, Misread> {
        let (token, who, call) = match self.asked(attempt)? {
            Ok(asked) => asked,
            Err(answer) => return Ok(answer),
        };
        match self.gate.authorize(token.token(), &who, call.clone(), &attempt.context) {
            Ok(permit) => Ok(Host::run_to_end(permit, outcome, attempt.notes)),
            Err(denial) => Ok(self.denied_call(&denial, (attempt.ask_as, who, Some(call)), line)),
        }
    }

    /// Runs a permit and finishes it.
    pub(super) fn run_to_end(permit: Permit, outcome: Outcome, notes: Option<&Object>) -> Answer {
        let answer = Answer::permit().by_rules(permit.rules());
        let mut noted = None;
        let tool = |running: &Running, _: &Secrets| {
            noted = notes.map(|notes| note_all(running, notes));
            match outcome {
                Outcome::Ok => Ok(()),
                Outcome::Error => Err(()),
                // Unwinds without the message that `panic!` prints.
                Outcome::Panic => resume_unwind(Box::new("the tool panics")),
            }
        };
        let answer = match catch_unwind(AssertUnwindSafe(|| permit.run_with(tool))) {
            Ok(Ok(_)) => answer.with("outcome", "ok"),
            Ok(Err(RunError::Tool(_))) => answer.with("outcome", "error"),
            Ok(Err(RunError::Denied(denial))) => Answer::denied(&denial),
            Err(_) => answer.with("outcome", "interrupted"),
        };
        noted.into_iter().fold(answer, told)
    }

    /// Notes what a running call gave.
    pub(super) fn note(&self, noting: &Noting<'_>) -> Result<Answer, Misread> {
        let Noting { permit: alias, notes } = *noting;
        match self.permits.get(alias)? {
            Slip::Running(running) => {
                let noted = note_all(running, notes);
                Ok(told(Answer::new().with("permit", alias), noted))
            }
            other => unusable(alias, other, "noted of"),
        }
    }

    /// Keeps a permit under an alias.
    pub(super) fn keep_permit(&mut self, alias: &str, permit: Permit, line: usize) -> Answer {
        let answer = Answer::permit().with("permit", alias).by_rules(permit.rules());
        self.permits.give(alias, line, Slip::Permitted(permit));
        answer
    }

    pub(super) fn check(&self, attempt: &Attempt<'_>) -> Result<Answer, Misread> {
        let (token, who, call) = match self.asked(attempt)? {
            Ok(asked) => asked,
            Err(answer) => return Ok(answer),
        };
        Ok(match self.gate.check(token.token(), &who, &call, &attempt.context) {
            Ok(dry) => Answer::permit().by_rules(dry.rules()),
            Err(denial) => Answer::denied(&denial),
        })
    }

    pub(super) fn authorize(
        &mut self,
        attempt: &Attempt<'_>,
        alias: &str,
        line: usize,
    ) -> Result<Answer, Misread> {
        let lives = |slip: &Slip| matches!(slip, Slip::Permitted(_) | Slip::Running(_));
        self.permits.free(alias, lives)?;
        let answer = match self.asked(attempt)? {
            Ok((token, who, call)) => {
                let permit =
                    self.gate.authorize(token.token(), &who, call.clone(), &attempt.context);
                match permit {
                    Ok(permit) => return Ok(self.keep_permit(alias, permit, line)),
                    Err(denial) => {
                        self.denied_call(&denial, (attempt.ask_as, who, Some(call)), line)
                    }
                }
            }
            Err(answer) => answer,
        };
        self.permits.give(alias, line, Slip::Refused(answer.refusal()));
        Ok(answer)
    }

    /// Moves a permit to running: the call starts.
    pub(super) fn run(&mut self, alias: &str) -> Result<Answer, Misread> {
        let slip = self.permits.get_mut(alias)?;
        match std::mem::replace(slip, Slip::Spent(0)) {
            Slip::Permitted(permit) => match permit.start() {
                Ok(running) => {
                    self.running.insert(running.number(), alias.into());
                    *slip = Slip::Running(running);
                    Ok(Answer::permit().with("permit", alias))
                }
                Err(denial) => {
                    *slip = Slip::Refused(denial.reason().into());
                    Ok(Answer::denied(&denial))
                }
            },
            other => {
                *slip = other;
                unusable(alias, slip, "run")
            }
        }
    }

    /// Ends a running call with its outcome.
    pub(super) fn finish(
        &mut self,
        alias: &str,
        outcome: Outcome,
        line: usize,
    ) -> Result<Answer, Misread> {
        let slip = self.permits.get_mut(alias)?;
        match std::mem::replace(slip, Slip::Spent(line)) {
            Slip::Running(running) => {
                self.running.remove(&running.number());
                let word = match outcome {
                    Outcome::Ok => {
                        running.succeed();
                        "ok"
                    }
                    Outcome::Error => {
                        running.fail();
                        "error"
                    }
                    Outcome::Panic => {
                        drop(running);
                        "interrupted"
                    }
                };
                Ok(Answer::new().with("permit", alias).with("outcome", word))
            }
            other => {
                *slip = other;
                unusable(alias, slip, "finished")
            }
        }
    }

    /// Drops the permit, or the running call.
    pub(super) fn drop_permit(&mut self, alias: &str, line: usize) -> Result<Answer, Misread> {
        let slip = self.permits.get_mut(alias)?;
        match std::mem::replace(slip, Slip::Spent(line)) {
            Slip::Permitted(permit) => {
                drop(permit);
                Ok(Answer::new().with("permit", alias).with("outcome", "abandoned"))
            }
            Slip::Running(running) => {
                self.running.remove(&running.number());
                drop(running);
                Ok(Answer::new().with("permit", alias).with("outcome", "interrupted"))
            }
            other => {
                *slip = other;
                unusable(alias, slip, "dropped")
            }
        }
    }

    /// The tools of which some call could be permitted now.
    pub(super) fn tools(
        &self,
        presented: &Presented<'_>,
        context: &Context,
    ) -> Result<Answer, Misread> {
        let (shown, who) = match self.shown(presented)? {
            Ok(shown) => shown,
            Err(answer) => return Ok(answer),
        };
        let shown = shown.tampered(presented);
        Ok(match self.gate.tools(shown.token(), &who, context) {
            Ok(tools) => {
                let tools: Vec<&str> = tools.iter().map(|tool| tool.as_str()).collect();
                Answer::permit().with("tools", tools)
            }
            Err(denial) => Answer::denied(&denial),
        })
    }

    fn asked(&self, attempt: &Attempt<'_>) -> Result<Asked<'_>, Misread> {
        let shown = self.shown(&attempt.presented)?;
        Ok(shown.and_then(|(shown, who)| {
            // What an agent asks for is its own to get wrong: a denial, like any other.
            let call = attempt.call().map_err(|error| Answer::malformed_call(&error))?;
            let shown = match attempt.bound {
                true => Shown::Made(self.bind(shown.token(), &call)?),
                false => shown,
            };
            Ok((shown.tampered(&attempt.presented), who, call))
        }))
    }

    /// What is shown, before anybody tampers with it, and who shows it.
    fn shown(
        &self,
        presented: &Presented<'_>,
    ) -> Result<Result<(Shown<'_>, Identity), Answer>, Misread> {
        let (shown, holder) = match presented.token {
            Source::Text(text) => (Shown::Made(Token::from_text(text.to_owned())), None),
            Source::Alias(alias) => match self.held(alias)? {
                Ok((token, holder, _)) => (Shown::Own(token), Some(holder.clone())),
                Err(answer) => return Ok(Err(answer)),
            },
        };
        let who = match (&presented.who, holder) {
            (Some(who), _) => self.attest(who),
            (None, Some(holder)) => Ok(holder),
            (None, None) => return Err(Misread("`token` needs `who`".to_owned())),
        };
        Ok(who.map(|who| (shown, who)))
    }
}

/// A permit that can't be used this way: denied, if that is because it was denied; otherwise the trace
/// says what no host program could, for a permit is used once, and in order.
fn unusable(alias: &str, slip: &Slip, how: &str) -> Result<Answer, Misread> {
    let state = match slip {
        Slip::Refused(refusal) => {
            return Ok(Answer::refused(*refusal, format!("permit `{alias}` was refused")));
        }
        Slip::Permitted(_) => "not running yet".to_owned(),
        Slip::Running(_) => "running already".to_owned(),
        Slip::Spent(line) => format!("used up since line {line}"),
    };
    Err(Misread(format!("permit `{}` is {state} and can't be {how}", alias.escape_debug())))
}
