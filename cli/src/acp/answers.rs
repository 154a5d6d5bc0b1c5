//! What the editor answers to what the agent asked for.

use super::desk::{Asked, What};
use super::gate::AcpGate;
use super::methods::About;
use crate::errand::Outcome;
use crate::rpc::answer;
use crate::rpc::members::Members;
use crate::rpc::message::{Answer, Id, response};

impl AcpGate {
    pub(super) fn editor_answers(&self, id: &Id, answer: Answer<'_>) {
        let mut desk = self.desk();
        // No one asked, or it comes too late.
        let Some(Asked { session, what }) = desk.of_agent.answered(id) else { return };
        let terminal = || match answer {
            Answer::Result(result) => Members::of(result).ok()?.text("terminalId"),
            Answer::Error(_) => None,
        };
        if matches!(what, What::Late) {
            if let Some(terminal) = terminal() {
                self.end_terminal(&mut desk, &session, &terminal);
            }
            return;
        }
        let mut told = response(id, answer);
        if let Some(Some(turn)) = desk.turns.get_mut(&session) {
            match (what, answer) {
                (What::Call(started), Answer::Result(_)) => {
                    turn.keeper.finish(started, Outcome::Ok);
                }
                (What::Call(started), Answer::Error(_)) => {
                    turn.keeper.finish(started, Outcome::Error);
                }
                (What::Create(started), Answer::Error(_)) => {
                    turn.coming = turn.coming.saturating_sub(1);
                    turn.keeper.finish(started, Outcome::Error);
                }
                (What::Create(started), Answer::Result(_)) => match terminal() {
                    Some(terminal) => {
                        if turn.run(terminal, started).is_err() {
                            told = unreadable(id);
                        }
                    }
                    None => {
                        turn.coming = turn.coming.saturating_sub(1);
                        turn.keeper.finish(started, Outcome::Interrupted);
                        told = unreadable(id);
                    }
                },
                (What::Terminal(about, terminal), Answer::Result(result)) => match about {
                    About::Output => {
                        let members = Members::of(result).unwrap_or_default();
                        let status = members.get("exitStatus").filter(|own| *own != "null");
                        if let Some(status) = status {
                            turn.ended(&terminal, exited(status));
                        }
                    }
                    About::Exit => turn.ended(&terminal, exited(result)),
                    About::Kill => turn.ended(&terminal, Outcome::Interrupted),
                    About::Release => turn.released(&terminal),
                },
                (What::Terminal(..), Answer::Error(_)) | (What::Late, _) => {}
            }
        }
        drop(desk);
        self.to_agent.hand_on(told);
    }
}

fn unreadable(id: &Id) -> Vec<u8> {
    let why = "the editor's answer names no terminal of this command's own";
    answer::error(Some(id), answer::INTERNAL_ERROR, why)
}

/// How a command has ended: well, if it says so.
fn exited(status: &str) -> Outcome {
    let code = Members::of(status).ok().and_then(|own| own.get("exitCode").map(str::to_owned));
    if code.as_deref() == Some("0") { Outcome::Ok } else { Outcome::Error }
}
