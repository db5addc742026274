//! Two selections against each other: their values joined by stack, made comparable, and change told
//! apart from noise.
//!
//! # What is compared
//!
//! What adds up over time is compared per second observed, or by its share of the whole; what is true of
//! a moment (bytes in use) by itself: its difference is growth.
//!
//! # Noise
//!
//! A value is made of samples: `k = value / period` of them, which by chance scatter like a Poisson
//! number, with variance `k`. The variance used is that of `k + 1`, so that one sample more or less in
//! a small place is not taken for news. A share of `n` samples scatters like a binomial one,
//! `p (1 - p) / n`. A change counts when it is at least [`SURE`] times as large as the standard error of
//! the difference of the two sides. This is the error of sampling alone: two runs of the same program
//! can differ by more, and that nobody can tell from one profile a side.

use super::fold::Fold;
use super::ids::NodeId;
use super::time::Nanos;
use super::tree::CallTree;
use super::value::{Accumulation, ValueKind};
use std::sync::Arc;

/// A change of so many standard errors is no noise: by chance alone it happens once in 370 times.
pub const SURE: f64 = 3.0;

/// What values are divided by before they are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Basis {
    /// Seconds observed.
    #[default]
    Second,
    /// The whole.
    Share,
}

/// One of the two sides.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Side {
    /// The time observed.
    pub covered: Nanos,
    /// The value of the whole.
    pub total: i64,
    /// What one sample stands for, in the values' unit; 0 when unknown.
    pub period: u64,
}

/// How two sides are compared.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What the values are.
    pub kind: ValueKind,
    /// What values are divided by; a level is not divided at all.
    pub basis: Basis,
    /// What is compared with.
    pub base: Side,
    /// What is compared.
    pub other: Side,
}

/// How a value changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is there now and was not before.
    New,
    /// It was there before and is not now.
    Vanished,
    /// There is more of it.
    More,
    /// There is less of it.
    Less,
    /// The difference may be chance.
    Noise,
}

/// One value on both sides, made comparable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Before: per second, as a share, or as it is.
    pub base: f64,
    /// Now.
    pub other: f64,
    /// The difference in standard errors; none when nobody knows what a sample stands for.
    pub errors: Option<f64>,
    /// What that means.
    pub verdict: Verdict,
}

impl Change {
    /// Now less before.
    pub fn difference(&self) -> f64 {
        self.other - self.base
    }
}

impl Comparison {
    /// One value on both sides.
    pub fn change(&self, base: i64, other: i64) -> Change {
        let before = self.comparable(base, &self.base);
        let now = self.comparable(other, &self.other);
        let variance = self.variance(base, &self.base).zip(self.variance(other, &self.other));
        let errors = variance.map(|(a, b)| (now - before) / (a + b).sqrt().max(f64::MIN_POSITIVE));
        let is_sure = errors.map_or(base != other, |errors| errors.abs() >= SURE);
        let verdict = match (is_sure, base == 0, other == 0) {
            (false, ..) => Verdict::Noise,
            (true, true, false) => Verdict::New,
            (true, false, true) => Verdict::Vanished,
            _ if now > before => Verdict::More,
            _ => Verdict::Less,
        };
        Change { base: before, other: now, errors, verdict }
    }

    /// The change of the whole.
    pub fn whole(&self) -> Change {
        // Shares of the whole are always the same.
        let by_second = Self { basis: Basis::Second, ..self.clone() };
        by_second.change(self.base.total, self.other.total)
    }

    /// What a difference of 1 is: a unit per second, the whole, or a unit.
    pub fn is_share(&self) -> bool {
        self.basis == Basis::Share
    }

    /// How large a difference is against the whole of the base, as a ratio: what thresholds are about.
    pub fn relative(&self, change: &Change) -> f64 {
        let whole = match self.basis {
            Basis::Share => 1.0,
            Basis::Second => self.comparable(self.base.total, &self.base),
        };
        change.difference() / whole.max(f64::MIN_POSITIVE)
    }

    fn comparable(&self, value: i64, side: &Side) -> f64 {
        value as f64 / self.divisor(side)
    }

    fn divisor(&self, side: &Side) -> f64 {
        match (self.basis, self.kind.accumulation) {
            (Basis::Share, _) => (side.total as f64).max(1.0),
            (Basis::Second, Accumulation::Level) => 1.0,
            (Basis::Second, Accumulation::Delta) => side.covered.as_secs_f64().max(1e-9),
        }
    }

    /// The variance of a comparable value.
    fn variance(&self, value: i64, side: &Side) -> Option<f64> {
        if side.period == 0 {
            return None;
        }
        let period = side.period as f64;
        let samples = value.unsigned_abs() as f64 / period + 1.0;
        if self.basis == Basis::Share {
            let all = side.total.unsigned_abs() as f64 / period + 2.0;
            let share = (samples / all).min(1.0);
            return Some(share * (1.0 - share) / all);
        }
        Some(samples * (period / self.divisor(side)).powi(2))
    }
}

/// Two columns of folds on one tree side by side: first `other`, then `base`.
pub fn join(tree: &CallTree, other: (&Fold, usize), base: (&Fold, usize)) -> Fold {
    let mut nodes: Vec<NodeId> = other.0.nodes().iter().chain(base.0.nodes()).copied().collect();
    nodes.push(CallTree::ROOT);
    nodes.sort();
    nodes.dedup();
    let kind = &other.0.kinds()[other.1];
    let before = ValueKind { name: format!("{} before", kind.name).into(), ..kind.clone() };
    let mut joined = Fold::on(tree, Arc::new([kind.clone(), before]), nodes);
    for (column, (fold, from)) in [other, base].into_iter().enumerate() {
        let mut at = 0;
        for (node, value) in fold.nodes().iter().zip(fold.self_values(from)) {
            while joined.nodes()[at] < *node {
                at += 1;
            }
            joined.add(column, at, *value);
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::super::fold::tests::fold_of;
    use super::*;
    use crate::profile::{Flame, Shape, function_table};
    use proptest::prelude::*;

    const MS: u64 = 1_000_000;

    /// CPU sampled at 1 kHz for so many seconds, so many milliseconds of it used.
    fn side(seconds: u64, ms: i64) -> Side {
        Side { covered: Nanos::from_secs(seconds), total: ms * MS as i64, period: MS }
    }

    fn cpu(basis: Basis, base: Side, other: Side) -> Comparison {
        Comparison { kind: ValueKind::cpu(), basis, base, other }
    }

    fn ms(value: i64) -> i64 {
        value * MS as i64
    }

    #[test]
    fn what_adds_up_is_compared_per_second_and_a_level_by_itself() {
        let compared = cpu(Basis::Second, side(2, 2000), side(10, 10_000));
        let same = compared.change(ms(500), ms(2500));
        assert_eq!((same.base, same.other, same.verdict), (0.25e9, 0.25e9, Verdict::Noise));
        let level = Comparison { kind: ValueKind::inuse_space(), ..compared };
        assert_eq!(level.change(10 << 20, 30 << 20).difference() as i64, 20 << 20);
    }

    #[test]
    fn shares_forget_how_much_there_is() {
        let compared = cpu(Basis::Share, side(10, 1000), side(10, 9000));
        let change = compared.change(ms(500), ms(4500));
        assert_eq!((change.base, change.other, change.verdict), (0.5, 0.5, Verdict::Noise));
        assert!((compared.relative(&compared.change(ms(100), ms(1800))) - 0.1).abs() < 1e-9);
    }

    #[test]
    fn chance_is_told_apart_from_change() {
        for basis in [Basis::Second, Basis::Share] {
            let compared = cpu(basis, side(10, 10_000), side(10, 10_000));
            let verdict = |base, other| compared.change(ms(base), ms(other)).verdict;
            assert_eq!(verdict(500, 520), Verdict::Noise);
            assert_eq!(verdict(500, 700), Verdict::More);
            assert_eq!(verdict(700, 500), Verdict::Less);
            assert_eq!(verdict(0, 3), Verdict::Noise, "three samples are nothing");
            assert_eq!(verdict(0, 100), Verdict::New);
            assert_eq!(verdict(100, 0), Verdict::Vanished);
        }
    }

    #[test]
    fn without_a_period_nobody_speaks_of_noise() {
        let blind = Side { period: 0, ..side(1, 1000) };
        let change = cpu(Basis::Second, blind, blind).change(ms(1), ms(2));
        assert_eq!((change.errors, change.verdict), (None, Verdict::More));
    }

    #[test]
    fn chance_alone_is_seldom_taken_for_change() {
        // A generator of its own, so that the test says the same every time.
        let mut seed = 7_u64;
        let mut random = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) as f64 / (1_u64 << 31) as f64
        };
        let (rounds, samples, share) = (2000, 2000, 0.05);
        let mut drawn = || (0..samples).filter(|_| random() < share).count() as i64;
        let compared = cpu(Basis::Share, side(2, samples), side(2, samples));
        let wrong = (0..rounds)
            .filter(|_| compared.change(ms(drawn()), ms(drawn())).verdict != Verdict::Noise)
            .count();
        assert!(wrong <= 15, "{wrong} of {rounds} were taken for change");
    }

    fn stacks() -> impl Strategy<Value = Vec<(String, i64)>> {
        prop::collection::vec(("[a-d](;[a-d]){0,3}", 0i64..1000), 0..12)
    }

    proptest! {
        #[test]
        fn nothing_differs_from_itself(x in stacks(), basis in prop::bool::ANY) {
            let mut tree = CallTree::default();
            let borrowed: Vec<(&str, i64)> = x.iter().map(|(s, v)| (s.as_str(), *v)).collect();
            let fold = fold_of(&mut tree, &borrowed);
            let joined = join(&tree, (&fold, 0), (&fold, 0));
            let flame = Flame::compare(&tree, &joined, 0, 1, &Shape::default());
            let whole = Side { covered: Nanos::from_secs(1), total: fold.total(0), period: 1 };
            let basis = if basis { Basis::Share } else { Basis::Second };
            let compared = Comparison { kind: ValueKind::samples(), basis, base: whole, other: whole };
            for row in function_table(&flame) {
                for (base, other) in [(row.base_self, row.self_value), (row.base_total, row.total)] {
                    let change = compared.change(base, other);
                    prop_assert!(change.difference().abs() < 1e-12);
                    prop_assert_eq!(change.verdict, Verdict::Noise);
                }
            }
        }

        #[test]
        fn a_join_loses_nothing_and_turns_round(x in stacks(), y in stacks(), inverted in prop::bool::ANY) {
            let mut tree = CallTree::default();
            let mut fold = |stacks: &[(String, i64)]| {
                let borrowed: Vec<(&str, i64)> = stacks.iter().map(|(s, v)| (s.as_str(), *v)).collect();
                fold_of(&mut tree, &borrowed)
            };
            let (x, y) = (fold(&x), fold(&y));
            let shape = Shape { inverted, ..Shape::default() };
            let there = Flame::compare(&tree, &join(&tree, (&x, 0), (&y, 0)), 0, 1, &shape);
            let back = Flame::compare(&tree, &join(&tree, (&y, 0), (&x, 0)), 0, 1, &shape);
            prop_assert_eq!((there.total(), there.base_total()), (x.total(0), y.total(0)));
            let mut turned: Vec<_> =
                function_table(&back).iter().map(|row| (row.frame, row.base_total, row.total)).collect();
            let mut straight: Vec<_> =
                function_table(&there).iter().map(|row| (row.frame, row.total, row.base_total)).collect();
            turned.sort_unstable();
            straight.sort_unstable();
            prop_assert_eq!(straight, turned);
        }
    }
}
