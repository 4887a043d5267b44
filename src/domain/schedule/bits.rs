//! Sets of small numbers as bits, with the few questions that a calendar asks of them.

/// The smallest member that is at least `from`.
pub(super) const fn at_or_after(set: u64, from: u32) -> Option<u32> {
    if from > 63 {
        return None;
    }
    let rest = set & (u64::MAX << from);
    if rest == 0 {
        None
    } else {
        Some(rest.trailing_zeros())
    }
}

/// The greatest member that is at most `to`.
pub(super) const fn at_or_before(set: u64, to: u32) -> Option<u32> {
    let rest = if to >= 63 {
        set
    } else {
        set & !(u64::MAX << (to + 1))
    };
    if rest == 0 {
        None
    } else {
        Some(63 - rest.leading_zeros())
    }
}

/// How many members are below `limit`.
pub(super) const fn below(set: u64, limit: u32) -> u64 {
    if limit > 63 {
        return set.count_ones() as u64;
    }
    (set & !(u64::MAX << limit)).count_ones() as u64
}

/// Whether `n` is a member.
pub(super) const fn has(set: u64, n: u32) -> bool {
    n < 64 && set >> n & 1 == 1
}

/// The set of `first..=last`; members are below 64.
pub(super) fn range(first: u32, last: u32) -> u64 {
    (first..=last.min(63)).fold(0, |set, n| set | 1 << n)
}

/// The members, smallest first.
pub(super) fn members(set: u64) -> impl Iterator<Item = u32> {
    (0..64).filter(move |n| has(set, *n))
}
