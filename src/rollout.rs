//! How many hosts are changed at once: numbers of hosts and parts of them.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A number of hosts, or a part of them: `2`, `10%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Share {
    /// So many.
    Hosts(usize),
    /// So many of a hundred.
    Percent(usize),
}

/// The sizes of batches in order; the last one repeats: `1,10%,25%`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BatchSizes(Vec<Share>);

impl Share {
    /// So many of `all`, rounded down.
    pub fn of(self, all: usize) -> usize {
        match self {
            Self::Hosts(count) => count,
            Self::Percent(percent) => all.saturating_mul(percent) / 100,
        }
    }

    fn is_none(self) -> bool {
        matches!(self, Self::Hosts(0) | Self::Percent(0))
    }
}

impl BatchSizes {
    /// Hosts in the batch of a number, from 0; at least one.
    pub fn of(&self, batch: usize, all: usize) -> usize {
        let share = self.0.get(batch).or(self.0.last()).copied().unwrap_or(Share::Hosts(1));
        share.of(all).max(1)
    }
}

impl BatchSizes {
    /// One batch.
    pub fn all_at_once() -> Self {
        Self(vec![Share::Percent(100)])
    }
}

impl Default for BatchSizes {
    /// One host, which shows whether it goes well; then a tenth; then quarters.
    fn default() -> Self {
        Self(vec![Share::Hosts(1), Share::Percent(10), Share::Percent(25)])
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (digits, percent) = match text.strip_suffix('%') {
            Some(digits) => (digits, true),
            None => (text, false),
        };
        let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        match (plain, digits.parse(), percent) {
            (true, Ok(count), false) => Ok(Self::Hosts(count)),
            (true, Ok(count), true) if count <= 100 => Ok(Self::Percent(count)),
            _ => Err(format!("`{}` is no number of hosts, such as 2 or 10%", crate::problem::escaped(text))),
        }
    }
}

impl FromStr for BatchSizes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let shares: Vec<Share> =
            text.split(',').map(|part| part.trim().parse()).collect::<Result<_, String>>()?;
        match shares.iter().any(|share| share.is_none()) {
            true => Err("a batch has at least one host".to_owned()),
            false => Ok(Self(shares)),
        }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hosts(count) => write!(f, "{count}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl fmt::Display for BatchSizes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shares: Vec<String> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&shares.join(","))
    }
}

impl TryFrom<String> for Share {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl TryFrom<String> for BatchSizes {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Share> for String {
    fn from(share: Share) -> Self {
        share.to_string()
    }
}

impl From<BatchSizes> for String {
    fn from(sizes: BatchSizes) -> Self {
        sizes.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_grow_and_the_last_one_repeats() {
        let sizes = BatchSizes::default();
        assert_eq!(sizes.to_string(), "1,10%,25%");
        assert_eq!((0..4).map(|batch| sizes.of(batch, 1000)).collect::<Vec<_>>(), [1, 100, 250, 250]);
        assert_eq!((0..4).map(|batch| sizes.of(batch, 4)).collect::<Vec<_>>(), [1, 1, 1, 1]);
        assert_eq!("100%".parse::<BatchSizes>().expect("sizes").of(0, 7), 7);
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for wrong in ["", "0", "1,", "1,,2", "0%", "101%", "-1", "+1", "1.5", "10 %", "%", "many", "1;2"] {
            assert!(wrong.parse::<BatchSizes>().is_err(), "{wrong}");
        }
        assert_eq!("1, 10%".parse::<BatchSizes>().expect("sizes").to_string(), "1,10%");
        assert_eq!("0".parse::<Share>().expect("a share").of(10), 0);
    }
}
