//! Medians, ranks and ratios against what can be counted by hand. `tests/kernels/stats.rs` compares them with SciPy.

use rigbench::measure::stats::{
    Estimate, MannWhitney, Ratio, mann_whitney, median, median_interval, outliers, ratio_of_blocks,
    ratio_of_windows, theil_sen,
};

#[test]
fn ranks_agree_with_counting_coin_tosses() {
    for n in 1..=60u32 {
        // Number of outcomes of n tosses with exactly i heads, by Pascal's triangle in integers.
        let mut tosses = vec![1u128];
        for _ in 0..n {
            let next = tosses.windows(2).map(|pair| pair[0] + pair[1]).collect::<Vec<_>>();
            tosses = [&[1], &next[..], &[1]].concat();
        }
        let below = |k: usize| tosses[..k].iter().sum::<u128>() * 40; // of 2^n, times 1 / 0.025
        let values: Vec<f64> = (1..=n).map(f64::from).collect();
        // The ends of the interval are the k-th smallest and the k-th largest value; k = 0 has no interval.
        let ends = median_interval(&values).unwrap().ci95;
        let k = ends.map_or(0, |(low, _)| low as usize);
        assert!(ends.is_none_or(|(low, high)| high == f64::from(n) + 1.0 - low), "n = {n}");
        assert!(below(k) <= 1 << n && below(k + 1) > 1 << n, "n = {n}: k = {k}");
    }
}

#[test]
fn medians() {
    assert_eq!(median(&[]), None);
    assert_eq!(median(&[3.0, 1.0, 2.0]), Some(2.0));
    assert_eq!(median(&[4.0, 1.0, 2.0, 3.0]), Some(2.5));
    let seven = median_interval(&[7.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
    assert_eq!(seven, Estimate { value: 4.0, ci95: Some((1.0, 7.0)), n: 7 });
    assert_eq!(median_interval(&[1.0, 2.0]).unwrap().ci95, None);
}

#[test]
fn an_outlier_is_far_in_both_senses() {
    let tight = [100.0, 100.1, 99.9, 100.0, 100.2, 99.8, 103.0];
    assert_eq!(outliers(&tight, 0.05), [0usize; 0]); // 20 deviations away, but only 3 %
    assert_eq!(outliers(&tight, 0.01), [6]);
    let wide = [60.0, 140.0, 80.0, 120.0, 100.0, 70.0, 130.0];
    assert_eq!(outliers(&wide, 0.05), [0usize; 0]); // 40 % away, as are the others
    assert_eq!(outliers(&[], 0.05), [0usize; 0]);
}

#[test]
fn exact_tail_matches_enumeration() {
    // All choices of three places among seven: the first sample has these ranks, the second the others.
    let choices: Vec<u32> = (0..1 << 7).filter(|places: &u32| places.count_ones() == 3).collect();
    let ranks = |places: u32, chosen: u32| -> Vec<f64> {
        (0..7).filter(|at| places >> at & 1 == chosen).map(f64::from).collect()
    };
    let all: Vec<MannWhitney> = choices
        .iter()
        .map(|places| mann_whitney(&ranks(*places, 1), &ranks(*places, 0)).unwrap())
        .collect();
    for found in &all {
        let farther = found.u.max(12.0 - found.u);
        let share = all.iter().filter(|other| other.u >= farther).count() as f64 / 35.0;
        assert!((found.p - (2.0 * share).min(1.0)).abs() < 1e-15, "{found:?}");
    }
}

#[test]
fn equal_values_have_p_one() {
    assert_eq!(mann_whitney(&[2.0; 9], &[2.0; 12]), Some(MannWhitney { u: 54.0, p: 1.0 }));
    assert_eq!(mann_whitney(&[], &[1.0]), None);
}

#[test]
fn slope_is_robust_to_an_outlier() {
    let x: Vec<f64> = (0..20).map(f64::from).collect();
    let mut y: Vec<f64> = x.iter().map(|x| 3.0 - 0.5 * x).collect();
    y[19] = 1e6;
    let slope = theil_sen(&x, &y).unwrap();
    assert_eq!(slope.value, -0.5);
    assert_eq!(theil_sen(&x[..5], &y[..5]), None);
    assert_eq!(theil_sen(&[1.0; 8], &y[..8]), None);
}

#[test]
fn equal_samples_have_the_ratio_one() {
    let blocks = [100.0, 101.0, 99.0];
    let same = ratio_of_blocks(&blocks, &blocks).unwrap();
    assert_eq!((same.value, same.p), (1.0, 1.0));
    assert!(same.ci95.0 < 1.0 && same.ci95.1 > 1.0);
    let windows = [100.0, 101.0, 99.0, 98.0, 102.0, 100.5];
    let same = ratio_of_windows(&windows, &windows, 1).unwrap();
    assert_eq!((same.value, same.p), (1.0, 1.0));
    assert_eq!(ratio_of_blocks(&blocks, &blocks[..1]), None);
    assert_eq!(ratio_of_windows(&windows, &windows[..5], 1), None);
}

#[test]
fn blocks_without_scatter_give_a_zero_width_interval() {
    let half = ratio_of_blocks(&[2.0, 2.0], &[1.0, 1.0, 1.0]).unwrap();
    assert_eq!(half, Ratio { value: 0.5, ci95: (0.5, 0.5), ci99: (0.5, 0.5), p: 0.0 });
}

#[test]
fn correlated_windows_do_not_count_as_independent() {
    // Three blocks of windows that hardly differ within a block; the blocks of the two rows are interleaved.
    let row = |blocks: [f64; 3]| blocks.map(|b| [b, b * 1.001, b * 0.999, b * 1.002, b * 0.998]);
    let (base, new) = (row([100.0, 103.0, 106.0]), row([97.0, 99.0, 104.0]));
    let windows = ratio_of_windows(&base.concat(), &new.concat(), 1).unwrap();
    assert!(windows.p < 0.05, "{windows:?}");
    let medians = |row: [[f64; 5]; 3]| row.map(|block| median(&block).unwrap());
    let blocks = ratio_of_blocks(&medians(base), &medians(new)).unwrap();
    assert!(blocks.p > 0.2 && blocks.ci95.1 > 1.0, "{blocks:?}");
}
