//! What the tests of dissectors share.

use crate::field::{Bound, Cursor, Nothing};

use super::layers::Layers;
use super::{Next, Step};

/// Runs a dissector over `bytes` and says in words what it returned.
pub(crate) fn step(
    bytes: &[u8],
    dissect: impl Fn(&mut Cursor<'_, '_, Nothing>, &mut Layers) -> Step,
) -> String {
    match run(bytes, &dissect, &mut Layers::default()) {
        Ok(Next::Payload { protocol, start, end, cut }) => {
            format!("Payload {protocol:?} {start}..{end}{}", if cut { " cut" } else { "" })
        }
        Ok(Next::Fragment { piece, .. }) => {
            format!("Fragment {} {}", piece.offset, if piece.more { "more" } else { "last" })
        }
        Ok(other) => format!("{other:?}"),
        Err(s) => format!("Short {} needs {}, has {} at {}", s.field.name, s.needed, s.available, s.offset),
    }
}

/// The layers after a dissector ran over `bytes`; all shorter lengths are tried too and must not panic.
pub(crate) fn layers_of(
    bytes: &[u8],
    dissect: impl Fn(&mut Cursor<'_, '_, Nothing>, &mut Layers) -> Step,
) -> Layers {
    for len in 0..bytes.len() {
        let _ = run(&bytes[..len], &dissect, &mut Layers::default());
    }
    let mut layers = Layers::default();
    let _ = run(bytes, &dissect, &mut layers);
    layers
}

/// The AVPs of a control message whose body is `bytes`; all shorter lengths are tried too and must not panic.
pub(crate) fn control_of(bytes: &[u8]) -> super::layers::Control {
    let read = |bytes: &[u8]| {
        let mut tree = crate::field::Tree::default();
        super::avp::dissect(&mut Cursor::new(bytes, 0, 0, Bound::Capture, false, &mut tree), None)
    };
    for len in 0..bytes.len() {
        read(&bytes[..len]);
    }
    read(bytes)
}

fn run(
    bytes: &[u8],
    dissect: &impl Fn(&mut Cursor<'_, '_, Nothing>, &mut Layers) -> Step,
    layers: &mut Layers,
) -> Step {
    let mut nothing = Nothing;
    dissect(&mut Cursor::new(bytes, 0, 0, Bound::Capture, false, &mut nothing), layers)
}
