//! A call that a token does not cover: kept, and put into words when they are read.

use std::fmt;

use crate::call::Call;
use crate::meter::Meter;
use crate::resource::{CheckedResource, ResourceError};
use crate::scope::{Capability, Fact, Facts, Readings, decode_scope, outside_of};
use crate::value::Value;

/// What of a call a token does not cover: which of its scopes, what of the call, and what was expected.
///
/// It keeps the call and the scope. The words are found by [`Display`](fmt::Display), so a refusal that is not
/// read costs little more than a yes.
#[derive(Clone)]
pub struct OutsideScope(Box<Kept>);

#[derive(Clone)]
struct Kept {
    /// 0 of the root block, or the number of the attenuation.
    hop: usize,
    scope: KeptScope,
    call: Call,
}

#[derive(Clone)]
pub(super) enum KeptScope {
    /// Plain bytes, which can be read.
    Encoded(Box<[u8]>),
    Read(Vec<Capability>),
    /// It compares an argument with what no call can have: how so.
    Impossible(String),
}

impl OutsideScope {
    pub(super) fn new(hop: usize, scope: KeptScope, call: &Call) -> Self {
        OutsideScope(Box::new(Kept { hop, scope, call: call.clone() }))
    }

    fn told(&self) -> String {
        let Kept { hop, scope, call } = &*self.0;
        let whose = match hop {
            0 => "its scope".to_owned(),
            hop => format!("attenuation {hop}"),
        };
        let read;
        let capabilities = match scope {
            KeptScope::Impossible(fault) => return format!("{whose}: {fault}"),
            KeptScope::Read(capabilities) => capabilities,
            KeptScope::Encoded(bytes) => {
                read = decode_scope(bytes).unwrap_or_default();
                &read
            }
        };
        let (readings, meter) = (Readings::new(), Meter::of_question(call.args().size()));
        match CallAlone::new(call, &readings) {
            Ok(alone) => {
                let outside =
                    Capability::nearest_outside(capabilities, alone.parts(), &alone, &meter);
                outside_of(&whose, call.tool(), outside.as_deref(), &alone)
            }
            Err(error) => error.to_string(),
        }
    }
}

impl fmt::Display for OutsideScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.told())
    }
}

/// Shows the words.
impl fmt::Debug for OutsideScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OutsideScope").field(&self.told()).finish()
    }
}

/// By the words.
impl PartialEq for OutsideScope {
    fn eq(&self, other: &Self) -> bool {
        self.told() == other.told()
    }
}

impl Eq for OutsideScope {}

/// A call without anything around it: all that is known where there is no broker.
pub(super) struct CallAlone<'c> {
    pub(super) call: &'c Call,
    resource: Option<CheckedResource<'c>>,
    readings: &'c Readings<'c>,
}

impl<'c> CallAlone<'c> {
    pub(super) fn new(call: &'c Call, readings: &'c Readings<'c>) -> Result<Self, ResourceError> {
        let resource = call.resource().map(|resource| resource.checked()).transpose()?;
        Ok(CallAlone { call, resource, readings })
    }

    pub(super) fn is_covered_by(&self, capabilities: &[Capability], meter: &Meter) -> bool {
        Capability::first_covering(capabilities, self.parts(), self, meter).is_some()
    }

    fn parts(&self) -> (&'c str, &'c crate::value::Object, bool) {
        (self.call.tool(), self.call.args().object(), self.resource.is_some())
    }
}

impl<'c> Facts<'c> for &CallAlone<'c> {
    fn fact(self, fact: &Fact) -> Option<&'c Value> {
        match fact {
            Fact::Arg(path) => match &**path {
                [name] => self.call.args().get(name),
                // Has no spelling in a token.
                _ => None,
            },
            Fact::ResourceType => self.resource.map(CheckedResource::type_value),
            Fact::ResourceId => self.resource.map(CheckedResource::id_value),
            Fact::ResourceAttr(name) => self.resource?.attributes().get(name),
            _ => None,
        }
    }

    fn readings(self) -> Option<&'c Readings<'c>> {
        Some(self.readings)
    }
}
