//! `network.present`, `network.absent`, `volume.present` and `volume.absent`.

use super::{Checked, Draft};
use crate::desired::fields::Fields;
use crate::desired::{Address, Item, Kind, Requisites, ResourceWish, Wish, network, volume};
use crate::problem::{Problem, Result, escaped};
use crate::state::{Arg, ArgValue, Function};

/// Networks that every Engine has, and words that are not networks.
const NO_NETWORKS: [&str; 4] = ["bridge", "default", "host", "none"];

/// Prefixes of volume names that are reserved for pillarbox.
const OUR_VOLUMES: [&str; 2] = ["pillarbox-adopted.", "pillarbox-lock."];

/// An item for each declaration.
pub(super) fn drafts(checked: &[Checked], problems: &mut Vec<Problem>) -> Vec<Draft> {
    checked.iter().filter_map(|checked| draft(checked, problems)).collect()
}

fn draft(checked: &Checked, problems: &mut Vec<Problem>) -> Option<Draft> {
    let kind = match checked.function() {
        Function::NetworkPresent | Function::NetworkAbsent => Kind::Network,
        Function::VolumePresent | Function::VolumeAbsent => Kind::Volume,
        _ => return None,
    };
    let name = checked.common.name.as_ref()?;
    if let Err(found) = name_of(kind, name) {
        let place = checked.arg("name").map_or(&checked.declaration.place, |arg| &arg.place);
        problems.extend(found.map(|problem| problem.at(place)).into_vec());
        return None;
    }
    let before = problems.len();
    let name = name.clone();
    let wish = match checked.function() {
        Function::NetworkPresent => Wish::Network(Box::new(ResourceWish::new(
            name.clone(),
            &fields(checked, network::fields, problems),
        ))),
        Function::VolumePresent => Wish::Volume(Box::new(ResourceWish::new(
            name.clone(),
            &fields(checked, volume::fields, problems),
        ))),
        Function::NetworkAbsent => Wish::NetworkAbsent { name: name.clone() },
        _ => Wish::VolumeAbsent { name: name.clone() },
    };
    let (address, declared) = (Address { kind, name }, vec![checked.declared()]);
    let requisites = Requisites::default();
    let item = Item { address, wish, declared, needs: Vec::new(), gate: None, requisites };
    (problems.len() == before).then(|| Draft::new(item, &[checked]))
}

fn fields<'a>(
    checked: &'a Checked<'_>,
    read: impl Fn(Vec<(&'a str, &'a Arg)>, &mut Vec<Problem>) -> Fields,
    problems: &mut Vec<Problem>,
) -> Fields {
    let args = checked.declaration.args.iter();
    // A secret where none may end was reported when the arguments were checked.
    let clear = args.filter(|(_, arg)| arg.value != ArgValue::Unset && arg.first_with_secret().is_none());
    read(clear.map(|(name, arg)| (name.as_str(), arg)).collect(), problems)
}

fn name_of(kind: Kind, name: &str) -> Result<()> {
    let first = name.bytes().next().is_some_and(|b| b.is_ascii_alphanumeric());
    let plain = first && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'));
    let shown = escaped(name);
    if kind == Kind::Network {
        if NO_NETWORKS.contains(&name) {
            let what = format!("the network {shown} exists on every Engine and is not managed by pillarbox");
            return Err(Problem::failed(what).into());
        }
        if !plain {
            return Err(Problem::failed(format!("`{shown}` is not a network name")).into());
        }
        return Ok(());
    }
    if OUR_VOLUMES.iter().any(|beginning| name.starts_with(beginning)) {
        let what = format!(
            "the volume {shown} is reserved: pillarbox uses it to lock hosts, or to record what was adopted"
        );
        return Err(Problem::failed(what).hint("give the volume another name").into());
    }
    if !plain || name.len() < 2 {
        let problem = Problem::failed(format!("`{shown}` is not a volume name"));
        return Err(problem.hint("use two or more letters, digits, `_`, `.` and `-`").into());
    }
    Ok(())
}
