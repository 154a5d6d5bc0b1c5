use std::collections::BTreeMap;
use std::fmt::{self, Write as _};

use parking_lot::Mutex;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::subscriber::Interest;
use tracing::{Metadata, Subscriber, subscriber};

use super::*;
use crate::audit::{Body, ChainKey, ChainTag, MemoryLog};

/// What a subscriber was told: level, and fields as they would be shown.
type Seen = Vec<(Level, BTreeMap<String, String>)>;

#[derive(Clone, Default)]
struct Listener {
    seen: Arc<Mutex<Seen>>,
    panics: bool,
    panics_when_asked: bool,
}

struct Fields(BTreeMap<String, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let mut text = String::new();
        write!(text, "{value:?}").unwrap();
        self.0.insert(field.name().to_owned(), text.trim_matches('"').to_owned());
    }
}

impl Subscriber for Listener {
    /// Asked each time then, and not by other tests' threads, which would find `tracing`'s own lock poisoned.
    fn register_callsite(&self, _: &'static Metadata<'static>) -> Interest {
        Interest::sometimes()
    }
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        assert!(!self.panics_when_asked, "a subscriber that panics when it is asked");
        metadata.target() == "hallpass"
    }
    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }
    fn record(&self, _: &Id, _: &tracing::span::Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn event(&self, event: &tracing::Event<'_>) {
        assert!(!self.panics, "a subscriber that panics");
        let mut fields = Fields(BTreeMap::new());
        event.record(&mut fields);
        self.seen.lock().push((*event.metadata().level(), fields.0));
    }
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

/// A line of each kind, with a text in every member that must not be told.
const LINES: [&str; 15] = [
    r#"{"seq":1,"at":5,"kind":"opened","task":"pay","generation":7,"who":"planner","who_kind":"agent","purpose":"HUSH","ticket":"HUSH","intent":"HUSH","ceiling":900}"#,
    r#"{"seq":2,"at":5,"kind":"granted","task":"pay","generation":7,"grant":"g1","serial":1,"requester":"planner","holder":"worker","scope":[{"tool":"t","args":{"x":"HUSH"}}],"rules":["a","b"],"epoch":3,"policy":"p","expires":800}"#,
    r#"{"seq":3,"at":5,"kind":"permitted","task":"pay","generation":7,"grant":"g1","serial":1,"who":"worker","tool":"bank.pay","resource_type":"HUSH","resource_id":"HUSH","args":"HUSH","context":"HUSH","rules":["a"],"epoch":3}"#,
    r#"{"seq":4,"at":5,"kind":"outcome","task":"pay","generation":7,"of":3,"outcome":"error"}"#,
    r#"{"seq":5,"at":5,"kind":"denied","stage":"call","task":"pay","generation":7,"who":"worker","tool":"bank.pay","args":"HUSH","scope":["HUSH"],"code":"c","reason":"no_permit","rules":["f"],"epoch":3}"#,
    r#"{"seq":16,"at":5,"kind":"denied_again","from":6,"count":11,"since":1,"stage":"call","task":"pay","generation":7,"who":"worker","tool":"bank.pay","args":"HUSH","code":"c","reason":"no_permit"}"#,
    r#"{"seq":17,"at":5,"kind":"asked","task":"pay","generation":7,"question":"q1","who":"worker","tool":"bank.pay","args":"HUSH","rules":["e"],"expires":9,"epoch":3,"sealed":"HUSH"}"#,
    r#"{"seq":18,"at":5,"kind":"answered","task":"pay","generation":7,"question":"q1","who":"ada","answer":"deny","reason":"HUSH","state":"denied"}"#,
    r#"{"seq":19,"at":5,"kind":"broken_glass","task":"pay","generation":7,"grant":"g2","who":"ada","justification":"HUSH","scope":[{"tool":"t"}],"context":"HUSH","rules":["g"],"epoch":3,"policy":"p","expires":8,"due":9}"#,
    r#"{"seq":20,"at":5,"kind":"credential_owed","name":"hp-1","attempt":1,"why":"HUSH"}"#,
    r#"{"seq":21,"at":5,"kind":"secret_found","task":"pay","generation":7,"of":3,"credentials":["db"]}"#,
    r#"{"seq":22,"at":5,"kind":"halted","what":"everything"}"#,
    r#"{"seq":23,"at":5,"kind":"ended","task":"pay","generation":7,"how":"failed","reason":"HUSH"}"#,
    r#"{"seq":24,"at":5,"kind":"denials","from":24,"since":1,"reasons":{"expired":1}}"#,
    r#"{"seq":25,"at":5,"kind":"starting","task":"pay","generation":7,"of":3}"#,
];

fn told(listener: &Listener) -> Seen {
    subscriber::with_default(listener.clone(), || {
        LINES.iter().for_each(|line| tell(&Record::from_line(line).unwrap()));
    });
    listener.seen.lock().clone()
}

#[test]
fn each_kind_of_record_is_an_event_and_none_tells_what_callers_and_people_wrote() {
    let seen = told(&Listener::default());
    assert_eq!(seen.len(), LINES.len());
    for ((level, fields), line) in seen.iter().zip(LINES) {
        assert!(!format!("{fields:?}").contains("HUSH"), "{line}\n{fields:?}");
        let record = Record::from_line(line).unwrap();
        assert_eq!(fields["hallpass.kind"], record.event.kind());
        assert_eq!(fields["hallpass.seq"], record.seq.to_string());
        let warns = ["denied", "denied_again", "denials", "broken_glass", "credential_owed"];
        let warns = [&warns[..], &["secret_found", "halted"]].concat();
        let expected = if warns.contains(&record.event.kind()) { Level::WARN } else { Level::INFO };
        assert_eq!(*level, expected, "{line}");
    }
    let shown = |at: usize, name: &str| seen[at].1.get(name).map(String::as_str);
    for at in [2, 3, 4, 5, 10, 14] {
        assert_eq!(shown(at, "gen_ai.operation.name"), Some("execute_tool"), "{:?}", seen[at]);
    }
    assert_eq!(shown(0, "gen_ai.operation.name"), None);
    assert_eq!(shown(2, "gen_ai.tool.name"), Some("bank.pay"));
    for at in [2, 3, 10, 14] {
        assert_eq!(shown(at, "gen_ai.tool.call.id"), Some("3"), "{:?}", seen[at]);
    }
    assert_eq!(
        (shown(2, "gen_ai.agent.id"), shown(2, "hallpass.grant")),
        (Some("worker"), Some("g1"))
    );
    assert_eq!(
        (shown(3, "error.type"), shown(4, "error.type")),
        (Some("error"), Some("no_permit"))
    );
    assert_eq!((shown(1, "hallpass.rules"), shown(1, "hallpass.epoch")), (Some("a,b"), Some("3")));
    assert_eq!(
        (shown(5, "hallpass.count"), shown(8, "hallpass.break_glass")),
        (Some("11"), Some("true"))
    );
}

/// What the log has refused is not told, and a subscriber that panics takes nothing from the log.
#[test]
fn a_mirror_shows_what_the_log_has_and_harms_it_in_nothing() {
    let lines = |key: &ChainKey| {
        let mut line = String::new();
        let event = Event::Halted { what: "everything".into(), until: None };
        Body::new(crate::clock::Timestamp::MIN, &event).unwrap().push_line(1, &mut line);
        let tag = key.next(&key.start().tag, &line).unwrap();
        (line, tag)
    };
    let (line, tag) = lines(&ChainKey::of_byte(3));
    let entry = |first| Entry {
        first,
        seq: first,
        gives_access: false,
        tag: &tag,
        line: &line,
        plain: None,
    };
    for (panics, panics_when_asked) in [(false, true), (true, false), (false, false)] {
        let listener = Listener { panics, panics_when_asked, ..Listener::default() };
        let log = MemoryLog::new();
        let sink = Traced::new(Arc::new(log.clone()));
        sink.open().unwrap();
        subscriber::with_default(listener.clone(), || {
            assert!(sink.append(&[entry(7)]).is_err(), "it does not follow");
            assert_eq!(sink.append(&[entry(1)]), Ok(Kept::now(1)));
        });
        assert_eq!(log.len(), 1);
        assert_eq!(listener.seen.lock().len(), usize::from(!panics && !panics_when_asked));
    }
    let _: ChainTag = tag;
}

/// Keeps one record at a time, as those of a log that begins.
struct OneByOne(MemoryLog);

impl Sink for OneByOne {
    fn open(&self) -> Result<Option<Tail>, SinkError> {
        self.0.open()
    }
    fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
        self.0.append(&batch[..1])
    }
}

/// Of a batch that was kept in part, the rest comes again, and is told then.
#[test]
fn what_was_not_kept_yet_is_not_told() {
    let key = ChainKey::of_byte(3);
    let mut last = key.start().tag;
    let lines = [1, 2].map(|seq| {
        let (mut line, event) =
            (String::new(), Event::Halted { what: "everything".into(), until: None });
        Body::new(crate::clock::Timestamp::MIN, &event).unwrap().push_line(seq, &mut line);
        last = key.next(&last, &line).unwrap();
        (seq, line, last)
    });
    let entries: Vec<_> = lines
        .iter()
        .map(|(seq, line, tag)| {
            let (first, seq, gives_access, plain) = (*seq, *seq, false, None);
            Entry { first, seq, gives_access, tag, line, plain }
        })
        .collect();
    let listener = Listener::default();
    let sink = Traced::new(Arc::new(OneByOne(MemoryLog::new())));
    sink.open().unwrap();
    subscriber::with_default(listener.clone(), || {
        for (at, told) in [(0, 1), (1, 2)] {
            assert_eq!(sink.append(&entries[at..]), Ok(Kept::now(1)));
            assert_eq!(listener.seen.lock().len(), told);
        }
    });
}

/// What a sink does as time passes, it does behind the mirror, too.
#[test]
fn a_sink_is_maintained_behind_the_mirror() {
    #[derive(Clone, Default)]
    struct Maintained(Arc<Mutex<Vec<Timestamp>>>);
    impl Sink for Maintained {
        fn open(&self) -> Result<Option<Tail>, SinkError> {
            Ok(None)
        }
        fn append(&self, batch: &[Entry<'_>]) -> Result<Kept, SinkError> {
            Ok(Kept::now(batch.len()))
        }
        fn maintain(&self, now: Timestamp) {
            self.0.lock().push(now);
        }
    }
    let sink = Maintained::default();
    Traced::new(Arc::new(sink.clone())).maintain(Timestamp::MAX);
    assert_eq!(*sink.0.lock(), [Timestamp::MAX]);
}
