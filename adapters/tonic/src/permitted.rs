//! A call that may run, and the host that runs it.

use std::ops::Deref;
use std::sync::Arc;

use hallpass::args::Args;
use hallpass::{Call, Running};

/// The host of a service, in a wrapping that only a [`GrpcGate`](crate::GrpcGate) makes. Where the generated trait is
/// implemented for it, the service can't be served without its gate:
///
/// ```
/// # use hallpass_tonic::{Gated, GrpcGate};
/// # struct Ledger;
/// # #[derive(Clone)]
/// # struct BankServer<T>(std::sync::Arc<T>);
/// # impl<T: Bank> BankServer<T> { fn new(bank: T) -> Self { BankServer(std::sync::Arc::new(bank)) } }
/// # impl<T> tonic::server::NamedService for BankServer<T> { const NAME: &'static str = "bank.v1.Bank"; }
/// # trait Bank {}
/// impl Bank for Gated<Ledger> { /* … */ }
///
/// fn serve(gate: &GrpcGate) -> Result<(), hallpass_tonic::GateError> {
///     let _gated = gate.service(Ledger, BankServer::new)?;
///     Ok(())
/// }
/// ```
/// ```compile_fail,E0277
/// # use hallpass_tonic::{Gated, GrpcGate};
/// # struct Ledger;
/// # #[derive(Clone)]
/// # struct BankServer<T>(std::sync::Arc<T>);
/// # impl<T: Bank> BankServer<T> { fn new(bank: T) -> Self { BankServer(std::sync::Arc::new(bank)) } }
/// # impl<T> tonic::server::NamedService for BankServer<T> { const NAME: &'static str = "bank.v1.Bank"; }
/// # trait Bank {}
/// impl Bank for Gated<Ledger> { /* … */ }
///
/// fn serve(gate: &GrpcGate) -> Result<(), hallpass_tonic::GateError> {
///     let _ungated = BankServer::new(Ledger);
///     Ok(())
/// }
/// ```
#[derive(Debug)]
pub struct Gated<T>(Arc<T>);

impl<T> Gated<T> {
    pub(crate) fn new(host: Arc<T>) -> Self {
        Gated(host)
    }
}

impl<T> Deref for Gated<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// A call that was permitted and has started, in the extensions of the request that a method is given. Only the gate makes one.
/// Of a client's stream it is the call of the first message.
///
/// A clone that is kept for longer than the method answers keeps the call open, and its outcome is interrupted.
///
/// ```
/// # use hallpass_tonic::Permitted;
/// fn number<M>(request: &tonic::Request<M>) -> Option<u64> {
///     request.extensions().get::<Permitted>().map(Permitted::number)
/// }
/// ```
#[derive(Clone, Debug)]
pub struct Permitted(pub(crate) Arc<Running>);

impl Permitted {
    /// The arguments that were decided about.
    pub fn args(&self) -> &Args {
        self.0.args()
    }

    /// The whole call.
    pub fn call(&self) -> &Call {
        self.0.call()
    }

    /// The permit's number in the log.
    pub fn number(&self) -> u64 {
        self.0.number()
    }

    /// Whether what permits the call still does: see [`Running::is_live`]. A unary method that works for long asks this itself.
    pub fn is_live(&self) -> bool {
        self.0.is_live()
    }

    /// Resolves once it is no longer: see [`Running::ended`].
    pub fn ended(&self) -> impl Future<Output = ()> + Send + use<> {
        self.0.ended()
    }
}
