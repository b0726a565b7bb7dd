//! Mutations of bytes, of whatever format: bits, cuts, copies, numbers, nesting.

use crate::mutations::random::{COUNTS, Random};

/// Words that readers of text stumble over.
const WORDS: &[&str] = &[
    "1e308",
    "-1",
    "0",
    "1e-320",
    "18446744073709551616",
    "-9223372036854775809",
    "99999999999999999999999999999999999999999",
    "1e999",
    "0.1e-999999999",
    "NaN",
    "null",
    "true",
    "\"\"",
    "[]",
    "{}",
    "\"\\ud800\"",
    "\"\\u0000\\u001b[2J\\r\\n\"",
    "'",
    ",",
    "\u{feff}",
];

/// Changes bytes in one way or a few.
pub fn mutate(bytes: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..*random.pick(COUNTS) {
        once(bytes, random);
    }
}

fn once(bytes: &mut Vec<u8>, random: &mut Random) {
    let length = bytes.len();
    let at = random.below(length + 1);
    let most = *random.pick(&[1, 8, 100, 10_000]);
    let end = (at + 1 + random.below(most)).min(length);
    match random.below(12) {
        0 | 1 if at < length => bytes[at] ^= 1 << random.below(8),
        2 if at < length => bytes[at] = random.next() as u8,
        3 => bytes.truncate(at),
        4 => _ = bytes.drain(at..end),
        5 => {
            let piece = bytes[at..end].to_vec();
            let to = random.below(length + 1);
            bytes.splice(to..to, piece);
        }
        6 => {
            let junk: Vec<u8> = (0..random.below(64)).map(|_| random.next() as u8).collect();
            bytes.splice(at..at, junk);
        }
        7 | 8 => {
            let word = random.pick(WORDS).bytes();
            match number(bytes, at) {
                Some(number) => _ = bytes.splice(number, word),
                None => _ = bytes.splice(at..at, word),
            }
        }
        9 => {
            let open = random.pick(&["[", "{\"a\":", "[{\"a\":[", "[["]);
            let depth = *random.pick(&[10, 200, 5_000, 200_000]);
            bytes.splice(at..at, open.repeat(depth).into_bytes());
        }
        10 => {
            let much = *random.pick(&[1 << 10, 1 << 16, 1 << 20]);
            let fill = *random.pick(b"a0 ,\n\xff");
            bytes.splice(at..at, std::iter::repeat_n(fill, much));
        }
        _ => {
            let huge = *random.pick(&[0, 1, u64::MAX, 1 << 63, 1 << 40, 1 << 31, u64::MAX / 8 + 1]);
            let end = (at + 8).min(length);
            bytes[at..end].copy_from_slice(&huge.to_le_bytes()[..end - at]);
        }
    }
}

/// Where the next number in digits is.
fn number(bytes: &[u8], from: usize) -> Option<std::ops::Range<usize>> {
    let begin = from + bytes[from..].iter().position(u8::is_ascii_digit)?;
    let is_part =
        |byte: &&u8| byte.is_ascii_digit() || matches!(byte, b'.' | b'e' | b'E' | b'-' | b'+');
    Some(begin..begin + bytes[begin..].iter().take_while(is_part).count())
}
