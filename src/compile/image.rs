//! `image.pulled` and `image.absent`.

use super::{Checked, Draft, gate};
use crate::desired::{Address, DesiredState, Gated, Item, Kind, PullPolicy, Requisites, read};
use crate::name::ImageRef;
use crate::pillar::gate::Gates;
use crate::plan::KEEP;
use crate::problem::{Place, Problem, Result};
use crate::state::Function;
use std::collections::{BTreeMap, BTreeSet};

/// One item for each image reference.
pub(super) fn drafts(checked: &[Checked], gates: &Gates, problems: &mut Vec<Problem>) -> Vec<Draft> {
    let mut by_image: BTreeMap<ImageRef, (Option<Gated>, Vec<&Checked>)> = BTreeMap::new();
    for checked in checked {
        if !matches!(checked.function(), Function::ImagePulled | Function::ImageAbsent) {
            continue;
        }
        let (image, gate) = if checked.arg("gate").is_some() {
            let Some((image, gate, _)) = gate::named(checked, gates, &["name", "tag"], problems) else {
                continue;
            };
            (image, Some(gate))
        } else {
            match reference(checked) {
                Ok(Some(image)) => gate::behind(image, &lines(checked), gates),
                Ok(None) => continue,
                Err(found) => {
                    problems.extend(found.into_vec());
                    continue;
                }
            }
        };
        let entry = by_image.entry(image).or_default();
        entry.0 = entry.0.take().or_else(|| gate.map(gate::gated));
        entry.1.push(checked);
    }
    by_image.into_iter().map(|(image, (gate, from))| draft(image, gate, &from, problems)).collect()
}

/// The pillar values that a reference was put together from.
fn lines(checked: &Checked) -> Vec<Place> {
    let args = [checked.arg("name"), checked.arg("tag")];
    args.into_iter().flatten().flat_map(|arg| arg.read.iter().cloned()).collect()
}

/// The image that a declaration names; `None` if that failed before.
fn reference(checked: &Checked) -> Result<Option<ImageRef>> {
    let Some(name) = &checked.common.name else { return Ok(None) };
    let place = checked.arg("name").map_or(&checked.declaration.place, |arg| &arg.place);
    if checked.declaration.unread.contains("tag") {
        return Ok(None);
    }
    let Some(tag) = checked.arg("tag") else { return parsed(name, place).map(Some) };
    let written = read::word("tag", tag)?;
    ImageRef::check_tag(&written).map_err(|found| found.map(|problem| problem.at(&tag.place)))?;
    let mut image = parsed(name, place)?;
    let has_tag =
        name.rsplit('/').next().is_some_and(|last| last.split('@').next().unwrap_or_default().contains(':'));
    if has_tag && image.tag.as_deref() != Some(written.as_str()) {
        return Err(Problem::failed("`name` and `tag` name different tags").at(&tag.place).into());
    }
    image.tag = Some(written);
    Ok(Some(image))
}

/// Images that containers mount are pulled like those that they are created from: the Engine pulls none of them.
pub(super) fn mounted(drafts: &mut Vec<Draft>) {
    let mut there: BTreeSet<Address> = drafts.iter().map(|draft| draft.item.address.clone()).collect();
    let mut more = Vec::new();
    for draft in drafts.iter_mut() {
        let Some(container) = draft.item.want.container().filter(|want| want.pull == PullPolicy::Missing)
        else {
            continue;
        };
        for image in container.mounted_images() {
            let address = Address { kind: Kind::Image, name: image.to_string() };
            draft.after.push(address.clone());
            if there.insert(address.clone()) {
                let want = DesiredState::ImagePulled { image, force: false };
                let (declared, needs, requisites) = (Vec::new(), Vec::new(), Requisites::default());
                let item = Item { address, want, declared, needs, gate: None, requisites };
                more.push(Draft { order: draft.order, index: draft.index, ..Draft::new(item, &[]) });
            }
        }
    }
    drafts.extend(more);
}

/// An image reference at a place.
pub(super) fn parsed(text: &str, place: &Place) -> Result<ImageRef> {
    ImageRef::parse(text).map_err(|found| found.map(|problem| problem.at(place)))
}

fn draft(image: ImageRef, gate: Option<Gated>, from: &[&Checked], problems: &mut Vec<Problem>) -> Draft {
    let of = |function| from.iter().find(|checked| checked.function() == function);
    let (pulled, absent) = (of(Function::ImagePulled), of(Function::ImageAbsent));
    if let (Some(pulled), Some(absent)) = (pulled, absent) {
        let what = format!("image {image} is declared both pulled and absent");
        let place = &absent.declaration.place;
        problems.push(
            Problem::failed(what).at(place).cause(format!("pulled is in {}", pulled.declaration.place)),
        );
    }
    let mut force = false;
    for arg in from.iter().filter_map(|checked| checked.arg("force")) {
        match read::boolean("force", arg) {
            Ok(truth) => force = force || truth,
            Err(found) => problems.extend(found.into_vec()),
        }
    }
    if absent.is_some() && image.name.host().as_str() == KEEP {
        let what =
            format!("image {image} is a tag of pillarbox, which keeps an image that it may go back to");
        let place = absent.map(|absent| absent.declaration.place.clone());
        problems.push(Problem { place, ..Problem::failed(what) });
    }
    let address = Address { kind: Kind::Image, name: image.to_string() };
    let want = match absent {
        Some(_) => DesiredState::ImageAbsent { image },
        None => DesiredState::ImagePulled { image, force },
    };
    let requisites = Requisites::default();
    let declared = from.iter().map(|checked| checked.declared()).collect();
    Draft::new(Item { address, want, declared, needs: Vec::new(), gate, requisites }, from)
}
