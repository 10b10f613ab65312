//! Names that come from outside, parsed once: registry hosts, image references, key paths, helpers, and the
//! names of hosts, workspaces, readers and containers.

mod folded;
mod helper;
mod idn;
mod image;
mod key;
mod owner;
mod ranges;
mod registry;
mod volume;
mod word;

pub use folded::folded;
pub use helper::HelperName;
pub use idn::punycode;
pub use image::{Digest, ImageName, ImageRef};
pub use key::KeyPath;
pub use owner::{Owner, WorkspaceId};
pub use ranges::{in_ranges, ranges};
pub use registry::RegistryHost;
pub use volume::{is_anonymous, short_volume};
pub use word::{ContainerName, HostName, ReaderName, WorkspaceName};
