//! The fuzz target for queries of `GET /events`.

#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| tinysse_server_fuzz::query::check(bytes));
