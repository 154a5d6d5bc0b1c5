//! The methods of the protocol's stable first version. What is not here is refused: a method that came with a later one, or
//! is an agent's or an editor's own, may do anything.

/// The version of the protocol that is spoken.
pub(super) const VERSION: &str = "1";

/// The prefix of what is asked for.
pub(super) const PREFIX: &str = "acp:";

/// What is done about a request of the editor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfEditor {
    /// It does nothing that an agent would be asked about.
    Pass,
    Initialize,
    /// A turn begins.
    Prompt,
    /// A session ends, and its turn with it.
    Close,
}

/// What is done about a request of the agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum OfAgent {
    /// It is asked for under this name.
    Ask(&'static str),
    /// A command is asked for, which runs until its terminal says that it has ended.
    Create(&'static str),
    /// It is about a command that was permitted.
    Terminal(About),
    /// The agent says what it is about to do, and wants it to be permitted.
    Permission,
}

/// What is asked about a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    Output,
    Exit,
    Kill,
    Release,
}

pub(super) fn of_editor(method: &str) -> Option<OfEditor> {
    Some(match method {
        "initialize" => OfEditor::Initialize,
        "session/prompt" => OfEditor::Prompt,
        "session/close" | "session/delete" => OfEditor::Close,
        "authenticate"
        | "logout"
        | "session/list"
        | "session/load"
        | "session/new"
        | "session/resume"
        | "session/set_config_option"
        | "session/set_mode" => OfEditor::Pass,
        _ => return None,
    })
}

pub(super) fn of_agent(method: &str) -> Option<OfAgent> {
    Some(match method {
        "fs/read_text_file" => OfAgent::Ask("acp:fs/read_text_file"),
        "fs/write_text_file" => OfAgent::Ask("acp:fs/write_text_file"),
        "elicitation/create" => OfAgent::Ask("acp:elicitation"),
        "terminal/create" => OfAgent::Create("acp:terminal/create"),
        "terminal/output" => OfAgent::Terminal(About::Output),
        "terminal/wait_for_exit" => OfAgent::Terminal(About::Exit),
        "terminal/kill" => OfAgent::Terminal(About::Kill),
        "terminal/release" => OfAgent::Terminal(About::Release),
        "session/request_permission" => OfAgent::Permission,
        _ => return None,
    })
}

pub(super) fn agent_tells(method: &str) -> bool {
    matches!(method, "session/update" | "elicitation/complete")
}

/// By which either side says that it no longer wants an answer.
pub(super) const CANCEL_REQUEST: &str = "$/cancel_request";

/// What an editor says that it can do and this gate knows. Files and commands stay: an agent that is told of none turns to
/// the disk itself, where nothing is gated. `auth` does not: it says that the editor starts programs so that users sign in.
pub(super) const CAPABILITIES_OF_EDITOR: [&str; 5] =
    ["fs", "terminal", "session", "elicitation", "_meta"];

/// The types of ways to sign in that have the editor start nothing, and what is told of them. With another, as `terminal` and
/// some editors' own `_meta`, it would start a program with what the agent says, which is decided nowhere.
pub(super) const SIGN_IN_TYPES: [&str; 2] = ["agent", "env_var"];
pub(super) const SIGN_IN_MEMBERS: [&str; 6] = ["id", "name", "description", "type", "vars", "link"];

/// The same of an agent.
pub(super) const CAPABILITIES_OF_AGENT: [&str; 6] = [
    "loadSession",
    "promptCapabilities",
    "mcpCapabilities",
    "sessionCapabilities",
    "auth",
    "_meta",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_stable_version_names_is_known_and_nothing_else() {
        for unknown in [
            "session/fork",
            "providers/set",
            "mcp/message",
            "nes/start",
            "document/didOpen",
            "_ext/do",
            "fs/read_text_File",
            "terminal/create ",
            "",
        ] {
            assert_eq!((of_editor(unknown), of_agent(unknown)), (None, None), "{unknown}");
        }
        assert_eq!(of_editor("fs/read_text_file"), None);
        assert_eq!(of_agent("session/prompt"), None);
        for method in ["fs/read_text_file", "fs/write_text_file", "terminal/create"] {
            let Some(OfAgent::Ask(name) | OfAgent::Create(name)) = of_agent(method) else {
                panic!("{method}")
            };
            assert_eq!(name, format!("{PREFIX}{method}"));
        }
    }
}
