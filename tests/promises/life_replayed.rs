//! A life compares what its policies decide of the log alone with what was decided.

use hallpass::audit::{NotReplayable, Replayer};

use crate::life::Life;
use crate::universe::*;

impl Life {
    /// Every decision of rules that the log has as a whole comes out again.
    pub(crate) fn compare_replay(&mut self) {
        let mut replayer = Replayer::own(self.case.policies.iter().map(PolicySaid::policy));
        for (record, plain) in self.log.with_plain() {
            replayer.note(&record, plain.as_deref());
        }
        let replay = replayer.finish();
        assert_eq!(replay.differences, []);
        self.tally.ruled += replay.decisions as usize;
        self.tally.ruled_again += replay.replayed as usize;
        self.tally.requests_ruled += replay.requests as usize;
        let by_parts = replay.not_replayable.get(&NotReplayable::ByParts);
        self.tally.ruled_by_parts += by_parts.copied().unwrap_or_default() as usize;
        let left = replay.decisions - replay.replayed;
        assert_eq!(left, replay.not_replayable.values().sum::<u64>());
    }
}
