//! Bitcoin's double SHA-256 by the `sha2` crate.

use super::Verdict;
use sha2::{Digest, Sha256};

/// An 80-byte block header.
pub type Header = [u8; 80];

/// sha256(sha256(header with this nonce)).
pub fn hash(header: &Header, nonce: u32) -> [u8; 32] {
    let mut header = *header;
    header[76..].copy_from_slice(&nonce.to_le_bytes());
    Sha256::digest(Sha256::digest(header)).into()
}

/// Leading zero bits of a hash as Bitcoin counts them. It reads a hash as a little-endian number, so they are at the array's end.
pub fn leading_zero_bits(hash: &[u8; 32]) -> u32 {
    let zeros = hash.iter().rev().take_while(|byte| **byte == 0).count();
    let next = hash.iter().rev().nth(zeros).map_or(0, |byte| byte.leading_zeros());
    8 * zeros as u32 + next
}

/// Compares the nonces that a scan reports with hashing every one of `nonces`.
pub fn judge_scan(
    header: &Header,
    nonces: impl Iterator<Item = u32>,
    zero_bits: u32,
    reported: &[u32],
) -> Verdict {
    let mut checked = 0;
    let meets = |nonce: &u32| leading_zero_bits(&hash(header, *nonce)) >= zero_bits;
    let mut expected: Vec<u32> = nonces.inspect(|_| checked += 1).filter(meets).collect();
    let mut reported = reported.to_vec();
    reported.sort_unstable();
    expected.sort_unstable();
    if reported == expected {
        return Verdict::Agrees { checked, worst: 0.0 };
    }
    let missing = expected.iter().filter(|n| !reported.contains(n)).count();
    let wrong = reported.iter().filter(|n| !expected.contains(n)).count();
    Verdict::Disagrees(format!(
        "of {} nonces that meet the target it missed {missing}, and it reported {wrong} that do not",
        expected.len()
    ))
}

/// A hash's 64 most significant bits: it meets a target if they are below it.
pub fn most_significant(hash: &[u8; 32]) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|i| hash[24 + i]))
}

/// Judges a number of shares against the number expected from the claimed work. The false-positive rate is about one in ten million
/// windows.
pub fn judge_count(expected: f64, shares: u64) -> Verdict {
    // Poisson, by Anscombe's transform, whose standard deviation is 1/2 at every mean.
    let deviation = 2.0 * ((shares as f64 + 0.375).sqrt() - (expected + 0.375).sqrt());
    if deviation.abs() <= 5.5 {
        Verdict::Agrees { checked: shares, worst: deviation.abs() / 5.5 }
    } else {
        Verdict::Disagrees(format!("{shares} shares where so many hashes give about {expected:.0}"))
    }
}

/// Judges whether the positions of shares in a scan, from 0 to 1, are uniformly distributed (Kolmogorov–Smirnov test). The false-positive
/// rate is about one in ten million.
pub fn judge_spread(mut positions: Vec<f64>) -> Verdict {
    positions.sort_unstable_by(f64::total_cmp);
    let n = positions.len() as f64;
    let distance = (0..).zip(&positions).map(|(i, position)| {
        let (below, up_to) = (f64::from(i) / n, f64::from(i + 1) / n);
        (position - below).max(up_to - position)
    });
    let scaled = distance.fold(0.0, f64::max) * n.sqrt();
    if scaled <= 2.9 {
        Verdict::NOTHING
    } else {
        Verdict::Disagrees(format!(
            "its {n} shares are not spread evenly over the scan: {scaled:.1} where chance gives less than 2.9"
        ))
    }
}
