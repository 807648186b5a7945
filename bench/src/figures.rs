//! Arithmetic of figures: percentiles, quotients, rounding.

use std::time::Duration;

use crate::report::Latency;

/// A count as a real number; counts of a benchmark stay far below 2^32.
pub fn real(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// `part / whole`, 0 when there is no whole.
pub fn quotient(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

/// `value` with so many digits behind the point, for JSON that people read.
pub fn round(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

/// Microseconds of a duration.
pub fn micros(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e6
}

/// Bytes as MB (10^6), the unit of the memory limit.
pub fn megabytes(bytes: u64) -> f64 {
    real(bytes / 1000) / 1000.0
}

/// The smallest value of sorted `values` that is not below `per_mille` of them; 0 when there is none.
pub fn percentile(values: &[u32], per_mille: usize) -> u32 {
    let rank = (values.len() * per_mille).div_ceil(1000).max(1);
    values.get(rank - 1).copied().unwrap_or_default()
}

/// Percentiles of latencies in microseconds, of which so many are of failed requests.
pub fn latency(mut micros: Vec<u32>, failures: u64) -> Latency {
    micros.sort_unstable();
    let ms = |per_mille| round(f64::from(percentile(&micros, per_mille)) / 1000.0, 2);
    Latency { requests: micros.len(), p50_ms: ms(500), p99_ms: ms(990), max_ms: ms(1000), failures }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_of_the_sample() {
        let values: Vec<u32> = (1..=200).collect();
        assert_eq!(percentile(&values, 500), 100);
        assert_eq!(percentile(&values, 990), 198);
        assert_eq!(percentile(&values, 1000), 200);
        assert_eq!(percentile(&[7], 1), 7);
        assert_eq!(percentile(&[], 500), 0);
    }

    #[test]
    fn a_quotient_of_nothing_is_nothing() {
        assert!(quotient(3.0, 0.0).abs() < f64::EPSILON);
        assert!((round(quotient(2.0, 3.0), 2) - 0.67).abs() < 1e-9);
    }
}
