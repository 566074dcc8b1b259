//! Why nothing can be captured on an interface, and what to do about it.

use crate::util::{Printable, nearest};

/// Why there is no capture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// The system has no interface of this name.
    #[error("{name}: no such interface")]
    Unknown {
        /// The name.
        name: Printable,
        /// The one that may be meant.
        near: Option<Printable>,
    },
    /// The caller may not capture.
    #[error("{name}: no permission to capture")]
    Permission {
        /// The interface.
        name: Printable,
        /// What libpcap says.
        reason: Printable,
    },
    /// The interface is not up.
    #[error("{name}: the interface is not up")]
    Down {
        /// The interface.
        name: Printable,
    },
    /// libpcap refuses for some other reason.
    #[error("{name}: cannot capture: {reason}")]
    Refused {
        /// The interface.
        name: Printable,
        /// What libpcap says.
        reason: Printable,
    },
    /// A filter that libpcap does not accept on this interface.
    #[error("capture filter \"{filter}\": {reason}")]
    Filter {
        /// The filter.
        filter: Printable,
        /// What libpcap says.
        reason: Printable,
    },
    /// The system does not tell its interfaces.
    #[error("cannot list the interfaces: {0}")]
    List(Printable),
    /// More than [`MOST_DEVICES`](super::MOST_DEVICES).
    #[error("more than {} interfaces", super::MOST_DEVICES)]
    TooMany,
}

impl LiveError {
    /// What the user can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unknown { near: Some(near), .. } => Some(format!("did you mean {near}? -D lists all")),
            Self::Unknown { .. } => Some(String::from("l2tp-inspect -D lists the interfaces")),
            Self::Permission { .. } => Some(String::from(
                "sudo l2tp-inspect …, or once: sudo setcap cap_net_raw+ep $(command -v l2tp-inspect)",
            )),
            Self::Down { name } => Some(format!("sudo ip link set {name} up")),
            Self::TooMany => Some(String::from("-i any captures on all")),
            _ => None,
        }
    }
}

/// libpcap's words alone.
pub(super) fn words(error: pcap::Error) -> Printable {
    Printable::from_text(&match error {
        pcap::Error::PcapError(words) => words,
        other => other.to_string(),
    })
}

/// Why an interface cannot be opened. What libpcap says differs from version to version, so the system is asked first.
pub(super) fn opening(name: &str, error: pcap::Error) -> LiveError {
    let (shown, reason) = (Printable::from_text(name), words(error));
    let says = |word: &str| reason.as_str().to_ascii_lowercase().contains(word);
    if says("permi") {
        return LiveError::Permission { name: shown, reason };
    }
    let known = pcap::Device::list().unwrap_or_default();
    let names = || known.iter().map(|device| device.name.as_str());
    match known.iter().find(|device| device.name == name) {
        None if !known.is_empty() => {
            let near = nearest(name, names()).map(Printable::from_text);
            LiveError::Unknown { name: shown, near }
        }
        _ if says("not up") || says("network is down") => LiveError::Down { name: shown },
        _ => LiveError::Refused { name: shown, reason },
    }
}
