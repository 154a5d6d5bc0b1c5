//! Grants: asked for, delegated, decided again, and what is made of their tokens offline.

use crate::clock::Clock as _;
use crate::denial::{Denial, Reason};
use crate::identity::{Assertion, Identity};
use crate::token::{MintError, Token};
use crate::value::{Object, Value};
use crate::{Call, Cut, Grant, Scope, Task};

use super::answer::Answer;
use super::attempt::{Attempt, Source};
use super::fields::Misread;
use super::holding::{Granted, Holding, Offline, Opening};
use super::host::{Errand, Host};
use super::operation::{Afresh, Until, Wish};

/// Something asked of the broker: it came, or the answer says why not.
type Asked<T> = Result<T, Answer>;

/// A grant, and what was cut where it was trimmed.
type Given = (Grant, Option<Vec<Cut>>);

/// A token, who holds it, and the opening it is of.
type Held<'h> = (&'h Token, &'h Identity, &'h Opening);

/// A grant, and what was cut of what it was asked for.
type Trimmed = (Granted, Option<Vec<Cut>>);

impl Host {
    pub(super) fn request(&mut self, wish: &Wish<'_>, line: usize) -> Result<Answer, Misread> {
        self.free_grant(wish.alias)?;
        let asked = self.ask(wish, |task, holder, scope| {
            Ok((task.request_for(holder, scope, &wish.context)?, None))
        })?;
        Ok(self.keep(wish.alias, asked, line))
    }

    /// Breaks the glass, for who opened the task.
    pub(super) fn break_glass(
        &mut self,
        wish: &Wish<'_>,
        justification: &str,
        line: usize,
    ) -> Result<Answer, Misread> {
        self.free_grant(wish.alias)?;
        let asked = self.ask(wish, |task, _, scope| {
            Ok((task.break_glass(scope, justification, &wish.context)?, None))
        })?;
        Ok(self.keep(wish.alias, asked, line))
    }

    pub(super) fn trim(&mut self, wish: &Wish<'_>, line: usize) -> Result<Answer, Misread> {
        self.free_grant(wish.alias)?;
        let asked = self.ask(wish, |task, holder, scope| {
            let (grant, cuts) = task.request_trimmed_for(holder, scope, &wish.context)?;
            Ok((grant, Some(cuts)))
        })?;
        Ok(self.keep(wish.alias, asked, line))
    }

    pub(super) fn delegate(
        &mut self,
        wish: &Wish<'_>,
        from: &str,
        line: usize,
    ) -> Result<Answer, Misread> {
        self.free_grant(wish.alias)?;
        let asked = match self.granted(from)? {
            Ok(parent) => self.ask(wish, |task, holder, scope| {
                Ok((task.delegate(&parent.grant, holder, scope, &wish.context)?, None))
            })?,
            Err(answer) => self.tasks.get(wish.task).map(|_| Err(answer))?,
        };
        Ok(self.keep(wish.alias, asked, line))
    }

    /// Decides a grant again: at a renewal its expiry moves, too.
    pub(super) fn decide_again(
        &mut self,
        afresh: &Afresh<'_>,
        moves: bool,
    ) -> Result<Answer, Misread> {
        let holder = match self.granted(afresh.grant)? {
            Ok(granted) => granted.holder.clone(),
            Err(answer) => return Ok(answer),
        };
        let holder = match afresh.who.as_ref().map_or(Ok(holder), |who| self.attest(who)) {
            Ok(holder) => holder,
            Err(answer) => return Ok(answer),
        };
        let Holding::Granted(granted) = self.grants.get_mut(afresh.grant)? else {
            return Err(not_the_grant(afresh.grant));
        };
        let task = match self.tasks.peek(&granted.of.task) {
            Some(Errand::Open(_, task)) if task.generation() == granted.of.generation => task,
            _ => {
                let why = format!("the task of grant `{}` is over", afresh.grant);
                return Ok(Answer::refused(Reason::TaskOver.into(), why));
            }
        };
        let decide = if moves { Task::renew } else { Task::checkpoint };
        Ok(match decide(task, &mut granted.grant, &holder, &afresh.context) {
            Ok(()) => {
                granted.holder = holder;
                Answer::granted(afresh.grant, &granted.grant)
            }
            Err(denial) => Answer::denied(&denial),
        })
    }

    /// Narrows a token, as its holder can without asking anybody.
    pub(super) fn attenuate(
        &mut self,
        (from, alias): (&str, &str),
        scope: &Value,
        until: Option<Until>,
        line: usize,
    ) -> Result<Answer, Misread> {
        self.free_grant(alias)?;
        let until = match until {
            None => None,
            Some(Until::At(at)) => Some(at),
            Some(Until::In(span)) => {
                let wall = self.clock.read().ok().map(|reading| reading.wall);
                let at = wall.and_then(|wall| wall.checked_add(span));
                Some(at.ok_or_else(|| Misread("`in` ends after the last instant".to_owned()))?)
            }
        };
        let made = self.held(from)?.and_then(|(token, holder, of)| {
            let scope = scope_of(scope)?;
            let token = token.attenuate(&scope, until).map_err(|error| unmade(&error))?;
            Ok(Offline { holder: holder.clone(), token, of: of.clone() })
        });
        let answer = self.keep_offline(alias, made, line);
        let narrowed = answer.is_permit();
        Ok(match until.filter(|_| narrowed) {
            Some(at) => answer.with("expires", at.to_string()),
            None => answer,
        })
    }

    /// Presents a token for one call, and keeps what would be shown.
    pub(super) fn present(
        &mut self,
        attempt: &Attempt<'_>,
        alias: &str,
        line: usize,
    ) -> Result<Answer, Misread> {
        self.free_grant(alias)?;
        let Source::Alias(from) = attempt.presented.token else {
            return Err(Misread("`present` needs a `grant`".to_owned()));
        };
        let made = self.held(from)?.and_then(|(token, holder, of)| {
            let call = attempt.call().map_err(|error| Answer::malformed_call(&error))?;
            Ok(Offline { holder: holder.clone(), token: self.bind(token, &call)?, of: of.clone() })
        });
        Ok(self.keep_offline(alias, made, line))
    }

    /// What is shown of a token for one call, at this instant by the holder's clock.
    pub(super) fn bind(&self, token: &Token, call: &Call) -> Asked<Token> {
        let reading = self
            .clock
            .read()
            .map_err(|error| Answer::refused(Reason::ClockUnreadable.into(), error.to_string()))?;
        let presentation = token.present(call, reading.wall).map_err(|error| unmade(&error))?;
        Ok(Token::from_text(presentation.expose().to_owned()))
    }

    /// The token of an alias, and who holds it.
    pub(super) fn held(&self, alias: &str) -> Result<Asked<Held<'_>>, Misread> {
        Ok(match self.grants.get(alias)? {
            Holding::Granted(granted) => Ok((granted.grant.token(), &granted.holder, &granted.of)),
            Holding::Offline(made) => Ok((&made.token, &made.holder, &made.of)),
            Holding::Refused(refusal) => {
                Err(Answer::refused(*refusal, format!("grant `{alias}` was refused")))
            }
        })
    }

    /// The grant of an alias.
    pub(super) fn granted(&self, alias: &str) -> Result<Asked<&Granted>, Misread> {
        match self.grants.get(alias)? {
            Holding::Granted(granted) => Ok(Ok(granted)),
            Holding::Offline(_) => Err(not_the_grant(alias)),
            Holding::Refused(refusal) => {
                Ok(Err(Answer::refused(*refusal, format!("grant `{alias}` was refused"))))
            }
        }
    }

    /// Asks the task of a wish for a grant: the grant, or the answer that refuses it.
    fn ask(
        &self,
        wish: &Wish<'_>,
        ask: impl FnOnce(&Task, &Identity, Scope) -> Result<Given, Denial>,
    ) -> Result<Asked<Trimmed>, Misread> {
        let (requester, task) = match self.tasks.get(wish.task)? {
            Errand::Open(requester, task) => (requester, task),
            Errand::Closed(refusal) => {
                let why = format!("task `{}` is not open", wish.task);
                return Ok(Err(Answer::refused(*refusal, why)));
            }
        };
        let scope = match scope_of(wish.scope) {
            Ok(scope) => scope,
            Err(answer) => return Ok(Err(answer)),
        };
        let scope = wish.ttl.into_iter().fold(scope, Scope::ttl);
        let scope = wish.start.into_iter().fold(scope, Scope::starting);
        let attest = |who: &Assertion| self.attest(who);
        let holder = match wish.holder.as_ref().map_or_else(|| Ok(requester.clone()), attest) {
            Ok(holder) => holder,
            Err(answer) => return Ok(Err(answer)),
        };
        let of = Opening { task: wish.task.into(), generation: task.generation() };
        Ok(match ask(task, &holder, scope) {
            Ok((grant, cuts)) => Ok((Granted { holder, grant, of }, cuts)),
            Err(denial) => Err(Answer::denied(&denial)),
        })
    }

    pub(super) fn keep(
        &mut self,
        alias: &str,
        asked: Asked<(Granted, Option<Vec<Cut>>)>,
        line: usize,
    ) -> Answer {
        let (holding, answer) = match asked {
            Ok((granted, cuts)) => {
                let answer = Answer::granted(alias, &granted.grant);
                let answer = match cuts {
                    None => answer,
                    Some(cuts) => answer.with("cut", cuts.iter().map(told).collect::<Vec<_>>()),
                };
                (Holding::Granted(Box::new(granted)), answer)
            }
            Err(answer) => (Holding::Refused(answer.refusal()), answer),
        };
        self.grants.give(alias, line, holding);
        answer
    }

    fn keep_offline(&mut self, alias: &str, made: Asked<Offline>, line: usize) -> Answer {
        let (holding, answer) = match made {
            Ok(made) => (Holding::Offline(Box::new(made)), Answer::permit().with("grant", alias)),
            Err(answer) => (Holding::Refused(answer.refusal()), answer),
        };
        self.grants.give(alias, line, holding);
        answer
    }

    /// # Errors
    /// [`Misread`] if the alias stands for something whose task, and so perhaps the grant, is there
    /// still.
    pub(super) fn free_grant(&self, alias: &str) -> Result<(), Misread> {
        self.grants.free(alias, |holding| {
            let of = match holding {
                Holding::Granted(granted) => &granted.of,
                Holding::Offline(made) => &made.of,
                Holding::Refused(_) => return false,
            };
            match self.tasks.peek(&of.task) {
                Some(Errand::Open(_, task)) => task.generation() == of.generation,
                _ => false,
            }
        })
    }
}

impl Answer {
    fn granted(alias: &str, grant: &Grant) -> Self {
        let answer = Answer::permit().with("grant", alias).by_rules(grant.rules());
        let answer = match grant.starts() {
            Some(starts) => answer.with("starts", starts.to_string()),
            None => answer,
        };
        answer.with("expires", grant.expires().to_string())
    }
}

fn not_the_grant(alias: &str) -> Misread {
    Misread(format!(
        "`{}` is a token made of a grant, expected the grant itself",
        alias.escape_debug()
    ))
}

fn scope_of(scope: &Value) -> Asked<Scope> {
    // What an agent asks for is its own to get wrong: a denial, like any other.
    Scope::from_value(scope)
        .map_err(|error| Answer::refused(Reason::MalformedScope.into(), error.to_string()))
}

/// Why no token could be made of another offline, in the words a gate would have for it.
fn unmade(error: &MintError) -> Answer {
    let reason = match error {
        MintError::Block(_) => Reason::MalformedScope,
        MintError::NotAToken(_) => Reason::UnsupportedToken,
        MintError::Random(_) => Reason::NoRandomness,
        _ => Reason::TooMany,
    };
    Answer::refused(reason.into(), error.to_string())
}

/// What was cut of one capability.
fn told(cut: &Cut) -> Value {
    let example = cut.example.iter().map(|example| ("example", example.clone()));
    let members = [
        ("tool", Value::from(cut.tool.as_str())),
        ("asked", cut.asked.clone()),
        ("given", Value::from(cut.given.clone())),
    ];
    // No two of these names are the same.
    Object::from_pairs(members.into_iter().chain(example)).map_or(Value::Null, Value::Object)
}
