//! What a sink does as time passes.

use super::*;
use crate::audit::ThreadedSink;

/// A sink that is told the time, and panics at once.
#[derive(Clone, Default)]
struct Panics(Arc<Mutex<Vec<Timestamp>>>);

impl Sink for Panics {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        Ok(None)
    }
    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        Ok(Kept::now(batch.len()))
    }
    fn maintain(&self, now: Timestamp) {
        self.0.lock().push(now);
        panic!("on cue")
    }
}

/// A panic of it ends no thread of the broker's, and sinks that wrap others pass the time on.
#[test]
fn a_sink_is_told_the_time_through_others_and_its_panic_ends_there() {
    let sink = Panics::default();
    let wrapped: [Arc<dyn Sink>; 3] = [
        Arc::new(sink.clone()),
        Arc::new(Arc::new(sink.clone())),
        Arc::new(ThreadedSink::new(sink.clone())),
    ];
    for (told, wrapped) in wrapped.into_iter().enumerate() {
        on(wrapped).maintain(Timestamp::MAX);
        assert_eq!(sink.0.lock().len(), told + 1);
    }
}
