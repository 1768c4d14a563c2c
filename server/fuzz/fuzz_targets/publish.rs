//! The fuzz target for bodies of `POST /publish`.

#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tinysse_server_fuzz::publish::check(bytes));
