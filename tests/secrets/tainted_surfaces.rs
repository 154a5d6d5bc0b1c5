//! P8, where secrets get out by the side: what is mirrored and exported of the log, what is counted of floods, and what people
//! are shown of a question. The run is random, and everything is searched in every form.

use hallpass::audit::MemoryLog;
#[cfg(any(feature = "cloudevents", feature = "ocsf"))]
use hallpass::audit::{Exporter, LogId, Origin};
use hallpass::policy::Width;
use hallpass::prelude::*;
use hallpass::{Pending, ReviewEvents};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;

use crate::tainted::{Seen, forms};
use crate::world::{MAIL, ORDERS, World, seconds};

/// As [`crate::world::POLICY`], but that people agree to each mail, and that the log keeps what calls say in plain.
const POLICY: &str = r#"
    version = 1
    tool = [
        { name = "db.query", credential = "orders-db", args = { text = { log = "plain" } } },
        { name = "mail.send", credential = "mail-key", args = { text = { log = "plain" } } },
        { name = "both", credential = ["orders-db", "mail-key"] },
        { name = "ping", args = { text = { log = "plain" } } },
    ]
    [[rule]]
    id = "p"
    effect = "permit"
    what = { tool = "any", args = "any" }
    grant = { uses = 100 }
    [[rule]]
    id = "four-eyes"
    effect = "ask"
    what = { tool = "mail.send" }
    approval = { review = [{ groups = { has_any = ["owners"] }, count = 1 }], per = "call" }
"#;

#[derive(Clone, Debug)]
enum Act {
    Run {
        tool: &'static str,
        form: Index,
        fails: bool,
    },
    /// A call is asked about, and one of the answers given.
    Ask {
        form: Index,
        answer: u8,
    },
    /// Calls that are denied, one like the other.
    Flood(&'static str, usize),
    Advance(u64),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let tool = select(vec!["db.query", "both", "ping"]);
    let run = (tool, any::<Index>(), any::<bool>());
    let ask = (any::<Index>(), 0..4_u8);
    let flood = (select(vec!["db.query", "both", "unknown"]), 1..30_usize);
    let one = prop_oneof![
        5 => run.prop_map(|(tool, form, fails)| Act::Run { tool, form, fails }),
        4 => ask.prop_map(|(form, answer)| Act::Ask { form, answer }),
        2 => flood.prop_map(|(tool, times)| Act::Flood(tool, times)),
        1 => (1..100_u64).prop_map(Act::Advance),
    ];
    vec(one, 1..30)
}

struct Run {
    seen: Seen,
    world: World,
    task: Task,
    grant: Grant,
    owner: Identity,
    events: ReviewEvents,
}

impl Run {
    fn new() -> Run {
        let seen = Seen::default();
        let (leaks, denials) = (seen.clone(), seen.clone());
        let world = World::with(Policy::from_toml(POLICY).unwrap(), |builder| {
            #[cfg(feature = "tracing")]
            let builder = builder.tell_tracing();
            builder.on_leak(move |event| leaks.shown(event)).on_denial(move |denial, event| {
                denials.denied(denial);
                denials.shown(event);
            })
        });
        let (task, grant) = world.open();
        let owner = world.broker.assert_identity(Assertion::human("ada").group("owners")).unwrap();
        let events = world.broker.reviews().events();
        Run { seen, world, task, grant, owner, events }
    }

    /// Echoes what the tool ran with, in one form.
    fn echo(&self, permit: Permit, form: &Index, fails: bool) {
        let told = self.seen.clone();
        let result = permit.run_with(|running, secrets| {
            let mut text = String::from("answer:");
            for name in secrets.names() {
                let forms = forms(secrets.get(name).unwrap().expose_text().unwrap());
                let form: &String = form.get(&forms);
                text.push_str(form);
            }
            told.shown(running);
            if fails { Err(text) } else { Ok(text) }
        });
        match result {
            Ok(receipt) => self.seen.text(&receipt.scrubbed()),
            Err(error) => self.seen.text(&format!("{error} {error:?}")),
        }
    }

    fn permit(&self, tool: &str, said: &str) -> Result<Permit, Denial> {
        let call = Call::new(tool, json!({ "text": said })).unwrap();
        self.world.gate.authorize(&self.grant, &self.world.agent, call, &Context::new())
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Run { tool, form, fails } => match self.permit(tool, "{{orders-db}}") {
                Ok(permit) => self.echo(permit, &form, fails),
                Err(denial) => self.seen.denied(&denial),
            },
            Act::Ask { form, answer } => {
                let Err(denial) = self.permit("mail.send", "{{mail-key}}") else { return };
                self.seen.denied(&denial);
                if let Some(pending) = denial.pending() {
                    self.answer(&pending.clone(), &form, answer);
                }
            }
            Act::Flood(tool, times) => {
                for _ in 0..times {
                    let ran = self.permit(tool, "again").and_then(Permit::start);
                    match ran {
                        Ok(running) => running.succeed(),
                        Err(denial) => self.seen.denied(&denial),
                    }
                }
            }
            Act::Advance(by) => self.world.clock.advance(seconds(by)),
        }
        self.seen.shown(&self.world.broker.standing());
    }

    fn answer(&mut self, pending: &Pending, form: &Index, answer: u8) {
        let reviews = self.world.broker.reviews();
        self.seen.shown(&(pending, pending.to_text()));
        for question in reviews.list(&self.owner) {
            self.seen.shown(&question);
            for line in question.view().lines() {
                self.seen.shown(line);
            }
            self.seen.shown(&reviews.whole(&question, "text"));
        }
        let Some(question) = reviews.open(&pending.id()) else { return };
        let digest = question.view().digest();
        match answer {
            0 => self.seen.shown(&reviews.deny(&question, &self.owner, "no")),
            1 => self.seen.shown(&pending.cancel()),
            _ => self.seen.shown(&reviews.approve(&question, &self.owner, &digest, Width::CALL)),
        }
        while let Some(event) = self.events.wait(std::time::Duration::ZERO) {
            self.seen.shown(&event);
        }
        let redeem =
            || self.world.gate.redeem(pending, &self.grant, &self.world.agent, &Context::new());
        for _ in 0..2 {
            match redeem() {
                Ok(permit) => self.echo(permit, form, answer == 3),
                Err(denial) => self.seen.denied(&denial),
            }
        }
    }

    /// Ends everything, and gives all that was seen.
    fn finish(self) -> String {
        let Run { seen, world, task, grant, .. } = self;
        seen.shown(&(&world.broker, &task, &grant));
        seen.shown(&task.complete());
        world.broker.flush();
        let log: &MemoryLog = world.broker.log().unwrap();
        for record in log.records() {
            seen.shown(&record);
            seen.text(&serde_json::to_string(&record.event).unwrap());
            seen.text(&log.plain_line(record.seq).unwrap_or_default());
        }
        export(log, &seen);
        seen.all()
    }
}

/// All records in the forms of other systems.
#[cfg(any(feature = "cloudevents", feature = "ocsf"))]
fn export(log: &MemoryLog, seen: &Seen) {
    let mut exporter = Exporter::new(LogId::from_bytes([7; 16]), &Origin::new("acme", "payments"));
    for entry in log.snapshot().entries() {
        #[cfg(feature = "cloudevents")]
        seen.text(&exporter.cloud_event(entry.line, entry.tag).unwrap());
        #[cfg(feature = "ocsf")]
        seen.text(&exporter.ocsf_event(entry.line, entry.tag).unwrap());
    }
    seen.shown(&exporter);
    let _ = &mut exporter;
}

#[cfg(not(any(feature = "cloudevents", feature = "ocsf")))]
fn export(_: &MemoryLog, _: &Seen) {}

fn run(acts: Vec<Act>) -> String {
    let mut run = Run::new();
    let seen = run.seen.clone();
    mirror::listening(&seen, || {
        acts.into_iter().for_each(|act| run.act(act));
        run.finish()
    })
}

/// What a host's own subscriber of `tracing` is told.
#[cfg(feature = "tracing")]
mod mirror {
    use std::fmt::Debug;

    use tracing::field::{Field, Visit};
    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Metadata, Subscriber, subscriber};

    use crate::tainted::Seen;

    struct Listener(Seen);
    struct Fields<'s>(&'s Seen);

    impl Visit for Fields<'_> {
        fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
            self.0.text(&format!("{}={value:?}", field.name()));
        }
    }

    impl Subscriber for Listener {
        fn enabled(&self, _: &Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, attributes: &Attributes<'_>) -> Id {
            attributes.record(&mut Fields(&self.0));
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, values: &Record<'_>) {
            values.record(&mut Fields(&self.0));
        }
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, event: &Event<'_>) {
            event.record(&mut Fields(&self.0));
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    pub(super) fn listening<T>(seen: &Seen, work: impl FnOnce() -> T) -> T {
        subscriber::with_default(Listener(seen.clone()), work)
    }
}

#[cfg(not(feature = "tracing"))]
mod mirror {
    use crate::tainted::Seen;

    pub(super) fn listening<T>(_: &Seen, work: impl FnOnce() -> T) -> T {
        work()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// P8, attack 126, attack 128
    #[test]
    fn no_secret_is_in_what_is_mirrored_exported_counted_or_asked(acts in acts()) {
        let seen = run(acts);
        for secret in [ORDERS, MAIL] {
            for form in forms(secret) {
                prop_assert!(!seen.contains(&form), "{form} of {secret}");
            }
        }
    }
}

/// The run reaches what it is about.
#[test]
fn what_is_searched_has_every_surface_in_it() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let index = any::<Index>().new_tree(&mut TestRunner::deterministic()).unwrap().current();
    let mut acts = vec![Act::Flood("unknown", 30), Act::Flood("db.query", 30)];
    acts.extend((0..4).map(|answer| Act::Ask { form: index, answer }));
    acts.push(Act::Run { tool: "both", form: index, fails: true });
    let seen = run(acts);
    let mut surfaces =
        vec![r#""kind":"denied_again""#, "{{mail-key}}", "ViewLine", "Approved", "[redacted]"];
    surfaces.push(r#""kind":"secret_found""#);
    if cfg!(feature = "tracing") {
        surfaces.push("hallpass.kind=");
    }
    if cfg!(feature = "cloudevents") {
        surfaces.push("hallpass.audit.secret_found");
    }
    if cfg!(feature = "ocsf") {
        surfaces.push("class_uid");
    }
    for surface in surfaces {
        assert!(seen.contains(surface), "{surface}");
    }
}
