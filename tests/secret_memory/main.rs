//! Secrets leave nothing behind: no block of memory that is freed holds one, in any form in which it is sealed, lent
//! or looked for. In a binary of its own, since it brings an allocator that looks at what is freed.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![allow(unsafe_code, reason = "an allocator has to be unsafe")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hallpass::prelude::*;
use hallpass::vault::{Secret, Vault};
use serde_json::json;

/// Scans each block that is freed.
struct Scanning;

const LENGTH: usize = 16;
static NEEDLES: OnceLock<Vec<[u8; LENGTH]>> = OnceLock::new();
static ARMED: AtomicBool = AtomicBool::new(false);
static FOUND: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is handed on to `System` as it came, and blocks are read while they are still ours. Growing is left to
// the default, which frees the old block.
unsafe impl GlobalAlloc for Scanning {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed, so that what is read when it is freed was written by its owner.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        if ARMED.load(Ordering::Relaxed)
            && let Some(needles) = NEEDLES.get()
        {
            let block = unsafe { std::slice::from_raw_parts(pointer, layout.size()) };
            let held = |window: &[u8]| needles.iter().any(|needle| needle == window);
            FOUND.fetch_add(block.windows(LENGTH).filter(|w| held(w)).count(), Ordering::Relaxed);
        }
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Scanning = Scanning;

/// Made where it is needed, so that none of it stands in the test's own text.
fn secret(first: u8) -> [u8; 24] {
    std::array::from_fn(|at| b'!' + (first + at as u8 * 7) % 90)
}

fn needles() -> Vec<[u8; LENGTH]> {
    let mut all = Vec::new();
    for first in [3, 50] {
        let plain = secret(first);
        let hex = |upper: bool| -> String {
            let one = |b: &u8| if upper { format!("{b:02X}") } else { format!("{b:02x}") };
            plain.iter().map(one).collect()
        };
        let shifted = [&[0][..], &plain].concat();
        let forms = [
            plain.to_vec(),
            hex(false).into_bytes(),
            hex(true).into_bytes(),
            STANDARD.encode(plain).into_bytes(),
            URL_SAFE_NO_PAD.encode(plain).into_bytes(),
            STANDARD.encode(&shifted).into_bytes(),
        ];
        all.extend(forms.map(|form| <[u8; LENGTH]>::try_from(&form[4..4 + LENGTH]).unwrap()));
    }
    all
}

fn found_while(work: impl FnOnce()) -> usize {
    FOUND.store(0, Ordering::Relaxed);
    ARMED.store(true, Ordering::Relaxed);
    work();
    ARMED.store(false, Ordering::Relaxed);
    FOUND.load(Ordering::Relaxed)
}

/// Sealed, lent, echoed, rotated, scrubbed, and dropped.
fn live() {
    let policy = Policy::from_toml(
        r#"
        version = 1
        tool = [{ name = "t", credential = "key" }]
        rule = [{ id = "p", effect = "permit", what = { tool = "t", args = "any" } }]
        "#,
    )
    .unwrap();
    let vault = Vault::new().unwrap();
    vault.seal("key", Secret::new(secret(3).to_vec()).unwrap()).unwrap();
    let broker = Broker::builder(policy).vault(&vault).build().unwrap();
    let agent = broker.assert_identity("agent-7").unwrap();
    let task = broker.open(&agent, Purpose::new("test")).unwrap();
    let now = Context::new();
    let grant = task.request(Scope::tool("t").any_args(), &now).unwrap();
    for _ in 0..3 {
        let call = Call::new("t", json!({})).unwrap();
        let permit = broker.gate().authorize(&grant, &agent, call, &now).unwrap();
        let receipt = permit.run_with(|running, secrets| {
            let mut echoed = b"it was ".to_vec();
            // All room at once: what the tool leaves behind is the tool's.
            echoed.reserve_exact(200);
            echoed.extend_from_slice(secrets.get("key").unwrap().expose());
            let mut stream = running.scrub_stream();
            assert_eq!(stream.push(&echoed[7..]).len() + stream.finish().len(), "[redacted]".len());
            vault.seal("key", Secret::new(secret(50).to_vec()).unwrap()).unwrap();
            Ok::<_, ()>(echoed)
        });
        assert_eq!(receipt.unwrap().scrubbed(), b"it was [redacted]");
    }
    task.complete();
}

/// P8, attack 126, attack 129
#[test]
fn no_freed_block_holds_a_secret_or_a_form_of_it() {
    NEEDLES.get_or_init(needles);
    for needle in needles() {
        let block = [&[7; 5][..], &needle, &[7; 3]].concat();
        assert_eq!(found_while(|| drop(block)), 1, "what is looked for is found where it is");
    }
    assert_eq!(found_while(live), 0);
}
