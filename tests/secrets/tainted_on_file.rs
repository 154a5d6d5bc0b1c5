//! P8 of what is written on file for people: questions, answers, plans and what became of them, values in plain, checkpoints and
//! receipts. Secrets have marks, processes are killed with questions open and go on with their log, and every byte of its folder is
//! searched in every form, as is what people are shown of a question that outlived its process.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use hallpass::Pending;
use hallpass::audit::{
    Durability, FileLog, LogSigner, PlainReader, Record, VerifierKey, WhenFull, explain,
};
use hallpass::clock::ManualClock;
use hallpass::key::{LogKeys, SecretKey};
use hallpass::policy::Width;
use hallpass::prelude::*;
use hallpass::scope::eq;
use hallpass::testing::ScriptedProvider;
use hallpass::vault::Vault;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::json;

use crate::minting::{SECOND, clock, origin};
use crate::tainted::{Seen, forms};
use crate::world::{MAIL, ORDERS, sealed};

/// People agree to each mail and to what is deployed; the log keeps in plain what calls say.
const POLICY: &str = r#"
    version = 1
    log  = { plain = ["when.note"] }
    tool = [
        { name = "db.query", credential = "orders-db", args = { text = { log = "plain" } } },
        { name = "db.read", credential = "replica", args = { text = { log = "plain" } } },
        { name = "mail.send", credential = "mail-key", args = { text = { log = "plain" } } },
        { name = "deploy", args = { text = { log = "plain" } } },
    ]
    [[rule]]
    id = "p"
    effect = "permit"
    what = { tool = "any", args = "any" }
    grant = { uses = 100, ttl = "1h" }
    [[rule]]
    id = "four-eyes"
    effect = "ask"
    what = { tool = "mail.send" }
    approval = { review = [{ groups = { has_any = ["owners"] }, count = 1 }], per = "call", offer = ["call", "calls:3"] }
    [[rule]]
    id = "releases"
    effect = "ask"
    what = { tool = "deploy" }
    approval = { review = [{ groups = { has_any = ["owners"] }, count = 1 }], per = "task" }
"#;

/// What every secret of a scripted provider begins with.
const MARK: &str = "minted-";

#[derive(Clone, Debug)]
enum Act {
    /// A tool echoes what it runs with, and the agent is told what is left of it.
    Run {
        tool: &'static str,
        form: Index,
        fails: bool,
    },
    /// The agent says what it was told: in a call that people are asked about, or in one that is permitted.
    Say {
        tool: &'static str,
        answer: u8,
    },
    /// The host hands the agent the secret itself, once a tool has run with it, and the agent says that.
    Leak {
        tool: &'static str,
        form: Index,
        answer: u8,
    },
    /// A release is asked about.
    Plan {
        answer: u8,
    },
    Advance(u64),
    /// The process is killed, with whatever is open.
    Die,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let lends = || select(vec!["db.query", "db.read"]);
    let says = || select(vec!["db.query", "mail.send"]);
    let run = (lends(), any::<Index>(), any::<bool>());
    let one = prop_oneof![
        4 => run.prop_map(|(tool, form, fails)| Act::Run { tool, form, fails }),
        3 => (says(), 0..5_u8).prop_map(|(tool, answer)| Act::Say { tool, answer }),
        3 => (says(), any::<Index>(), 0..5_u8)
            .prop_map(|(tool, form, answer)| Act::Leak { tool, form, answer }),
        2 => (0..5_u8).prop_map(|answer| Act::Plan { answer }),
        1 => (1..100_u64).prop_map(Act::Advance),
        2 => Just(Act::Die),
    ];
    vec(one, 1..24)
}

fn keys() -> LogKeys {
    LogKeys::from_secret(SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap())
}

fn open(folder: &Path) -> FileLog {
    let signer = SecretKey::from_bytes(&(64..96).collect::<Vec<u8>>()).unwrap();
    let options = FileLog::options(Durability::Flushed, WhenFull::Owe);
    let options = options.checkpoints(LogSigner::from_secret(signer));
    options.open(folder, &keys(), &origin()).unwrap()
}

/// One life of the broker.
struct Life {
    broker: Broker,
    agent: Identity,
    owner: Identity,
    task: Task,
    grant: Grant,
    log: FileLog,
}

struct Desk {
    folder: PathBuf,
    clock: ManualClock,
    provider: ScriptedProvider,
    vault: Vault,
    /// None while a process is dead.
    life: Option<Life>,
    seen: Seen,
    /// What the agent was told last.
    told: String,
    /// The last secrets that a tool ran with.
    lent: Option<String>,
    /// Whether people are shown a secret that the agent was handed.
    shows: bool,
}

impl Desk {
    fn new() -> Desk {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder = format!("hallpass-tainted-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(folder);
        let clock = clock();
        let provider = ScriptedProvider::new("database").clock(&clock);
        let vault = sealed();
        let life = Some(Life::begin(&folder, &clock, &provider, &vault));
        let (seen, told) = (Seen::default(), "nothing yet".to_owned());
        Desk { folder, clock, provider, vault, life, seen, told, lent: None, shows: true }
    }

    fn life(&self) -> &Life {
        self.life.as_ref().unwrap()
    }

    fn act(&mut self, act: Act) {
        match act {
            Act::Run { tool, form, fails } => self.run(tool, &form, fails),
            Act::Say { tool, answer } => self.say(tool, &self.told, answer),
            Act::Leak { tool, form, answer } => {
                let Some(lent) = self.lent.clone() else { return };
                let forms = forms(&lent);
                let form: &String = form.get(&forms);
                self.shows = false;
                self.say(tool, &format!("see {form}"), answer);
            }
            Act::Plan { answer } => {
                let scope = Scope::tool("deploy").arg("text", eq(&*self.told));
                let scope = scope.and_tool("db.query").any_args();
                if let Err(denial) = self.life().task.request(scope, &Context::new())
                    && let Some(pending) = denial.pending()
                {
                    self.answer(pending, answer);
                    let _ = self.life().task.take_part(pending, &Context::new());
                }
            }
            Act::Advance(by) => self.clock.advance(SECOND * by as u32),
            Act::Die => self.die(),
        }
    }

    fn run(&mut self, tool: &str, form: &Index, fails: bool) {
        let call = Call::new(tool, json!({ "text": self.told })).unwrap();
        let context = Context::new().with("note", &*self.told);
        let Life { broker, agent, grant, .. } = self.life();
        let Ok(permit) = broker.gate().authorize(grant, agent, call, &context) else { return };
        let mut lent = None;
        let ran = permit.run_with(|_, secrets| {
            let name = secrets.names().next().unwrap();
            let secret = secrets.get(name).unwrap().expose_text().unwrap();
            lent = Some(secret.to_owned());
            let forms = forms(secret);
            let form: &String = form.get(&forms);
            if fails { Err(format!("failed: {form}")) } else { Ok(format!("did: {form}")) }
        });
        self.told = match ran {
            Ok(receipt) => receipt.scrubbed(),
            Err(error) => error.to_string(),
        };
        self.lent = lent.or_else(|| self.lent.take());
    }

    fn say(&self, tool: &str, what: &str, answer: u8) {
        let Life { broker, agent, grant, .. } = self.life();
        let call = Call::new(tool, json!({ "text": what })).unwrap();
        let context = Context::new().with("note", what);
        if let Err(denial) = broker.gate().authorize(grant, agent, call, &context)
            && let Some(pending) = denial.pending()
        {
            self.answer(pending, answer);
            if let Ok(permit) = broker.gate().redeem(pending, grant, agent, &Context::new()) {
                let _ = permit.run_with(|_, _| Ok::<_, String>(()));
            }
        }
    }

    fn answer(&self, pending: &Pending, answer: u8) {
        let Life { broker, owner, .. } = self.life();
        let reviews = broker.reviews();
        let Some(question) = reviews.open(&pending.id()) else { return };
        self.show();
        let shown = question.view().digest();
        match answer {
            0 => drop(reviews.deny(&question, owner, "not today")),
            1 => drop(pending.cancel()),
            2 => drop(reviews.approve(&question, owner, &shown, Width::CALL)),
            3 => drop(reviews.approve_items(&question, owner, &shown, &[1])),
            // It is left open.
            _ => {}
        }
    }

    /// What people are shown of what waits. A secret that a call itself says is shown: they decide about that call.
    fn show(&self) {
        if !self.shows {
            return;
        }
        let Life { broker, owner, .. } = self.life();
        for question in broker.reviews().list(owner) {
            self.seen.shown(&question);
            self.seen.text(&question.view().to_string());
        }
    }

    /// The log is as it was then, and the next life begins with it alone.
    fn die(&mut self) {
        self.life().broker.flush();
        let killed = self.folder.with_extension("killed");
        std::fs::create_dir(&killed).unwrap();
        for file in std::fs::read_dir(&self.folder).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), killed.join(file.file_name())).unwrap();
        }
        drop(self.life.take());
        std::fs::remove_dir_all(&self.folder).unwrap();
        std::fs::rename(&killed, &self.folder).unwrap();
        self.life = Some(Life::begin(&self.folder, &self.clock, &self.provider, &self.vault));
        self.show();
        (self.told, self.lent) = ("nothing since".to_owned(), None);
    }

    /// All that is on file, and all that is read from it.
    fn finish(self) -> String {
        let Desk { folder, life, seen, .. } = self;
        let Life { broker, task, grant, log, .. } = life.unwrap();
        task.complete();
        let _ = broker.tend(SECOND);
        broker.flush();
        let key: VerifierKey = log.verifier_key().unwrap();
        seen.text(&log.checkpoint().unwrap().to_string());
        drop((grant, broker, log));
        let mut records: Vec<Record> = Vec::new();
        let each = |record: &Record, _| records.push(record.clone());
        FileLog::read_each(&folder, &keys(), &origin(), None, each).unwrap();
        let mut plain = PlainReader::open(&folder).unwrap();
        for record in &records {
            seen.shown(record);
            seen.text(&serde_json::to_string(&record.event).unwrap());
            seen.text(&plain.line(record.seq).unwrap().unwrap_or_default());
        }
        seen.shown(&explain(&records, "errand"));
        for receipt in FileLog::receipts(&folder, &key, &[1, 2, records.len() as u64]).unwrap() {
            seen.text(&receipt.to_string());
        }
        for file in std::fs::read_dir(&folder).unwrap() {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            seen.text(&String::from_utf8_lossy(&bytes));
        }
        std::fs::remove_dir_all(&folder).unwrap();
        seen.all()
    }
}

impl Life {
    fn begin(
        folder: &Path,
        clock: &ManualClock,
        provider: &ScriptedProvider,
        vault: &Vault,
    ) -> Life {
        let log = open(folder);
        let builder = Broker::builder(Policy::from_toml(POLICY).unwrap()).clock(clock.clone());
        let builder = builder.name("orders").provider("replica", provider.clone());
        let builder = builder.tended_by_host().vault(vault).log_keys(keys()).resume_from(&log);
        let broker = builder.build().unwrap();
        let agent = broker.assert_identity("agent-7").unwrap();
        let owner = broker.assert_identity(Assertion::human("ada").group("owners")).unwrap();
        let task = broker.resume("errand", &agent);
        let task = task.or_else(|_| broker.open_named("errand", &agent, Purpose::new("errand")));
        let task = task.unwrap();
        let scope = ["db.read", "mail.send"].into_iter();
        let first = Scope::tool("db.query").any_args();
        let scope = scope.fold(first, |scope, tool| scope.and_tool(tool).any_args());
        let grant = task.request(scope, &Context::new()).unwrap();
        Life { broker, agent, owner, task, grant, log }
    }
}

fn all(acts: Vec<Act>) -> String {
    let mut desk = Desk::new();
    acts.into_iter().for_each(|act| desk.act(act));
    desk.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// P8, attack 126, attack 128
    #[test]
    fn no_secret_is_in_what_is_on_file_of_questions_answers_and_calls(acts in acts()) {
        let all = all(acts);
        for secret in [ORDERS, MAIL, MARK] {
            for form in forms(secret) {
                prop_assert!(!all.contains(&form), "{form} of {secret}");
            }
        }
    }
}

/// The run reaches what it is about.
#[test]
fn what_is_searched_on_file_has_questions_answers_plans_and_values_in_it() {
    use proptest::strategy::ValueTree as _;
    use proptest::test_runner::TestRunner;
    let form = any::<Index>().new_tree(&mut TestRunner::deterministic()).unwrap().current();
    let run = |tool| Act::Run { tool, form, fails: false };
    let mut acts = vec![run("db.query"), Act::Say { tool: "db.query", answer: 4 }, run("db.read")];
    acts.extend((0..5).map(|answer| Act::Say { tool: "mail.send", answer }));
    acts.push(Act::Plan { answer: 2 });
    acts.extend([Act::Say { tool: "mail.send", answer: 4 }, Act::Die, run("db.query")]);
    acts.push(Act::Leak { tool: "mail.send", form, answer: 4 });
    acts.push(Act::Leak { tool: "db.query", form, answer: 4 });
    let all = all(acts);
    let surfaces = [
        r#""kind":"asked""#,
        r#""kind":"answered""#,
        r#""kind":"task_resumed""#,
        r#""kind":"secret_found""#,
        r#""kind":"credential_minted""#,
        r#""sealed":""#,
        r#""digest_only":["args.text","when.note"]"#,
        r#""args.text":{"salt":""#,
        r#""scope":[{"args":{"text":{"eq":"did: [redacted]"}}"#,
        "did: [redacted]",
        "took the task up again",
        "not today",
        "Question {",
    ];
    let missing: Vec<_> = surfaces.iter().filter(|own| !all.contains(**own)).collect();
    assert_eq!(missing, [] as [&&str; 0]);
}
