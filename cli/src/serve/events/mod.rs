//! Security events (OpenID CAEP), pushed by an identity provider (RFC 8935): whose sessions were revoked, and what has changed
//! about subjects since.

mod endpoint;
mod file;

pub(super) use self::endpoint::{PATH, pushed};
pub(super) use self::file::{Events, EventsOption};
