//! Types of arguments: an argument that has one is brought to its one spelling before anything is asked
//! of it, by the gate, in scopes and in attenuations alike.

mod arg_type;
mod language;
mod typed_args;

pub use arg_type::ArgType;
pub(crate) use arg_type::TypedArg;
pub(crate) use typed_args::TypedArgs;
