//! Delays in microseconds, in buckets that are at most 3 % wide.

const STEPS: u32 = 32;

pub struct Histogram {
    buckets: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub fn new() -> Self {
        Self { buckets: vec![0; 64 * STEPS as usize], total: 0 }
    }

    pub fn add(&mut self, value: u64) {
        self.buckets[bucket(value)] += 1;
        self.total += 1;
    }

    /// The value that this share of all is not above.
    pub fn at(&self, share: f64) -> u64 {
        let rank = (self.total as f64 * share).ceil() as u64;
        let mut seen = 0;
        let found = self.buckets.iter().position(|count| {
            seen += count;
            seen >= rank.max(1)
        });
        found.map_or(0, value)
    }
}

fn bucket(value: u64) -> usize {
    let bits = 64 - value.leading_zeros();
    let shift = bits.saturating_sub(STEPS.ilog2() + 1);
    (shift * STEPS) as usize + (value >> shift) as usize
}

fn value(bucket: usize) -> u64 {
    let (steps, bucket) = (u64::from(STEPS), bucket as u64);
    if bucket < 2 * steps {
        return bucket;
    }
    let shift = bucket / steps - 1;
    (bucket - shift * steps) << shift
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bucket_holds_its_value() {
        for n in [0, 1, 31, 32, 63, 64, 65, 1_000, 123_456, 9_999_999] {
            let read = value(bucket(n));
            assert!(read <= n && n - read <= n / 32, "{n} reads {read}");
        }
    }

    #[test]
    fn shares() {
        let mut histogram = Histogram::new();
        (1..=100).for_each(|n| histogram.add(n));
        assert_eq!((histogram.at(0.5), histogram.at(0.99), histogram.at(1.0)), (50, 98, 100));
    }
}
