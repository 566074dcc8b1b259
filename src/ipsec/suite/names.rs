//! What an algorithm is called in each key dialect.

/// Whose names are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Vocabulary {
    /// Wireshark's `esp_sa` table; strongSwan writes it too.
    Wireshark,
    /// The Linux kernel's crypto API, as `ip xfrm state` prints it.
    Xfrm,
    /// This tool's own key file.
    Toml,
    /// tcpdump's `-E`, with the names of OpenSSL.
    Tcpdump,
    /// KAME's `setkey -D`.
    Setkey,
    /// FortiOS.
    Fortios,
    /// RouterOS.
    Routeros,
    /// VPP.
    Vpp,
}

impl Vocabulary {
    /// Every dialect that has names of its own.
    pub const ALL: [Self; 8] = [
        Self::Xfrm,
        Self::Wireshark,
        Self::Toml,
        Self::Tcpdump,
        Self::Setkey,
        Self::Fortios,
        Self::Routeros,
        Self::Vpp,
    ];

    /// Its name in lists.
    pub fn name(self) -> &'static str {
        match self {
            Self::Wireshark => "esp_sa",
            Self::Xfrm => "xfrm",
            Self::Toml => "toml",
            Self::Tcpdump => "tcpdump",
            Self::Setkey => "setkey",
            Self::Fortios => "fortios",
            Self::Routeros => "routeros",
            Self::Vpp => "vpp",
        }
    }
}

/// What one algorithm is called in each dialect; a name may stand for several rows (key or ICV length
/// decides). A dialect that does not know the algorithm has no name for it.
#[derive(Debug, Clone, Copy)]
pub struct Names {
    wireshark: &'static [&'static str],
    xfrm: &'static [&'static str],
    toml: &'static [&'static str],
    tcpdump: &'static [&'static str],
    setkey: &'static [&'static str],
    fortios: &'static [&'static str],
    routeros: &'static [&'static str],
    vpp: &'static [&'static str],
}

type List = &'static [&'static str];

impl Names {
    /// No name anywhere.
    pub(super) const NONE: Self = Self {
        wireshark: &[],
        xfrm: &[],
        toml: &[],
        tcpdump: &[],
        setkey: &[],
        fortios: &[],
        routeros: &[],
        vpp: &[],
    };

    pub(super) const fn wireshark(self, names: List) -> Self {
        Self { wireshark: names, ..self }
    }

    pub(super) const fn xfrm(self, names: List) -> Self {
        Self { xfrm: names, ..self }
    }

    pub(super) const fn toml(self, names: List) -> Self {
        Self { toml: names, ..self }
    }

    pub(super) const fn tcpdump(self, names: List) -> Self {
        Self { tcpdump: names, ..self }
    }

    pub(super) const fn setkey(self, names: List) -> Self {
        Self { setkey: names, ..self }
    }

    pub(super) const fn fortios(self, names: List) -> Self {
        Self { fortios: names, ..self }
    }

    pub(super) const fn routeros(self, names: List) -> Self {
        Self { routeros: names, ..self }
    }

    pub(super) const fn vpp(self, names: List) -> Self {
        Self { vpp: names, ..self }
    }

    /// The names in one dialect, the usual one first.
    pub fn of(&self, vocabulary: Vocabulary) -> List {
        match vocabulary {
            Vocabulary::Wireshark => self.wireshark,
            Vocabulary::Xfrm => self.xfrm,
            Vocabulary::Toml => self.toml,
            Vocabulary::Tcpdump => self.tcpdump,
            Vocabulary::Setkey => self.setkey,
            Vocabulary::Fortios => self.fortios,
            Vocabulary::Routeros => self.routeros,
            Vocabulary::Vpp => self.vpp,
        }
    }

    pub(super) fn has(&self, vocabulary: Vocabulary, name: &str) -> bool {
        self.of(vocabulary).iter().any(|known| known.eq_ignore_ascii_case(name))
    }
}
