//! Why something changes, for people. Nothing may branch on it.

use crate::problem::Place;
use serde::{Serialize, Serializer};
use std::fmt;

/// Why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// It is not there.
    Missing,
    /// It is up to date.
    AsWanted,
    /// The image is not on the host.
    ImageNeeded,
    /// Its tag stands for something else on the host, or is not there.
    TagElsewhere,
    /// Another image than the one it was made from.
    Version {
        /// Tag it was made from.
        from: String,
        /// Tag that is wanted.
        to: String,
        /// Pillar line that says so.
        at: Option<Place>,
    },
    /// The same tag with another digest.
    Digest {
        /// Twelve digits.
        from: String,
        /// Twelve digits.
        to: String,
    },
    /// Fields that are declared differently now, each with the line that says so.
    Fields(Vec<(String, Option<Place>)>),
    /// It is to run and does not.
    NotRunning {
        /// Its status, `exited (1)`.
        status: String,
    },
    /// It runs and is not to.
    Running,
    /// A state declares it absent.
    Unwanted,
    /// No state declares it any more.
    Undeclared,
    /// Left by an apply that did not finish.
    Interrupted,
    /// A one-off command of this service, which does not run.
    Ended(String),
    /// It was changed by hand: these fields.
    Drift(Vec<String>),
    /// Its gate says that nothing is changed.
    Held {
        /// The application.
        app: String,
        /// Why, in people's words.
        why: Option<String>,
        /// The line that holds.
        at: Place,
    },
    /// Its service was stopped by request.
    Stopped {
        /// Who did that.
        by: String,
        /// Why, in people's words.
        why: Option<String>,
        /// Until when, seconds since 1970.
        until: Option<i64>,
    },
    /// It is taken down by request.
    Down,
    /// It requires this, which is not there and waits itself.
    Needs(String),
    /// The old one stops before the new one starts although it is declared otherwise: only one of them can
    /// have this.
    StopFirst(String),
    /// More containers of a service than it has.
    Surplus,
    /// A task that has not run so; or what is known of it.
    Once(String),
    /// What could be changed in place elsewhere cannot be on this Engine.
    NoUpdate,
    /// The container that was taken over is gone.
    Gone,
    /// Anything else, in words.
    Other(String),
    /// It is up to date, and not managed by pillarbox.
    Theirs,
    /// A state declares a volume absent.
    DataLost,
    /// Something that it watches is new.
    Watched {
        /// What: `container db`.
        things: String,
        /// What it does then: `is restarted`.
        does: String,
        /// The line that says so.
        at: Place,
    },
    /// It is changed only with one of these.
    OnChanges(String),
    /// `unless` or `onlyif` leaves it out on this host.
    LeftOut(String),
    /// It is the last name of an image that these containers use.
    LastName(String),
    /// More generations than are kept.
    Retained {
        /// How many are.
        retain: u32,
    },
    /// It is kept for a rollback, and runs.
    Awake {
        /// The service as which it answers in a network.
        answers_as: Option<String>,
        /// It carries the labels of Compose, which starts it with its project.
        compose: bool,
    },
    /// It is kept for a rollback, and Compose could start it in its networks.
    Startable,
    /// More images than are kept.
    ImagesKept {
        /// Of how many versions they are.
        keep: u32,
    },
    /// An image that pillarbox pulled, and that nothing needs any more.
    Unneeded,
    /// A rollback asks for it.
    Back {
        /// The generation.
        generation: u64,
        /// Whether its container is started again; else a new one is made from its image.
        container: bool,
    },
    /// A container that it is made with is another one, or was started again.
    Shares {
        /// What it has of the other.
        what: &'static str,
        /// The other's name.
        with: String,
        /// The same container, started again.
        again: bool,
    },
}

/// `env.LOG changed (states/nginx.toml:31), memory changed`.
pub fn changed_fields(fields: &[(String, Option<Place>)]) -> String {
    let each = fields.iter().map(|(field, place)| match place {
        Some(place) => format!("{field} changed ({place})"),
        None => format!("{field} changed"),
    });
    each.collect::<Vec<_>>().join(", ")
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("will be created"),
            Self::AsWanted => f.write_str("up to date"),
            Self::TagElsewhere => f.write_str("the tag stands for another image on the host"),
            Self::ImageNeeded => f.write_str("image is not on the host"),
            Self::Version { from, to, at } => {
                write!(f, "version {from} → {to}")?;
                at.as_ref().map_or(Ok(()), |place| write!(f, ", {place}"))
            }
            Self::Digest { from, to } => write!(f, "same tag, other image: {from} → {to}"),
            Self::Fields(fields) => f.write_str(&changed_fields(fields)),
            Self::NotRunning { status } => write!(f, "it is {status}"),
            Self::Running => f.write_str("it runs, but is declared stopped"),
            Self::Unwanted => f.write_str("declared absent"),
            Self::Undeclared => f.write_str("no state declares it any more"),
            Self::Interrupted => f.write_str("left by an apply that did not finish"),
            Self::Ended(service) => write!(f, "a one-off command of {service} that does not run"),
            Self::Drift(fields) => write!(f, "changed by hand: {}", fields.join(", ")),
            Self::Held { app, why, at } => match why {
                Some(why) => write!(f, "{app} is held: {why}, {at}"),
                None => write!(f, "{app} is held, {at}"),
            },
            Self::Stopped { by, why, until } => {
                write!(f, "stopped by {by}")?;
                why.as_ref().map_or(Ok(()), |why| write!(f, ": {why}"))?;
                let time = until.and_then(|until| jiff::Timestamp::from_second(until).ok());
                time.map_or(Ok(()), |time| write!(f, ", until {}", time.strftime("%Y-%m-%d %H:%MZ")))
            }
            Self::Down => f.write_str("taken down"),
            Self::Needs(needed) => write!(f, "it requires {needed}, which waits"),
            Self::StopFirst(what) => write!(f, "the old one stops first: {what}"),
            Self::Surplus => f.write_str("one more than the service has"),
            Self::Once(what) => write!(f, "run once: {what}"),
            Self::NoUpdate => f.write_str("this Engine cannot change that in place"),
            Self::Gone => f.write_str("the container is gone"),
            Self::Other(what) => f.write_str(what),
            Self::Theirs => f.write_str("up to date; not managed by pillarbox"),
            Self::DataLost => f.write_str("declared absent: its data is lost"),
            Self::Watched { things, does, at } => write!(f, "watch: {things} is new, so it {does} ({at})"),
            Self::OnChanges(things) => write!(f, "left as it is until {things} changes (onchanges)"),
            Self::LeftOut(why) => write!(f, "left out on this host: {why}"),
            Self::LastName(users) => {
                write!(f, "declared absent, but used by {users}; it stays until they are gone")
            }
            Self::Retained { retain: 0 } => f.write_str("no generation is kept for a rollback (retain)"),
            Self::Retained { retain: 1 } => f.write_str("more than the one version that is kept (retain)"),
            Self::Retained { retain } => {
                write!(f, "more than the {retain} versions that are kept (retain)")
            }
            Self::Awake { answers_as, compose } => {
                let who = if *compose { "by docker compose, or by hand" } else { "by hand" };
                write!(f, "kept for a rollback, but it was started {who}")?;
                answers_as.as_ref().map_or(Ok(()), |name| write!(f, ", and answers as {name}"))
            }
            Self::Startable => {
                f.write_str("kept for a rollback; docker compose could start it in its networks")
            }
            Self::ImagesKept { keep: 0 } => f.write_str("no image is kept for a rollback (images.keep)"),
            Self::ImagesKept { keep: 1 } => f.write_str("more than the one image that is kept (images.keep)"),
            Self::ImagesKept { keep } => {
                write!(f, "more than the images of {keep} versions that are kept (images.keep)")
            }
            Self::Unneeded => f.write_str("nothing needs it any more"),
            Self::Back { generation, container: true } => {
                write!(f, "back to generation {generation}: its container is started again")
            }
            Self::Back { generation, container: false } => {
                write!(
                    f,
                    "back to generation {generation}: a new container from its image, as declared today"
                )
            }
            Self::Shares { what, with, again: false } => {
                write!(f, "it has {what} of {with}, which is a new one")
            }
            Self::Shares { what, with, again: true } => {
                write!(f, "it has {what} of {with}, which ended when that was started again")
            }
        }
    }
}

impl Serialize for Cause {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}
