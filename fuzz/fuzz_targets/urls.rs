#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| hallpass::scope::fuzzing::urls(bytes));
