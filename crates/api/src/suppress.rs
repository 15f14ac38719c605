//! Counts that may be shown: none between 1 and the smallest allowed, and none from which such a
//! one could be worked out.
//!
//! A table is shown with its sums. Each line, with its sum, is an equation: with one member hidden
//! it would give that member away, and with few people behind its hidden members it would tell
//! nearly as much. So lines hide further members until neither holds.

/// A table with its sums; `None` is not shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Shown {
    /// Lines, each with its cells.
    pub(crate) cells: Vec<Vec<Option<u64>>>,
    /// Sum of each line.
    pub(crate) lines: Vec<Option<u64>>,
    /// Sum of each column.
    pub(crate) columns: Vec<Option<u64>>,
    /// Sum of all.
    pub(crate) total: Option<u64>,
}

/// What of `table` may be shown. All lines are of the same length.
pub(crate) fn protect(table: &[Vec<u64>], smallest: u64) -> Shown {
    let width = table.first().map_or(0, Vec::len);
    let mut whole: Vec<Vec<u64>> = table.to_vec();
    whole.push(
        (0..width)
            .map(|column| table.iter().map(|line| line[column]).sum())
            .collect(),
    );
    for line in &mut whole {
        line.push(line.iter().sum());
    }
    let mut hidden: Vec<Vec<bool>> = whole
        .iter()
        .map(|line| line.iter().map(|n| (1..smallest).contains(n)).collect())
        .collect();
    let equations = equations(table.len(), width);
    while equations
        .iter()
        .any(|line| close(line, &whole, &mut hidden, smallest))
    {}
    let show = |line: usize, column: usize| (!hidden[line][column]).then(|| whole[line][column]);
    Shown {
        cells: (0..table.len())
            .map(|line| (0..width).map(|column| show(line, column)).collect())
            .collect(),
        lines: (0..table.len()).map(|line| show(line, width)).collect(),
        columns: (0..width).map(|column| show(table.len(), column)).collect(),
        total: show(table.len(), width),
    }
}

/// A line or column as places; the last is the sum of the others.
type Equation = Vec<(usize, usize)>;

fn equations(height: usize, width: usize) -> Vec<Equation> {
    let lines = (0..=height).map(|line| (0..=width).map(|column| (line, column)).collect());
    let columns = (0..=width).map(|column| (0..=height).map(|line| (line, column)).collect());
    lines.chain(columns).collect()
}

/// Hides one more member of the line if it gives too much away. Answers whether it did.
fn close(line: &Equation, whole: &[Vec<u64>], hidden: &mut [Vec<bool>], smallest: u64) -> bool {
    let (sum, parts) = match line.split_last() {
        Some((sum, parts)) => (*sum, parts),
        None => return false,
    };
    let is_hidden = |place: &(usize, usize)| hidden[place.0][place.1];
    let count = line.iter().filter(|place| is_hidden(place)).count();
    let behind: u64 = parts
        .iter()
        .filter(|place| is_hidden(place))
        .map(|(l, c)| whole[*l][*c])
        .sum();
    let told = count == 1 || (count > 1 && !is_hidden(&sum) && behind < smallest);
    if !told {
        return false;
    }
    let open = |place: &&(usize, usize)| !is_hidden(place);
    let next = parts
        .iter()
        .filter(open)
        .filter(|(l, c)| whole[*l][*c] > 0)
        .min_by_key(|(l, c)| whole[*l][*c])
        .or_else(|| line.last().filter(open))
        .or_else(|| parts.iter().find(open))
        .copied();
    match next {
        Some((l, c)) => {
            hidden[l][c] = true;
            true
        }
        None => false,
    }
}

/// One column whose sum is shown, beside the number of people each count is out of: a count is
/// small also when all but a few are in it.
pub(crate) fn protect_parts(
    counts: &[u64],
    of: &[u64],
    smallest: u64,
) -> (Vec<Option<u64>>, Option<u64>) {
    let small = |n: u64, all: u64| {
        (1..smallest).contains(&n) || (1..smallest).contains(&all.saturating_sub(n))
    };
    let mut hidden: Vec<bool> = counts
        .iter()
        .zip(of)
        .map(|(n, all)| small(*n, *all))
        .collect();
    let sum: u64 = counts.iter().sum();
    let all: u64 = of.iter().sum();
    let mut total = (!small(sum, all)).then_some(sum);
    loop {
        let count = hidden.iter().filter(|hidden| **hidden).count();
        let behind: u64 = counts
            .iter()
            .zip(&hidden)
            .filter(|(_, hidden)| **hidden)
            .map(|(n, _)| n)
            .sum();
        let rest: u64 = counts
            .iter()
            .zip(of)
            .zip(&hidden)
            .filter(|(_, hidden)| **hidden)
            .map(|((n, all), _)| all.saturating_sub(*n))
            .sum();
        let told =
            total.is_some() && count > 0 && (count == 1 || behind < smallest || rest < smallest);
        if !told {
            break;
        }
        let next = (0..counts.len())
            .filter(|place| !hidden[*place])
            .min_by_key(|place| counts[*place]);
        match next {
            Some(place) => hidden[place] = true,
            None => total = None,
        }
    }
    let shown = counts
        .iter()
        .zip(&hidden)
        .map(|(n, hidden)| (!hidden).then_some(*n))
        .collect();
    (shown, total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn large_counts_are_shown_whole() {
        let shown = protect(&[vec![10, 20], vec![30, 0]], 5);
        assert_eq!(shown.cells, [[Some(10), Some(20)], [Some(30), Some(0)]]);
        assert_eq!(shown.total, Some(60));
    }

    #[test]
    fn a_small_count_takes_others_with_it() {
        let shown = protect(&[vec![3, 20, 40], vec![30, 9, 50], vec![60, 70, 80]], 5);
        assert_eq!(shown.cells[0], [None, None, Some(40)]);
        assert_eq!(shown.cells[1], [None, None, Some(50)]);
        assert_eq!(shown.cells[2], [Some(60), Some(70), Some(80)]);
        assert_eq!(shown.lines, [Some(63), Some(89), Some(210)]);
    }

    #[test]
    fn all_but_a_few_is_few() {
        assert_eq!(
            protect_parts(&[18, 30, 40], &[20, 60, 80], 5).0,
            [None, None, Some(40)]
        );
        assert_eq!(
            protect_parts(&[0, 30], &[20, 60], 5),
            (vec![Some(0), Some(30)], Some(30))
        );
        assert_eq!(protect_parts(&[2], &[20], 5), (vec![None], None));
    }

    /// Every table of whole numbers that fits what is shown, for 2×2 cells: the smallest and the
    /// largest that each cell can be.
    fn possible(shown: &Shown, most: u64) -> [[(u64, u64); 2]; 2] {
        let mut range = [[(u64::MAX, 0); 2]; 2];
        let fits = |shown: Option<u64>, n: u64| shown.is_none_or(|shown| shown == n);
        let of = |cell: Option<u64>| match cell {
            Some(n) => n..=n,
            None => 0..=most,
        };
        for a in of(shown.cells[0][0]) {
            for b in of(shown.cells[0][1]).filter(|b| fits(shown.lines[0], a + b)) {
                for c in of(shown.cells[1][0]).filter(|c| fits(shown.columns[0], a + c)) {
                    for d in of(shown.cells[1][1]) {
                        if fits(shown.lines[1], c + d)
                            && fits(shown.columns[1], b + d)
                            && fits(shown.total, a + b + c + d)
                        {
                            for (place, n) in [(0, a), (1, b), (2, c), (3, d)] {
                                let (low, high) = &mut range[place / 2][place % 2];
                                (*low, *high) = ((*low).min(n), (*high).max(n));
                            }
                        }
                    }
                }
            }
        }
        range
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]
        #[test]
        fn no_small_count_can_be_worked_out(table in prop::collection::vec(prop::collection::vec(0u64..14, 2), 2)) {
            let shown = protect(&table, 5);
            let range = possible(&shown, 40);
            for (line, cells) in table.iter().enumerate() {
                for (column, n) in cells.iter().enumerate() {
                    if (1..5).contains(n) {
                        prop_assert_eq!(shown.cells[line][column], None);
                        let (low, high) = range[line][column];
                        prop_assert!(low < high, "{:?} gives away {} in {:?}", shown, n, table);
                    }
                }
            }
        }
    }
}
