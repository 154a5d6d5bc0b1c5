//! What both sides say that they can do, without what is not gated and what is never permitted.

use super::revision::Revision;
use crate::rpc::members::{Malformed, Members, elements};
use crate::rpc::message::{object, quoted};

/// What a server may say it can do. What is not here (`tasks`, extensions) has methods that are refused.
const OF_SERVER: [&str; 6] =
    ["completions", "experimental", "logging", "prompts", "resources", "tools"];

/// What a client may say it can do, and under which name the server's requests for it are asked for.
const OF_CLIENT: [(&str, Option<&str>); 4] = [
    ("elicitation", Some("mcp:elicitation")),
    ("experimental", None),
    ("roots", Some("mcp:roots")),
    ("sampling", Some("mcp:sampling")),
];

/// The parameters of `initialize`, in which the client can do no more than a server may ask it for.
pub(super) fn of_client(params: &str, could: impl Fn(&str) -> bool) -> Result<String, Malformed> {
    let kept = |name: &str| {
        let known = OF_CLIENT.iter().find(|(own, _)| *own == name);
        known.is_some_and(|(_, asked)| asked.is_none_or(&could))
    };
    with_capabilities(&Members::of(params)?, kept)
}

/// The result of `initialize` or `server/discover`, in which the server can do no more than is gated; and tells of
/// changes of its tools, where hallpass will.
pub(super) fn of_server(result: &str, tells: bool) -> Result<String, Malformed> {
    let result = Members::of(result)?;
    let mut text = with_capabilities(&result, |name| OF_SERVER.contains(&name))?;
    if tells {
        text = with_list_changed(&Members::of(&text)?)?;
    }
    let Some(versions) = result.get("supportedVersions").and_then(elements) else {
        return Ok(text);
    };
    let known: Vec<&str> = versions
        .into_iter()
        .filter(|text| {
            serde_json::from_str::<String>(text).is_ok_and(|name| Revision::named(&name).is_some())
        })
        .collect();
    let versions = format!("[{}]", known.join(","));
    Ok(replaced(&Members::of(&text)?, "supportedVersions", &versions))
}

fn with_list_changed(result: &Members<'_>) -> Result<String, Malformed> {
    let capabilities = Members::of(result.get("capabilities").unwrap_or("{}"))?;
    let Some(tools) = capabilities.get("tools") else { return Ok(object(result.iter())) };
    let tools = replaced(&Members::of(tools)?, "listChanged", "true");
    Ok(replaced(result, "capabilities", &replaced(&capabilities, "tools", &tools)))
}

fn with_capabilities(
    object_of: &Members<'_>,
    kept: impl Fn(&str) -> bool,
) -> Result<String, Malformed> {
    let said = Members::of(object_of.get("capabilities").unwrap_or("{}"))?;
    let capabilities = object(said.iter().filter(|(name, _)| kept(name)));
    Ok(replaced(object_of, "capabilities", &capabilities))
}

/// The object, with another text for one of its members, which it may have had or not.
pub(super) fn replaced(members: &Members<'_>, name: &str, text: &str) -> String {
    let others = members.iter().filter(|(own, _)| *own != name);
    object(others.chain([(name, text)]))
}

/// The revision that a server has chosen in its answer to `initialize`.
pub(super) fn chosen(result: &str) -> Result<Revision, String> {
    let version = Members::of(result).ok().and_then(|result| result.text("protocolVersion"));
    let known = version.as_deref().and_then(Revision::named).filter(|own| own.has_handshake());
    known.ok_or_else(|| {
        let version = version.map_or_else(|| "none".to_owned(), |version| quoted(&version));
        format!(
            "the server chose a revision of the protocol that hallpass does not know: {version}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_can_do_no_more_than_a_server_could_be_permitted_to_ask_for() {
        let params = r#"{"protocolVersion":"2025-11-25","capabilities":{"sampling":{},"roots":{"listChanged":true},"tasks":{},"experimental":{}}}"#;
        let told = of_client(params, |name| name == "mcp:roots").unwrap();
        assert_eq!(
            told,
            r#"{"protocolVersion":"2025-11-25","capabilities":{"roots":{"listChanged":true},"experimental":{}}}"#
        );
        assert_eq!(of_client("{}", |_| true).unwrap(), r#"{"capabilities":{}}"#);
        assert!(of_client(r#"{"capabilities":{"roots":{},"roots":{}}}"#, |_| true).is_err());
    }

    #[test]
    fn a_server_can_do_no_more_than_is_gated() {
        let result = r#"{"supportedVersions":["2026-07-28","2030-01-01"],"capabilities":{"tools":{},"tasks":{},"extensions":{}},"more":1}"#;
        let told = r#"{"more":1,"capabilities":{"tools":{}},"supportedVersions":["2026-07-28"]}"#;
        assert_eq!(of_server(result, false).unwrap(), told);
    }

    #[test]
    fn a_server_whose_tools_change_says_that_it_tells() {
        let told = |result| of_server(result, true).unwrap();
        let tools = r#"{"capabilities":{"tools":{"listChanged":false}}}"#;
        assert_eq!(told(tools), r#"{"capabilities":{"tools":{"listChanged":true}}}"#);
        let none = r#"{"capabilities":{"logging":{}}}"#;
        assert_eq!(told(none), none);
    }

    #[test]
    fn a_revision_that_is_not_known_is_told() {
        assert_eq!(chosen(r#"{"protocolVersion":"2025-06-18"}"#), Ok(Revision::V2025_06_18));
        for text in
            [r#"{"protocolVersion":"2026-07-28"}"#, r#"{"protocolVersion":"1"}"#, "{}", "[]"]
        {
            assert!(chosen(text).is_err(), "{text}");
        }
    }
}
