//! Client core x hub core x a hostile network, in virtual time, by seed.
//!
//! `SIM_SEEDS=100000 cargo test --release --test sim` runs more; `SIM_SEED=17` runs one and prints
//! its conversation.

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

/// A day of a client whose streams live a minute: nothing is lost, and the user sees nothing of it.
#[test]
fn a_day_of_rotations_has_no_break() {
    for seed in 0..6 {
        let mut world = World::steady(seed, 24);
        world.run().unwrap_or_else(|lie| panic!("seed {seed}: {lie}"));
        for peer in 0..world.peers() {
            let (resyncs, connects, breaks) = world.record(peer);
            assert_eq!(resyncs, 1, "seed {seed}: only the first open is a gap");
            assert!((1_300..=1_441).contains(&connects), "seed {seed}: {connects} streams in 1,440 minutes");
            println!("seed {seed} peer {peer}: {connects} streams, {breaks} breaks");
            assert_eq!(breaks, 0, "seed {seed}: the user saw the connection break");
        }
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
