//! Key material is made where the stack is overwritten afterwards.

use std::hint::black_box;

/// How much of the stack is overwritten: several times what a derivation takes, in a build without
/// optimisation too.
const OVERWRITTEN: usize = 16 * 1024;

/// Does something with keys, and overwrites what that left on the stack: HMAC pads a key to a block there to
/// take it in, and the compiler copies what is moved. What comes back must hold keys by a pointer only.
pub(crate) fn overwriting<T>(work: impl FnOnce() -> T) -> T {
    let done = apart(work);
    overwrite();
    done
}

/// Never written into its caller, so that all it leaves lies below what [`overwrite`] begins with.
#[inline(never)]
fn apart<T>(work: impl FnOnce() -> T) -> T {
    work()
}

#[inline(never)]
fn overwrite() {
    let mut room = [0_u8; OVERWRITTEN];
    black_box(&mut room);
}
