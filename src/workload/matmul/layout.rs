//! The layout of a matrix for a kernel: texels of 16 bytes, in the order that the kernel's constants declare.

use crate::kernels::Kernel;
use rayon::prelude::*;

/// Bits of an element by line and term.
pub type Raw<'a> = &'a (dyn Fn(usize, usize) -> u32 + Sync);

/// Bits of a texel.
const TEXEL_BITS: u32 = 128;

/// The layout of one matrix. A line is a row of A or a column of B; its elements are terms of dot products. A texel holds `terms`
/// consecutive terms of as many consecutive lines as fit; `panel` texels of neighbouring lines are adjacent, followed by their next
/// terms.
#[derive(Clone, Copy, Debug)]
pub struct Layout {
    /// Bits of an element.
    bits: u32,
    /// Terms of a line in a texel, and its lines.
    terms: usize,
    lines: usize,
    /// Adjacent texels of neighbouring lines.
    panel: usize,
    /// Texels across all lines.
    across: usize,
    /// Texels along the terms of a line.
    along: usize,
}

impl Layout {
    /// The layout that a kernel declares as `{name}_TERMS` and `{name}_PANEL`, for padded numbers of lines and terms.
    pub fn of(kernel: &Kernel, name: &str, bits: u32, lines: usize, terms: usize) -> Layout {
        let number = |what: &str| kernel.number(&format!("{name}_{what}")) as usize;
        Layout::new(bits, number("TERMS"), number("PANEL"), lines, terms)
    }

    /// A panel of 0 means all lines.
    pub fn new(bits: u32, terms: usize, panel: usize, lines: usize, depth: usize) -> Layout {
        let lines_of_texel = (TEXEL_BITS / bits) as usize / terms;
        let (across, along) = (lines.div_ceil(lines_of_texel), depth.div_ceil(terms));
        let panel = if panel == 0 { across } else { panel };
        let across = across.next_multiple_of(panel);
        Layout { bits, terms, lines: lines_of_texel, panel, across, along }
    }

    /// Total texels.
    pub fn texels(&self) -> usize {
        self.across * self.along
    }

    /// Packs texels from `first` on, four words each; `raw(line, term)` gives the bits of an element.
    pub fn pack(&self, first: usize, texels: usize, raw: Raw) -> Vec<u32> {
        let mut words = vec![0; 4 * texels];
        let texel = |(i, words): (usize, &mut [u32])| {
            let (panel, rest) =
                ((first + i) / (self.panel * self.along), (first + i) % (self.panel * self.along));
            let across = panel * self.panel + rest % self.panel;
            let (line, term) = (across * self.lines, rest / self.panel * self.terms);
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
    pub fn leading(&self, terms: usize) -> Vec<(usize, usize)> {
        let steps = terms.div_ceil(self.terms).min(self.along);
        let panels = self.across / self.panel;
        (0..panels).map(|p| (p * self.panel * self.along, steps * self.panel)).collect()
    }
}
