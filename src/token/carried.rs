//! What a root block carries for a [`Verifier`](super::Verifier): the scope, and what the catalogue says
//! of the arguments of its tools.
//!
//! A gate brings typed arguments to one spelling before it asks anything, and so does it with the values
//! that attenuations compare them with. A verifier has no catalogue. Were it not told, it would let
//! `/data/./a` pass where `not(eq("/data/a"))` is all that is said.

use crate::scope::{
    CallParts, Capability, MAX_PARTS, Plainly, ScopeBytesError, decode_scope_from, encode_scope,
    plainly,
};
use crate::spelling::{ArgType, TypedArgs};
use crate::tool::ToolName;
use crate::value::{DecodeError, Decoder, ascending, encode_text};

/// The byte that stands for each type.
mod kind {
    pub(super) const PATH: u8 = 1;
    /// Taken, whether or not the feature `url` is built.
    pub(super) const URL: u8 = 2;
    pub(super) const TEXT: u8 = 3;
    pub(super) const NUMBER: u8 = 4;
    pub(super) const INTEGER: u8 = 5;
    pub(super) const BOOL: u8 = 6;
    pub(super) const LIST: u8 = 7;
    pub(super) const TEXTS: u8 = 8;
    pub(super) const OBJECT: u8 = 9;
}

/// A scope, and which arguments of its tools have a type.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) scope: CarriedScope,
    types: Vec<(ToolName, Box<str>, ArgType)>,
}

/// What a scope that travels in a token is to the call it was read for.
#[derive(Debug)]
pub(super) enum CarriedScope {
    /// It plainly covers the call.
    Covering,
    /// It plainly refuses it: its bytes.
    Refusing(Box<[u8]>),
    /// It has to be asked.
    ToAsk(Vec<Capability>),
}

/// The byte form of these capabilities, and behind it the types of their tools' arguments, if any has
/// one.
pub(crate) fn encode_carried<'t>(
    capabilities: &[&Capability],
    typed: impl Fn(&str) -> Option<&'t TypedArgs>,
) -> Result<Vec<u8>, ScopeBytesError> {
    let mut out = encode_scope(capabilities)?;
    let mut types = Vec::new();
    for capability in capabilities {
        let tool = capability.tool.as_str();
        types.extend(
            typed(tool).into_iter().flat_map(TypedArgs::iter).map(|(arg, of)| (tool, arg, of)),
        );
    }
    if !types.is_empty() {
        ascending(&mut out, &types, |out, (tool, arg, of)| {
            encode_text(out, tool);
            encode_text(out, arg);
            out.push(match of {
                ArgType::Path => kind::PATH,
                ArgType::Url => kind::URL,
                ArgType::Text => kind::TEXT,
                ArgType::Number => kind::NUMBER,
                ArgType::Integer => kind::INTEGER,
                ArgType::Bool => kind::BOOL,
                ArgType::List => kind::LIST,
                ArgType::Texts => kind::TEXTS,
                ArgType::Object => kind::OBJECT,
            });
            Ok::<_, ScopeBytesError>(())
        })?;
        // What could not be read back is not written.
        Carried::decode(&out)?;
    }
    Ok(out)
}

impl Carried {
    /// Reads what a root block carries, to be asked of a call. What plainly covers or refuses it is a scope and
    /// no type behind it, and is not built.
    pub(super) fn read(bytes: &[u8], call: CallParts<'_>) -> Result<Carried, ScopeBytesError> {
        let scope = match plainly(bytes, call) {
            Plainly::Covers => CarriedScope::Covering,
            Plainly::Refuses => CarriedScope::Refusing(bytes.into()),
            Plainly::Untold => return Carried::decode(bytes),
        };
        Ok(Carried { scope, types: Vec::new() })
    }

    /// Reads what a root block carries, all of it.
    fn decode(bytes: &[u8]) -> Result<Carried, ScopeBytesError> {
        let mut decoder = Decoder::new(bytes, MAX_PARTS);
        let capabilities = decode_scope_from(&mut decoder)?;
        let types = match decoder.end() {
            Ok(()) => Vec::new(),
            Err(_) => types(&mut decoder)?,
        };
        Ok(Carried { scope: CarriedScope::ToAsk(capabilities), types })
    }

    /// The arguments of a tool that have a type.
    pub(super) fn typed(&self, tool: &str) -> TypedArgs {
        let of_tool = self.types.iter().filter(|(own, ..)| own.as_str() == tool);
        TypedArgs::from_said(of_tool.map(|(_, arg, of)| (arg.clone(), *of)))
    }
}

fn types(decoder: &mut Decoder<'_>) -> Result<Vec<(ToolName, Box<str>, ArgType)>, DecodeError> {
    let types = decoder.ascending(|own| {
        own.spend()?;
        let tool = ToolName::new(own.text()?)
            .map_err(|_| DecodeError::NotCanonical("a type is of a tool that has no name"))?;
        let arg = own.text()?.into();
        let of = match own.byte()? {
            kind::PATH => ArgType::Path,
            kind::URL => ArgType::Url,
            kind::TEXT => ArgType::Text,
            kind::NUMBER => ArgType::Number,
            kind::INTEGER => ArgType::Integer,
            kind::BOOL => ArgType::Bool,
            kind::LIST => ArgType::List,
            kind::TEXTS => ArgType::Texts,
            kind::OBJECT => ArgType::Object,
            _ => return Err(DecodeError::Unknown("a type of an argument")),
        };
        if !of.is_built() {
            return Err(DecodeError::Unknown(
                "the type `url` of an argument, in a build without the feature `url`,",
            ));
        }
        Ok((tool, arg, of))
    })?;
    decoder.end()?;
    let twice = |pair: &[(ToolName, Box<str>, ArgType)]| match pair {
        [(tool, arg, _), (other, again, _)] => tool == other && arg == again,
        _ => false,
    };
    match types.is_empty() || types.windows(2).any(twice) {
        true => Err(DecodeError::NotCanonical("types are none, or two of one argument")),
        false => Ok(types),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `t`, of any arguments, and behind it these types.
    fn with_types(types: &[u8]) -> Vec<u8> {
        [b"\x01\x01t\x01\0".as_slice(), types].concat()
    }

    /// attack 68
    #[test]
    fn types_have_one_spelling_and_none_is_left_out_by_being_unknown() {
        let form = |types: &[u8]| match Carried::decode(&with_types(types)) {
            Err(ScopeBytesError::Form(error)) => error,
            other => panic!("{other:?} of {types:02x?}"),
        };
        let none = DecodeError::NotCanonical("types are none, or two of one argument");
        let order = DecodeError::NotCanonical("parts are not in order, each once");
        let path = |arg: &[u8]| [b"\x01t\x01".as_slice(), arg, b"\x01"].concat();
        assert_eq!(form(b"\0"), none);
        assert_eq!(form(b"\x02\x01t\x01a\x01\x01t\x01a\x02"), {
            match cfg!(feature = "url") {
                true => none,
                false => DecodeError::Unknown(
                    "the type `url` of an argument, in a build without the feature `url`,",
                ),
            }
        });
        assert_eq!(form(&[&b"\x02"[..], &path(b"b"), &path(b"a")].concat()), order);
        assert_eq!(form(&[&b"\x02"[..], &path(b"a"), &path(b"a")].concat()), order);
        assert_eq!(form(b"\x01\x01t\x01a\0"), DecodeError::Unknown("a type of an argument"));
        assert_eq!(form(b"\x01\x01t\x01a\x0a"), DecodeError::Unknown("a type of an argument"));
        assert_eq!(form(b"\x01\x01t\x01a"), DecodeError::Cut);
        assert_eq!(form(b"\x01\x01t\x01a\x01\0"), DecodeError::Trailing);
        assert!(matches!(form(b"\x01\x01 \x01a\x01"), DecodeError::NotCanonical(_)));
        let both = [&b"\x02"[..], &path(b"a"), &path(b"b")].concat();
        let read = Carried::decode(&with_types(&both)).unwrap();
        assert_eq!(
            read.typed("t").iter().collect::<Vec<_>>(),
            [("a", ArgType::Path), ("b", ArgType::Path)]
        );
        assert_eq!(read.typed("u").iter().count(), 0);
        for (number, of) in [
            (3, ArgType::Text),
            (4, ArgType::Number),
            (5, ArgType::Integer),
            (6, ArgType::Bool),
            (7, ArgType::List),
            (8, ArgType::Texts),
            (9, ArgType::Object),
        ] {
            let bytes = with_types(&[b"\x01\x01t\x01a".as_slice(), &[number]].concat());
            let read = Carried::decode(&bytes).unwrap();
            assert_eq!(read.typed("t").iter().collect::<Vec<_>>(), [("a", of)]);
            let CarriedScope::ToAsk(capabilities) = &read.scope else { panic!("{read:?}") };
            let typed = read.typed("t");
            let again =
                encode_carried(&capabilities.iter().collect::<Vec<_>>(), |_| Some(&typed)).unwrap();
            assert_eq!(again, bytes);
        }
    }
}
