//! Which containers a host has, from now on: looked at again each time one starts, and after the host was lost.

use super::Dial;
use crate::engine::{EngineResult, Streams};
use crate::name::{HostName, Owner};
use crate::observe::{Replica, replicas};
use crate::problem::{Problem, Problems, Result};
use futures_util::stream::{self, LocalBoxStream, StreamExt as _};
use std::rc::Rc;
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::sleep;

/// How long further news is waited for: containers often start together.
const SETTLE: Duration = Duration::from_millis(50);
/// How long after the end of a log its container is looked at: it may be restarted.
const RESTART: Duration = Duration::from_millis(300);
/// It is looked at from time to time without any news.
const ROUND: Duration = Duration::from_secs(30);
/// Between two attempts to dial, at first and at most.
const DIAL: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));

/// What is told of a host.
pub(super) enum HostNews<E> {
    /// It answers, and has these containers.
    There(Rc<E>, Vec<Replica>),
    /// It does not answer.
    Lost(Problems),
}

pub(super) type HostStream<'r, E> = LocalBoxStream<'r, HostNews<E>>;

/// What is watched.
pub(super) struct Watched<'r, E> {
    pub(super) host: HostName,
    pub(super) owner: Owner,
    pub(super) dial: Dial<'r, E>,
    /// A log has ended.
    pub(super) notify: Rc<Notify>,
}

struct Watch<'r, E> {
    watched: Watched<'r, E>,
    engine: Option<Rc<E>>,
    starts: Option<LocalBoxStream<'static, EngineResult<()>>>,
    wait: Duration,
}

/// News of a host without an end; the first is what there is now.
pub(super) fn watch<'r, E: Streams + 'static>(engine: Rc<E>, watched: Watched<'r, E>) -> HostStream<'r, E> {
    let watch = Watch { watched, engine: Some(engine), starts: None, wait: DIAL.0 };
    stream::unfold(watch, |mut watch| async { Some((watch.next().await, watch)) }).boxed_local()
}

impl<E: Streams + 'static> Watch<'_, E> {
    async fn next(&mut self) -> HostNews<E> {
        match self.look().await {
            Ok((engine, replicas)) => {
                self.wait = DIAL.0;
                HostNews::There(engine, replicas)
            }
            Err(problems) => {
                (self.engine, self.starts) = (None, None);
                HostNews::Lost(problems)
            }
        }
    }

    async fn look(&mut self) -> Result<(Rc<E>, Vec<Replica>)> {
        let host = self.watched.host.clone();
        let lost = |error: &crate::engine::EngineError| error.problem(format!("host {host} does not answer"));
        let engine = match &self.engine {
            Some(engine) => Rc::clone(engine),
            None => {
                sleep(self.wait).await;
                self.wait = (self.wait * 2).min(DIAL.1);
                let engine = (self.watched.dial)().await?;
                self.engine = Some(Rc::clone(&engine));
                engine
            }
        };
        match &mut self.starts {
            // Heard before looked at: none is missed in between.
            None => self.starts = Some(engine.starts().await.map_err(|error| lost(&error))?),
            Some(starts) => tokio::select! {
                start = starts.next() => match start {
                    Some(Ok(())) => sleep(SETTLE).await,
                    Some(Err(error)) => return Err(lost(&error).into()),
                    None => {
                        let problem = Problem::failed(format!("host {host} does not answer"));
                        return Err(problem.cause("its Engine closed the connection").into());
                    }
                },
                () = self.watched.notify.notified() => sleep(RESTART).await,
                () = sleep(ROUND) => {}
            },
        }
        let found = replicas(&*engine, &host, &self.watched.owner).await?;
        Ok((engine, found))
    }
}
