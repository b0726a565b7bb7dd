//! Real Bitcoin blocks, one per year. Anyone can check one by hashing it.

use super::sha256d::Header;

/// A mined block.
pub struct Block {
    /// The year in its time field.
    pub year: u16,
    /// Height in the chain.
    pub height: u32,
    /// The header in hexadecimal, including the nonce.
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

const fn block(year: u16, height: u32, header: &'static str) -> Block {
    Block { year, height, header }
}

/// Each hash has at least 32 leading zero bits.
#[rustfmt::skip]
pub const BLOCKS: [Block; 16] = [
    block(2009, 0, "0100000000000000000000000000000000000000000000000000000000000000000000003ba3edfd7a7b12b27ac72c3e67768f617fc81bc3888a51323a9fb8aa4b1e5e4a29ab5f49ffff001d1dac2b7c"),
    block(2010, 66_528, "010000004e8e5cf3c4e4b8f63a9cf88beb2dbaba1949182101ae4e5cf54ad100000000009f2a2344e8112b0d7bd8089414106ee5f17bb6cd64078883e1b661fa251aac6bed1d3c4cf4a3051c4dcd2b02"),
    block(2011, 125_552, "0100000081cd02ab7e569e8bcd9317e2fe99f2de44d49ab2b8851ba4a308000000000000e320b6c2fffc8d750423db8b1eb942ae710e951ed797f7affc8892b0f1fc122bc7f5d74df2b9441a42a14695"),
    block(2012, 187_488, "01000000e83f7338a7170120370c144a0e1f86c48440c106e04dcb691b0800000000000053556af2dd8735ce58efa78c049e9dfe909c72daefad70ed8d26ebaf536ec568f12af44f3194091acd8df20a"),
    block(2013, 245_952, "02000000000133a3fbcdd9dd4572bd13ee684e496dd18f3690a91e9b95000000000000001121202d99eab83693707116038d3b009f3a1039b68e0eeb4baeb85ca429a117d3fadd5129a4001a0220c801"),
    block(2014, 308_447, "02000000eef93c997714302c058ff5b8328a60f90f6773b8d885ed2e0000000000000000c30090df24c28f5647b654d894edd7c91065c099a72466cdc47b3dd60677d20652caaf53a2ab5118c818072b"),
    block(2015, 364_896, "03000000c4540d214ec767b6fd813121fb61034102cc38fef29a1d030000000000000000f776ef6433862ca4285b5eb21ba2f928fe5c57a41e3f5896439ea795818b621f8e7ba155c886151828c77b93"),
    block(2016, 419_328, "00000020422ec39ea4260ebf42421dbf863357c49852dac2b40418050000000000000000f9de9f6a7328843df7f1a372451d854ce8431be9dde68630d95a97737079570e31ee7a57fd260518be71a750"),
    block(2017, 473_760, "0200002099d6a70c547bbaa1a820490bd02cc378d3bc6e20469438010000000000000000b66a0b024cfdf07d0dd97e18ad6ef1a411b0452129d3bfe3e6ebae55defec4dd95425859308d0118bc260a08"),
    block(2018, 530_207, "000000200be155b5df338b8ea4fa9d3840d029bf3f15cfe83bc709000000000000000000b79896ad6e4140b3f29e40ac258546ae8e74f05664f89ec547dd791900f4174fd3433a5b566f3717082a7f96"),
    block(2019, 584_639, "0080eb22c008cc0b98b91ec84e073091c025c5c2d6214f26e4931a00000000000000000042a4f6abea142c6c8fdff09e1ab17c10731075ee55a35983e7b0222e080a6cce4f59245d2c792317a57c2892"),
    block(2020, 637_056, "00000020933ae366b7eef1dafc453241d16c3c511256620013fd0c000000000000000000011103057428d2baa8f08bc700e940292b6c78b68c573f2a576fd0de6924c904f973fb5e19d51117ade6b632"),
    block(2021, 691_487, "040000205b9e6a021daea4f45475af25efa728381b81fb05e7ac10000000000000000000344647d50de5ee8584ee25d4b37bee3ed61ba7cca817d919a52a620ad8a789cd7868f360ce981317b3ff321f"),
    block(2022, 743_903, "00a072332d69fcd14effe1625458a6b16238a54c19e73d6afa5908000000000000000000428870c1d1fb3ddd0b97a8f055a91fa76cbf349ee9eaf1f2e8c0a817dcb127829723c662cc8409176ea27a34"),
    block(2023, 796_319, "00801824fe7b76d3bd268c02b37c0fccbb31983c96304919f0b7000000000000000000001a2798bc78dc6391a458bb455e080f899f62e077938c4973651fda2d66b9e5442eb89c646d6005170de101fa"),
    block(2024, 824_543, "0040642e90437de99a620f56604f8ea245ea0bf6544468e9171602000000000000000000b70e850e3435f55c44c6e7a2ebbdf49a125281a703f616d04c68260baee54cec82a09865b3e8031737acde62"),
];

#[cfg(test)]
mod tests {
    use super::super::sha256d::{hash, leading_zero_bits};
    use super::*;

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
}
