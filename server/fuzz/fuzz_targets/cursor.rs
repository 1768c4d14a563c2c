//! The fuzz target for cursors.

#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tinysse_server_fuzz::cursor::check(bytes));
