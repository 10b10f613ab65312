//! Resources that planning looks at, counted in unit tests: what a plan costs grows with the host, not with
//! its square.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static LOOKED_AT: Cell<u64> = const { Cell::new(0) };
}

/// All of some resources, each of which counts once it is looked at.
pub(super) fn each<I: IntoIterator>(things: I) -> impl Iterator<Item = I::Item> + use<I> {
    things.into_iter().inspect(|_| count())
}

/// One resource that was found.
pub(super) fn one<T>(thing: T) -> T {
    count();
    thing
}

fn count() {
    #[cfg(test)]
    LOOKED_AT.set(LOOKED_AT.get() + 1);
}

/// How many resources `planning` looks at.
#[cfg(test)]
pub(super) fn of<T>(planning: impl FnOnce() -> T) -> (T, u64) {
    LOOKED_AT.set(0);
    let done = planning();
    (done, LOOKED_AT.get())
}
