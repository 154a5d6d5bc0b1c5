//! JSON-RPC messages: what they are, and how they are written anew.
//!
//! No message is handed on as it came. A server that reads names of members in any case, as some languages' libraries
//! do, would find another method in one that it was not asked about; and one that takes a carriage return for the end
//! of a line would find two messages in one. So each is written from the members that were looked at, and a carriage
//! return is refused.

use std::fmt;

use hallpass::value::Value;

use super::members::Members;

/// One message.
#[derive(Debug)]
pub(crate) enum Message<'m> {
    Request { id: Id, method: String, params: Option<&'m str> },
    Notification { method: String, params: Option<&'m str> },
    Response { id: Id, answer: Answer<'m> },
}

/// What a response says.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Answer<'m> {
    Result(&'m str),
    Error(&'m str),
}

/// The id of a request: a text or a number. `1` and `1.0` are one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Id(Value);

/// The most bytes of an id.
const MAX_ID: usize = 256;

/// Why bytes are not a message, and of which request they would have been, if that could be told.
#[derive(Debug)]
pub(crate) struct NoMessage {
    pub(crate) id: Option<Id>,
    /// Whether they are not even JSON.
    pub(crate) unreadable: bool,
    pub(crate) why: String,
}

impl Id {
    fn read(text: &str) -> Option<Id> {
        if text.len() > MAX_ID {
            return None;
        }
        let value = Value::from_json(text).ok()?;
        matches!(value, Value::Text(_) | Value::Number(_)).then_some(Id(value))
    }

    /// What it is, if it is a text.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.0 {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The id that a message names in its parameters.
    pub(crate) fn named(params: Option<&str>, name: &str) -> Option<Id> {
        Id::read(Members::of(params?).ok()?.get(name)?)
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<'m> Message<'m> {
    /// Reads the bytes of one frame.
    ///
    /// # Errors
    /// [`NoMessage`] for what is not UTF-8, not JSON, not one object, has a member twice, or is neither request,
    /// notification nor response of JSON-RPC 2.0.
    pub(crate) fn read(frame: &'m [u8]) -> Result<Self, NoMessage> {
        let unreadable = |why: &str| NoMessage { id: None, unreadable: true, why: why.to_owned() };
        let text = std::str::from_utf8(frame).map_err(|_| unreadable("not UTF-8"))?;
        if text.contains('\r') {
            return Err(unreadable("a carriage return inside of a message"));
        }
        if text.trim_start().starts_with('[') {
            let why = "a batch, which is not taken: send its messages one by one".to_owned();
            return Err(NoMessage { id: None, unreadable: false, why });
        }
        let members = Members::of(text).map_err(|error| unreadable(&error.to_string()))?;
        let id = members.get("id").map(Id::read);
        // An answer that can't be read is not answered: its id is the other side's.
        let asked = members.get("method").and(id.clone().flatten());
        let wrong = |why: &str| {
            Err(NoMessage { id: asked.clone(), unreadable: false, why: why.to_owned() })
        };
        if members.get("jsonrpc") != Some(r#""2.0""#) {
            return wrong("`jsonrpc` is not \"2.0\"");
        }
        let (result, error) = (members.get("result"), members.get("error"));
        let answers = result.is_some() || error.is_some();
        let method = match members.get("method") {
            None => None,
            Some(_) if answers => return wrong("both a method and an answer"),
            Some(_) => match members.text("method") {
                Some(method) => Some(method),
                None => return wrong("`method` is not a text"),
            },
        };
        let params = members.get("params").filter(|params| *params != "null");
        if params.is_some_and(|params| !params.starts_with('{')) {
            return wrong("`params` is not an object");
        }
        match (id.clone(), method) {
            (Some(None), _) => wrong("`id` is neither a short text nor a number"),
            (Some(Some(id)), Some(method)) => Ok(Message::Request { id, method, params }),
            (None, Some(method)) => Ok(Message::Notification { method, params }),
            (Some(Some(id)), None) => match (result, error) {
                (Some(result), None) => {
                    Ok(Message::Response { id, answer: Answer::Result(result) })
                }
                (None, Some(error)) => Ok(Message::Response { id, answer: Answer::Error(error) }),
                _ => wrong("neither a method nor one answer"),
            },
            (None, None) => wrong("neither a method nor an id"),
        }
    }
}

/// A request, written.
pub(crate) fn request(id: &Id, method: &str, params: Option<&str>) -> Vec<u8> {
    let (method, params) = (quoted(method), member("params", params));
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":{method}{params}}}"#).into_bytes()
}

/// A notification, written.
pub(crate) fn notification(method: &str, params: Option<&str>) -> Vec<u8> {
    let (method, params) = (quoted(method), member("params", params));
    format!(r#"{{"jsonrpc":"2.0","method":{method}{params}}}"#).into_bytes()
}

fn member(name: &str, text: Option<&str>) -> String {
    text.map(|text| format!(r#","{name}":{text}"#)).unwrap_or_default()
}

/// A response, written.
pub(crate) fn response(id: &Id, answer: Answer<'_>) -> Vec<u8> {
    let (name, text) = match answer {
        Answer::Result(text) => ("result", text),
        Answer::Error(text) => ("error", text),
    };
    format!(r#"{{"jsonrpc":"2.0","id":{id},"{name}":{text}}}"#).into_bytes()
}

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_json()
}

/// An object of members that are written already.
pub(crate) fn object<'m>(members: impl IntoIterator<Item = (&'m str, &'m str)>) -> String {
    let mut text = String::from("{");
    for (at, (name, value)) in members.into_iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(&quoted(name));
        text.push(':');
        text.push_str(value);
    }
    text.push('}');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> NoMessage {
        Message::read(text.as_bytes()).unwrap_err()
    }

    #[test]
    fn requests_notifications_and_responses_are_told_apart() {
        let read = |text: &'static str| format!("{:?}", Message::read(text.as_bytes()).unwrap());
        assert!(read(r#"{"jsonrpc":"2.0","id":1,"method":"ping"}"#).starts_with("Request"));
        assert!(read(r#"{"jsonrpc":"2.0","method":"x","params":{}}"#).starts_with("Notification"));
        assert!(read(r#"{"jsonrpc":"2.0","id":"a","result":{}}"#).starts_with("Response"));
        assert!(read(r#"{"jsonrpc":"2.0","id":"a","error":{}}"#).starts_with("Response"));
    }

    #[test]
    fn what_is_no_message_is_refused() {
        for text in [
            "[]",
            r#"[{"jsonrpc":"2.0","id":1,"method":"ping"}]"#,
            "1",
            "{}",
            "{",
            r#"{"jsonrpc":"1.0","id":1,"method":"ping"}"#,
            r#"{"jsonrpc":2.0,"id":1,"method":"ping"}"#,
            r#"{"id":1,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","m\u0065thod":"tools/call"}"#,
            r#"{"jsonrpc":"2.0","id":1,"id":2,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":null,"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":[1],"method":"ping"}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":1}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"ping","result":{}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{},"error":{}}"#,
            r#"{"jsonrpc":"2.0","id":1}"#,
            r#"{"jsonrpc":"2.0"}"#,
            "{\"jsonrpc\":\"2.0\",\"id\":1,\r\"method\":\"ping\"}",
            r#"{"jsonrpc":"2.0","id":1,"method":"ping"} {}"#,
        ] {
            let _ = refused(text);
        }
        assert!(Message::read(b"{\"jsonrpc\":\"2.0\",\"method\":\"\xff\"}").is_err());
        let long = "9".repeat(300);
        let _ = refused(&format!(r#"{{"jsonrpc":"2.0","id":"{long}","method":"ping"}}"#));
    }

    #[test]
    fn the_request_that_a_refused_message_would_have_been_is_told() {
        assert!(refused(r#"{"jsonrpc":"1.0","id":7,"method":"ping"}"#).id.is_some());
        assert!(refused(r#"{"jsonrpc":"2.0","id":7,"method":1}"#).id.is_some());
        assert!(refused("[]").id.is_none());
    }

    #[test]
    fn ids_that_are_one_number_are_one_id() {
        let id = |text| Id::read(text).unwrap();
        assert_eq!(id("1"), id("1.0"));
        assert_ne!(id("1"), id("\"1\""));
        assert_eq!(id("1.0").to_string(), "1");
    }

    #[test]
    fn messages_are_written_on_one_line_with_nothing_but_what_was_read() {
        let frame = br#"{"Method":"tools/call","jsonrpc":"2.0","id":"a\n","method":"pi\u006eg","params":{ }}"#;
        let Ok(Message::Request { id, method, params }) = Message::read(frame) else { panic!() };
        let written = String::from_utf8(request(&id, &method, params)).unwrap();
        assert_eq!(written, r#"{"jsonrpc":"2.0","id":"a\n","method":"ping","params":{ }}"#);
        assert_eq!(notification("x", None), br#"{"jsonrpc":"2.0","method":"x"}"#);
        assert_eq!(object([("a", "1"), ("b\"", "{}")]), r#"{"a":1,"b\"":{}}"#);
    }
}
