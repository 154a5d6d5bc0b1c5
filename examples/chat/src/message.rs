//! A message: the view of a question as literal text, and two buttons.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass::Question;
use hallpass::value::Digest;
use serde_json::{Value, json};

/// How many characters the text of a block may have.
const MOST_TEXT: usize = 3_000;

/// What a button says when it is clicked: the question, and the digest of what was shown.
pub(crate) struct Clicked {
    pub(crate) question: String,
    pub(crate) shown: Digest,
}

impl Clicked {
    fn to_text(question: &Question) -> String {
        let digest = URL_SAFE_NO_PAD.encode(question.view().digest().as_bytes());
        format!("{}.{digest}", question.id())
    }

    pub(crate) fn read(text: &str) -> Option<Clicked> {
        let (question, shown) = text.split_once('.')?;
        let shown: [u8; 32] = URL_SAFE_NO_PAD.decode(shown).ok()?.try_into().ok()?;
        Some(Clicked { question: question.to_owned(), shown: Digest::from(shown) })
    }
}

/// What is posted of a question. `page` is where it can be answered in full.
pub(crate) fn question(channel: &str, question: &Question, page: &str) -> Value {
    let lines: Vec<String> = question.view().lines().map(|line| line.to_string()).collect();
    let view = escaped(&lines.join("\n"));
    let fits = view.chars().count() <= MOST_TEXT;
    let value = Clicked::to_text(question);
    let button = |action: &str, text: &str, style: &str| {
        json!({
            "type": "button",
            "action_id": action,
            "value": value,
            "style": style,
            "text": { "type": "plain_text", "text": text, "emoji": false },
        })
    };
    let shown = match fits {
        true => view,
        // A part of it would be a story about the call.
        false => "What is asked does not fit here: look at it on the page.".to_owned(),
    };
    let mut buttons = vec![button("deny", "Deny", "danger")];
    if fits {
        buttons.insert(0, button("approve", "Approve", "primary"));
    }
    let digest = URL_SAFE_NO_PAD.encode(question.view().digest().as_bytes());
    let id = question.id();
    let told =
        format!("Question {id}, digest {digest}, open until {}: {page}{id}", question.expires());
    json!({
        "channel": channel,
        // What a notification shows: nothing of the call.
        "text": "Somebody is asked to agree to a call",
        "blocks": [
            section(&shown),
            { "type": "context", "elements": [plain(&told)] },
            { "type": "actions", "block_id": "answer", "elements": buttons },
        ],
    })
}

/// What a message becomes once its question is settled: the same text, and no button.
pub(crate) fn settled(channel: &str, ts: &str, question: &str, state: &str) -> Value {
    let told = format!("Question {question} is {state}.");
    json!({ "channel": channel, "ts": ts, "text": told, "blocks": [section(&told)] })
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": plain(text) })
}

/// Text that is shown as it is: no links, no mentions, no pictures made of words.
fn plain(text: &str) -> Value {
    json!({ "type": "plain_text", "text": text, "emoji": false })
}

/// The three characters that the chat gives a meaning.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
