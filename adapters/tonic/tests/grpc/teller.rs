//! The host: a bank whose methods note what they were given.

use std::pin::Pin;
use std::sync::{Arc, Mutex};

use hallpass_tonic::{Gated, Permitted};
use tokio::sync::{Notify, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_stream::{Stream, StreamExt};
use tonic::{Request, Response, Status, Streaming};

use crate::bank::bank_server::Bank;
use crate::bank::{Account, Payment, Receipt};

pub(crate) type Told = Result<Receipt, Status>;

#[derive(Clone, Default)]
pub(crate) struct Teller {
    notes: Arc<Mutex<Vec<String>>>,
    /// What `Watch` tells.
    pub(crate) feed: Arc<Mutex<Option<mpsc::Receiver<Told>>>>,
    /// Told when a method has begun.
    pub(crate) begun: Arc<Notify>,
}

impl Teller {
    pub(crate) fn note(&self, text: impl Into<String>) {
        self.notes.lock().unwrap().push(text.into());
    }

    pub(crate) fn notes(&self) -> Vec<String> {
        self.notes.lock().unwrap().clone()
    }

    fn paid(&self, payment: &Payment) -> Receipt {
        let text = format!("{} to {}", payment.amount, payment.to);
        self.note(text.clone());
        receipt(text)
    }
}

pub(crate) fn receipt(text: impl Into<String>) -> Receipt {
    Receipt { text: text.into(), ..Receipt::default() }
}

type Receipts = Pin<Box<dyn Stream<Item = Told> + Send>>;

#[tonic::async_trait]
impl Bank for Gated<Teller> {
    async fn pay(&self, request: Request<Payment>) -> Result<Response<Receipt>, Status> {
        let call = request.extensions().get::<Permitted>().cloned().unwrap();
        assert!(call.is_live() && call.call().tool() == "grpc:/bank.v1.Bank/Pay");
        let seen: Vec<_> = request.metadata().keys().map(|own| format!("{own:?}")).collect();
        let payment = request.get_ref();
        let receipt = self.paid(payment);
        match &*payment.note.clone().unwrap_or_default() {
            "metadata" => self.note(seen.join(" ")),
            "fail" => return Err(Status::not_found(format!("no account {}", payment.to))),
            "panic" => panic!("on cue"),
            "hang" => {
                self.begun.notify_one();
                std::future::pending::<()>().await;
            }
            "keep" => {
                let host = Teller::clone(self);
                std::thread::spawn(move || {
                    while !host.notes().contains(&"done".to_owned()) {
                        std::thread::yield_now();
                    }
                    drop(call);
                });
            }
            "large" => return Ok(Response::new(self::receipt("x".repeat(10 << 20)))),
            _ => {}
        }
        Ok(Response::new(receipt))
    }

    type WatchStream = Receipts;

    async fn watch(&self, _: Request<Account>) -> Result<Response<Receipts>, Status> {
        self.begun.notify_one();
        let feed = self.feed.lock().unwrap().take().unwrap();
        Ok(Response::new(Box::pin(ReceiverStream::new(feed))))
    }

    async fn pay_all(
        &self,
        request: Request<Streaming<Payment>>,
    ) -> Result<Response<Receipt>, Status> {
        let mut payments = request.into_inner();
        self.begun.notify_one();
        let mut sum = 0;
        while let Some(payment) = payments.message().await? {
            self.paid(&payment);
            sum += payment.amount;
        }
        Ok(Response::new(receipt(format!("{sum} in all"))))
    }

    type TalkStream = Receipts;

    async fn talk(
        &self,
        request: Request<Streaming<Payment>>,
    ) -> Result<Response<Receipts>, Status> {
        let host = Teller::clone(self);
        let told = request.into_inner().map(move |payment| Ok(host.paid(&payment?)));
        Ok(Response::new(Box::pin(told)))
    }
}
