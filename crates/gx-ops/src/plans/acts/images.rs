//! Images that are never pulled come to the nodes that lack them, one node after the other.

use super::super::PlanError;
use super::super::action::{Action, Check, Effect};
use super::super::build::{Draft, WITHIN, Wanted};
use super::etcd::FACTS;
use crate::facts::{Snapshot, normal_image};
use crate::questions::images::{Options, Transfer, images};

pub(super) fn distribute(snapshot: &Snapshot, only: Option<&str>) -> Result<Wanted, PlanError> {
    let answer = images(snapshot, &Options::default());
    let only = only.map(normal_image);
    let mut wanted = Wanted::default();
    for one in &answer.wanted {
        if only.as_ref().is_none_or(|only| *only == one.image) && one.is_never_pulled {
            wanted.stand(
                format!("image {}", one.image),
                format!("on {}; missing on {}", one.present.join(", "), one.missing.join(", ")),
            );
        }
    }
    let transfers = answer.transfers.iter();
    for transfer in transfers.filter(|one| only.as_ref().is_none_or(|only| *only == one.image)) {
        steps(&mut wanted, transfer);
    }
    wanted.notes.extend(answer.notes);
    Ok(wanted)
}

fn step(title: String, place: &str, run: &[String], check: Check) -> Draft {
    Draft {
        title,
        action: Action::Ask { place: place.to_owned(), run: run.to_vec(), effect: Effect::Nothing },
        why: "pods that never pull it do not start where it is not".to_owned(),
        rollback: vec!["none is needed: an image that lies there harms nobody".to_owned()],
        check,
        within: WITHIN,
        dependants: Vec::new(),
    }
}

/// Four commands fetch it, two bring it to each node, one clears up.
fn steps(wanted: &mut Wanted, transfer: &Transfer) {
    let image = &transfer.image;
    let (fetch, rest) = transfer.commands.split_at(4.min(transfer.commands.len()));
    let said = Check::Said { what: "the checksum is OK".to_owned() };
    wanted.steps.push(step(format!("fetch {image}"), &transfer.from, fetch, said));
    for (node, commands) in transfer.to.iter().zip(rest.chunks(2)) {
        let mut commands = commands.to_vec();
        commands.push(format!("gx ops host-script | ssh {node} 'sudo sh -s' > {FACTS}/{node}.txt"));
        let check = Check::Image { node: node.clone(), image: image.clone() };
        wanted.steps.push(step(format!("bring {image} to {node}"), node, &commands, check));
    }
    let last = rest.get(transfer.to.len().saturating_mul(2)..).unwrap_or_default();
    if !last.is_empty() {
        let said = Check::Said { what: "the file is gone".to_owned() };
        wanted.steps.push(step(format!("clear up {}", transfer.from), &transfer.from, last, said));
    }
}
