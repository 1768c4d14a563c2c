//! `wasm-pack`, as the library of the same version has it, without its question for newer versions.

use clap::Parser;
use wasm_pack::{Cli, PBAR, command::run_wasm_pack};

fn main() -> anyhow::Result<()> {
    let args = Cli::parse();
    PBAR.set_log_level(args.log_level);
    PBAR.set_quiet(args.quiet);
    run_wasm_pack(args.cmd)
}
