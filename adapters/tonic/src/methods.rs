//! The methods of a service, as its descriptors have them.

use std::collections::BTreeMap;
use std::sync::Arc;

use prost_reflect::{DescriptorPool, MessageDescriptor};

use crate::gate::GateError;

/// Messages whose JSON form is not an object.
const WITHOUT_FIELDS: [&str; 15] = [
    "google.protobuf.BoolValue",
    "google.protobuf.BytesValue",
    "google.protobuf.DoubleValue",
    "google.protobuf.Duration",
    "google.protobuf.FieldMask",
    "google.protobuf.FloatValue",
    "google.protobuf.Int32Value",
    "google.protobuf.Int64Value",
    "google.protobuf.ListValue",
    "google.protobuf.NullValue",
    "google.protobuf.StringValue",
    "google.protobuf.Timestamp",
    "google.protobuf.UInt32Value",
    "google.protobuf.UInt64Value",
    "google.protobuf.Value",
];

/// One method.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    pub(crate) path: Box<str>,
    pub(crate) input: MessageDescriptor,
    pub(crate) output: MessageDescriptor,
    pub(crate) client_streams: bool,
    pub(crate) server_streams: bool,
}

impl Method {
    pub(crate) fn streams(&self) -> bool {
        self.client_streams || self.server_streams
    }
}

/// The methods of a service, by their paths.
#[derive(Clone, Debug)]
pub(crate) struct Methods(Arc<BTreeMap<Box<str>, Arc<Method>>>);

impl Methods {
    pub(crate) fn of(pool: &DescriptorPool, service: &str) -> Result<Self, GateError> {
        let unknown = || GateError::UnknownService(service.to_owned());
        let found = pool.get_service_by_name(service).ok_or_else(unknown)?;
        let mut methods = BTreeMap::new();
        for own in found.methods() {
            let path: Box<str> = format!("/{service}/{}", own.name()).into();
            let input = own.input();
            if WITHOUT_FIELDS.contains(&input.full_name()) {
                return Err(GateError::NoArguments(path.into()));
            }
            let (client_streams, server_streams) =
                (own.is_client_streaming(), own.is_server_streaming());
            let output = own.output();
            let method =
                Method { path: path.clone(), input, output, client_streams, server_streams };
            methods.insert(path, Arc::new(method));
        }
        Ok(Methods(Arc::new(methods)))
    }

    pub(crate) fn at(&self, path: &str) -> Option<&Arc<Method>> {
        self.0.get(path)
    }
}
