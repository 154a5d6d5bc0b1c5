//! A width: how far one yes reaches beyond the call that was shown.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use super::pin::Pin;
use crate::call::Call;
use crate::clock::{Timestamp, format_duration, parse_duration};
use crate::value::Value;
use crate::visible::Shown;

/// How often a width is good for that does not say it. There is none without a number: people who are asked
/// once and never again have stopped to look.
const USUAL_USES: u32 = 20;
/// The most uses a width may have.
const MOST_USES: u32 = 1_000;

/// How far a yes reaches: what a rule offers, and what a reviewer chooses of it.
///
/// Each has a number of uses and an end. As a policy writes them: `call`; `calls:5`; `task`, for as long as the task
/// lives, with 20 uses, or `task:50` with others; `10m`, for that long, with 20 uses, or `10m:5`.
///
/// ```
/// use std::time::Duration;
/// use hallpass::policy::Width;
///
/// assert_eq!("calls:5".parse(), Ok(Width::calls(5)));
/// assert_eq!("10m".parse(), Ok(Width::lasting(Duration::from_secs(600))));
/// assert_eq!(Width::task().uses(), 20);
/// assert!("always".parse::<Width>().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Width {
    lasts: Lasts,
    uses: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Lasts {
    /// As long as a yes is good for.
    Usual,
    /// As long as the task.
    Task,
    /// This long, from when the yes was complete.
    For(Duration),
}

/// Why something is not a [`Width`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct WidthError(Box<str>);

impl Width {
    /// The one call that was shown.
    pub const CALL: Width = Width { lasts: Lasts::Usual, uses: 1 };

    /// This number of calls, for as long as a yes is good for.
    pub const fn calls(uses: u32) -> Width {
        Width { lasts: Lasts::Usual, uses }
    }

    /// 20 calls of the task.
    pub const fn task() -> Width {
        Width { lasts: Lasts::Task, uses: USUAL_USES }
    }

    /// 20 calls within this time.
    pub const fn lasting(length: Duration) -> Width {
        Width { lasts: Lasts::For(length), uses: USUAL_USES }
    }

    /// With this many uses instead.
    pub const fn with_uses(mut self, uses: u32) -> Width {
        self.uses = uses;
        self
    }

    /// How many calls it is good for.
    pub const fn uses(self) -> u32 {
        self.uses
    }

    /// The first instant at which it is good no more, of a yes that is complete at `now`; never after the end
    /// of the task.
    pub(crate) fn end(self, now: Timestamp, good_for: Duration, ceiling: Timestamp) -> Timestamp {
        let length = match self.lasts {
            Lasts::Usual => good_for,
            Lasts::For(length) => length,
            Lasts::Task => return ceiling,
        };
        now.checked_add(length).map_or(ceiling, |end| end.min(ceiling))
    }

    /// What is wrong with one that was built.
    pub(crate) fn fault(self) -> Option<String> {
        if self.uses == 0 {
            return Some(format!("`{self}` would allow nothing: it never means unlimited"));
        }
        if self.uses > MOST_USES {
            return Some(format!("`{self}` has more than {MOST_USES} uses"));
        }
        // As it is read from text, whose lengths are neither nothing nor too long.
        match self.to_string().parse::<Width>() {
            Ok(read) if read == self => None,
            Ok(_) => Some(format!("`{self}` is not a whole number of milliseconds")),
            Err(error) => Some(error.to_string()),
        }
    }
}

/// Reads what a policy writes.
///
/// # Errors
/// [`WidthError`] for anything without an end or a use.
impl FromStr for Width {
    type Err = WidthError;

    fn from_str(text: &str) -> Result<Width, WidthError> {
        let wrong = |problem: String| Err(WidthError(problem.into()));
        let (word, uses) = match text.split_once(':') {
            Some((word, uses)) => (word, Some(number_of_uses(text, uses)?)),
            None => (text, None),
        };
        let width = match (word, uses) {
            ("call", None) => return Ok(Width::CALL),
            ("call", Some(_)) => {
                return wrong(format!("{} is one call: write `calls:5` for several", Shown(text)));
            }
            ("calls", None) => {
                return wrong("`calls` has no end: say how many, as in `calls:5`".to_owned());
            }
            ("calls", Some(uses)) => return Ok(Width::calls(uses)),
            ("task", _) => Width::task(),
            ("always" | "forever" | "any" | "session" | "unlimited" | "permanent", _) => {
                return wrong(format!(
                    "{} has no end: offer `calls:5`, `task` or a length of time, or change the rule",
                    Shown(text)
                ));
            }
            _ => match parse_duration(word) {
                Ok(length) => Width::lasting(length),
                Err(error) if word.starts_with(|c: char| c.is_ascii_digit()) => {
                    return wrong(error.to_string());
                }
                Err(_) => {
                    return wrong(format!(
                        "{} is not a width: expected `call`, `calls:5`, `task` or a length of time \
                         like `10m`",
                        Shown(text)
                    ));
                }
            },
        };
        Ok(uses.map_or(width, |uses| width.with_uses(uses)))
    }
}

fn number_of_uses(text: &str, uses: &str) -> Result<u32, WidthError> {
    let wrong = |problem: String| WidthError(problem.into());
    let is_number = !uses.is_empty()
        && uses.bytes().all(|byte| byte.is_ascii_digit())
        && (uses == "0" || !uses.starts_with('0'));
    if !is_number {
        return Err(wrong(format!("{} does not end in a number of uses", Shown(text))));
    }
    match uses.parse::<u32>() {
        Ok(0) => {
            Err(wrong(format!("{} would allow nothing: it never means unlimited", Shown(text))))
        }
        Ok(uses) if uses <= MOST_USES => Ok(uses),
        _ => Err(wrong(format!("{} has more than {MOST_USES} uses", Shown(text)))),
    }
}

/// As a policy writes it.
impl fmt::Display for Width {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lasts {
            Lasts::Usual if self.uses == 1 => return f.write_str("call"),
            Lasts::Usual => return write!(f, "calls:{}", self.uses),
            Lasts::Task => f.write_str("task")?,
            Lasts::For(length) => f.write_str(&format_duration(length))?,
        }
        if self.uses == USUAL_USES { Ok(()) } else { write!(f, ":{}", self.uses) }
    }
}

/// What of a call may be another than what was shown, where a width has more uses than one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Variation {
    /// The arguments that may vary, by name.
    pub(crate) vary: Vec<Box<str>>,
    /// Parts of those that stay.
    pub(crate) same: Vec<Pin>,
}

impl Variation {
    /// Whether a call is one of those that a yes to `shown` reaches. All that is not named stays equal: tool,
    /// resource, material, every other argument. Of what is named the kind stays, and whether it is there.
    pub(crate) fn covers(&self, shown: &Call, call: &Call) -> bool {
        // With the same arguments, it has to be the same call.
        if shown.with_args(call.args().clone()) != *call {
            return false;
        }
        let (one, two) = (shown.args(), call.args());
        let names = one.iter().chain(two.iter()).map(|(name, _)| name);
        names.into_iter().all(|name| match (one.get(name), two.get(name)) {
            (before, after) if before == after => true,
            (before, after) if self.vary.iter().any(|own| **own == *name) => {
                // One that is left out may mean all that there is, which no one was shown.
                let kind = |own: Option<&Value>| own.map(|own| own.kind_name());
                let is_of_one_kind = kind(before) == kind(after);
                let mut pins = self.same.iter().filter(|pin| *pin.arg == *name);
                is_of_one_kind && pins.all(|pin| pin.holds(before, after))
            }
            _ => false,
        })
    }

    /// What several asks offer together: only what all of them let vary, with all that any of them pins.
    pub(crate) fn meet(&self, other: &Variation) -> Variation {
        let vary = self.vary.iter().filter(|name| other.vary.contains(name)).cloned().collect();
        let mut same = self.same.clone();
        same.extend(other.same.iter().filter(|pin| !self.same.contains(pin)).cloned());
        Variation { vary, same }
    }

    /// What is wrong, and at which key.
    pub(crate) fn fault(&self, offers: &[Width]) -> Option<(&'static str, String)> {
        if let Some(name) = self.vary.iter().find(|name| crate::args::check_key(name).is_err()) {
            return Some(("vary", format!("no call has the argument {}", Shown(name))));
        }
        if let Some((_, name)) = repeated(&self.vary) {
            return Some(("vary", format!("{} stands there twice", Shown(name))));
        }
        let is_wide = |width: &Width| width.uses() > 1;
        if !self.vary.is_empty() && !offers.iter().any(is_wide) {
            return Some((
                "vary",
                "it lets arguments vary, and nothing is offered for more than one call: add \
                 `offer = [\"call\", \"calls:5\"]`"
                    .to_owned(),
            ));
        }
        if let Some(pin) = self.same.iter().find(|pin| !self.vary.contains(&pin.arg)) {
            let problem = format!(
                "the argument {} stays the same as a whole: name it in `vary`, or leave it out here",
                Shown(&pin.arg)
            );
            return Some(("same", problem));
        }
        if let Some((_, pin)) = repeated(&self.same) {
            return Some(("same", format!("the {} of {} twice", pin.part, Shown(&pin.arg))));
        }
        self.same.iter().find_map(|pin| Some(("same", pin.fault()?)))
    }
}

/// What stands there a second time.
fn repeated<T: PartialEq>(all: &[T]) -> Option<(usize, &T)> {
    all.iter().enumerate().find(|(at, own)| all.iter().take(*at).any(|before| before == *own))
}

#[cfg(test)]
mod tests;
