//! Layouts of matrices in texels.

use proptest::prelude::*;
use rigbench::workload::matmul::Layout;

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
        let terms = (1 << terms).min((128 / bits) as usize);
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
        let lines_of_texel = (128 / bits) as usize / terms;
        let across = if panel == 0 { lines.div_ceil(lines_of_texel) } else { panel };
        let along = depth.div_ceil(terms);
        for (line, term) in (0..lines).flat_map(|l| (0..depth).map(move |t| (l, t))) {
            let (t, s) = (line / lines_of_texel, term / terms);
            prop_assert_eq!(seen[&(line, term)], (t / across * along + s) * across + t % across);
        }
    }
}
