//! Lines of several streams in the order of their times. A stream without a line is waited for, but not for long: a
//! slow host must not hold up the others, and a quiet one has nothing to say.

use super::lines::Line;
use jiff::Timestamp;
use std::time::Duration;
use tokio::time::Instant;

/// How long a line waits for those of other streams, at most.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

/// A stream that is followed and has said nothing for so long has nothing to say for now.
pub(super) const QUIET: Duration = Duration::from_millis(100);

/// One stream.
struct Lane {
    /// When it was asked for.
    asked: Instant,
    /// When it last said something.
    spoke: Option<Instant>,
    head: Option<(Line, Instant)>,
    ended: bool,
}

/// The next line of each stream.
pub(super) struct Merge {
    lanes: Vec<Lane>,
    follow: bool,
}

impl Merge {
    /// Streams that are followed, or that end by themselves.
    pub(super) fn new(follow: bool) -> Self {
        Self { lanes: Vec::new(), follow }
    }

    /// One more stream; they are numbered from 0.
    pub(super) fn add(&mut self, now: Instant) {
        self.lanes.push(Lane { asked: now, spoke: None, head: None, ended: false });
    }

    /// A stream that had ended goes on.
    pub(super) fn reopen(&mut self, at: usize, now: Instant) {
        let lane = &mut self.lanes[at];
        (lane.asked, lane.spoke, lane.ended) = (now, None, false);
    }

    /// A stream has begun.
    pub(super) fn spoke(&mut self, at: usize, now: Instant) {
        self.lanes[at].spoke = Some(now);
    }

    /// The next line of a stream that has none.
    pub(super) fn put(&mut self, at: usize, line: Line, now: Instant) {
        let lane = &mut self.lanes[at];
        (lane.spoke, lane.head) = (Some(now), Some((line, now)));
    }

    /// A stream has ended.
    pub(super) fn end(&mut self, at: usize) {
        self.lanes[at].ended = true;
    }

    /// Until when a stream without a line is waited for; `None`: it is not.
    fn awaited(&self, lane: &Lane) -> Option<Instant> {
        if lane.ended || lane.head.is_some() {
            return None;
        }
        Some(match lane.spoke {
            None => lane.asked + PATIENCE,
            Some(spoke) => spoke + if self.follow { QUIET } else { PATIENCE },
        })
    }

    /// The first line by its time, and of several the first stream.
    fn first(&self) -> Option<(usize, Instant)> {
        let heads = self.lanes.iter().enumerate();
        let heads = heads.filter_map(|(at, lane)| lane.head.as_ref().map(|(line, came)| (at, line, *came)));
        let first = heads.min_by_key(|(at, line, _)| (line.time.unwrap_or(Timestamp::MIN), *at));
        first.map(|(at, _, came)| (at, came))
    }

    /// When the first line waits for nothing more.
    fn due(&self, came: Instant) -> Option<Instant> {
        let last = self.lanes.iter().filter_map(|lane| self.awaited(lane)).max();
        last.map(|last| last.min(came + PATIENCE))
    }

    /// The line that is next now, with its stream.
    pub(super) fn next(&mut self, now: Instant) -> Option<(usize, Line)> {
        let (at, came) = self.first()?;
        if self.due(came).is_some_and(|due| due > now) {
            return None;
        }
        self.lanes[at].head.take().map(|(line, _)| (at, line))
    }

    /// When there is a next line at the latest, if there is one.
    pub(super) fn until(&self) -> Option<Instant> {
        let (_, came) = self.first()?;
        self.due(came)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Channel;

    fn line(second: i64) -> Line {
        let time = Timestamp::from_second(second).expect("a time");
        Line { from: Channel::Stdout, time: Some(time), text: second.to_string().into_bytes() }
    }

    fn told(merge: &mut Merge, now: Instant) -> Option<(usize, String)> {
        merge.next(now).map(|(at, line)| (at, String::from_utf8_lossy(&line.text).into_owned()))
    }

    #[tokio::test(start_paused = true)]
    async fn the_earliest_line_comes_first_once_every_stream_has_one() {
        let now = Instant::now();
        let mut merge = Merge::new(false);
        merge.add(now);
        merge.add(now);
        merge.put(0, line(5), now);
        assert_eq!(told(&mut merge, now), None);
        merge.put(1, line(3), now);
        assert_eq!(told(&mut merge, now), Some((1, "3".to_owned())));
        assert_eq!(told(&mut merge, now), None, "another may come before 5");
        merge.end(1);
        assert_eq!(told(&mut merge, now), Some((0, "5".to_owned())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_host_is_waited_for_a_second_and_no_longer() {
        let now = Instant::now();
        let mut merge = Merge::new(false);
        merge.add(now);
        merge.add(now);
        merge.put(0, line(5), now);
        assert_eq!(merge.until(), Some(now + PATIENCE));
        assert_eq!(told(&mut merge, now + PATIENCE / 2), None);
        assert_eq!(told(&mut merge, now + PATIENCE), Some((0, "5".to_owned())));
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_stream_that_is_followed_holds_up_nothing() {
        let now = Instant::now();
        let mut merge = Merge::new(true);
        merge.add(now);
        merge.add(now);
        merge.spoke(1, now);
        let later = now + Duration::from_secs(60);
        merge.put(0, line(5), later);
        assert_eq!(told(&mut merge, later), Some((0, "5".to_owned())));
    }

    #[tokio::test(start_paused = true)]
    async fn one_stream_alone_waits_for_nothing() {
        let now = Instant::now();
        let mut merge = Merge::new(true);
        merge.add(now);
        for second in [9, 2] {
            merge.put(0, line(second), now);
            assert_eq!(told(&mut merge, now), Some((0, second.to_string())), "as it was written");
        }
    }
}
