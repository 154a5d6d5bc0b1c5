//! P8: marked secrets are planted, everything there is to do is done, and all that can be printed, serialized, recorded,
//! returned or read from an error is searched for them in every form.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use hallpass::prelude::*;
use hallpass::vault::{Secret, Secrets};
use hallpass::{Halt, RunError, Running};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;

use crate::world::*;

/// All that got out.
#[derive(Clone, Default)]
pub(crate) struct Seen(Arc<Mutex<String>>);

impl Seen {
    pub(crate) fn text(&self, text: &str) {
        let mut seen = self.0.lock().unwrap();
        seen.push_str(text);
        seen.push('\n');
    }

    pub(crate) fn shown(&self, shown: &impl Debug) {
        self.text(&format!("{shown:?} {shown:#?}"));
    }

    pub(crate) fn all(&self) -> String {
        self.0.lock().unwrap().clone()
    }

    pub(crate) fn denied(&self, denial: &Denial) {
        self.shown(denial);
        self.text(&format!("{denial} {} {:?}", denial.explain(), denial.code()));
    }
}

pub(crate) fn forms(secret: &str) -> Vec<String> {
    let hex = |upper: bool| -> String {
        let one = |b: u8| if upper { format!("{b:02X}") } else { format!("{b:02x}") };
        secret.bytes().map(one).collect()
    };
    let mut forms = vec![secret.to_owned(), hex(false), hex(true)];
    for offset in 0..3 {
        let bytes = [&b"\0\0"[..offset], secret.as_bytes()].concat();
        for text in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            // Without the characters that its neighbours have a part in.
            forms.push(text[(offset * 8).div_ceil(6)..(offset + secret.len()) * 8 / 6].to_owned());
        }
    }
    let json = |form: &String| serde_json::to_string(form).unwrap().trim_matches('"').to_owned();
    let percent = |form: &String| form.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let escaped: Vec<String> = forms.iter().flat_map(|form| [json(form), percent(form)]).collect();
    forms.extend(escaped);
    forms
}

#[derive(Clone, Debug)]
enum Act {
    Run { tool: &'static str, form: Index, fails: bool },
    RunWithout(&'static str),
    Rotate { name: &'static str, to: usize },
    TakeOut(&'static str),
    End(u8),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let tool = || select(vec!["db.query", "mail.send", "both", "ping"]);
    let name = || select(vec!["orders-db", "mail-key"]);
    let run = (tool(), any::<Index>(), any::<bool>());
    proptest::collection::vec(
        prop_oneof![
            8 => run.prop_map(|(tool, form, fails)| Act::Run { tool, form, fails }),
            1 => tool().prop_map(Act::RunWithout),
            2 => (name(), 0..3_usize).prop_map(|(name, to)| Act::Rotate { name, to }),
            1 => name().prop_map(Act::TakeOut),
            1 => (0..4_u8).prop_map(Act::End),
        ],
        1..40,
    )
}

fn rotated(name: &str, to: usize) -> String {
    format!("{name}/rotated\"{to}~kQ8")
}

/// Everything a secret was sealed as.
fn all_secrets() -> Vec<String> {
    let rotations = ["orders-db", "mail-key"]
        .into_iter()
        .flat_map(|name| (0..3).map(move |to| rotated(name, to)));
    rotations.chain([ORDERS.to_owned(), MAIL.to_owned()]).collect()
}

fn run(acts: Vec<Act>) -> String {
    let seen = Seen::default();
    let (leaks, denials) = (seen.clone(), seen.clone());
    let world = World::with(policy(), |builder| {
        builder.on_leak(move |event| leaks.text(&serde_json::to_string(event).unwrap())).on_denial(
            move |denial, event| {
                denials.denied(denial);
                denials.shown(event);
            },
        )
    });
    let (mut task, mut grant) = world.open();
    for act in acts {
        match act {
            Act::Run { tool, form, fails } => {
                let call = Call::new(tool, json!({ "text": "{{orders-db}}" })).unwrap();
                let Ok(permit) = world.gate.authorize(&grant, &world.agent, call, &Context::new())
                else {
                    continue;
                };
                seen.shown(&permit);
                let told = seen.clone();
                let result = permit.run_with(|running: &Running, secrets: &Secrets| {
                    told.shown(running);
                    told.shown(secrets);
                    let mut text = String::from("answer:");
                    for name in secrets.names() {
                        let secret = secrets.get(name).unwrap();
                        told.shown(secret);
                        text.push(' ');
                        let forms = forms(secret.expose_text().unwrap());
                        let form: &String = form.get(&forms);
                        text.push_str(form);
                    }
                    if fails { Err(text) } else { Ok(text) }
                });
                match result {
                    Ok(receipt) => {
                        seen.shown(&receipt);
                        seen.text(&receipt.scrubbed());
                    }
                    Err(error) => {
                        seen.shown(&error);
                        seen.text(&error.to_string());
                        if let RunError::Denied(denial) = &error {
                            seen.denied(denial);
                        }
                    }
                }
            }
            Act::RunWithout(tool) => {
                let call = Call::new(tool, json!({})).unwrap();
                if let Ok(permit) =
                    world.gate.authorize(&grant, &world.agent, call, &Context::new())
                    && let Err(denial) = permit.start().map(Running::succeed)
                {
                    seen.denied(&denial);
                }
            }
            Act::Rotate { name, to } => {
                world.vault.seal(name, Secret::new(rotated(name, to)).unwrap()).unwrap();
            }
            Act::TakeOut(name) => {
                world.vault.remove(name);
            }
            Act::End(how) => {
                match how {
                    0 => drop(task.complete()),
                    1 => drop(task.fail("an errand that failed")),
                    2 => drop(task),
                    _ => {
                        let halt = Halt::tool("both").unwrap();
                        let _ = world.broker.control().halt(halt.clone());
                        drop(task);
                        world.broker.control().resume(&halt);
                    }
                }
                (task, grant) = world.open();
            }
        }
    }
    seen.shown(&world.broker);
    seen.shown(&world.vault);
    seen.shown(&world.broker.standing());
    seen.shown(&world.broker.stats());
    drop((task, grant));
    let log = world.broker.log().unwrap();
    seen.shown(&log.records());
    for record in log.records() {
        seen.text(&serde_json::to_string(&record.event).unwrap());
    }
    seen.all()
}

proptest! {
    /// P8, attack 126, attack 128
    #[test]
    fn no_secret_is_in_anything_that_gets_out(acts in acts()) {
        let seen = run(acts);
        for secret in all_secrets() {
            for form in forms(&secret) {
                prop_assert!(!seen.contains(&form), "{form} of {secret}");
            }
        }
    }
}

/// The search finds what is there.
#[test]
fn a_secret_that_gets_out_would_be_seen() {
    let world = World::new();
    let (_task, grant) = world.open();
    let receipt = world.authorize(&grant, "db.query").run_with(|_, secrets| {
        Ok::<_, ()>(forms(secrets.get("orders-db").unwrap().expose_text().unwrap()).join(" "))
    });
    let raw = receipt.unwrap().raw();
    assert!(forms(ORDERS).iter().all(|form| raw.contains(form)));
}
