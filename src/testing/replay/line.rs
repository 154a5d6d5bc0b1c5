//! A line of a trace, before its operation is looked at, and the first of them.

use super::credential::Minting;
use super::fields::{Fields, Misread, instant};
use crate::clock::Timestamp;
use crate::value::{Object, Value};

pub(crate) const HEADER_EXPECTED: &str = "expected the first line to be \
     `{\"op\":\"trace\",\"version\":1,\"start\":\"2026-01-01T00:00:00Z\"}`";

/// The fields that a line of any operation may have.
const OF_ANY: [&str; 3] = ["op", "note", "expect"];

/// A line, before its operation is looked at.
pub(crate) struct Line<'v> {
    pub(crate) op: &'v str,
    /// For readers of the answers.
    pub(crate) note: Option<&'v str>,
    /// What the answer must contain.
    pub(crate) expect: Option<&'v Object>,
    object: &'v Object,
}

impl<'v> Line<'v> {
    /// # Errors
    /// [`Misread`] if it is not an object, or `op`, `note` or `expect` is not what it should be.
    pub(crate) fn read(value: &'v Value) -> Result<Self, Misread> {
        let Value::Object(object) = value else {
            return Err(Misread("expected an object with `op`".to_owned()));
        };
        // All keys are let through here: which ones are known depends on the operation.
        let keys: Vec<&str> = object.keys().collect();
        let fields = Fields::of("line", object, &keys)?;
        let expect = fields.object_if("expect")?;
        if expect.is_some_and(Object::is_empty) {
            // It would be met by any answer, and so test nothing.
            return Err(Misread("`expect` is empty, expected what the answer must contain".into()));
        }
        Ok(Line { op: fields.text("op")?, note: fields.text_if("note")?, expect, object })
    }

    pub(crate) fn fields(&self, own: &[&[&str]]) -> Result<Fields<'v>, Misread> {
        let mut known = own.concat();
        known.extend(OF_ANY);
        Fields::of(self.op, self.object, &known)
    }
}

/// The first line: which format this is, and when the trace starts.
pub(crate) struct Header<'v> {
    pub(crate) start: Timestamp,
    /// What providers mint.
    pub(crate) minted: Vec<Minting<'v>>,
}

impl<'v> Header<'v> {
    /// # Errors
    /// [`Misread`] if this is another operation or another version.
    pub(crate) fn read(line: &Line<'v>) -> Result<Self, Misread> {
        if line.op != "trace" {
            return Err(Misread(HEADER_EXPECTED.to_owned()));
        }
        let fields = line.fields(&[&["version", "start", "minted"]])?;
        let version = fields.require("version", "`1`")?;
        if version != &Value::from(1) {
            return Err(Misread(format!("`version` is `{version}`, expected `1`")));
        }
        let minted = fields.list("minted")?.iter().map(Minting::read);
        let minted = minted.collect::<Result<_, _>>()?;
        Ok(Header { start: instant("start", fields.text("start")?)?, minted })
    }
}
