//! A provider that names another credential than it was asked for, and one that says the secret in words.

use std::sync::Mutex;

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
    MintsAnother,
    MintsUnplain,
    SaysWhyLater,
    SaysWhyNever,
    SaysWhatIsLeft,
}

struct Rogue(Does, Mutex<Option<Plan>>);

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
        let first = self.1.lock().unwrap().get_or_insert_with(|| plan.clone()).clone();
        Ok(match self.0 {
            Does::PlansAnother => first,
            Does::PlansUnplain => plan.detail("a\nb"),
            _ => plan,
        })
    }

    fn mint(&self, plan: &Plan) -> Result<Minted, MintError> {
        let first = self.1.lock().unwrap().clone().unwrap();
        let id = plan.handle().name().get(10..).unwrap_or_default();
        let secret = Secret::new(format!("{SAID}-{id}")).unwrap();
        Ok(match self.0 {
            Does::MintsAnother => Minted::new(&first, secret, plan.expires()),
            Does::MintsUnplain => Minted::new(plan, secret, plan.expires()).detail("a\nb"),
            _ => Minted::new(plan, secret, plan.expires()),
        })
    }

    fn withdraw(&self, _: &Handle, secret: Option<&Secret>) -> Withdrawn {
        let said = secret.and_then(Secret::expose_text).unwrap_or_default();
        match self.0 {
            Does::SaysWhyNever => Withdrawn::impossible(clock_end(), format!("no: {said}")),
            Does::SaysWhatIsLeft => Withdrawn::Done,
            _ => Withdrawn::retry(SECOND, format!("no: {said}")),
        }
    }

    fn verify(&self, handle: &Handle) -> Gone {
        Gone::still(format!("{SAID}-{}", handle.name().get(10..).unwrap_or_default()))
    }
}

fn clock_end() -> hallpass::clock::Timestamp {
    hallpass::clock::Timestamp::parse_rfc3339("2026-01-01T01:00:00Z").unwrap()
}

fn world(does: Does) -> (Broker, Task, Grant, Grant) {
    let builder = Broker::builder(Policy::from_toml(POLICY).unwrap()).clock(clock());
    let builder = builder.name("orders").provider("orders-db", Rogue(does, Mutex::new(None)));
    let broker = builder.tended_by_host().build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("errand")).unwrap();
    let [one, two] = [(); 2].map(|()| task.request(scope(), &Context::new()).unwrap());
    (broker, task, one, two)
}

fn run_of(broker: &Broker, grant: &Grant) -> Ran {
    let call = Call::new("db.read", serde_json::json!({})).unwrap();
    ran(broker.gate().authorize(grant, grant.holder(), call, &Context::new()).unwrap())
}

/// attack 178
#[test]
fn what_is_called_otherwise_than_it_was_asked_for_is_refused() {
    for does in [Does::PlansAnother, Does::MintsAnother, Does::PlansUnplain, Does::MintsUnplain] {
        let (broker, _task, one, two) = world(does);
        let _ = run_of(&broker, &one);
        assert_eq!(run_of(&broker, &two), Err(Reason::CredentialUnavailable), "{does:?}");
    }
}

/// P8, attack 126
#[test]
fn a_secret_in_the_words_of_its_provider_is_in_no_record_and_no_obligation() {
    for does in [Does::SaysWhyLater, Does::SaysWhyNever, Does::SaysWhatIsLeft] {
        let (broker, task, one, _) = world(does);
        run_of(&broker, &one).unwrap();
        task.complete();
        let _ = broker.tend(SECOND);
        let log: &hallpass::audit::MemoryLog = broker.log().unwrap();
        let told = format!("{:?} {:?}", broker.obligations(), log.records());
        assert!(told.contains("[redacted]") && !told.contains(SAID), "{does:?}: {told}");
    }
}
