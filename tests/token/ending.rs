//! Tokens that a thread presents while it ends: what it has remembered for itself is gone by then.

use std::cell::RefCell;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use hallpass::prelude::*;
use serde_json::json;

/// Asks when it is dropped.
struct Last {
    ask: Box<dyn Fn() -> Option<Denial>>,
    answer: Sender<Option<Denial>>,
}

impl Drop for Last {
    fn drop(&mut self) {
        let _ = self.answer.send((self.ask)());
    }
}

#[test]
fn a_thread_that_is_ending_is_answered_as_ever() {
    // Made before the thread asks for the first time, so dropped after what it has for asking.
    thread_local!(static LAST: RefCell<Option<Last>> = const { RefCell::new(None) });
    let rule = Rule::permit("p").tool("ping").any_args();
    let broker = Broker::new(Policy::builder().rule(rule).build().unwrap()).unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let context = Context::new().with("env", "prod");
    let grant = task.request(Scope::tool("ping").any_args(), &context).unwrap();
    let (gate, token) = (broker.gate(), grant.token().expose().to_owned());
    let ask = move || {
        let call = Call::new("ping", json!({})).unwrap();
        let permit = match gate.authorize(&token, &agent, call, &context) {
            Ok(permit) => permit,
            Err(denial) => return Some(denial),
        };
        permit.run(|_| Ok::<_, ()>(())).map(drop).unwrap();
        None
    };
    let (answer, answers) = channel();
    let thread = thread::spawn(move || {
        let (last, ask) = (answer.clone(), std::rc::Rc::new(ask));
        LAST.set(Some(Last {
            ask: Box::new({
                let ask = ask.clone();
                move || ask()
            }),
            answer: last,
        }));
        answer.send(ask()).unwrap();
    });
    thread.join().unwrap();
    let told: Vec<bool> = answers.iter().map(|denial| denial.is_none()).collect();
    assert_eq!(told, [true, true]);
}
