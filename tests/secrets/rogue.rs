//! A provider that names another credential than it was asked for, and one that says the secret in words.

use std::sync::{Arc, Mutex};

use hallpass::audit::{Event, MemoryLog};
use hallpass::clock::Timestamp;
use hallpass::credential::{
    CredentialProvider, Gone, Guarantees, Handle, MintError, Minted, Plan, Refused, Want, Withdrawn,
};
use hallpass::prelude::*;
use hallpass::vault::Secret;

use crate::minting::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Does {
    PlansAnother,
    PlansUnplain,
    PlansLonger,
    MintsExpired,
    MintsAnother,
    MintsUnplain,
    SaysWhyLater,
    SaysWhyNever,
    SaysWhatIsLeft,
}

struct Rogue {
    does: Does,
    first: Mutex<Option<Plan>>,
    /// When what it was asked to mint had to have expired, and when that was planned.
    asked: Arc<Mutex<Vec<(Timestamp, Timestamp)>>>,
}

const SAID: &str = "rogue-5d1c0e9f73a2b4";

impl CredentialProvider for Rogue {
    fn name(&self) -> &str {
        "rogue"
    }

    fn guarantees(&self) -> Guarantees {
        Guarantees::immediate().needs_secret()
    }

    fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
        let plan = want.plan(10 * SECOND);
        let first = self.first.lock().unwrap().get_or_insert_with(|| plan.clone()).clone();
        Ok(match self.does {
            Does::PlansAnother => first,
            Does::PlansUnplain => plan.detail("a\nb"),
            Does::PlansLonger => plan.expiring(clock_end()),
            _ => plan,
        })
    }

    fn mint(&self, plan: &Plan) -> Result<Minted, MintError> {
        let first = self.first.lock().unwrap().clone().unwrap();
        self.asked.lock().unwrap().push((first.expires(), plan.expires()));
        let id = plan.handle().name().get(10..).unwrap_or_default();
        let secret = Secret::new(format!("{SAID}-{id}")).unwrap();
        Ok(match self.does {
            Does::MintsExpired => Minted::new(plan, secret, clock_start()),
            Does::MintsAnother => Minted::new(&first, secret, plan.expires()),
            Does::MintsUnplain => Minted::new(plan, secret, plan.expires()).detail("a\nb"),
            _ => Minted::new(plan, secret, plan.expires()),
        })
    }

    fn withdraw(&self, _: &Handle, secret: Option<&Secret>) -> Withdrawn {
        let said = secret.and_then(Secret::expose_text).unwrap_or_default();
        match self.does {
            Does::SaysWhyNever => Withdrawn::impossible(clock_end(), format!("no: {said}")),
            Does::SaysWhatIsLeft => Withdrawn::Done,
            _ => Withdrawn::retry(SECOND, format!("no: {said}")),
        }
    }

    fn verify(&self, handle: &Handle) -> Gone {
        Gone::still(format!("{SAID}-{}", handle.name().get(10..).unwrap_or_default()))
    }
}

fn clock_end() -> Timestamp {
    Timestamp::parse_rfc3339("2026-01-01T01:00:00Z").unwrap()
}

fn clock_start() -> Timestamp {
    Timestamp::parse_rfc3339("2026-01-01T00:00:00Z").unwrap()
}

struct World {
    broker: Broker,
    task: Task,
    one: Grant,
    two: Grant,
    asked: Arc<Mutex<Vec<(Timestamp, Timestamp)>>>,
}

fn world(does: Does) -> World {
    let asked = Arc::default();
    let rogue = Rogue { does, first: Mutex::new(None), asked: Arc::clone(&asked) };
    let builder = Broker::builder(Policy::from_toml(POLICY).unwrap()).clock(clock());
    let builder = builder.name("orders").provider("orders-db", rogue);
    let broker = builder.tended_by_host().build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let [one, two] = [(); 2].map(|()| task.request(scope(), &Context::new()).unwrap());
    World { broker, task, one, two, asked }
}

/// The records about credentials, by their kinds.
fn story(broker: &Broker) -> Vec<&'static str> {
    let log: &MemoryLog = broker.log().unwrap();
    let kinds = log.records().into_iter().map(|record| record.event.kind());
    kinds.filter(|kind| kind.starts_with("credential_")).collect()
}

fn run_of(broker: &Broker, grant: &Grant) -> Ran {
    let call = Call::new("db.read", serde_json::json!({})).unwrap();
    ran(broker.gate().authorize(grant, grant.holder(), call, &Context::new()).unwrap())
}

/// attack 178: its name, and what would be recorded of it, are looked at before anything is made
#[test]
fn what_is_planned_otherwise_than_it_was_asked_for_is_neither_recorded_nor_minted() {
    for (does, first) in [(Does::PlansAnother, 1), (Does::PlansUnplain, 0)] {
        let world = world(does);
        // The first that is planned is what was asked for.
        assert_eq!(run_of(&world.broker, &world.one).is_ok(), first == 1, "{does:?}");
        let before = story(&world.broker);
        let denied = run_of(&world.broker, &world.two);
        assert_eq!(denied, Err(Reason::CredentialUnavailable), "{does:?}");
        assert_eq!(world.asked.lock().unwrap().len(), first, "{does:?}: it was asked to mint");
        assert_eq!(story(&world.broker), before, "{does:?}");
        assert_eq!(world.broker.standing().downstream.len(), first, "{does:?}");
    }
}

/// attack 178
#[test]
fn what_is_minted_otherwise_than_it_was_planned_is_refused_and_owed() {
    for does in [Does::MintsAnother, Does::MintsUnplain, Does::MintsExpired] {
        let world = world(does);
        let _ = run_of(&world.broker, &world.one);
        let denied = run_of(&world.broker, &world.two);
        assert_eq!(denied, Err(Reason::CredentialUnavailable), "{does:?}");
        let two = world.two.id().to_string();
        let log: &MemoryLog = world.broker.log().unwrap();
        let planned = log.records().into_iter().find_map(|record| match record.event {
            Event::CredentialPlanned { grant, name, .. } if *grant == *two => Some(name),
            _ => None,
        });
        let planned = planned.unwrap();
        let refused = log.records().into_iter().any(|record| {
            matches!(record.event, Event::CredentialMinted { name, refused: Some(_), .. } if name == planned)
        });
        assert!(refused, "{does:?}: the log says why it was refused");
        let owed = world.broker.obligations();
        assert!(owed.iter().any(|own| *own.name == *planned && own.detail.is_empty()), "{does:?}");
    }
}

#[test]
fn a_plan_can_have_a_credential_expire_earlier_than_its_grant_and_no_later() {
    let world = world(Does::PlansLonger);
    run_of(&world.broker, &world.one).unwrap();
    let asked = world.asked.lock().unwrap().clone();
    assert_eq!(asked, [(world.one.expires(), world.one.expires())]);
}

/// P8, attack 126
#[test]
fn a_secret_in_the_words_of_its_provider_is_in_no_record_and_no_obligation() {
    for does in [Does::SaysWhyLater, Does::SaysWhyNever, Does::SaysWhatIsLeft] {
        let World { broker, task, one, .. } = world(does);
        run_of(&broker, &one).unwrap();
        task.complete();
        let _ = broker.tend(SECOND);
        let log: &MemoryLog = broker.log().unwrap();
        let told = format!("{:?} {:?}", broker.obligations(), log.records());
        assert!(told.contains("[redacted]") && !told.contains(SAID), "{does:?}: {told}");
    }
}
