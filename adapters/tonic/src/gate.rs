//! What a gate of gRPC services is told by its host.

use std::fmt;
use std::sync::Arc;

use hallpass_tower::HttpGate;
use prost_reflect::{DescriptorPool, FieldDescriptor};
use tonic::server::NamedService;

use crate::methods::Methods;
use crate::permitted::Gated;
use crate::service::GateService;

/// How many messages of a client's stream may have been permitted before it ends, unless the host says otherwise. Each is a
/// permit that is open until the method has answered.
const MESSAGES: usize = 1000;

/// Why a service can't be gated.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GateError {
    /// The descriptors can't be read: expected the `FileDescriptorSet` of the services and all that they import.
    Descriptors(String),
    /// The descriptors do not have this service.
    UnknownService(String),
    /// The service has no such method.
    UnknownMethod(String),
    /// The message that this method takes has no fields in JSON, so that it can't be the arguments of a call: a
    /// `google.protobuf.Timestamp`, say. Wrap it in a message of its own.
    NoArguments(String),
    /// Another field of the message is called as this one in JSON, so that an argument would be one in the decision and the other for
    /// the method. Give that one a `json_name` that no field has.
    DoubledName(String),
    /// This method streams: only one that takes one message and gives one is lent credentials.
    Streams(String),
}

impl fmt::Display for GateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            GateError::Descriptors(why) => write!(
                f,
                "the descriptors can't be read: {why}; expected the `FileDescriptorSet` of the services and all that they \
                 import"
            ),
            GateError::UnknownService(name) => {
                write!(f, "no service `{name}` in the descriptors")
            }
            GateError::UnknownMethod(name) => {
                write!(f, "no method `{name}`, expected `/package.Service/Method`")
            }
            GateError::NoArguments(name) => write!(
                f,
                "`{name}` takes a message without fields in JSON: wrap it in a message of its own"
            ),
            GateError::DoubledName(name) => write!(
                f,
                "another field is called `{name}` in JSON: give it a `json_name` that no field has"
            ),
            GateError::Streams(name) => {
                write!(f, "`{name}` streams: only a unary method is lent credentials")
            }
        }
    }
}

impl std::error::Error for GateError {}

/// A gate for services of tonic: who calls, and which messages their methods take.
#[derive(Clone)]
#[must_use = "a gate that is before no service gates nothing"]
pub struct GrpcGate {
    pub(crate) http: HttpGate,
    pool: DescriptorPool,
    pub(crate) messages_max: usize,
}

impl GrpcGate {
    /// A gate for the services of these descriptors: a `FileDescriptorSet` with all that they import, as tonic's build script or
    /// `protoc --include_imports --descriptor_set_out` writes it.
    ///
    /// Of `http`, [`body_at_most`](HttpGate::body_at_most) bounds each message, and
    /// [`challenge`](HttpGate::challenge) means nothing.
    ///
    /// # Errors
    /// [`GateError::Descriptors`] and [`GateError::DoubledName`].
    pub fn new(http: HttpGate, descriptors: &[u8]) -> Result<Self, GateError> {
        Ok(GrpcGate { http, pool: pool_of(descriptors)?, messages_max: MESSAGES })
    }

    /// The most messages of a client's stream; 1,000 by default. The next is denied as
    /// [`Reason::TooMany`](hallpass::Reason::TooMany).
    pub fn messages_at_most(mut self, messages: usize) -> Self {
        self.messages_max = messages;
        self
    }

    /// The service of a host, gated. `make` is the `new` of tonic's generated server, or a closure that sets it up: the trait
    /// is implemented for [`Gated`], which only this makes, so that the service can't be added without its gate.
    ///
    /// # Errors
    /// [`GateError::UnknownService`], and [`GateError::NoArguments`] of a method.
    pub fn service<T, S: NamedService>(
        &self,
        host: T,
        make: impl FnOnce(Gated<T>) -> S,
    ) -> Result<GateService<T, S>, GateError> {
        let methods = Methods::of(&self.pool, S::NAME)?;
        let host = Arc::new(host);
        let service = make(Gated::new(host.clone()));
        Ok(GateService::new(Arc::new(self.clone()), methods, host, service))
    }
}

fn pool_of(descriptors: &[u8]) -> Result<DescriptorPool, GateError> {
    let pool = DescriptorPool::decode(descriptors)
        .map_err(|error| GateError::Descriptors(error.to_string()))?;
    match doubled_name(&pool) {
        Some(field) => Err(GateError::DoubledName(field)),
        None => Ok(pool),
    }
}

/// A field whose name is that of another in JSON: arguments are written under the one, and read under both.
fn doubled_name(pool: &DescriptorPool) -> Option<String> {
    pool.all_messages().find_map(|of| {
        let other = |name: &str| of.get_field_by_json_name(name);
        let is_doubled = |own: &FieldDescriptor| other(own.name()).is_some_and(|it| it != *own);
        of.fields().find(is_doubled).map(|own| own.full_name().to_owned())
    })
}

impl fmt::Debug for GrpcGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GrpcGate").field("http", &self.http).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn no_field_is_called_as_another_is_in_json() {
        use prost_reflect::prost_types::{
            DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet,
        };
        let field = |name: &str, json: &str, number: i32| FieldDescriptorProto {
            name: Some(name.to_owned()),
            json_name: Some(json.to_owned()),
            number: Some(number),
            label: Some(1),
            r#type: Some(9),
            ..FieldDescriptorProto::default()
        };
        let read = |fields: [FieldDescriptorProto; 2]| {
            let file = FileDescriptorProto {
                name: Some("pay.proto".to_owned()),
                syntax: Some("proto3".to_owned()),
                message_type: vec![DescriptorProto {
                    name: Some("Pay".to_owned()),
                    field: fields.to_vec(),
                    ..DescriptorProto::default()
                }],
                ..FileDescriptorProto::default()
            };
            let set = FileDescriptorSet { file: vec![file] };
            pool_of(&prost::Message::encode_to_vec(&set)).map(drop)
        };
        let doubled = |fields| match read(fields) {
            Err(GateError::DoubledName(name)) => name,
            read => panic!("{read:?}"),
        };
        assert!(read([field("from_", "from", 1), field("to", "to", 2)]).is_ok());
        // Decided about `to`, the method would be given `from`.
        let swapped = [field("from", "to", 1), field("to", "from", 2)];
        assert_eq!(doubled(swapped), "Pay.from");
        let others = [field("id", "user_id", 1), field("user_id", "uid", 2)];
        assert_eq!(doubled(others), "Pay.user_id");
    }
}
