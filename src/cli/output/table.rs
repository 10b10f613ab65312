//! Tables: columns as wide as their widest cell. Where the terminal is narrower than that, the least needed
//! columns are left out, whole, and only what then still is too long is cut.

use super::layout::{columns, cut, pad};

/// Between two columns.
const GAP: usize = 2;

/// The widths of a table's columns, and which of them are shown.
#[derive(Debug)]
pub(in crate::cli) struct Table<const N: usize> {
    widths: [Option<usize>; N],
    room: Option<usize>,
}

impl<const N: usize> Table<N> {
    /// For these rows, the heading among them, in lines of `room` columns, if that is known. `least` names
    /// columns that can be left out, the least needed first.
    pub(in crate::cli) fn new<'a>(
        rows: impl IntoIterator<Item = &'a [String; N]>,
        least: &[usize],
        room: Option<usize>,
    ) -> Self {
        let mut widths = [0; N];
        for row in rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = columns(cell).max(*width);
            }
        }
        let mut widths = widths.map(Some);
        let mut least = least.iter();
        while room.is_some_and(|room| room < wanted(&widths)) {
            let Some(column) = least.next() else { break };
            widths[*column] = None;
        }
        Self { widths, room }
    }

    /// With lines that may be longer than the terminal: what their last cells say is not to be lost.
    pub(in crate::cli) fn uncut(self) -> Self {
        Self { room: None, ..self }
    }

    /// Whether a column is shown.
    pub(in crate::cli) fn shows(&self, column: usize) -> bool {
        self.widths[column].is_some()
    }

    /// The cells of a row that are shown, each but the last with the spaces that fill its column.
    pub(in crate::cli) fn cells(&self, row: &[String; N]) -> Vec<(usize, String)> {
        let mut used = 0;
        let mut shown = Vec::new();
        for (at, (cell, width)) in row.iter().zip(self.widths).enumerate() {
            let Some(width) = width else { continue };
            let left = self.room.map(|room| room.saturating_sub(used));
            if left == Some(0) {
                break;
            }
            let cell = cut(cell, left);
            used += width + GAP;
            shown.push((at, pad(&cell, width)));
        }
        while shown.len() > 1 && shown.last().is_some_and(|(_, cell)| cell.trim_end().is_empty()) {
            shown.pop();
        }
        if let Some((_, last)) = shown.last_mut() {
            last.truncate(last.trim_end().len());
        }
        shown
    }

    /// A row as a line.
    pub(in crate::cli) fn line(&self, row: &[String; N]) -> String {
        let cells: Vec<String> = self.cells(row).into_iter().map(|(_, cell)| cell).collect();
        cells.join(&" ".repeat(GAP))
    }
}

/// Columns of a line.
fn wanted<const N: usize>(widths: &[Option<usize>; N]) -> usize {
    let shown: Vec<usize> = widths.iter().flatten().copied().collect();
    shown.iter().sum::<usize>() + GAP * shown.len().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_least_needed_column_goes_first_and_what_then_is_too_long_is_cut() {
        let rows =
            [["NAME", "AGE", "WHY"], ["nginx", "3", "a long reason"]].map(|row| row.map(ToOwned::to_owned));
        let all =
            |room| rows.iter().map(|row| Table::new(&rows, &[1, 2], room).line(row)).collect::<Vec<_>>();
        assert_eq!(all(None), ["NAME   AGE  WHY", "nginx  3    a long reason"]);
        assert_eq!(all(Some(25)), all(None));
        assert_eq!(all(Some(24)), ["NAME   WHY", "nginx  a long reason"]);
        assert_eq!(all(Some(19)), ["NAME", "nginx"]);
        assert_eq!(all(Some(4)), ["NAME", "ngi…"]);
    }

    proptest! {
        #[test]
        fn no_line_is_longer_than_the_terminal(
            rows in prop::collection::vec(prop::array::uniform4("[a-zü ]{0,30}"), 1..6),
            room in 1_usize..120,
        ) {
            let table = Table::new(&rows, &[2, 3, 1], Some(room));
            for row in &rows {
                prop_assert!(columns(&table.line(row)) <= room, "{:?}", table.line(row));
            }
        }
    }
}
