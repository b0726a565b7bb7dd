//! A Bitcoin block header proves that a run began after the block was found: no header is known before.

use crate::oracle::sha256d;
use jiff::{SignedDuration, Timestamp};

/// Minimum difficulty of the main network, which passed 10^13 in 2019.
const MIN_DIFFICULTY: f64 = 1e13;
/// Maximum time by which a header may be ahead of the true time.
const AHEAD: SignedDuration = SignedDuration::from_hours(2);

/// Verifies a beacon; returns in words what it proves.
///
/// # Errors
/// Why it proves nothing.
pub fn judge(hex: &str, started_at: Timestamp) -> Result<String, String> {
    let header = bytes(hex).ok_or("a block header has 80 bytes")?;
    let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| header[at + i]));
    let (time, bits, nonce) = (word(68), word(72), word(76));
    let mut hash = sha256d::hash(&header, nonce);
    // Its least significant byte is first.
    hash.reverse();
    let (target, difficulty) = target(bits).ok_or("it has no such target")?;
    if hash > target {
        return Err("its hash does not meet its own target: it is not a block's header".into());
    }
    if difficulty < MIN_DIFFICULTY {
        return Err(format!("its difficulty of {difficulty:.3e} is not the main network's"));
    }
    let found = Timestamp::from_second(time.into()).map_err(|error| error.to_string())?;
    if found - AHEAD > started_at {
        return Err(format!("its block was found at {found}, after the run began"));
    }
    Ok(format!(
        "not before {found}, within 2 hours: its data follow from a Bitcoin block of that time, of difficulty {difficulty:.3e}"
    ))
}

fn bytes(hex: &str) -> Option<[u8; 80]> {
    let byte = |i: usize| u8::from_str_radix(hex.get(2 * i..2 * i + 2)?, 16).ok();
    let all: Option<Vec<u8>> = (0..80).map(byte).collect();
    all.filter(|_| hex.len() == 160)?.try_into().ok()
}

/// The target, most significant byte first, and its difficulty, from the compact form (nBits): the number of bytes and three bytes of
/// mantissa. Difficulty 1 is the target 0xffff · 2^208.
fn target(bits: u32) -> Option<([u8; 32], f64)> {
    let [bytes, mantissa @ ..] = bits.to_be_bytes();
    let (bytes, value) = (usize::from(bytes), bits & 0x00ff_ffff);
    if !(1..0x0080_0000).contains(&value) || !(4..=32).contains(&bytes) {
        return None;
    }
    let mut target = [0u8; 32];
    target[32 - bytes..35 - bytes].copy_from_slice(&mantissa);
    Some((target, 65535.0 / f64::from(value) * 256f64.powi(29 - bytes as i32)))
}
