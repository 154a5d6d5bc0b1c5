//! What comes in pieces: told in time, and in work and memory in proportion to what comes.

use std::sync::Arc;

use ::base64::Engine as _;

use super::{SECRET, STANDARD, by, json, source};
use crate::scrub::Scrub;
use crate::scrub::{ScrubSource, ScrubStream, UsedSecrets, work};
use crate::sync::Mutex;
use crate::vault::{Secret, Vault};

/// What is kept back of a stream is less than this: the longest form of a secret of this length, escaped twice, and a quarter more.
fn most_kept(secret: usize) -> usize {
    2 * secret * 36 * 5 / 4 + 36
}

/// What a stream showed of pieces, and the work that it took.
fn streamed(pieces: &[&[u8]]) -> (usize, usize) {
    let mut shown = 0;
    let work = work::of(|| {
        let mut stream = ScrubStream::new(by(&[SECRET.to_vec()]));
        let mut taken = 0;
        for piece in pieces {
            shown += stream.push(piece).len();
            taken += piece.len();
            assert!(taken - shown < most_kept(SECRET.len()), "of {taken} bytes {shown} were shown");
        }
    });
    (shown, work)
}

/// attack 172: whatever stands in it, from escapes that run into each other to what begins as the secret does
#[test]
fn a_stream_shows_what_came_and_takes_work_in_proportion_to_it() {
    let begun = [&SECRET[..15], b"%"].concat();
    let patterns: [&[u8]; 12] = [
        b"x", b"\\", b"%", b"%5C", b"%25", b"%5c%5C", b"\\u005c", b"\\u", b"\\ud83d", b"pa",
        b"p\\/", &begun,
    ];
    for first in [&b"%5C"[..], b"\\u005"] {
        for pattern in patterns {
            for size in [1, 7, 4096] {
                let piece = pattern.repeat(size);
                let work = |count: usize| {
                    let pieces: Vec<&[u8]> = std::iter::once(first)
                        .chain(std::iter::repeat_n(&piece[..], count))
                        .collect();
                    streamed(&pieces).1
                };
                let count = 12_000 / piece.len() + 2;
                let (once, twice) = (work(count), work(2 * count));
                let told = format!("{} after {}", pattern.escape_ascii(), first.escape_ascii());
                assert!(twice <= 2 * once + once / 4, "{told} by {size}: {once}, then {twice}");
                assert!(once < 300 * count * piece.len(), "{told} by {size}: {once}");
            }
        }
    }
}

/// What is found is at its place, though the text before it is gone from the buffer.
#[test]
fn a_secret_is_found_wherever_it_stands_in_a_stream() {
    for escaped in ["pa%2Fss%22word-of-orders", "pa/ss\\\"word-of-orders", "pa/ss\"word-of-orders"]
    {
        for at in (0..2_000).step_by(7) {
            let text = format!("{}\\{escaped}%{}", "y".repeat(at), "z".repeat(3_000));
            let mut stream = ScrubStream::new(by(&[SECRET.to_vec()]));
            let mut given: Vec<u8> =
                text.as_bytes().chunks(97).flat_map(|p| stream.push(p)).collect();
            given.extend(stream.finish());
            let expected = format!("{}\\[redacted]%{}", "y".repeat(at), "z".repeat(3_000));
            assert_eq!(String::from_utf8(given).unwrap(), expected);
        }
    }
}

#[test]
fn a_stream_tells_what_it_found_when_it_is_dropped_half_way() {
    let told = Arc::new(Mutex::new(0));
    let kept = told.clone();
    let mut stream = ScrubStream::new(source(&[SECRET.to_vec()], move |_| *kept.lock() += 1));
    let _ = stream.push(SECRET);
    let _ = stream.push(&[b' '; 10_000]);
    drop(stream);
    assert_eq!(*told.lock(), 1);
}

/// attack 128: while its tool runs on, and once of each
#[test]
fn a_stream_tells_each_secret_when_it_is_found_and_once() {
    let told = Arc::new(Mutex::new(Vec::new()));
    let kept = told.clone();
    let other = b"another-secret-one";
    let mut stream = ScrubStream::new(source(&[SECRET.to_vec(), other.to_vec()], move |found| {
        kept.lock().push(found.credentials.join(","));
    }));
    for (secret, expected) in [(SECRET, 1), (SECRET, 1), (other, 2), (SECRET, 2)] {
        let _ = stream.push(secret);
        let _ = stream.push(&[b' '; 10_000]);
        assert_eq!(told.lock().len(), expected);
    }
    let _ = stream.finish();
    assert_eq!(*told.lock(), ["s0", "s1"]);
}

/// attack 172: the characters next to it that hold bits of it, too, wherever a piece ends
#[test]
fn base64_escaped_twice_is_taken_out_of_a_stream_as_of_the_whole() {
    for before in 0..3 {
        let form = STANDARD.encode([&b"abc"[..before], SECRET, b"xyz"].concat());
        let escaped = json(&json(form.as_bytes()));
        for filler in 0..400 {
            let text = [&vec![b'y'; filler], &escaped[..], &[b'z'; 2_000]].concat();
            let mut stream = ScrubStream::new(by(&[SECRET.to_vec()]));
            let mut given: Vec<u8> = text.chunks(16).flat_map(|piece| stream.push(piece)).collect();
            given.extend(stream.finish());
            assert_eq!(given, text.scrub(&by(&[SECRET.to_vec()]).scrubber()), "{filler}");
        }
    }
}

/// What is kept back is searched for what the task has come to use meanwhile.
#[test]
fn a_secret_that_is_used_while_a_stream_runs_is_taken_out_of_what_is_kept_back() {
    let vault = Vault::new().unwrap();
    let new = b"another-secret-one";
    let shown = |at: usize, later: bool| {
        let source = by(&[SECRET.to_vec()]);
        let used = source.used.clone().unwrap();
        let mut stream = ScrubStream::new(source);
        let mut text = vec![b'x'; 4_000];
        text[at..at + new.len()].copy_from_slice(new);
        let mut given = stream.push(&text);
        let first = given.len();
        if later {
            let secret = Secret::new(new.to_vec()).unwrap();
            let sealed = Arc::new(vault.sealed("new", &secret).unwrap());
            used.add([&sealed]);
            given.extend(stream.finish());
        }
        (first, given)
    };
    let (first, _) = shown(0, false);
    for at in first..first + 100 {
        let (_, given) = shown(at, true);
        assert!(!super::holds(&given, new), "{}", at - first);
    }
}

/// What a task has used can't be told: nothing of what comes is shown, and every text may hold it.
#[test]
fn what_can_not_be_looked_through_is_shown_neither_in_pieces_nor_kept() {
    let used = Arc::new(UsedSecrets::unknown());
    assert!(used.finder().stands_in("a text like any other"));
    let source = ScrubSource { used: Some(used), ..ScrubSource::default() };
    let mut stream = ScrubStream::new(source);
    assert_eq!(stream.push(&[b'x'; 8192]), b"");
    assert_eq!(stream.push(b"more"), b"");
    assert_eq!(stream.kept(), 0);
    assert_eq!(stream.finish(), b"[redacted]");
}
