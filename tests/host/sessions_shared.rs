//! Sessions that several threads and hooks share.

use std::error::Error;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use hallpass::assert_nothing_stands;
use hallpass::context::ContextSource;
use hallpass::prelude::*;
use hallpass::scope::eq;

use crate::sessions::{World, add, seconds, wanted};

/// attack 142: what is asked of a session from inside of what it asks is answered.
#[test]
fn a_hook_that_calls_the_session_is_told_no_and_nothing_waits_for_ever() {
    let inside = Arc::new(OnceLock::<Session>::new());
    let heard = Arc::new(AtomicUsize::new(0));
    let (around, times) = (Arc::clone(&inside), Arc::clone(&heard));
    let world = World::with(Rule::permit("p").when("env", eq("prod")), |builder| {
        builder.on_denial(move |_, _| {
            let denial = around.get().unwrap().authorize(add(), &Context::new()).unwrap_err();
            assert_eq!(denial.reason(), Reason::TooMany);
            times.fetch_add(1, Ordering::Relaxed);
        })
    });
    let session = world.session();
    inside.set(session.clone()).unwrap();
    assert_eq!(world.call(&session), Some(Reason::NotCovered));
    assert_eq!(heard.load(Ordering::Relaxed), 1);
}

/// A source of facts that ends what is delegated while that is asked for.
struct Ending(Arc<OnceLock<Session>>, AtomicUsize);

impl ContextSource for Ending {
    fn facts(
        &self,
        who: &Identity,
        _: Option<&str>,
        _: Duration,
    ) -> Result<Context, Box<dyn Error + Send + Sync>> {
        // The first question is the delegation itself, the second its call.
        if who.subject().as_str() == "worker" && self.1.fetch_add(1, Ordering::Relaxed) == 2 {
            let _ = self.0.get().unwrap().end();
        }
        Ok(Context::new())
    }
}

/// P11: an end that has returned is final for what was being asked for, too.
#[test]
fn what_is_ended_while_it_is_asked_for_is_given_up() {
    let child = Arc::new(OnceLock::new());
    let source = Ending(child.clone(), AtomicUsize::new(0));
    let world = World::with(Rule::permit("p").ttl(seconds(30)), |builder| {
        builder.context_source(source, seconds(1))
    });
    let worker = world.broker.assert_identity("worker").unwrap();
    let parent = world.session();
    assert_eq!(world.call(&parent), None);
    let delegated = parent.delegate(&worker, wanted(), &world.context).unwrap();
    child.set(delegated.clone()).unwrap();
    assert_eq!(world.call(&delegated), None);
    world.clock.advance(seconds(25));
    assert_eq!(world.call(&parent), None);
    world.clock.advance(seconds(5));
    assert_eq!(world.call(&delegated), Some(Reason::Revoked));
    assert_eq!(world.broker.standing().grants.len(), 1, "the parent's");
}

#[test]
fn threads_that_share_a_session_are_served_over_renewals_and_ends() {
    let world =
        World::with(Rule::permit("p").ttl(seconds(1)), |builder| builder.ceiling(seconds(86_400)));
    let session = world.session();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..200 {
                    // A clock that others move may pass an end between asking and presenting.
                    let answer = world.call(&session);
                    assert!(matches!(answer, None | Some(Reason::Expired)), "{answer:?}");
                    world.clock.advance(Duration::from_millis(10));
                }
            });
        }
    });
    assert_eq!(world.call(&session), None);
    let _ = session.end();
    assert_nothing_stands!(world.broker);
    world.broker.verify_log().unwrap();
}
