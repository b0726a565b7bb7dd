//! Bitcoin's double SHA-256 by the `sha2` crate, and block headers whose nonces are known.

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

/// Zero bits at the big end of a hash. Bitcoin reads a hash as a little-endian number, so they stand last.
pub fn leading_zero_bits(hash: &[u8; 32]) -> u32 {
    let mut bits = 0;
    for byte in hash.iter().rev() {
        bits += byte.leading_zeros();
        if *byte != 0 {
            break;
        }
    }
    bits
}

/// A mined block: its header and the nonce that solved it.
pub struct Block {
    /// Height in the chain.
    pub height: u32,
    /// The header as hexadecimal, nonce included.
    pub header: &'static str,
}

impl Block {
    /// The header's bytes.
    pub fn bytes(&self) -> Header {
        let digit = |i: usize| (self.header.as_bytes()[i] as char).to_digit(16).expect("hex") as u8;
        std::array::from_fn(|i| digit(2 * i) << 4 | digit(2 * i + 1))
    }

    /// The nonce that solved the block.
    pub fn nonce(&self) -> u32 {
        let [.., a, b, c, d] = self.bytes();
        u32::from_le_bytes([a, b, c, d])
    }
}

/// Real blocks; each hash begins with 32 zero bits or more.
pub const BLOCKS: [Block; 2] = [
    Block {
        height: 0,
        header: "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c",
    },
    Block {
        height: 125_552,
        header: "0100000081cd02ab7e569e8bcd9317e2fe99f2de44d49ab2b8851ba4a308000000000000e320b6c2fffc8d750423db8b1eb942ae710e951ed797f7affc8892b0f1fc122bc7f5d74df2b9441a42a14695",
    },
];

/// Judges the nonces that a scan of `nonces` reports against hashing every one of them.
pub fn judge_scan(
    header: &Header,
    nonces: impl Iterator<Item = u32>,
    zero_bits: u32,
    reported: &[u32],
) -> Verdict {
    let (mut expected, mut checked) = (Vec::new(), 0);
    for nonce in nonces {
        checked += 1;
        if leading_zero_bits(&hash(header, nonce)) >= zero_bits {
            expected.push(nonce);
        }
    }
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

/// Judges a count of shares against the work that claims to have found them: each hash is a share with chance
/// 2^-bits. The bound leaves an honest device out once in about ten million windows.
pub fn judge_count(hashes: u64, zero_bits: u32, shares: u64) -> Verdict {
    let expected = hashes as f64 / 2f64.powi(zero_bits as i32);
    // Poisson, by the normal approximation of its square root (Anscombe), whose deviation is 1/2 at every mean.
    let deviation = 2.0 * ((shares as f64 + 0.375).sqrt() - (expected + 0.375).sqrt());
    if deviation.abs() <= 5.5 {
        Verdict::Agrees { checked: shares, worst: deviation.abs() / 5.5 }
    } else {
        Verdict::Disagrees(format!(
            "{shares} shares where {hashes} hashes at 1 in 2^{zero_bits} give about {expected:.0}"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn real_blocks_meet_their_target() {
        assert_eq!(BLOCKS[0].nonce(), 2_083_236_893);
        assert_eq!(BLOCKS[1].nonce(), 2_504_433_986);
        for block in &BLOCKS {
            let bits = leading_zero_bits(&hash(&block.bytes(), block.nonce()));
            assert!(bits >= 32, "block {}: {bits} zero bits", block.height);
        }
    }

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
    fn a_missing_or_invented_share_is_seen() {
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
            |hashes, shares| matches!(judge_count(hashes, 16, shares), Verdict::Agrees { .. });
        assert!(
            agrees(1000 << 16, 1000)
                && agrees(1000 << 16, 1080)
                && agrees(0, 0)
                && agrees(65536, 0)
        );
        assert!(!agrees(1000 << 16, 500) && !agrees(1000 << 16, 2000) && !agrees(1 << 16, 60));
    }
}
