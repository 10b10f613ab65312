//! Work on many values on all cores.

use std::num::NonZeroUsize;
use std::thread;

/// Below this many items a thread costs more than it saves.
const FEW: usize = 64;

/// Does the same with every item, on all cores where that pays; results stand in the order of items.
pub(in crate::session) fn on_all_cores<I: Sync, T: Send>(
    items: &[I],
    work: impl Fn(&I) -> T + Sync,
) -> Vec<T> {
    spread(items, FEW, work)
}

/// As [`on_all_cores`], for items of which each is worth a thread: a lock is opened or sealed with one key
/// agreement for each of its readers.
pub(super) fn locks_on_all_cores<I: Sync, T: Send>(items: &[I], work: impl Fn(&I) -> T + Sync) -> Vec<T> {
    spread(items, 2, work)
}

fn spread<I: Sync, T: Send>(items: &[I], few: usize, work: impl Fn(&I) -> T + Sync) -> Vec<T> {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    if items.len() < few || cores == 1 {
        return items.iter().map(work).collect();
    }
    let work = &work;
    thread::scope(|scope| {
        let parts = items.chunks(items.len().div_ceil(cores));
        let running: Vec<_> =
            parts.map(|part| scope.spawn(move || part.iter().map(work).collect::<Vec<T>>())).collect();
        running
            .into_iter()
            .flat_map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_stand_in_the_order_of_items() {
        for count in [0, 1, FEW - 1, FEW, FEW + 1, 1000] {
            let items: Vec<usize> = (0..count).collect();
            let doubled: Vec<usize> = items.iter().map(|item| item * 2).collect();
            assert_eq!(on_all_cores(&items, |item| item * 2), doubled);
            assert_eq!(locks_on_all_cores(&items, |item| item * 2), doubled);
        }
    }
}
