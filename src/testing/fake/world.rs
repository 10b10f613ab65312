//! Everything there is on the Engine in memory.

use super::container::FakeContainer as Container;
use super::image::{FakeImage as Image, Published};
use super::resource::FakeNetwork as Network;
use super::volume::Content;
use super::{EngineError, EngineResult, ErrorKind, Fault, Volume};
use crate::name::RegistryHost;
use crate::observed::{Facts, Platforms};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::time::Instant;

/// Seconds since 1970 at which every Engine in memory begins.
pub const EPOCH: i64 = 1_767_225_600;

pub(super) struct World {
    pub(super) began: Instant,
    /// How long each call takes.
    pub(super) call_takes: Duration,
    pub(super) facts: Facts,
    pub(super) containers: Vec<Container>,
    pub(super) images: Vec<Image>,
    pub(super) registry: Vec<Published>,
    pub(super) guards: BTreeMap<RegistryHost, Option<String>>,
    pub(super) networks: BTreeMap<String, Network>,
    pub(super) volumes: BTreeMap<String, Volume>,
    pub(super) contents: BTreeMap<String, Content>,
    pub(super) started: Vec<String>,
    /// Containers that were started while another one ran on the same anonymous volume.
    pub(super) doubled: Vec<String>,
    pub(super) calls: Vec<String>,
    pub(super) changes: Vec<String>,
    pub(super) faults: BTreeMap<usize, Fault>,
    pub(super) refusals: Vec<(String, EngineError)>,
    pub(super) gone: bool,
    /// After so many calls it does not answer, for so long.
    pub(super) absence: Option<(usize, Duration)>,
    pub(super) back: Option<Instant>,
    pub(super) watched: Option<(String, usize)>,
    /// What containers wrote.
    pub(super) written: Vec<super::streams::Written>,
    /// Commands that were prepared in containers.
    pub(super) execs: Vec<Vec<String>>,
    pub(super) next_id: u64,
    /// How many processes have ended.
    ends: u64,
    /// For which every image of a registry is.
    pub(super) platforms: Platforms,
}

impl World {
    /// Whether it does not answer this call.
    pub(super) fn is_away(&mut self) -> bool {
        if let Some((_, long)) = self.absence.take_if(|(calls, _)| self.calls.len() > *calls) {
            self.back = Some(Instant::now() + long);
        }
        self.gone || self.back.is_some_and(|back| Instant::now() < back)
    }

    pub(super) fn new() -> Self {
        let mut world = Self {
            began: Instant::now(),
            call_takes: Duration::ZERO,
            facts: Facts {
                engine_id: "FAKE:0001".to_owned(),
                engine_version: "20.10.24".to_owned(),
                api_version: "1.41".to_owned(),
                os: "linux".to_owned(),
                arch: "amd64".to_owned(),
                cpus: 4,
                memory: 8 << 30,
                hostname: "fake".to_owned(),
                labels: BTreeMap::new(),
                can_update: true,
                runs_health_checks: true,
                rootless: false,
            },
            platforms: Platforms::default(),
            containers: Vec::new(),
            images: Vec::new(),
            registry: Vec::new(),
            guards: BTreeMap::new(),
            networks: BTreeMap::new(),
            volumes: BTreeMap::new(),
            contents: BTreeMap::new(),
            started: Vec::new(),
            doubled: Vec::new(),
            calls: Vec::new(),
            changes: Vec::new(),
            faults: BTreeMap::new(),
            refusals: Vec::new(),
            gone: false,
            absence: None,
            back: None,
            watched: None,
            written: Vec::new(),
            execs: Vec::new(),
            next_id: 0,
            ends: 0,
        };
        for name in ["bridge", "host", "none"] {
            world.put_network(name, serde_json::Value::Null);
        }
        world
    }

    /// Counts what works of the watched service.
    pub(super) fn look(&mut self) {
        let Some((service, least)) = self.watched.take() else { return };
        let working = self.containers.iter().filter(|held| self.works_as(held, &service)).count();
        self.watched = Some((service, least.min(working)));
    }

    /// Seconds since 1970.
    pub(super) fn now(&self) -> i64 {
        self.at(Instant::now())
    }

    pub(super) fn at(&self, instant: Instant) -> i64 {
        EPOCH + i64::try_from(instant.duration_since(self.began).as_secs()).unwrap_or(i64::MAX - EPOCH)
    }

    /// Now, as the end of a process: Engines tell it to the nanosecond, and no two are the same.
    pub(super) fn end(&mut self) -> Instant {
        self.ends += 1;
        Instant::now() + Duration::from_nanos(self.ends)
    }

    pub(super) fn to_the_nanosecond(&self, instant: Instant) -> String {
        let since = jiff::SignedDuration::try_from(instant.duration_since(self.began)).unwrap_or_default();
        let began = jiff::Timestamp::from_second(EPOCH).unwrap_or_default();
        began.checked_add(since).map(|time| time.to_string()).unwrap_or_default()
    }

    pub(super) fn fresh(&mut self) -> u64 {
        self.next_id += 1;
        self.next_id
    }
}

/// Seconds since 1970 as an Engine prints them.
pub(super) fn printed(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map(|time| time.to_string()).unwrap_or_default()
}

pub(super) fn refused<T>(kind: ErrorKind, status: u16, message: impl AsRef<str>) -> EngineResult<T> {
    Err(EngineError::new(kind, status, message.as_ref()))
}
