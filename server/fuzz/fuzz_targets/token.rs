//! The fuzz target for tokens.

#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tinysse_server_fuzz::token::check(bytes));
