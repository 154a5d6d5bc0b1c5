//! Methods that are lent credentials.

use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use hallpass::scrub::{Scrub, Scrubber};
use hallpass::vault::Secrets;
use hallpass::{Permit, RunError, Running};
use http::Response;
use prost::Message;
use tonic::Status;
use tonic::body::Body;

use crate::message::message;
use crate::methods::Method;
use crate::responses::one;
use crate::scrubbed::scrubbed_message;
use crate::status::{broken, status_of};

type Answer = Pin<Box<dyn Future<Output = Result<Response<Body>, Status>> + Send>>;

/// Runs a permit of one method with the credentials that the catalogue says it has.
pub(crate) type Lent<T> = Arc<dyn Fn(Arc<T>, Arc<Method>, Permit) -> Answer + Send + Sync>;

pub(crate) fn lent<T, M, R, F>(run: F) -> Lent<T>
where
    T: Send + Sync + 'static,
    M: Message + Default + 'static,
    R: Message + 'static,
    F: for<'a> Fn(
            &'a T,
            M,
            &'a Running,
            &'a Secrets,
        ) -> Pin<Box<dyn Future<Output = Result<R, Status>> + Send + 'a>>
        + Send
        + Sync
        + 'static,
{
    let run = Arc::new(run);
    Arc::new(move |host, method, permit| {
        let run = run.clone();
        Box::pin(async move {
            let ran = permit
                .run_with_async(async |running, secrets| {
                    let asked = message(&method.input, running.args()).map_err(|_| broken());
                    let asked = M::decode(asked.map_err(Failed)?).map_err(|_| Failed(broken()))?;
                    let told = run(&host, asked, running, secrets).await.map_err(Failed)?;
                    Ok::<Vec<u8>, Failed>(told.encode_to_vec())
                })
                .await;
            match ran {
                Ok(receipt) => {
                    let told = receipt.scrubbed_by(|told, scrubber| {
                        let scrub = |text: &[u8]| scrubber.bytes(text.to_vec());
                        scrubbed_message(&method.output, Bytes::from(told), &scrub)
                    });
                    one(&told.map_err(|()| broken())?)
                }
                Err(RunError::Denied(denial)) => Err(status_of(&denial)),
                Err(RunError::Tool(error)) => Err(error.scrubbed().0),
            }
        })
    })
}

/// A status that a method gave: its code and its message, without details and metadata.
struct Failed(Status);

impl Scrub for Failed {
    fn scrub(self, scrubber: &Scrubber<'_>) -> Self {
        Failed(Status::new(self.0.code(), scrubber.text(self.0.message().to_owned())))
    }
}
