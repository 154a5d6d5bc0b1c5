//! Records are hashed under the key that is in force then, and written under the one at their place.

use super::*;

/// attack 187: of two threads that meet a change of keys, one hashed its record before and has its place behind it
#[test]
fn a_record_that_was_hashed_under_the_key_before_is_written_under_its_own() {
    let (log, _, journal) = journal();
    let late = ended("late");
    let hashed = journal.ahead.hash(&late);
    assert!(hashed.is_some());
    let next = Arc::new(ChainKey::of(next_keys().active_key()));
    journal.note(Body::rekeying(Timestamp::MIN, next.clone()));
    journal.queue.lock().push(late, hashed);
    let early = ended("early");
    let under_next = Some(next.hash(early.unnumbered()));
    journal.queue.lock().push(early, under_next);
    assert_eq!(journal.retry(), 0);
    assert_eq!(
        story(&log, &journal),
        [is("rekeyed", ""), is("ended", "late"), is("ended", "early")]
    );
}

#[test]
fn the_key_before_is_let_go_of_once_what_is_under_it_is_written() {
    let (_, sink, journal) = journal();
    let before = Arc::downgrade(&journal.writer.lock().key);
    sink.fail_after(0);
    journal.note(ended("a"));
    journal.note(Body::rekeying(Timestamp::MIN, Arc::new(ChainKey::of(next_keys().active_key()))));
    assert_eq!(journal.retry(), 2);
    assert!(before.upgrade().is_some(), "two records are written under it still");
    sink.recover();
    assert_eq!(journal.retry(), 0);
    assert!(before.upgrade().is_none());
}
