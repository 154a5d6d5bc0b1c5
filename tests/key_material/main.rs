//! Keys leave nothing behind: no block of memory that is freed, and nothing on the stack of what derived
//! them, holds one. In a binary of its own, since it brings an allocator that looks at what is freed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]
#![allow(unsafe_code, reason = "an allocator has to be unsafe, and so has looking at the stack")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use hallpass::clock::{Clock, ManualClock, Timestamp};
use hallpass::key::{KeyRing, LogKeys, SecretKey};
use hallpass::prelude::*;
use hallpass::token::hazmat::gate_keys;
use ring::hkdf;
use serde_json::json;
use sha2::block_api::compress256;

/// Scans each block that is freed for key material.
struct Scanning;

/// What no freed block may hold, by 32 bytes each. Written once, in a place that is never freed.
static NEEDLES: OnceLock<[[u8; 32]; NEEDLE_COUNT]> = OnceLock::new();
const NEEDLE_COUNT: usize = SECRETS.len() * (1 + 3 + LABELS.len() * 3);
static ARMED: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);
/// Which needle was found first, from 1.
static FIRST: AtomicUsize = AtomicUsize::new(0);

impl Scanning {
    fn scan(block: &[u8]) {
        let Some(needles) = NEEDLES.get().filter(|_| ARMED.load(Ordering::Relaxed)) else { return };
        for window in block.windows(32) {
            if let Some(at) = needles.iter().position(|needle| needle == window) {
                FOUND.fetch_add(1, Ordering::Relaxed);
                let _ = FIRST.compare_exchange(0, at + 1, Ordering::Relaxed, Ordering::Relaxed);
            }
        }
    }
}

// SAFETY: everything is handed on to `System` as it came, and blocks are read while they are still ours.
// Growing is left to the default, which frees the old block.
unsafe impl GlobalAlloc for Scanning {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed, so that what is read when it is freed was written by the code that had it.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        Self::scan(unsafe { std::slice::from_raw_parts(pointer, layout.size()) });
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Scanning = Scanning;

/// The first byte of each secret: of rings, and of logs.
const SECRETS: [u8; 5] = [1, 33, 65, 97, 129];
const LABELS: [(&str, &str); 7] = [
    ("hallpass/v1/token", "hallpass"),
    ("hallpass/v1/verifier-token", "search"),
    ("hallpass/v1/log-chain", ""),
    ("hallpass/v1/log-digest", ""),
    ("hallpass/v1/log-seal", ""),
    ("hallpass/v1/question", ""),
    ("hallpass/v1/key-id", ""),
];

fn bytes_of(first: u8) -> [u8; 32] {
    std::array::from_fn(|at| first + at as u8)
}

fn secret(first: u8) -> SecretKey {
    let mut bytes = bytes_of(first);
    let secret = SecretKey::from_bytes(&bytes).unwrap();
    bytes.fill(0);
    std::hint::black_box(&bytes);
    secret
}

/// A key, and the two states that HMAC keeps of it.
fn forms(key: [u8; 32]) -> [[u8; 32]; 3] {
    let state = |pad: u8| {
        let mut block = [pad; 64];
        block.iter_mut().zip(key).for_each(|(own, byte)| *own ^= byte);
        let mut state = [
            0x6a09_e667,
            0xbb67_ae85,
            0x3c6e_f372,
            0xa54f_f53a,
            0x510e_527f,
            0x9b05_688c,
            0x1f83_d9ab,
            0x5be0_cd19_u32,
        ];
        compress256(&mut state, &[block]);
        let mut bytes = [0; 32];
        let words = state.iter().flat_map(|word| word.to_ne_bytes());
        bytes.iter_mut().zip(words).for_each(|(own, byte)| *own = byte);
        bytes
    };
    [key, state(0x36), state(0x5c)]
}

fn needles() -> [[u8; 32]; NEEDLE_COUNT] {
    let mut all = Vec::new();
    for first in SECRETS {
        let secret = bytes_of(first);
        all.push(secret);
        let zero = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &[]);
        let pseudorandom = ring::hmac::sign(&zero, &secret).as_ref().try_into().unwrap();
        all.extend(forms(pseudorandom));
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(&secret);
        for (label, context) in LABELS {
            let length = |part: &str| u16::try_from(part.len()).unwrap().to_be_bytes();
            let info: &[&[u8]] =
                &[&length(label), label.as_bytes(), &length(context), context.as_bytes()];
            let mut key = [0; 32];
            extracted.expand(info, hkdf::HKDF_SHA256).unwrap().fill(&mut key).unwrap();
            all.extend(forms(key));
        }
    }
    all.try_into().unwrap()
}

/// What was found in blocks that were freed meanwhile.
fn found_while(work: impl FnOnce()) -> (usize, usize) {
    NEEDLES.get_or_init(needles);
    FOUND.store(0, Ordering::Relaxed);
    FIRST.store(0, Ordering::Relaxed);
    ARMED.store(true, Ordering::Relaxed);
    work();
    ARMED.store(false, Ordering::Relaxed);
    (FOUND.load(Ordering::Relaxed), FIRST.load(Ordering::Relaxed))
}

/// A broker that is rotated, read, written and dropped.
fn live() {
    let clock = ManualClock::new(Timestamp::from_unix_millis(1_767_225_600_000).unwrap());
    let rule = Rule::permit("all").any_tool().any_args();
    let policy = Policy::builder().rule(rule.ttl(Duration::from_secs(3600))).build().unwrap();
    let [first, second, third, log, next_log] = SECRETS;
    let broker = Broker::builder(policy)
        .clock(clock.clone())
        .keys(KeyRing::from_secret(secret(first)))
        .log_keys(LogKeys::from_secret(secret(log)))
        .build()
        .unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("test")).unwrap();
    let context = Context::new();
    let call = || Call::new("t", json!({ "a": 1 })).unwrap();
    let mut permits = Vec::new();
    for next in [None, Some(second), Some(third)] {
        if let Some(next) = next {
            broker.rotate_key(secret(next), Duration::from_secs(60)).unwrap();
        }
        let scope = Scope::tool("t").any_args().embedded_for("search");
        let grant = task.request(scope, &context).unwrap();
        permits.push(broker.gate().authorize(grant.token(), &agent, call(), &context).unwrap());
        let narrowed = grant.token().attenuate(&Scope::tool("t").any_args(), None).unwrap();
        let presented = narrowed.present(&call(), clock.read().unwrap().wall).unwrap();
        permits.push(broker.gate().authorize(&presented, &agent, call(), &context).unwrap());
    }
    broker.rotate_log_key(secret(next_log)).unwrap();
    clock.advance(Duration::from_secs(3000));
    broker.sweep(10);
    drop(permits);
    task.complete();
    broker.verify_log().unwrap();
}

/// A verifier of its own, made of what was exported.
fn verify_elsewhere() {
    let exported = KeyRing::from_secret(secret(SECRETS[0])).audience_secret("search").unwrap();
    let verifier = hallpass::token::Verifier::new(exported, "hallpass");
    drop(verifier);
}

/// Both tests look at the one allocator, so they are one.
#[test]
fn no_freed_block_and_no_stack_holds_a_key() {
    // What is looked for is found where it is.
    let needles = *NEEDLES.get_or_init(needles);
    for (at, needle) in needles.iter().enumerate() {
        let block = [&[7; 5][..], needle, &[7; 3]].concat();
        assert_eq!(found_while(|| drop(block)), (1, at + 1));
    }
    let mut grown: Vec<u8> = needles[0].to_vec();
    assert_eq!(found_while(|| grown.reserve(1000)).0, 1, "growing frees, too");
    drop(grown);

    assert_eq!(found_while(live), (0, 0), "in a broker's life");
    assert_eq!(found_while(verify_elsewhere), (0, 0), "in a verifier's");
    let on_a_stack = std::thread::spawn(|| {
        let ring = KeyRing::from_secret(secret(SECRETS[0]));
        let keys = gate_keys(&ring, "hallpass").unwrap();
        let exported = ring.audience_secret("search").unwrap();
        let log = LogKeys::from_secret(secret(SECRETS[3]));
        let found = found_on_the_stack();
        drop((ring, keys, exported, log));
        found
    });
    assert_eq!(on_a_stack.join().unwrap(), None, "below what derived them");
    let left_behind = std::thread::spawn(|| {
        leave_behind();
        found_on_the_stack()
    });
    assert!(left_behind.join().unwrap().is_some(), "what is left there is found");
}

#[inline(never)]
fn leave_behind() {
    let mut room = [0_u8; 8192];
    room[100..132].copy_from_slice(&NEEDLES.get().unwrap()[1]);
    std::hint::black_box(&mut room);
}

/// Which needle lies on the stack below the frame of the caller.
#[inline(never)]
fn found_on_the_stack() -> Option<usize> {
    let here = 0_u8;
    let top = std::hint::black_box(&raw const here);
    let needles = NEEDLES.get()?;
    for offset in 128..48 * 1024_usize {
        // SAFETY: the stack of a thread has two megabytes, and what lies below its frames is mapped. Read
        // byte by byte, so that no copy of a needle comes to lie there.
        let at =
            |byte: usize| unsafe { top.wrapping_sub(offset).wrapping_add(byte).read_volatile() };
        let found = needles.iter().position(|needle| (0..32).all(|byte| at(byte) == needle[byte]));
        if found.is_some() {
            return found;
        }
    }
    None
}
