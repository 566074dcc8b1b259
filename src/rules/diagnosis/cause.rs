//! The causes that a verdict may name: each is declared once, in the file of its stage.

use super::stage::Stage;
use super::{
    authentication, call, child_sa, control_connection, end, esp, general, ike, keepalive, lcp, network,
    path, traffic,
};

/// What stops an attempt to connect, or troubles it.
#[derive(Debug)]
pub struct Cause {
    /// Its stable id, such as `no-sccrp`.
    pub id: &'static str,
    /// Where it stops the attempt.
    pub stage: Stage,
    /// What it means, how it is found, its usual causes.
    pub doc: &'static str,
    /// It is found by what is not there: packets that were left out may have it.
    pub absence: bool,
}

/// Declares the causes of one stage. The doc comment of a cause is what `--explain` prints; `absent` marks those that are
/// found by what is not there.
macro_rules! causes {
    ($stage:ident: $($(#[doc = $doc:literal])+ $name:ident = $id:literal $(, $absent:ident)?;)+) => {
        $(
            $(#[doc = $doc])+
            pub(super) static $name: $crate::rules::diagnosis::Cause = $crate::rules::diagnosis::Cause {
                id: $id,
                stage: $crate::rules::diagnosis::Stage::$stage,
                doc: concat!($($doc, "\n"),+),
                absence: causes!(@ $($absent)?),
            };
        )+
        pub(super) static CAUSES: &[&$crate::rules::diagnosis::Cause] = &[$(&$name),+];
    };
    (@ absent) => { true };
    (@) => { false };
}
pub(super) use causes;

static ALL: &[&[&Cause]] = &[
    path::CAUSES,
    ike::CAUSES,
    child_sa::CAUSES,
    esp::CAUSES,
    control_connection::CAUSES,
    call::CAUSES,
    lcp::CAUSES,
    authentication::CAUSES,
    network::CAUSES,
    traffic::CAUSES,
    keepalive::CAUSES,
    end::CAUSES,
    general::CAUSES,
];

/// All causes, from the lowest stage up.
pub fn all() -> impl Iterator<Item = &'static Cause> {
    ALL.iter().flat_map(|causes| causes.iter().copied())
}

/// Whether a cause is found by what is not there.
pub(super) fn is_absence(id: &str) -> bool {
    all().any(|cause| cause.id == id && cause.absence)
}
