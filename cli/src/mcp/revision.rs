//! Revisions of the protocol, and what each knows.

use crate::rpc::message::quoted;

/// A revision of the protocol. What is not in one is refused: a method that came with a later one may do anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Revision {
    V2024_11_05,
    V2025_03_26,
    V2025_06_18,
    V2025_11_25,
    V2026_07_28,
}

use Revision::{V2024_11_05, V2025_03_26, V2025_06_18, V2025_11_25, V2026_07_28};

/// Under which name each request states the revision that it is of, from `2026-07-28` on.
pub(super) const REVISION_KEY: &str = "io.modelcontextprotocol/protocolVersion";

/// The prefix of what is asked for and is not a tool of a server.
pub(super) const RESERVED: &str = "mcp:";

/// What is done about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Treatment {
    /// It does nothing that anyone would be asked about.
    Pass,
    /// It begins a session; what is never permitted is left out of what both sides say they can do.
    Initialize,
    /// It says what the server can do.
    Discover,
    /// It lists tools, of which those are shown that could be permitted.
    ListTools,
    /// It lists what is had by what is called so, and lists nothing where that could not be permitted.
    List(Kind, &'static str),
    /// It calls a tool.
    Call,
    /// It is asked for under a reserved name.
    Ask(&'static str),
}

/// What a list is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Prompts,
    Resources,
    ResourceTemplates,
}

impl Kind {
    /// The member of a result that is the list.
    pub(super) fn member(self) -> &'static str {
        match self {
            Kind::Prompts => "prompts",
            Kind::Resources => "resources",
            Kind::ResourceTemplates => "resourceTemplates",
        }
    }
}

impl Revision {
    const ALL: [(Revision, &'static str); 5] = [
        (V2024_11_05, "2024-11-05"),
        (V2025_03_26, "2025-03-26"),
        (V2025_06_18, "2025-06-18"),
        (V2025_11_25, "2025-11-25"),
        (V2026_07_28, "2026-07-28"),
    ];

    pub(super) fn named(name: &str) -> Option<Self> {
        Revision::ALL.iter().find(|(_, own)| *own == name).map(|(own, _)| *own)
    }

    /// Whether a session begins with a handshake. From then on each request stands by itself.
    pub(super) fn has_handshake(self) -> bool {
        self < V2026_07_28
    }

    /// What is done about a request of a client; `None` for one that this revision does not know.
    pub(super) fn of_client(self, method: &str) -> Option<Treatment> {
        let treatment = match method {
            "initialize" if self.has_handshake() => Treatment::Initialize,
            "ping" | "logging/setLevel" | "resources/unsubscribe" if self.has_handshake() => {
                Treatment::Pass
            }
            "server/discover" if !self.has_handshake() => Treatment::Discover,
            "tools/list" => Treatment::ListTools,
            "tools/call" => Treatment::Call,
            "prompts/list" => Treatment::List(Kind::Prompts, "mcp:prompts/get"),
            "prompts/get" => Treatment::Ask("mcp:prompts/get"),
            "resources/list" => Treatment::List(Kind::Resources, "mcp:resources/read"),
            "resources/templates/list" => {
                Treatment::List(Kind::ResourceTemplates, "mcp:resources/read")
            }
            "resources/read" => Treatment::Ask("mcp:resources/read"),
            "resources/subscribe" if self.has_handshake() => {
                Treatment::Ask("mcp:resources/subscribe")
            }
            "subscriptions/listen" if !self.has_handshake() => {
                Treatment::Ask("mcp:subscriptions/listen")
            }
            "completion/complete" => Treatment::Ask("mcp:completion/complete"),
            _ => return None,
        };
        Some(treatment)
    }

    /// Under which name a server's own request is asked for, be it by itself or within a result; `None` for one that
    /// this revision does not know.
    pub(super) fn of_server(self, method: &str) -> Option<&'static str> {
        match method {
            "sampling/createMessage" => Some("mcp:sampling"),
            "roots/list" => Some("mcp:roots"),
            "elicitation/create" if self >= V2025_06_18 => Some("mcp:elicitation"),
            _ => None,
        }
    }

    pub(super) fn knows_notification_of_client(self, method: &str) -> bool {
        match method {
            "notifications/cancelled" => true,
            "notifications/initialized"
            | "notifications/progress"
            | "notifications/roots/list_changed" => self.has_handshake(),
            _ => false,
        }
    }

    pub(super) fn knows_notification_of_server(self, method: &str) -> bool {
        match method {
            "notifications/cancelled"
            | "notifications/message"
            | "notifications/progress"
            | "notifications/prompts/list_changed"
            | "notifications/resources/list_changed"
            | "notifications/resources/updated"
            | "notifications/tools/list_changed" => true,
            "notifications/elicitation/complete" => self >= V2025_11_25,
            "notifications/subscriptions/acknowledged" => !self.has_handshake(),
            _ => false,
        }
    }

    /// Whether results say of what kind they are.
    pub(super) fn types_results(self) -> bool {
        !self.has_handshake()
    }
}

/// What a result has to have in addition, if results say of what kind they are.
pub(super) fn result_type(revision: Revision) -> Option<(&'static str, String)> {
    revision.types_results().then(|| ("resultType", quoted("complete")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_knows_what_its_text_names_and_nothing_else() {
        assert_eq!(Revision::named("2025-06-18"), Some(V2025_06_18));
        assert_eq!(Revision::named("2027-01-01"), None);
        for (revision, _) in Revision::ALL {
            assert_eq!(revision.of_client("tools/call"), Some(Treatment::Call));
            for unknown in
                ["tools/Call", "tasks/get", "tasks/result", "skills/list", "rpc.discover", ""]
            {
                assert_eq!(revision.of_client(unknown), None, "{unknown}");
            }
            let stateless = revision == V2026_07_28;
            assert_eq!(revision.of_client("initialize").is_none(), stateless);
            assert_eq!(revision.of_client("server/discover").is_some(), stateless);
            assert!(revision.of_server("sampling/createMessage").is_some());
            assert!(revision.of_server("tools/call").is_none());
        }
        assert_eq!(V2025_03_26.of_server("elicitation/create"), None);
        assert_eq!(V2025_06_18.of_server("elicitation/create"), Some("mcp:elicitation"));
    }

    #[test]
    fn whatever_is_asked_for_and_is_no_tool_has_a_reserved_name() {
        let methods = [
            "prompts/get",
            "resources/read",
            "resources/subscribe",
            "subscriptions/listen",
            "completion/complete",
        ];
        for method in methods {
            let asked = Revision::ALL.iter().filter_map(|(own, _)| own.of_client(method));
            for treatment in asked {
                let Treatment::Ask(name) = treatment else { panic!("{method}") };
                assert!(name.starts_with(RESERVED));
            }
        }
    }
}
