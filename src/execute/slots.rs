//! How many calls to an Engine are at work at once, and whose turn is next.
//!
//! A slot is held for a call and never for a wait: the grace time of a stop, a health check, the end of a
//! task, a delay. Of those that wait for a slot, the one that is furthest along goes first. So a service
//! that is down is started before the next one is stopped.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::rc::Rc;
use tokio::sync::oneshot;

/// The slots of one Engine; clones share them.
#[derive(Clone, Debug)]
pub(super) struct CallSlots(Rc<Queue>);

#[derive(Debug)]
struct Queue {
    free: Cell<usize>,
    /// By how far along they are, then by when they came.
    waiting: RefCell<BTreeMap<(Reverse<usize>, u64), oneshot::Sender<CallSlot>>>,
    arrivals: Cell<u64>,
}

/// One slot; dropping it hands it on.
#[derive(Debug)]
pub(super) struct CallSlot(Option<Rc<Queue>>);

impl CallSlots {
    /// So many slots, all free.
    pub(super) fn new(slots: usize) -> Self {
        let (waiting, arrivals) = (RefCell::default(), Cell::new(0));
        Self(Rc::new(Queue { free: Cell::new(slots), waiting, arrivals }))
    }

    /// Waits for a slot; `progress` is how many steps the caller has behind it.
    pub(super) async fn acquire(&self, progress: usize) -> CallSlot {
        let queue = &self.0;
        if queue.free.get() > 0 {
            queue.free.set(queue.free.get() - 1);
            return CallSlot(Some(Rc::clone(queue)));
        }
        let arrival = queue.arrivals.get();
        queue.arrivals.set(arrival + 1);
        let (hand, turn) = oneshot::channel();
        queue.waiting.borrow_mut().insert((Reverse(progress), arrival), hand);
        // The queue holds the sender until it hands a slot over, and this future holds the queue.
        turn.await.unwrap_or(CallSlot(None))
    }
}

impl Drop for CallSlot {
    fn drop(&mut self) {
        let Some(queue) = self.0.take() else { return };
        loop {
            let next = queue.waiting.borrow_mut().pop_first();
            let Some((_, hand)) = next else { break };
            match hand.send(Self(Some(Rc::clone(&queue)))) {
                Ok(()) => return,
                // That one does not wait any more.
                Err(mut refused) => drop(refused.0.take()),
            }
        }
        queue.free.set(queue.free.get() + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use tokio::join;

    #[tokio::test]
    async fn the_one_that_is_furthest_along_goes_first() {
        let (slots, order) = (CallSlots::new(1), RefCell::new(Vec::new()));
        let call = async |name: &'static str, progress: usize| {
            let _slot = slots.acquire(progress).await;
            order.borrow_mut().push(name);
            tokio::task::yield_now().await;
        };
        join!(
            call("first", 0),
            call("fresh", 0),
            call("fresh, later", 0),
            call("far", 7),
            call("half way", 3)
        );
        assert_eq!(*order.borrow(), ["first", "far", "half way", "fresh", "fresh, later"]);
    }

    #[tokio::test]
    async fn a_slot_that_is_given_up_while_it_is_handed_over_is_not_lost() {
        let slots = CallSlots::new(1);
        let held = slots.acquire(0).await;
        let mut gives_up = Box::pin(slots.acquire(0));
        assert!(gives_up.as_mut().now_or_never().is_none());
        let mut stays = Box::pin(slots.acquire(0));
        assert!(stays.as_mut().now_or_never().is_none());
        drop(held);
        // It was handed the slot and never looks.
        drop(gives_up);
        let slot = stays.now_or_never().expect("its turn");
        drop(slot);
        assert!(slots.acquire(0).now_or_never().is_some());
    }

    #[tokio::test]
    async fn one_that_does_not_wait_any_more_is_passed_over() {
        let slots = CallSlots::new(1);
        let held = slots.acquire(0).await;
        let mut gone = Box::pin(slots.acquire(9));
        assert!(gone.as_mut().now_or_never().is_none());
        drop(gone);
        drop(held);
        assert!(slots.acquire(0).now_or_never().is_some());
    }
}
