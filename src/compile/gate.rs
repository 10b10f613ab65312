//! The gate of a declaration: the one that it names (`gate = "api"`), or the one whose version is part of its
//! image (`{{ pillar.deploy.api.version }}`). In both cases the gate's digest pins the image
//! and its hold counts.

use super::Checked;
use crate::desired::{Gated, read};
use crate::name::ImageRef;
use crate::pillar::gate::{Gate, Gates};
use crate::problem::{Place, Problem, escaped, quoted};

/// The image that the gate named by a declaration says, with the lines behind it; `None` if it names
/// none, or it is wrong, which is reported. `besides` are arguments that would say the same.
pub(super) fn named<'g>(
    checked: &Checked,
    gates: &'g Gates,
    besides: &[&str],
    problems: &mut Vec<Problem>,
) -> Option<(ImageRef, &'g Gate, Vec<Place>)> {
    let arg = checked.arg("gate").filter(|arg| arg.first_with_secret().is_none())?;
    for other in besides.iter().filter(|name| checked.arg(name).is_some()) {
        let what = format!("`gate` and `{other}` both name the image that it is created from");
        problems.push(Problem::failed(what).at(&arg.place).hint("keep one of them"));
    }
    let app = match read::word("gate", arg) {
        Ok(app) => app,
        Err(found) => {
            problems.extend(found.into_vec());
            return None;
        }
    };
    let gate = match gates.get(&app) {
        Some(Ok(gate)) => gate,
        // Errors of gates are reported once.
        Some(Err(_)) => return None,
        None => {
            let problem = Problem::failed(format!("this host has no gate `{}`", escaped(&app)))
                .at(&arg.place)
                .nearest(&app, gates.apps())
                .hint(format!("make it: pillarbox gate set {} VERSION --image REGISTRY/NAME", quoted(&app)));
            problems.push(problem);
            return None;
        }
    };
    match gate.reference() {
        Ok(image) => {
            let places = [
                gate.image.as_ref().map(|said| &said.place),
                gate.version
                    .as_ref()
                    .map(|said| &said.place)
                    .or(gate.digest.as_ref().map(|said| &said.place)),
            ];
            let lines = places.into_iter().flatten().chain([&arg.place]).cloned().collect();
            Some((image, gate, lines))
        }
        Err(found) => {
            problems.extend(
                found.map(|problem| problem.cause(format!("it is named in {}", arg.place))).into_vec(),
            );
            None
        }
    }
}

/// An image that was written out, pinned by the gate whose version it was put together from; `lines` are
/// the pillar values that it read.
pub(super) fn behind<'g>(image: ImageRef, lines: &[Place], gates: &'g Gates) -> (ImageRef, Option<&'g Gate>) {
    let is_tag = |gate: &Gate| gate.version.as_ref().map(|said| &said.value) == image.tag.as_ref();
    // Two gates on one line are distinguished by their values.
    let found = gates.on_lines(lines).max_by_key(|gate| is_tag(gate));
    let Some(gate) = found else { return (image, None) };
    let same_name = gate.image.as_ref().is_none_or(|said| said.value == image.name);
    let pin = gate.digest.as_ref().filter(|_| image.digest.is_none() && is_tag(gate) && same_name);
    match pin {
        Some(digest) => (image.pinned(&digest.value), Some(gate)),
        None => (image, Some(gate)),
    }
}

/// What an item says of its gate.
pub(super) fn gated(gate: &Gate) -> Gated {
    Gated { app: gate.app.clone(), hold: gate.hold.clone() }
}
