//! attack 177 on a real server: the broker ends between any two steps, and the next one has its log alone.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hallpass::audit::{Durability, FileLog, Origin, WhenFull};
use hallpass::credential::{
    CredentialProvider, Gone, Guarantees, Handle, MintError, Minted, Plan, Refused, Want, Withdrawn,
};
use hallpass::key::{LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass::vault::Secret;
use hallpass_postgres::BlockingPostgres;

use crate::hostile::wait_until_due;
use crate::world::*;

/// Where a process can end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Minting,
    Minted,
    InUse,
    Withdrawing,
    Withdrawn,
    Verifying,
    Verified,
}

/// Ends at a step: the log is kept as it is then, and nothing is done at the server any more.
#[derive(Clone)]
struct Mortal {
    inner: BlockingPostgres,
    ends: Option<Step>,
    over: Arc<AtomicBool>,
    log: PathBuf,
}

impl Mortal {
    fn lives_at(&self, step: Step) -> bool {
        if self.ends == Some(step) && !self.over.swap(true, Ordering::SeqCst) {
            copy(&self.log, &kept(&self.log));
        }
        !self.over.load(Ordering::SeqCst)
    }
}

impl CredentialProvider for Mortal {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn guarantees(&self) -> Guarantees {
        self.inner.guarantees()
    }

    fn plan(&self, want: &Want<'_>) -> Result<Plan, Refused> {
        self.inner.plan(want)
    }

    fn mint(&self, plan: &Plan) -> Result<Minted, MintError> {
        let over = || MintError::unknown("it is over");
        let minted =
            self.lives_at(Step::Minting).then(|| self.inner.mint(plan)).ok_or_else(over)?;
        if self.lives_at(Step::Minted) { minted } else { Err(over()) }
    }

    fn withdraw(&self, handle: &Handle, secret: Option<&Secret>) -> Withdrawn {
        let lives = self.lives_at(Step::Withdrawing);
        let withdrawn = lives.then(|| self.inner.withdraw(handle, secret));
        let lives = self.lives_at(Step::Withdrawn);
        withdrawn.filter(|_| lives).unwrap_or(Withdrawn::retry(Duration::ZERO, "it is over"))
    }

    fn verify(&self, handle: &Handle) -> Gone {
        let gone = self.lives_at(Step::Verifying).then(|| self.inner.verify(handle));
        let lives = self.lives_at(Step::Verified);
        gone.filter(|_| lives).unwrap_or(Gone::Unknown)
    }

    fn sweep(&self, mine: &dyn Fn(&str) -> bool) -> Vec<Handle> {
        self.inner.sweep(mine)
    }
}

fn kept(log: &Path) -> PathBuf {
    log.with_extension("kept")
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

fn keys() -> LogKeys {
    LogKeys::from_secret(SecretKey::from_bytes(&(0..32).collect::<Vec<u8>>()).unwrap())
}

fn origin() -> Origin<'static> {
    Origin::new("hallpass", "hallpass")
}

fn broker(log: &FileLog, provider: Mortal) -> Broker {
    let builder = Broker::builder(Policy::from_toml(POLICY).unwrap()).name("orders");
    let builder = builder.provider("orders-db", provider).tended_by_host();
    builder.log_keys(keys()).resume_from(log).build().unwrap()
}

/// attack 177
#[test]
#[ignore = "starts a server of PostgreSQL"]
fn whatever_step_a_broker_ends_at_the_next_one_leaves_the_catalogue_as_it_was() {
    use Step::{InUse, Minted, Minting, Verified, Verifying, Withdrawing, Withdrawn};
    let (mut server, mut superuser) = prepared();
    let before = catalogue(&superuser);
    let log = std::env::temp_dir().join(format!("hallpass-resumed-{}", std::process::id()));
    let open = || {
        let options = FileLog::options(Durability::Flushed, WhenFull::Owe);
        options.open(&log, &keys(), &origin()).unwrap()
    };
    for step in [Minting, Minted, InUse, Withdrawing, Withdrawn, Verifying, Verified] {
        // As long as minting takes where passwords are stretched by what is built for tests.
        let inner = BlockingPostgres::new(postgres(&server).within(5 * SECOND));
        let mortal = Mortal { inner, ends: Some(step), over: Arc::default(), log: log.clone() };
        let file = open();
        let world = World::of(server, superuser, broker(&file, mortal.clone()));
        let (task, grant) = world.open();
        let mut session = None;
        let call = Call::new("db.query", serde_json::json!({})).unwrap();
        let permit =
            world.broker.gate().authorize(&grant, grant.holder(), call, &Context::new()).unwrap();
        let ran = permit.run_with(|_, secrets| {
            let password = secrets.get("orders-db").and_then(Secret::expose_text).unwrap();
            let role = (secrets.user("orders-db").unwrap().to_owned(), password.to_owned());
            session = Some(world.session(&role, "postgres"));
            mortal.lives_at(InUse);
            Ok::<_, String>(())
        });
        assert_eq!(ran.is_ok(), !matches!(step, Minting | Minted), "{step:?}");
        drop(task.complete());
        world.broker.tend(60 * SECOND);
        assert!(mortal.over.load(Ordering::SeqCst), "{step:?} was not reached");
        let World { server: own, superuser: owner, broker: ended, .. } = world;
        drop((grant, ended, file));
        std::fs::remove_dir_all(&log).unwrap();
        std::fs::rename(kept(&log), &log).unwrap();

        let mortal = Mortal { ends: None, over: Arc::default(), ..mortal };
        let file = open();
        let world = World::of(own, owner, broker(&file, mortal));
        assert!(world.broker.standing().is_empty(), "{step:?}");
        assert_eq!(world.broker.obligations().len(), 1, "{step:?}");
        while world.broker.tend(60 * SECOND).owed > 0 {
            wait_until_due(&world);
        }
        assert!(session.is_none_or(|session| !session.is_open()), "{step:?}");
        assert_eq!(world.catalogue(), before, "{step:?}");
        world.broker.flush();
        (server, superuser) = (world.server, world.superuser);
        drop((world.broker, file));
        let read = FileLog::read(&log, &keys(), &origin(), None).unwrap().0;
        assert_eq!(read.credentials, [] as [Box<str>; 0], "{step:?}");
    }
    std::fs::remove_dir_all(&log).unwrap();
}
