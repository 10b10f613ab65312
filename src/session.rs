//! One session pipeline: `connect → verify the host → observe → plan → apply`. Every command that talks to
//! hosts goes through it ([`Pipeline`]), and every command that reads sealed values does so through a
//! [`Vault`]. Nothing here prints: what a person has to know or answer goes to the [`Operator`].
//!
//! | to change | go to |
//! |---|---|
//! | what is written for a host: pillar, states, credentials | `declared`, `evaluate` |
//! | where an Engine is dialled | `address` |
//! | which hosts may be sent secrets | `known_hosts`, `verify` |
//! | what happens to each host, and how many at once | `hosts`, `connect`, `observe`, `plan`, `apply` |
//! | locks of hosts: taken, waited for, listed, broken | `locks`, `lock_wait`, `lock_holders` |
//! | what else is asked through hosts: tags, registries, clocks | `tags`, `logins`, `probe` |
//! | what docker keeps with us: `docker login` | `docker_login` |
//! | where private keys are looked for | `identity` |
//! | a one-off command in a container of its own | `one_off` |
//! | which containers there are, for commands that look into them | `live` |
//! | what is asked for of a service as it is there | `operate` |
//! | what takes room on hosts | `disk` |
//! | what is recorded of a run, and read back | `recording`, `runs` |
//! | what a service is called on a command line | `services` |
//! | what git is asked, and how it is kept from everything else | `git` |
//! | who could open what, from git | `past` |
//! | which hosts and containers hold a secret | `holders` |
//! | opening and changing sealed values | `vault` |

mod address;
mod adopt;
mod apply;
mod batches;
mod config;
mod connect;
mod context;
mod credentials;
mod declared;
mod disk;
mod docker_login;
mod environment;
mod evaluate;
mod git;
mod holders;
mod hosts;
mod identity;
mod known_hosts;
mod live;
mod lock_holders;
mod lock_wait;
mod locks;
mod logins;
mod observe;
mod one_off;
mod only;
mod operate;
mod operator;
mod past;
mod pipeline;
mod plan;
mod plan_file;
mod probe;
mod recording;
mod rollback;
mod runs;
mod services;
mod tags;
mod usage;
mod vault;
mod verify;
mod workspace;

pub use address::dialled;
pub use apply::Pace;
pub use connect::Connected;
pub use context::{Options, Session};
pub use declared::{Declared, declared, declared_for};
pub use disk::DiskUse;
pub use docker_login::DockerLogins;
pub use environment::{AGE_KEY, Environment};
pub use git::{Commit, DRIVERS, Git, Since};
pub use holders::{Holders, Use};
pub use hosts::{FailedHost, Hosts};
pub use identity::{Asking, IdentitySource};
pub use known_hosts::{NewHosts, is_own_socket};
pub use live::{LiveHost, Located, all_paused, engine_of, secrets_at_hand, without_container};
pub use lock_holders::HostHolder;
pub use lock_wait::LockWait;
pub use logins::{Answers, Asked, EntryShown, Verdict};
pub use observe::{Observation, Registries};
pub use one_off::PreparedOneOff;
pub use operate::{OperationPlan, Requested};
pub use operator::{Operator, Progress, Tally};
pub use past::{Moment, Past};
pub use pipeline::{Pipeline, unless_interrupted};
pub use plan::{MadeFor, PlannedHosts, Told, told};
pub use plan_file::{PlanOptions, StoredPlan, to_json};
pub use probe::{Probed, Running};
pub use rollback::{Goal, RollbackPlan};
pub use runs::{RecordedRun, failed_hosts, recorded_run, recorded_runs};
pub use services::Services;
pub use tags::TagAnswer;
pub use usage::Usages;
pub use vault::{KeyFiles, KnownFile, Vault, merged, seen};
