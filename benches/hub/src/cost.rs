//! What a process costs, as the kernel counts it.

use std::fs;

/// The processes of one server: those named, and their children.
pub struct Server {
    pids: Vec<u32>,
}

impl Server {
    pub fn new(root: u32) -> Self {
        let mut pids = vec![root];
        let mut at = 0;
        while at < pids.len() {
            let children = fs::read_to_string(format!("/proc/{0}/task/{0}/children", pids[at])).unwrap_or_default();
            pids.extend(children.split_whitespace().filter_map(|pid| pid.parse::<u32>().ok()));
            at += 1;
        }
        Self { pids }
    }

    /// Time on a core so far, in nanoseconds, of all threads.
    pub fn cpu(&self) -> u64 {
        self.pids.iter().map(|pid| cpu(*pid)).sum()
    }

    /// Resident memory in bytes.
    pub fn memory(&self) -> u64 {
        let of = |pid: &u32| {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
            let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
            line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) * 1024
        };
        self.pids.iter().map(of).sum()
    }
}

/// Of this process.
pub fn own_cpu() -> u64 {
    cpu(std::process::id())
}

/// Of everybody, in nanoseconds.
pub fn busy() -> u64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields: Vec<u64> = stat.lines().next().unwrap_or("").split_whitespace().skip(1).flat_map(str::parse).collect();
    // user, nice, system, (idle, iowait,) irq, softirq: in hundredths of a second.
    [0, 1, 2, 5, 6].iter().filter_map(|at| fields.get(*at)).sum::<u64>() * 10_000_000
}

fn cpu(pid: u32) -> u64 {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return 0 };
    let of = |task: fs::DirEntry| {
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<u64>().ok()
    };
    tasks.flatten().filter_map(of).sum()
}
