//! The reference of matrix products passes honest outputs and sees one wrong element.

use ndarray::Array2;
use proptest::prelude::*;
use rigbench::oracle::Verdict;
use rigbench::oracle::matmul::{Freivalds, Rounding, judge, judge_element};
use rigbench::seed::mix;

fn matrix(rows: usize, columns: usize, seed: u64) -> Array2<f32> {
    Array2::from_shape_fn((rows, columns), |(i, j)| {
        (mix(seed, (i * columns + j) as u64) >> 40) as f32 / (1u64 << 23) as f32 - 1.0
    })
}

/// Verdicts of the comparison element by element and of Freivalds' check. Comparing all elements and each one alone must agree.
fn verdicts(a: &Array2<f32>, b: &Array2<f32>, c: &Array2<f32>, f16_roundings: u32) -> [Verdict; 2] {
    let rounding = Rounding { terms: b.nrows(), f16_roundings, weight_excess: 0 };
    let signs: Vec<bool> = (0..b.ncols()).map(|i| (i * 2_654_435_761) >> 7 & 1 == 1).collect();
    let all = Freivalds::new(b.nrows(), 0..b.ncols(), &signs, &|k, n| b[[k, n]]);
    let (wide_a, wide_b) = (a.mapv(f64::from), b.mapv(f64::from));
    let by_elements = judge(rounding, wide_a.view(), wide_b.view(), c.view());
    let alone = c.indexed_iter().map(|((m, n), &got)| {
        judge_element(rounding, &a.row(m).to_vec(), &b.column(n).to_vec(), got)
    });
    let alone: Result<Vec<f64>, f64> = alone.collect();
    assert_eq!(alone.is_ok(), matches!(by_elements, Verdict::Agrees { .. }));
    [by_elements, all.judge(rounding, 0..a.nrows(), &|m, k| a[[m, k]], c.view())]
}

proptest! {
    #[test]
    fn honest_products_pass(m in 1usize..40, n in 1usize..40, k in 1usize..300, seed: u64) {
        let (a, b) = (matrix(m, k, seed), matrix(k, n, !seed));
        for verdict in verdicts(&a, &b, &a.dot(&b), 0) {
            prop_assert!(matches!(verdict, Verdict::Agrees { .. }), "{verdict:?}");
        }
        // Weights rounded to f16 pass only if that rounding is declared.
        let rounded = b.mapv(|x| half::f16::from_f32(x).to_f32());
        for verdict in verdicts(&a, &b, &a.dot(&rounded), 1) {
            prop_assert!(matches!(verdict, Verdict::Agrees { .. }), "{verdict:?}");
        }
        if m * n > 20 {
            let [strict, _] = verdicts(&a, &b, &a.dot(&rounded), 0);
            prop_assert!(matches!(strict, Verdict::Disagrees(_)), "{strict:?}");
        }
    }

    #[test]
    fn one_wrong_or_unwritten_element_is_detected(
        m in 1usize..20, n in 1usize..40, k in 1usize..300, at: prop::sample::Index, seed: u64, fault in 0..3,
    ) {
        let (a, b) = (matrix(m, k, seed), matrix(k, n, !seed));
        let mut c = a.dot(&b);
        let at = at.index(m * n);
        let (row, column) = (at / n, at % n);
        // A missing term, a poisoned element, a value of the wrong magnitude.
        c[[row, column]] = match fault {
            0 => c[[row, column]] - 0.3,
            1 => f32::NAN,
            _ => c[[row, column]] + k as f32,
        };
        for verdict in verdicts(&a, &b, &c, 0) {
            prop_assert!(matches!(verdict, Verdict::Disagrees(_)), "{verdict:?}");
        }
    }
}
