//! What the host vouches for of a result: ids that it noted, by which rules bound later calls.

use super::running::Running;
use crate::policy::NotesFault;
use crate::scope::note_parts;
use crate::task::NotNoted;
use crate::value::{Value, ValueError};

/// Why nothing was noted, for the host's developers. What rules compare with is as before.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NoteError(Fault);

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
enum Fault {
    #[error("{0}")]
    Name(String),
    #[error(
        "`{name}` is a note of `{of}`, and this call is of `{tool}`: a call notes what its own tool gave"
    )]
    OtherTool { name: Box<str>, of: Box<str>, tool: Box<str> },
    #[error("what is to be noted is not a value: {0}")]
    Value(ValueError),
    #[error(transparent)]
    Notes(NotesFault),
    #[error("the call's task is over, or the call is")]
    Over,
}

impl NoteError {
    /// Whether the task keeps as many notes as it may: later ids of it are not known to rules.
    pub fn is_full(&self) -> bool {
        matches!(self.0, Fault::Notes(NotesFault::Full | NotesFault::Names))
    }
}

impl Running {
    /// Notes an id that stands in what the tool gave, or a list of such: from now on, rules may compare with it in every
    /// call of the task (`one_of = { ref = "notes.mail.read#id" }`), by whichever grant or delegate.
    ///
    /// The name is the call's tool, `#`, and the field. Noted are texts of 1 to 256 bytes and numbers, at most 1,024 in a
    /// task and 64 KiB together, under at most 64 names; each once. The host vouches for what it notes: ids that its own
    /// systems made, taken from the fields that they stand in, and never texts that somebody wrote, or what was found in one.
    ///
    /// The record of the outcome says how many were new. With the task, its notes are gone, and so they are where the
    /// process ends: what is not noted is unknown, by which nothing is permitted.
    ///
    /// ```
    /// # use hallpass::prelude::*;
    /// # use hallpass::scope::{any, reference};
    /// # let read = Rule::permit("read").tool("mail.read").any_args();
    /// # let known = reference("notes.mail.read#id").as_one_of();
    /// # let delete = Rule::permit("delete-what-was-read").tool("mail.delete").arg("id", known);
    /// # let broker = Broker::new(Policy::builder().rule(read).rule(delete).build()?)?;
    /// # let agent = broker.assert_identity("assistant")?;
    /// # let task = broker.open(&agent, Purpose::new("tidy-up"))?;
    /// # let context = Context::new();
    /// # let gate = broker.gate();
    /// # let scope = Scope::tool("mail.read").any_args().and(Scope::tool("mail.delete").arg("id", any()));
    /// # let grant = task.request(scope, &context)?;
    /// # let call = |tool: &str, id: &str| Call::new(tool, serde_json::json!({ "id": id }));
    /// assert!(gate.authorize(&grant, &agent, call("mail.delete", "m-17")?, &context).is_err());
    ///
    /// let permit = gate.authorize(&grant, &agent, call("mail.read", "newest")?, &context)?;
    /// permit.run(|running| running.note("mail.read#id", "m-17"))?;
    ///
    /// assert!(gate.authorize(&grant, &agent, call("mail.delete", "m-17")?, &context).is_ok());
    /// assert!(gate.authorize(&grant, &agent, call("mail.delete", "m-18")?, &context).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`NoteError`], and nothing of it is noted: the name is not of the call's tool, a value is none that can be noted, the
    /// task keeps as many as it may, or it is over.
    pub fn note<V>(&self, name: &str, value: V) -> Result<(), NoteError>
    where
        V: TryInto<Value>,
        ValueError: From<V::Error>,
    {
        let (of, _) = note_parts(name).map_err(|fault| NoteError(Fault::Name(fault)))?;
        let tool = self.call.tool();
        if of != tool {
            let (name, of, tool) = (name.into(), of.into(), tool.into());
            return Err(NoteError(Fault::OtherTool { name, of, tool }));
        }
        let value = value.try_into().map_err(|error| NoteError(Fault::Value(error.into())))?;
        self.open.note(name, &value).map_err(|not| {
            NoteError(match not {
                NotNoted::Over => Fault::Over,
                NotNoted::Fault(fault) => Fault::Notes(fault),
            })
        })
    }
}
