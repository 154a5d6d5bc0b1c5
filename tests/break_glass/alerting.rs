//! Nothing is given that is not recorded, and that no one hears of.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use hallpass::audit::{BrokenGlass, Event};
use hallpass::policy::Moment;
use hallpass::prelude::*;
use hallpass::{BrokerError, ReloadError};

use crate::ward::{MINUTE, Ward, incident, run, scope, terms};

/// attack 124
#[test]
fn what_the_log_does_not_take_is_not_given_owed_or_told() {
    let ward = Ward::new([incident()]);
    let ada = ward.person("ada", "sre");
    let task = ward.open(&ada);
    let breaks = || task.break_glass(scope(), "orders are down", &Context::new());
    ward.sink.fail_next(1);
    assert_eq!(breaks().map(drop).unwrap_err().reason(), Reason::LogRefused);
    assert!(ward.reviews.debts().is_empty() && ward.alerts.lock().unwrap().is_empty());
    assert!(ward.broker.standing().grants.is_empty());
    let grant = breaks().unwrap();
    run(ward.call(&grant, "restart").unwrap());
    assert_eq!((ward.reviews.debts().len(), ward.alerts.lock().unwrap().len()), (1, 1));
}

#[test]
fn the_alert_is_told_what_the_log_has() {
    let ward = Ward::new([incident()]);
    let ada = ward.attest(Assertion::human("ada").alias("a.smith").group("sre"));
    let (_task, grant) = ward.breaks(&ada).unwrap();
    let alerts = ward.alerts.lock().unwrap().clone();
    let [Event::BrokenGlass(BrokenGlass { grant: told, who, aliases, justification, rules, .. })] =
        &alerts[..]
    else {
        panic!("{alerts:?}")
    };
    assert_eq!((told.to_string(), &**who), (grant.id().to_string(), "ada"));
    assert_eq!((&aliases[..], &rules[..]), (&["a.smith".into()][..], &["incident".into()][..]));
    assert_eq!(justification, "orders are down");
    assert!(ward.events().contains(&alerts[0]));
}

/// A panic, an error, one that comes too late.
#[test]
fn what_no_one_accepts_to_have_heard_of_is_not_given() {
    for kind in ["fails", "panics", "hangs"] {
        // Kept until the test is over: what hangs is let go then.
        let (release, hold) = channel::<()>();
        let hold = Mutex::new(hold);
        let alert = move |_: &Event<'_>| match kind {
            "fails" => Err("the pager is off".into()),
            "panics" => panic!("a pager"),
            _ => {
                let _ = hold.lock().unwrap().recv();
                Ok(())
            }
        };
        let within = if kind == "hangs" { Duration::from_millis(1) } else { MINUTE };
        let ward = Ward::with([incident()], |builder| builder.break_glass_alert(alert, within));
        let ada = ward.person("ada", "sre");
        assert_eq!(ward.refused(&ada), Reason::NotAlerted, "{kind}");
        assert!(ward.reviews.debts().is_empty() && ward.broker.standing().is_empty());
        let events = ward.events();
        let ended = events.iter().filter_map(|event| match event {
            Event::GrantEnded { why, break_glass, .. } => Some((&**why, *break_glass)),
            _ => None,
        });
        assert_eq!(ended.collect::<Vec<_>>(), [("not_alerted", true)], "{kind}");
        let failed = |event: &&Event<'_>| matches!(event, Event::AlertFailed { given: false, .. });
        assert_eq!(events.iter().filter(failed).count(), 1, "{kind}");
        drop(release);
    }
}

#[test]
fn an_alert_that_is_best_effort_is_tried_and_holds_nothing_up() {
    let rule = || incident().break_glass(terms().alert_best_effort());
    let fails = |_: &Event<'_>| Err("the pager is off".into());
    let ward = Ward::with([rule()], |builder| builder.break_glass_alert(fails, MINUTE));
    let (_task, grant) = ward.breaks(&ward.person("ada", "sre")).unwrap();
    run(ward.call(&grant, "restart").unwrap());
    let failed = |event: &Event<'_>| matches!(event, Event::AlertFailed { given: true, .. });
    assert!(ward.events().iter().any(failed));
    assert_eq!(ward.reviews.debts().len(), 1);

    // One rule of two that does not say so is enough.
    let second = Rule::permit("second")
        .on([Moment::BreakGlass])
        .tool("db.admin")
        .any_args()
        .ttl(MINUTE)
        .uses(1)
        .break_glass(terms());
    let ward = Ward::with([rule(), second], |builder| builder.break_glass_alert(fails, MINUTE));
    assert_eq!(ward.refused(&ward.person("ada", "sre")), Reason::NotAlerted);
}

/// Found when it is loaded, and not in the emergency.
#[test]
fn a_rule_that_alerts_someone_is_not_loaded_where_no_one_can_be() {
    let policy = |terms| crate::ward::policy([incident().break_glass(terms)]);
    let missing = Broker::new(policy(terms())).map(drop).unwrap_err();
    assert!(matches!(&missing, BrokerError::Policy(ReloadError::Alert(_))), "{missing:?}");
    assert!(missing.to_string().contains("`incident`"), "{missing}");
    let broker = Broker::new(policy(terms().alert_best_effort())).unwrap();
    let reloaded = broker.reload(&policy(terms())).map(drop).unwrap_err();
    assert!(matches!(reloaded, ReloadError::Alert(_)), "{reloaded:?}");
    let ada = broker.assert_identity(Assertion::human("ada").group("sre")).unwrap();
    let task = broker.open(&ada, Purpose::new("incident")).unwrap();
    assert!(task.break_glass(scope(), "orders are down", &Context::new()).is_ok());
    for within in [Duration::ZERO, Duration::from_secs(301)] {
        let builder = Broker::builder(policy(terms())).break_glass_alert(|_| Ok(()), within);
        assert!(matches!(builder.build(), Err(BrokerError::Setting("break_glass_alert", _))));
    }
    for (ttl, uses) in [(Duration::ZERO, 1), (MINUTE, 0), (MINUTE * 60 * 24 * 8, 1)] {
        let builder = Broker::builder(policy(terms().alert_best_effort()));
        let built = builder.break_glass_at_most(ttl, uses).build();
        assert!(matches!(built, Err(BrokerError::Setting("break_glass_at_most", _))));
    }
}

/// attack 142: the hook breaks the glass itself, while the first use waits for it
#[test]
fn a_use_is_owed_before_anyone_is_alerted_of_it() {
    type Asks = Box<dyn Fn() -> Option<Reason> + Send + Sync>;
    let asks: Arc<Mutex<Option<Asks>>> = Arc::default();
    let found: Arc<Mutex<Option<Reason>>> = Arc::default();
    let (inside, told) = (asks.clone(), found.clone());
    let alert = move |_: &Event<'_>| {
        if let Some(ask) = inside.lock().unwrap().take() {
            *told.lock().unwrap() = ask();
        }
        Ok(())
    };
    let rule = incident().break_glass(terms().refuse_while_open());
    let ward = Ward::with([rule], |builder| builder.break_glass_alert(alert, MINUTE));
    let ada = ward.person("ada", "sre");
    let second = ward.open(&ada);
    *asks.lock().unwrap() = Some(Box::new(move || {
        let again = second.break_glass(scope(), "and again", &Context::new());
        again.err().map(|denial| denial.reason())
    }));
    ward.broke(&ada);
    assert_eq!(*found.lock().unwrap(), Some(Reason::ReviewOwed));
}
