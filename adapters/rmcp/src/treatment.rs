//! What is done about each request of a client, by the revision of the protocol.

use rmcp::model::{ClientRequest, ProtocolVersion};

/// The prefix of what is asked for and is not a tool of the server.
pub(crate) const RESERVED: &str = "mcp:";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Treatment {
    /// It does nothing that anyone would be asked about.
    Pass,
    /// It lists tools, of which those are shown that could be used.
    ListTools,
    /// It lists what is had by what is called so, and lists nothing where that could not be permitted.
    List(&'static str),
    /// It calls a tool.
    Call,
    /// It is asked for under a reserved name.
    Ask(&'static str),
    /// The revision has no such request, or it can't be gated.
    Refuse,
}

impl Treatment {
    /// A method that came with a later revision may do anything, so that only those of the revision pass. `None` is before
    /// a revision was agreed on.
    pub(crate) fn of(request: &ClientRequest, revision: Option<&ProtocolVersion>) -> Self {
        use ClientRequest as Asked;
        let is_known = revision.is_none_or(|own| ProtocolVersion::KNOWN_VERSIONS.contains(own));
        let has_handshake = revision.is_none_or(|own| *own < ProtocolVersion::V_2026_07_28);
        let treatment = match request {
            // Which revision it is of is what they are about.
            Asked::InitializeRequest(_) | Asked::DiscoverRequest(_) => return Treatment::Pass,
            Asked::PingRequest(_) | Asked::SetLevelRequest(_) | Asked::UnsubscribeRequest(_)
                if has_handshake =>
            {
                Treatment::Pass
            }
            Asked::SubscribeRequest(_) if has_handshake => {
                Treatment::Ask("mcp:resources/subscribe")
            }
            Asked::SubscriptionsListenRequest(_) if !has_handshake => {
                Treatment::Ask("mcp:subscriptions/listen")
            }
            Asked::CallToolRequest(_) => Treatment::Call,
            Asked::ListToolsRequest(_) => Treatment::ListTools,
            Asked::GetPromptRequest(_) => Treatment::Ask("mcp:prompts/get"),
            Asked::ListPromptsRequest(_) => Treatment::List("mcp:prompts/get"),
            Asked::ReadResourceRequest(_) => Treatment::Ask("mcp:resources/read"),
            Asked::ListResourcesRequest(_) | Asked::ListResourceTemplatesRequest(_) => {
                Treatment::List("mcp:resources/read")
            }
            Asked::CompleteRequest(_) => Treatment::Ask("mcp:completion/complete"),
            // What a task does is not over when its call is.
            _ => Treatment::Refuse,
        };
        if is_known { treatment } else { Treatment::Refuse }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn treatment(method: &str, revision: Option<ProtocolVersion>) -> Treatment {
        let params = json!({
            "name": "n", "uri": "u", "level": "info", "taskId": "t", "notifications": {}, "inputResponses": {},
            "ref": { "type": "ref/prompt", "name": "p" }, "argument": { "name": "a", "value": "" },
        });
        let request =
            serde_json::from_value(json!({ "method": method, "params": params })).unwrap();
        Treatment::of(&request, revision.as_ref())
    }

    #[test]
    fn a_revision_knows_what_its_text_names_and_nothing_else() {
        let (old, new) = (ProtocolVersion::V_2025_11_25, ProtocolVersion::V_2026_07_28);
        let table = [
            ("ping", Treatment::Pass, Treatment::Refuse),
            ("logging/setLevel", Treatment::Pass, Treatment::Refuse),
            ("resources/unsubscribe", Treatment::Pass, Treatment::Refuse),
            ("resources/subscribe", Treatment::Ask("mcp:resources/subscribe"), Treatment::Refuse),
            ("subscriptions/listen", Treatment::Refuse, Treatment::Ask("mcp:subscriptions/listen")),
            ("tools/call", Treatment::Call, Treatment::Call),
            ("tools/list", Treatment::ListTools, Treatment::ListTools),
            ("prompts/get", Treatment::Ask("mcp:prompts/get"), Treatment::Ask("mcp:prompts/get")),
            (
                "resources/read",
                Treatment::Ask("mcp:resources/read"),
                Treatment::Ask("mcp:resources/read"),
            ),
            ("tasks/get", Treatment::Refuse, Treatment::Refuse),
            ("tasks/cancel", Treatment::Refuse, Treatment::Refuse),
            ("skills/list", Treatment::Refuse, Treatment::Refuse),
            ("tools/Call", Treatment::Refuse, Treatment::Refuse),
            ("anything", Treatment::Refuse, Treatment::Refuse),
        ];
        for (method, with_handshake, stateless) in table {
            assert_eq!(treatment(method, Some(old.clone())), with_handshake, "{method}");
            assert_eq!(treatment(method, None), with_handshake, "{method}");
            assert_eq!(treatment(method, Some(new.clone())), stateless, "{method}");
            let unknown: ProtocolVersion = serde_json::from_value(json!("2027-01-01")).unwrap();
            assert_eq!(treatment(method, Some(unknown)), Treatment::Refuse, "{method}");
        }
    }
}
