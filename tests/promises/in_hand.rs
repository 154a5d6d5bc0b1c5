//! A call that has started and waits for what becomes of it, with or without a credential.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use hallpass::vault::Secrets;
use hallpass::{Call, Denial, Permit, Receipt, RunError, Running};

use crate::small::CREDENTIAL;

/// A call that has started: its tool is not done.
pub(crate) enum InHand {
    Plain(Running),
    With(RunsWith),
}

/// What a call was lent: what the credential is called outside, and its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LentSaid {
    pub(crate) name: String,
    pub(crate) secret: String,
}

impl LentSaid {
    fn of(secrets: &Secrets) -> LentSaid {
        assert!(secrets.names().eq([CREDENTIAL]));
        let secret = secrets.get(CREDENTIAL).and_then(|own| own.expose_text()).unwrap();
        let name = secrets.user(CREDENTIAL).unwrap().to_owned();
        LentSaid { name, secret: secret.to_owned() }
    }
}

type Done = Result<Receipt<()>, RunError<()>>;

/// A call that runs with a credential: its tool waits until it is told what becomes of it.
pub(crate) struct RunsWith {
    call: Call,
    pub(crate) lent: LentSaid,
    told: Rc<Cell<Option<bool>>>,
    future: Pin<Box<dyn Future<Output = Done>>>,
}

impl RunsWith {
    /// # Errors
    /// The denial of a call that did not start.
    pub(crate) fn start(permit: Permit) -> Result<RunsWith, Denial> {
        let begun = Rc::new(RefCell::new(None));
        let told = Rc::new(Cell::new(None));
        let (note, ask) = (begun.clone(), told.clone());
        let tool = async move |running: &Running, secrets: &Secrets| {
            *note.borrow_mut() = Some((running.call().clone(), LentSaid::of(secrets)));
            let answer = poll_fn(|_| ask.get().map_or(Poll::Pending, Poll::Ready));
            if answer.await { Ok(()) } else { Err(()) }
        };
        let mut future: Pin<Box<dyn Future<Output = Done>>> = Box::pin(permit.run_with_async(tool));
        match poll(&mut future) {
            Poll::Pending => {
                let (call, lent) = begun.take().unwrap();
                Ok(RunsWith { call, lent, told, future })
            }
            Poll::Ready(Err(RunError::Denied(denial))) => {
                assert_eq!(*begun.borrow(), None, "P11: what was denied has not run");
                Err(denial)
            }
            Poll::Ready(other) => panic!("it was not told yet: {other:?}"),
        }
    }

    /// Runs a tool that panics; what it was lent.
    ///
    /// # Errors
    /// The denial of a call that did not start.
    pub(crate) fn panic(permit: Permit) -> Result<LentSaid, Denial> {
        let mut lent = None;
        let ran = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            permit.run_with(|_, secrets| -> Result<(), ()> {
                lent = Some(LentSaid::of(secrets));
                std::panic::resume_unwind(Box::new("a tool"))
            })
        }));
        match ran {
            Err(_) => Ok(lent.unwrap()),
            Ok(Err(RunError::Denied(denial))) => Err(denial),
            Ok(other) => panic!("{other:?}"),
        }
    }

    fn finish(mut self, well: bool) {
        self.told.set(Some(well));
        match (poll(&mut self.future), well) {
            (Poll::Ready(Ok(_)), true) | (Poll::Ready(Err(RunError::Tool(_))), false) => {}
            (other, _) => panic!("{other:?}"),
        }
    }
}

fn poll(future: &mut Pin<Box<dyn Future<Output = Done>>>) -> Poll<Done> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

impl InHand {
    pub(crate) fn call(&self) -> &Call {
        match self {
            InHand::Plain(running) => running.call(),
            InHand::With(running) => &running.call,
        }
    }

    /// What a host has of a call that runs without a credential.
    pub(crate) fn plain(&self) -> Option<&Running> {
        match self {
            InHand::Plain(running) => Some(running),
            InHand::With(_) => None,
        }
    }

    pub(crate) fn succeed(self) {
        match self {
            InHand::Plain(running) => running.succeed(),
            InHand::With(running) => running.finish(true),
        }
    }

    pub(crate) fn fail(self) {
        match self {
            InHand::Plain(running) => running.fail(),
            InHand::With(running) => running.finish(false),
        }
    }
}
