//! A Compose file on a real Engine.

use crate::harness::Bed;
