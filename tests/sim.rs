//! Client core x hub core x a hostile network, in virtual time, by seed.
//!
//! `SIM_SEEDS=100000 cargo test --release --test sim` runs more; `SIM_SEED=17` runs one and prints its conversation.

#![allow(clippy::unwrap_used)]

mod world;

use world::World;

/// The most lines of a failing conversation that are printed unasked.
const LINES: usize = 400;

#[test]
fn every_update_is_delivered_once_and_in_order_or_announced() {
    if let Some(seed) = number("SIM_SEED") {
        return replay(seed, usize::MAX);
    }
    let seeds = number("SIM_SEEDS").unwrap_or(2_000);
    let failed: Vec<u64> = std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
        let runs: Vec<_> = (0..threads)
            .map(|thread| {
                scope.spawn(move || {
                    (thread..seeds).step_by(threads as usize).find(|seed| World::new(*seed, false).run().is_err())
                })
            })
            .collect();
        runs.into_iter().filter_map(|run| run.join().unwrap()).collect()
    });
    if let Some(seed) = failed.into_iter().min() {
        replay(seed, LINES);
    }
}

fn replay(seed: u64, lines: usize) {
    let mut world = World::new(seed, true);
    let result = world.run();
    let said = world.conversation();
    for line in said.iter().skip(said.len().saturating_sub(lines)) {
        println!("{line}");
    }
    if let Err(lie) = result {
        panic!("seed {seed}: {lie}\nreplay it with SIM_SEED={seed} cargo test --test sim -- --nocapture");
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}
