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

/// Seed of the Monte Carlo test of SHA-256 in NIST's Cryptographic Algorithm Validation Program (SHA256Monte.rsp).
#[cfg(test)]
pub(crate) const NIST_SEED: [u8; 32] = [
    0x6d, 0x1e, 0x72, 0xad, 0x03, 0xdd, 0xeb, 0x5d, 0xe8, 0x91, 0xe5, 0x72, 0xe2, 0x39, 0x6f, 0x8d,
    0xa0, 0x15, 0xd8, 0x99, 0xef, 0x0e, 0x79, 0x50, 0x31, 0x52, 0xd6, 0x01, 0x0a, 0x3f, 0xe6, 0x91,
];

#[cfg(test)]
mod tests {
    use super::super::blocks::BLOCKS;
    use super::*;

    #[test]
    fn zero_bits_are_counted_from_the_last_byte() {
        let mut hash = [0xff; 32];
        assert_eq!(leading_zero_bits(&hash), 0);
        hash[31] = 0;
        hash[30] = 0x0f;
        assert_eq!(leading_zero_bits(&hash), 12);
        assert_eq!(leading_zero_bits(&[0; 32]), 256);
    }

    #[test]
    fn a_missing_or_invented_share_is_detected() {
        let header = BLOCKS[0].bytes();
        let shares: Vec<u32> =
            (0..4096).filter(|&n| leading_zero_bits(&hash(&header, n)) >= 6).collect();
        assert!(shares.len() > 30);
        let judge = |reported: &[u32]| judge_scan(&header, 0..4096, 6, reported);
        assert_eq!(judge(&shares), Verdict::Agrees { checked: 4096, worst: 0.0 });
        assert!(matches!(judge(&shares[1..]), Verdict::Disagrees(_)));
        assert!(matches!(judge(&[&shares[..], &[4097]].concat()), Verdict::Disagrees(_)));
    }

    #[test]
    fn a_count_must_fit_the_work() {
        let agrees =
            |expected, shares| matches!(judge_count(expected, shares), Verdict::Agrees { .. });
        assert!(agrees(1000.0, 1000) && agrees(1000.0, 1080) && agrees(0.0, 0) && agrees(1.0, 0));
        assert!(!agrees(1000.0, 500) && !agrees(1000.0, 2000) && !agrees(1.0, 60));
        let mut hash = [0; 32];
        (hash[31], hash[24]) = (1, 2);
        assert_eq!(most_significant(&hash), (1 << 56) + 2);
    }

    #[test]
    fn shares_in_one_part_of_a_scan_are_detected() {
        let even = |n: u32| (0..n).map(|i| f64::from(i) / f64::from(n)).collect::<Vec<_>>();
        let spread = |places| matches!(judge_spread(places), Verdict::Agrees { .. });
        assert!(spread(even(1000)) && spread(vec![]) && spread(vec![0.9]) && spread(vec![0.5; 8]));
        let first_half = even(1000).into_iter().map(|place| place / 2.0).collect();
        let without_the_middle =
            even(1000).into_iter().filter(|p| !(0.3..0.6).contains(p)).collect();
        assert!(!spread(first_half) && !spread(without_the_middle) && !spread(vec![0.5; 40]));
    }

    /// The `sha2` crate passes the examples of FIPS 180-4 and the whole Monte Carlo test of NIST's validation program, a chain of a
    /// hundred thousand hashes.
    #[test]
    fn the_sha2_crate_passes_nists_vectors() {
        let digest = |message: &[u8]| crate::text::hex(&Sha256::digest(message));
        for (message, expected) in [
            (&b""[..], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (
                b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
            (
                &[b'a'; 1_000_000],
                "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0",
            ),
        ] {
            assert_eq!(digest(message), expected);
        }
        let mut seed = NIST_SEED;
        for checkpoint in 0..100 {
            let mut recent = [seed; 3];
            for _ in 0..1000 {
                let next = Sha256::digest(recent.concat()).into();
                recent = [recent[1], recent[2], next];
            }
            seed = recent[2];
            let hex = crate::text::hex(&seed);
            match checkpoint {
                0 => assert!(hex.starts_with("e93c330ae5447738c8aa85d71a6c80f2")),
                99 => assert!(hex.starts_with("6a912ba4188391a78e6f13d88ed2d14e")),
                _ => {}
            }
        }
    }
}
