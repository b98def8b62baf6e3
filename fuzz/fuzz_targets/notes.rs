#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| it::hostile::run("notes", data));
