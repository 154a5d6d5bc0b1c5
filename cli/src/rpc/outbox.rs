//! What waits to be written to one side, and the thread that writes it.
//!
//! Two threads write to each side: the one that hands messages on from the other side, and the one that answers this
//! side itself. Each message is written as a whole. What is handed on waits while much is waiting, so that a side which
//! does not read holds up the other one and fills no memory. Answers do not wait: the thread that reads from a side has
//! to go on reading from it, or both would wait for each other for ever.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How many bytes may wait before what is handed on has to wait, too. One message always may, however long it is.
const SOFT: usize = 1 << 20;

/// How many bytes of answers may wait for a side that asks and does not read.
const HARD: usize = 16 << 20;

/// What waits to be written to one side. Clones share it.
#[derive(Clone)]
pub(crate) struct Outbox(Arc<Shared>);

struct Shared {
    /// How long what is handed on waits for a side that reads nothing, before that side is given up.
    patience: Duration,
    queue: Mutex<Queue>,
    changed: Condvar,
}

#[derive(Default)]
struct Queue {
    lines: VecDeque<Line>,
    bytes: usize,
    /// How many of them are of answers.
    answers: usize,
    /// A line that was taken off and is being written.
    writing: bool,
    /// Nothing more is taken; what waits is written.
    closed: bool,
    /// Its side is gone, or was given up: nothing is written any more.
    broken: bool,
    /// It did not read what it was sent.
    given_up: bool,
}

struct Line {
    bytes: Vec<u8>,
    is_answer: bool,
}

impl Outbox {
    /// An outbox, and the thread that writes it. The thread ends, and drops `to`, once all is written after
    /// [`close`](Self::close), or once nothing can be written any more.
    pub(crate) fn new(to: impl Write + Send + 'static, patience: Duration) -> Self {
        let (queue, changed) = (Mutex::default(), Condvar::new());
        let shared = Arc::new(Shared { patience, queue, changed });
        let outbox = Outbox(shared);
        let own = outbox.clone();
        thread::spawn(move || own.write_all(to));
        outbox
    }

    /// Hands a message on: waits while much is waiting. Whether there is still a side to hand it to.
    pub(crate) fn hand_on(&self, line: Vec<u8>) -> bool {
        let queue = self.lock();
        let full = |queue: &mut Queue| {
            queue.bytes > 0 && queue.bytes.saturating_add(line.len()) > SOFT && queue.is_open()
        };
        let waited = self.0.changed.wait_timeout_while(queue, self.0.patience, full);
        let (mut queue, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            queue.give_up();
            self.0.changed.notify_all();
        }
        queue.is_open() && self.push(&mut queue, line, false)
    }

    /// Answers a side itself, and waits for nothing. A side that asks much and reads nothing is given up.
    pub(crate) fn answer(&self, line: Vec<u8>) -> bool {
        let mut queue = self.lock();
        if queue.answers.saturating_add(line.len()) > HARD {
            queue.give_up();
            self.0.changed.notify_all();
        }
        queue.is_open() && self.push(&mut queue, line, true)
    }

    /// Whether its side is gone.
    pub(crate) fn is_gone(&self) -> bool {
        self.lock().broken
    }

    /// Whether its side did not read what it was sent.
    pub(crate) fn has_given_up(&self) -> bool {
        self.lock().given_up
    }

    /// Takes nothing more, and writes what waits.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.0.changed.notify_all();
    }

    /// Waits until all is written, or for `most`: whether it is.
    pub(crate) fn drain(&self, most: Duration) -> bool {
        let waits = |queue: &mut Queue| !queue.broken && (queue.writing || !queue.lines.is_empty());
        let waited = self.0.changed.wait_timeout_while(self.lock(), most, waits);
        let (queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.lines.is_empty() && !queue.writing && !queue.broken
    }

    fn push(&self, queue: &mut Queue, mut bytes: Vec<u8>, is_answer: bool) -> bool {
        bytes.push(b'\n');
        queue.bytes += bytes.len();
        queue.answers += if is_answer { bytes.len() } else { 0 };
        queue.lines.push_back(Line { bytes, is_answer });
        self.0.changed.notify_all();
        true
    }

    fn write_all(&self, mut to: impl Write) {
        while let Some(line) = self.next_line() {
            let Line { bytes, is_answer } = line;
            let written = to.write_all(&bytes).and_then(|()| to.flush());
            let mut queue = self.lock();
            queue.writing = false;
            queue.bytes = queue.bytes.saturating_sub(bytes.len());
            queue.answers = queue.answers.saturating_sub(if is_answer { bytes.len() } else { 0 });
            queue.broken |= written.is_err();
            self.0.changed.notify_all();
        }
    }

    fn next_line(&self) -> Option<Line> {
        let waits = |queue: &mut Queue| queue.lines.is_empty() && queue.is_open();
        let queue = self.0.changed.wait_while(self.lock(), waits);
        let mut queue = queue.unwrap_or_else(PoisonError::into_inner);
        if queue.broken {
            queue.lines.clear();
            return None;
        }
        let line = queue.lines.pop_front();
        queue.writing = line.is_some();
        line
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        // A queue is whole between any two of its changes, whatever thread panicked.
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn give_up(&mut self) {
        (self.broken, self.given_up) = (true, true);
    }

    fn is_open(&self) -> bool {
        !self.closed && !self.broken
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// Writes a line each time it is told to.
    struct Slow(Receiver<()>, Sender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(|_| io::ErrorKind::BrokenPipe)?;
            self.1.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn slow() -> (Outbox, Sender<()>, Receiver<Vec<u8>>) {
        let ((go, told), (write, written)) = (channel(), channel());
        (Outbox::new(Slow(told, write), Duration::from_secs(600)), go, written)
    }

    #[test]
    fn messages_are_written_whole_and_in_order_before_the_end() {
        let (outbox, go, written) = slow();
        assert!(outbox.hand_on(b"a".to_vec()) && outbox.answer(b"b".to_vec()));
        outbox.close();
        assert!(!outbox.hand_on(b"c".to_vec()) && !outbox.answer(b"d".to_vec()));
        go.send(()).unwrap();
        go.send(()).unwrap();
        assert_eq!(written.iter().collect::<Vec<_>>(), [b"a\n", b"b\n"]);
        assert!(outbox.drain(Duration::from_secs(9)));
    }

    #[test]
    fn what_is_handed_on_waits_where_much_is_waiting_and_an_answer_does_not() {
        let (outbox, go, written) = slow();
        assert!(outbox.hand_on(vec![b'x'; SOFT + 1]), "one message may always wait");
        assert!(outbox.answer(b"now".to_vec()));
        let (own, (done, is_done)) = (outbox.clone(), channel());
        thread::spawn(move || done.send(own.hand_on(b"later".to_vec())));
        assert!(is_done.try_recv().is_err());
        go.send(()).unwrap();
        assert_eq!(written.recv().unwrap().len(), SOFT + 2);
        assert!(is_done.recv().unwrap(), "there is room again");
        go.send(()).unwrap();
        go.send(()).unwrap();
        assert_eq!(written.recv().unwrap(), b"now\n");
        assert_eq!(written.recv().unwrap(), b"later\n");
    }

    #[test]
    fn a_side_that_asks_and_never_reads_is_given_up() {
        let (outbox, go, written) = slow();
        let answers = (0..).take_while(|_| outbox.answer(vec![b'x'; 1 << 20])).count();
        assert!((8..=16).contains(&answers), "{answers}");
        assert!(!outbox.hand_on(b"x".to_vec()) && !outbox.drain(Duration::from_secs(9)));
        drop((go, written));
    }

    #[test]
    fn a_side_that_reads_nothing_for_long_is_given_up() {
        let ((go, told), (write, written)) = (channel(), channel());
        let outbox = Outbox::new(Slow(told, write), Duration::ZERO);
        assert!(outbox.hand_on(vec![b'x'; SOFT]), "there is room");
        assert!(!outbox.hand_on(b"y".to_vec()) && outbox.has_given_up());
        drop((go, written));
    }

    #[test]
    fn a_side_that_is_gone_is_told_to_who_waits() {
        let (outbox, go, written) = slow();
        assert!(outbox.hand_on(vec![b'x'; SOFT]));
        drop((go, written));
        while outbox.hand_on(vec![b'x'; SOFT]) {}
        assert!(!outbox.answer(b"x".to_vec()));
        assert!(outbox.is_gone() && !outbox.has_given_up());
    }
}
