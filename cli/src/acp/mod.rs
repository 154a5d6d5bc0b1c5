//! `hallpass acp`: stands between an editor and a coding agent that speak the Agent Client Protocol.
//!
//! In this protocol the editor is the client and starts the agent; what matters is what the agent asks of the editor: to
//! read and write files, and to run commands. So the calls that are decided come from the server's side here.

mod answers;
mod desk;
mod from_agent;
mod from_editor;
mod gate;
mod methods;
mod options;
mod permission;
mod turn;

pub(crate) use self::options::AcpCommand;
