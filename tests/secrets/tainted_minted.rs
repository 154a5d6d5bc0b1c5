//! P8 of what providers mint: every secret has a mark, and all that gets out over a long random run is searched for it, in every
//! form. Providers fail, panic, and put the secret where none may be.

use hallpass::RunError;
use hallpass::credential::Guarantees;
use hallpass::prelude::*;
use hallpass::testing::{Mint as Cue, ScriptedProvider, Verify, Withdraw};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;

use crate::minting::{Mint, POLICY, SECOND};
use crate::tainted::{Seen, forms};

/// What every secret of a scripted provider begins with, and nothing else has.
const MARK: &str = "minted-";

#[derive(Clone, Debug)]
enum Act {
    Run { tool: &'static str, form: Index, fails: bool },
    Mints(u8),
    Withdrawals(u8),
    Unknown,
    Renew,
    Advance(u64),
    Tend,
    End(u8),
    Reload,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let tool = select(vec!["db.read", "db.write", "ping"]);
    let run = (tool, any::<Index>(), any::<bool>());
    let one = prop_oneof![
        8 => run.prop_map(|(tool, form, fails)| Act::Run { tool, form, fails }),
        4 => (0..8_u8).prop_map(Act::Mints),
        2 => (0..4_u8).prop_map(Act::Withdrawals),
        1 => Just(Act::Unknown),
        2 => Just(Act::Renew),
        1 => (1..400_u64).prop_map(Act::Advance),
        2 => Just(Act::Tend),
        2 => (0..4_u8).prop_map(Act::End),
        1 => Just(Act::Reload),
    ];
    vec(one, 1..60)
}

/// All that got out, and how many secrets the tools had.
fn run(acts: Vec<Act>, guarantees: Guarantees) -> (String, usize) {
    let seen = Seen::default();
    let (leaks, denials, owed) = (seen.clone(), seen.clone(), seen.clone());
    let provider = ScriptedProvider::new("database").guaranteeing(guarantees);
    let world = Mint::of(POLICY, provider, |builder| {
        builder
            .on_leak(move |event| leaks.text(&serde_json::to_string(event).unwrap()))
            .on_denial(move |denial, event| {
                denials.denied(denial);
                denials.shown(event);
            })
            .on_owed(move |left| owed.shown(&left))
    });
    let (mut task, mut grant) = world.open();
    let mut lent = 0;
    for act in acts {
        match act {
            Act::Run { tool, form, fails } => {
                let call = Call::new(tool, json!({ "text": "{{orders-db}}" })).unwrap();
                let permit =
                    world.broker.gate().authorize(&grant, &world.agent, call, &Context::new());
                let permit = match permit {
                    Ok(permit) => permit,
                    Err(denial) => {
                        seen.denied(&denial);
                        continue;
                    }
                };
                let told = seen.clone();
                let result = permit.run_with(|running, secrets| {
                    told.shown(running);
                    told.shown(secrets);
                    let mut text = format!("answer: {:?}", secrets.user("orders-db"));
                    if let Some(secret) = secrets.get("orders-db") {
                        lent += 1;
                        let forms = forms(secret.expose_text().unwrap());
                        let form: &String = form.get(&forms);
                        text.push_str(form);
                        let mut stream = running.scrub_stream();
                        let mut shown = stream.push(form.as_bytes());
                        shown.extend(stream.finish());
                        told.text(&String::from_utf8_lossy(&shown));
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
            Act::Mints(how) => {
                let cues = [
                    Cue::Fails,
                    Cue::Loses,
                    Cue::LandsLate,
                    Cue::Panics,
                    Cue::Outlives(SECOND),
                    Cue::Repeats,
                    Cue::Shows,
                    Cue::Takes(10 * SECOND),
                ];
                world.provider.next_mints(cues[usize::from(how)], 1);
            }
            Act::Withdrawals(how) => {
                let cues =
                    [Withdraw::Fails, Withdraw::Panics, Withdraw::Pretends, Withdraw::Refuses];
                world.provider.next_withdrawals(cues[usize::from(how)], 1);
            }
            Act::Unknown => world.provider.next_verifications(Verify::Unknown, 1),
            Act::Renew => {
                if let Err(denial) = task.renew(&mut grant, &world.agent, &Context::new()) {
                    seen.denied(&denial);
                }
            }
            Act::Advance(seconds) => world.clock.advance(SECOND * seconds as u32),
            Act::Tend => {
                seen.shown(&world.broker.tend(SECOND));
                seen.shown(&world.broker.obligations());
            }
            Act::End(how) => {
                match how {
                    0 => drop(task.complete()),
                    1 => drop(task.fail("an errand that failed")),
                    2 => drop(task.revoke()),
                    _ => drop(task),
                }
                (task, grant) = world.open();
            }
            Act::Reload => {
                let reload = world.broker.reload(&Policy::from_toml(POLICY).unwrap());
                seen.shown(&reload.map(|reload| reload.finish()));
            }
        }
        seen.shown(&world.broker.standing());
    }
    seen.shown(&(&world.broker, &world.provider, &task, &grant));
    seen.shown(&world.broker.stats());
    world.broker.flush();
    let log = world.log();
    seen.shown(&world.broker.verify_log());
    seen.shown(&log.records());
    for record in log.records() {
        seen.text(&serde_json::to_string(&record.event).unwrap());
    }
    drop((task, grant, world));
    (seen.all(), lent)
}

/// The forms of what begins with the mark: all in which it stands whole.
fn marks() -> Vec<String> {
    forms(MARK)
}

proptest! {
    /// P8, attacks 126, 128, 178
    #[test]
    fn no_minted_secret_is_in_anything_that_gets_out(acts in acts(), keeps in any::<bool>()) {
        let guarantees = if keeps { Guarantees::immediate().needs_secret() } else { Guarantees::immediate() };
        let (seen, _) = run(acts, guarantees);
        for form in marks() {
            prop_assert!(!seen.contains(&form), "{}", form);
        }
    }
}

/// The search finds what is there, and the run lends something.
#[test]
fn a_minted_secret_that_gets_out_would_be_seen() {
    let world = Mint::new();
    let (_task, grant) = world.open();
    let secret = world.run(&grant, "db.read").unwrap();
    assert!(secret.starts_with(MARK));
    let shown = forms(&secret).join(" ");
    assert!(marks().iter().all(|form| shown.contains(form)), "{shown}");
    let tool = Act::Run { tool: "db.read", form: any_index(), fails: false };
    let (seen, lent) = run(vec![tool.clone(), Act::Renew, tool], Guarantees::immediate());
    assert_eq!(lent, 2);
    assert!(seen.contains("[redacted]"));
}

fn any_index() -> Index {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    any::<Index>().new_tree(&mut TestRunner::deterministic()).unwrap().current()
}
