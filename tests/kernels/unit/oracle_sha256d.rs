//! The reference hash, against NIST's vectors and real blocks; and its judges of shares.

use rigbench::oracle::Verdict;
use rigbench::oracle::blocks::BLOCKS;
use rigbench::oracle::sha256d::{
    hash, judge_count, judge_scan, judge_spread, leading_zero_bits, most_significant,
};
use rigbench::text::hex;
use sha2::{Digest, Sha256};

/// Seed of the Monte Carlo test of SHA-256 in NIST's Cryptographic Algorithm Validation Program (SHA256Monte.rsp).
pub const NIST_SEED: [u8; 32] = [
    0x6d, 0x1e, 0x72, 0xad, 0x03, 0xdd, 0xeb, 0x5d, 0xe8, 0x91, 0xe5, 0x72, 0xe2, 0x39, 0x6f, 0x8d,
    0xa0, 0x15, 0xd8, 0x99, 0xef, 0x0e, 0x79, 0x50, 0x31, 0x52, 0xd6, 0x01, 0x0a, 0x3f, 0xe6, 0x91,
];

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
    let agrees = |expected, shares| matches!(judge_count(expected, shares), Verdict::Agrees { .. });
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
    let without_the_middle = even(1000).into_iter().filter(|p| !(0.3..0.6).contains(p)).collect();
    assert!(!spread(first_half) && !spread(without_the_middle) && !spread(vec![0.5; 40]));
}

/// The `sha2` crate passes the examples of FIPS 180-4 and the whole Monte Carlo test of NIST's validation program, a chain of a
/// hundred thousand hashes.
#[test]
fn the_sha2_crate_passes_nists_vectors() {
    let digest = |message: &[u8]| hex(&Sha256::digest(message));
    for (message, expected) in [
        (&b""[..], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        (&[b'a'; 1_000_000], "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
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
        let hex = hex(&seed);
        match checkpoint {
            0 => assert!(hex.starts_with("e93c330ae5447738c8aa85d71a6c80f2")),
            99 => assert!(hex.starts_with("6a912ba4188391a78e6f13d88ed2d14e")),
            _ => {}
        }
    }
}

#[test]
fn every_block_meets_its_own_target_in_its_year() {
    assert_eq!(BLOCKS[0].nonce(), 2_083_236_893);
    assert_eq!(BLOCKS[2].nonce(), 2_504_433_986);
    for block in &BLOCKS {
        let bytes = block.bytes();
        let field = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap());
        // Compact target: three bytes of mantissa and a length in bytes. 0x1d00ffff is 0xffff followed by 26 zero bytes.
        let (mantissa, bytes_of_target) = (field(72) & 0xff_ffff, field(72) >> 24);
        let zero_bits = 256 - 8 * (bytes_of_target - 3) - (32 - mantissa.leading_zeros());
        let bits = leading_zero_bits(&hash(&bytes, block.nonce()));
        assert!(bits >= zero_bits && bits >= 32, "block {}: {bits} zero bits", block.height);
        let timestamp = jiff::Timestamp::from_second(i64::from(field(68))).unwrap();
        assert_eq!(timestamp.strftime("%Y").to_string(), block.year.to_string());
    }
}
