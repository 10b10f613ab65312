//! Generations for tests, in one line each.

use super::{Generation, Instance, State, Wanted};
use crate::desired::{Fingerprint, Spec};
use crate::name::{Digest, ImageRef};
use crate::observed::InstanceRole;
use std::collections::BTreeMap;

/// Number, version, digit of the digest, state.
pub(crate) type Row<'a> = (u64, &'a str, char, State);

/// The digest that consists of one digit.
fn digest(digit: char) -> Digest {
    Digest::parse(&format!("sha256:{}", digit.to_string().repeat(64))).expect("a digest")
}

/// `r.example.com/api` by its digest.
pub(crate) fn image(digit: char) -> ImageRef {
    ImageRef::parse(&format!("r.example.com/api@{}", digest(digit))).expect("a reference")
}

/// What containers are created from while nothing but their version changes.
fn spec() -> Fingerprint {
    Spec::default().fingerprint()
}

/// What is declared: `1.2` by its tag alone, or `1.2@c` with a digest.
pub(crate) fn wanted(said: &str) -> Wanted {
    let (tag, digit) = said.split_once('@').map_or((said, None), |(tag, digit)| (tag, digit.chars().next()));
    let image = ImageRef::parse(&format!("r.example.com/api:{tag}")).expect("a reference");
    let image = ImageRef { digest: digit.map(digest), ..image };
    Wanted { image, specs: BTreeMap::from([("api".to_owned(), Spec::default())]) }
}

/// One container `api` of each generation, or none where only the image is left; `?` is no version.
pub(crate) fn generations(rows: &[Row<'_>]) -> Vec<Generation> {
    rows.iter().map(|row| generation(*row)).collect()
}

fn generation((number, version, digit, state): Row<'_>) -> Generation {
    let role = match state {
        State::Runs | State::Down => InstanceRole::Committed,
        State::Kept | State::ImageOnly => InstanceRole::Kept,
        State::Attempt => InstanceRole::Attempt,
    };
    let instance = Instance {
        id: number.to_string(),
        name: "api".to_owned(),
        slot: "api".to_owned(),
        role,
        running: state == State::Runs,
        spec: spec(),
        fields: BTreeMap::new(),
        first_network: None,
    };
    Generation {
        number,
        version: Some(version.to_owned()).filter(|version| version != "?"),
        image: Some(image(digit).to_string()),
        created: None,
        state,
        instances: if state == State::ImageOnly { Vec::new() } else { vec![instance] },
        tasks: BTreeMap::new(),
        ended: None,
    }
}
