//! The layout of a matrix for a kernel: texels of 16 bytes, in the order that the kernel's constants declare.

use crate::kernels::Kernel;
use rayon::prelude::*;

/// Bits of an element by line and term.
pub(super) type Raw<'a> = &'a (dyn Fn(usize, usize) -> u32 + Sync);

/// Bits of a texel.
const TEXEL_BITS: u32 = 128;

/// The layout of one matrix. A line is a row of A or a column of B; its elements are terms of dot products. A texel holds `terms`
/// consecutive terms of as many consecutive lines as fit; `panel` texels of neighbouring lines are adjacent, followed by their next
/// terms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// Bits of an element.
    bits: u32,
    /// Terms of a line in a texel.
    terms: usize,
    /// Adjacent texels of neighbouring lines.
    panel: usize,
    /// Texels across all lines.
    across: usize,
    /// Texels along the terms of a line.
    along: usize,
}

impl Layout {
    /// The layout that a kernel declares as `{name}_TERMS` and `{name}_PANEL`, for padded numbers of lines and terms.
    pub(super) fn of(kernel: &Kernel, name: &str, bits: u32, lines: usize, terms: usize) -> Layout {
        let number = |what: &str| kernel.number(&format!("{name}_{what}")) as usize;
        Layout::new(bits, number("TERMS"), number("PANEL"), lines, terms)
    }

    /// A panel of 0 means all lines.
    pub(super) fn new(bits: u32, terms: usize, panel: usize, lines: usize, depth: usize) -> Layout {
        let lines_of_texel = (TEXEL_BITS / bits) as usize / terms;
        let (across, along) = (lines.div_ceil(lines_of_texel), depth.div_ceil(terms));
        let panel = if panel == 0 { across } else { panel };
        Layout { bits, terms, panel, across: across.next_multiple_of(panel), along }
    }

    /// Total texels.
    pub(super) fn texels(&self) -> usize {
        self.across * self.along
    }

    fn lines_of_texel(&self) -> usize {
        (TEXEL_BITS / self.bits) as usize / self.terms
    }

    /// Packs texels from `first` on, four words each; `raw(line, term)` gives the bits of an element.
    pub(super) fn pack(&self, first: usize, texels: usize, raw: Raw) -> Vec<u32> {
        let mut words = vec![0; 4 * texels];
        let texel = |(i, words): (usize, &mut [u32])| {
            let (panel, rest) =
                ((first + i) / (self.panel * self.along), (first + i) % (self.panel * self.along));
            let across = panel * self.panel + rest % self.panel;
            let (line, term) = (across * self.lines_of_texel(), rest / self.panel * self.terms);
            let per_word = (32 / self.bits) as usize;
            for value in 0..(TEXEL_BITS / self.bits) as usize {
                let bits = raw(line + value / self.terms, term + value % self.terms);
                words[value / per_word] |= bits << (self.bits as usize * (value % per_word));
            }
        };
        words.par_chunks_mut(4).with_min_len(256).enumerate().for_each(texel);
        words
    }

    /// Ranges of texels (first, count) that hold any of the first `terms` terms.
    pub(super) fn leading(&self, terms: usize) -> Vec<(usize, usize)> {
        let steps = terms.div_ceil(self.terms).min(self.along);
        let panels = self.across / self.panel;
        (0..panels).map(|p| (p * self.panel * self.along, steps * self.panel)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn layouts_by_hand() {
        // f32, row-major B: term 1 of columns 4 to 7 is texel L + 1 with L texels per row.
        let rows = Layout::new(32, 1, 0, 8, 3);
        assert_eq!(rows.texels(), 6);
        let raw = |line: usize, term: usize| (100 * term + line) as u32;
        assert_eq!(rows.pack(3, 1, &raw), [104, 105, 106, 107]);
        // f32, column-major: terms 4 to 7 of column 1 are texel 1·2 + 1.
        let columns = Layout::new(32, 4, 1, 8, 8);
        assert_eq!(columns.pack(3, 1, &raw), [401, 501, 601, 701]);
        // int4 in panels of two texels: 32 columns per texel, low nibble first.
        let panels = Layout::new(4, 1, 2, 128, 4);
        let nibbles = |line: usize, term: usize| ((line + term) % 16) as u32;
        assert_eq!(panels.texels(), 16);
        assert_eq!(panels.pack(8 + 3, 1, &nibbles)[0], 0x8765_4321, "lines 96 on, term 1");
        assert_eq!(panels.leading(1), [(0, 2), (8, 2)]);
    }

    proptest! {
        /// Every element is stored exactly once, at the position that the rule gives.
        #[test]
        fn every_element_is_stored_once(
            bits in prop::sample::select(vec![32u32, 16, 8, 4]), terms in 0usize..6, panel in 0usize..5,
            lines in 1usize..80, depth in 1usize..80,
        ) {
            let terms = (1 << terms).min((TEXEL_BITS / bits) as usize);
            let layout = Layout::new(bits, terms, panel, lines, depth);
            let seen = std::sync::Mutex::new(std::collections::HashMap::new());
            let texels = layout.texels();
            for p in 0..texels {
                layout.pack(p, 1, &|line, term| {
                    let before = seen.lock().unwrap().insert((line, term), p);
                    assert_eq!(before, None);
                    0
                });
            }
            let seen = seen.into_inner().unwrap();
            let lines_of_texel = (TEXEL_BITS / bits) as usize / terms;
            let across = if panel == 0 { lines.div_ceil(lines_of_texel) } else { panel };
            let along = depth.div_ceil(terms);
            for (line, term) in (0..lines).flat_map(|l| (0..depth).map(move |t| (l, t))) {
                let (t, s) = (line / lines_of_texel, term / terms);
                prop_assert_eq!(seen[&(line, term)], (t / across * along + s) * across + t % across);
            }
        }
    }
}
