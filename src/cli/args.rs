//! Every option, once: help, man page and completions come from here.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::check::Level;
use crate::rules::Profile;

/// Dissects captures of L2TP over IPsec, follows every control connection and call, and says what is wrong.
#[derive(Debug, Parser)]
#[command(
    name = "l2tp-inspect",
    version = VERSION,
    disable_version_flag = true,
    max_term_width = 100,
    override_usage = "l2tp-inspect [OPTIONS] [FILE]...\n       l2tp-inspect [OPTIONS] -i IFACE [BPF]...",
    after_help = "Exit: 0 done, 1 findings at or above --fail-on, 2 could not run, 3 the capture is damaged or cut short."
)]
pub struct Args {
    /// Capture files: pcap or pcapng, plain or .gz .zst .lz4; - is standard input
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// The same as FILE, as in tcpdump and tshark
    #[arg(short = 'r', long = "read", value_name = "FILE", help_heading = "Input")]
    pub read: Vec<PathBuf>,

    /// Capture on this interface, until Ctrl-C; any is all of them; may be given several times. Words behind the
    /// options are the capture filter, as in tcpdump
    #[arg(short = 'i', long, value_name = "IFACE", conflicts_with = "read", help_heading = "Input")]
    pub interface: Vec<String>,

    /// List the interfaces (name, state, addresses, description) and exit
    #[arg(short = 'D', long, exclusive = true, help_heading = "Input")]
    pub list_interfaces: bool,

    /// Only packets that pass this libpcap filter, such as 'host 10.1.0.2' (on an interface, by default: IKE,
    /// ESP, AH, L2TP, later fragments and ICMP errors, with VLAN tags too)
    #[arg(short = 'f', long, value_name = "BPF", help_heading = "Input")]
    pub capture_filter: Option<String>,

    /// Stop after N packets of each file, or of the capture
    #[arg(short, long, value_name = "N", help_heading = "Input")]
    pub count: Option<u64>,

    /// End the capture after duration:SECONDS, packets:N, filesize:KB or files:N; may be given several times
    #[arg(short = 'a', long, value_name = "CONDITION", requires = "interface", help_heading = "Input")]
    pub autostop: Vec<String>,

    /// Capture only so many octets of each packet (0: all, the default)
    #[arg(short = 's', long, value_name = "OCTETS", requires = "interface", help_heading = "Input",
          value_parser = clap::value_parser!(u32).range(0..=262_144))]
    pub snaplen: Option<u32>,

    /// Capture only what is for this machine
    #[arg(short = 'p', long, requires = "interface", help_heading = "Input")]
    pub no_promiscuous: bool,

    /// The kernel's buffer for each interface in MiB (default: 16)
    #[arg(short = 'B', long, value_name = "MIB", requires = "interface", help_heading = "Input",
          value_parser = clap::value_parser!(u32).range(1..=2047))]
    pub buffer_size: Option<u32>,

    /// SA keys, found by content: `ip xfrm state`, Wireshark esp_sa, setkey -D, tcpdump -E, FortiOS, RouterOS, VPP,
    /// TOML; a file, a strongSwan save-keys directory, or - for standard input; may be given several times
    #[arg(short, long, value_name = "PATH", help_heading = "Keys and secrets")]
    pub keys: Vec<PathBuf>,

    /// With -i: run COMMAND (without a shell), such as 'ip xfrm state', for keys: once at the start, and again when an SA
    /// without a key appears, so that rekeys are followed
    #[arg(long, value_name = "COMMAND", requires = "interface", help_heading = "Keys and secrets")]
    pub keys_command: Option<String>,

    /// tshark's -o 'uat:esp_sa:…': one SA as a line of Wireshark's table (others can see it while this runs)
    #[arg(short = 'o', value_name = "PREFERENCE", help_heading = "Keys and secrets")]
    pub preferences: Vec<String>,

    /// List the SAs of all key files (SPI, ends, algorithms, where they stand, packets opened), never the keys
    #[arg(long, group = "view", help_heading = "Keys and secrets")]
    pub list_keys: bool,

    /// Tunnel secrets and users' passwords (TOML: [[tunnel]] secret = "…"; [[user]] name = "…", password = "…"): hidden
    /// AVPs are read, authentication is proved
    #[arg(long, value_name = "FILE", help_heading = "Keys and secrets")]
    pub secrets: Option<PathBuf>,

    /// Do not mask passwords and values of hidden AVPs (keys are never shown)
    #[arg(long, help_heading = "Keys and secrets")]
    pub show_secrets: bool,

    /// What a UDP port carries, such as udp.port==1702,l2tp (or isakmp, udpencap); may be given several times
    #[arg(short = 'd', long = "decode-as", value_name = "PORT,PROTOCOL", help_heading = "Which packets")]
    pub decode_as: Vec<String>,

    /// Do not resolve names (never done; accepted for habit)
    #[arg(short = 'n', help_heading = "Which packets")]
    pub no_names: bool,

    /// Only packets that pass this display filter, in tshark's language, such as 'l2tp.tunnel == 7 and not ppp'
    #[arg(short = 'Y', long = "filter", value_name = "EXPR", help_heading = "Which packets")]
    pub filter: Option<String>,

    /// Only packets of this control connection, such as T1, as the report names it
    #[arg(long, value_name = "ID", help_heading = "Which packets")]
    pub tunnel: Option<String>,

    /// Only packets of this call, such as C1, as the report names it
    #[arg(long, value_name = "ID", help_heading = "Which packets")]
    pub call: Option<String>,

    /// A line for each packet
    #[arg(short = 'P', long, conflicts_with = "view", help_heading = "What to show")]
    pub packets: bool,

    /// Every field of every packet, and how far the packet could be taken apart
    #[arg(short = 'V', long, conflicts_with = "view", help_heading = "What to show")]
    pub details: bool,

    /// The octets of each packet, decrypted and reassembled ones too
    #[arg(short = 'x', long, conflicts_with = "view", help_heading = "What to show")]
    pub hex: bool,

    /// The report: tables, ladder, findings, verdict (default)
    #[arg(long, group = "view", help_heading = "What to show")]
    pub summary: bool,

    /// Only the ladders, complete
    #[arg(long, group = "view", help_heading = "What to show")]
    pub ladder: bool,

    /// Only the findings
    #[arg(long, group = "view", help_heading = "What to show")]
    pub findings: bool,

    /// What differs between this capture and another one, message by message (keys and secrets serve both); with
    /// --check exit with 1 if anything does
    #[arg(long, value_name = "OTHER", group = "view", help_heading = "What to show")]
    pub diff: Option<PathBuf>,

    /// Only the verdict line
    #[arg(short, long, group = "view", help_heading = "What to show")]
    pub quiet: bool,

    /// How to write it
    #[arg(
        short = 'T',
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "How to write it"
    )]
    pub format: Format,

    /// With -T fields or csv: a column with this field, such as l2tp.tunnel; may be given several times
    #[arg(short = 'e', long = "field", value_name = "NAME", help_heading = "How to write it")]
    pub fields: Vec<String>,

    /// With -T fields: header=y, separator=, (/t, /s), occurrence=f|l|a, aggregator=, quote=d|s|n, escape=n, bom=y; or
    /// keys as for tcpdump: SPI@ADDRESS ALGORITHM:KEY, or 'file NAME' (others can see a key on the command line)
    #[arg(short = 'E', value_name = "NAME=VALUE", help_heading = "How to write it")]
    pub layout: Vec<String>,

    /// Time of packets: r since the first, d since the one before, a or ad local, u or ud UTC (d: with date), e epoch
    #[arg(
        short = 't',
        long = "time",
        value_name = "FORMAT",
        default_value = "r",
        hide_possible_values = true,
        help_heading = "How to write it"
    )]
    pub time: Time,

    /// Write out after each packet
    #[arg(short = 'l', help_heading = "How to write it")]
    pub flush: bool,

    /// When to use colour
    #[arg(long, value_name = "WHEN", default_value = "auto", help_heading = "How to write it")]
    pub color: Color,

    /// Draw with ASCII characters only
    #[arg(long, help_heading = "How to write it")]
    pub ascii: bool,

    /// Columns to use (default: the terminal's, else 100)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(40..=400),
          help_heading = "How to write it")]
    pub width: Option<u16>,

    /// Exit with 1 at this verdict, or at a finding of this level or above (--check: all three verdicts, certain errors)
    #[arg(long, value_name = "LEVEL", value_delimiter = ',', help_heading = "Rules and CI")]
    pub fail_on: Vec<Level>,

    /// Count only findings that nothing could explain away
    #[arg(long, help_heading = "Rules and CI")]
    pub certain: bool,

    /// Compare with expectations (the = is required), print what differs, and exit with 1 if anything does
    #[arg(long, value_name = "EXPECT.toml", num_args = 0..=1, require_equals = true, default_missing_value = "",
          help_heading = "Rules and CI")]
    pub check: Option<std::ffi::OsString>,

    /// Record this capture as the expectation
    #[arg(long, value_name = "FILE", conflicts_with = "check", help_heading = "Rules and CI")]
    pub write_expect: Option<PathBuf>,

    /// Only these rules: ids or families, such as hello,seq-gap
    #[arg(long, value_name = "RULES", help_heading = "Rules and CI")]
    pub select: Vec<String>,

    /// Not these rules
    #[arg(long, value_name = "RULES", help_heading = "Rules and CI")]
    pub ignore: Vec<String>,

    /// How bad a rule or family is: off, note, warning or error
    #[arg(long, value_name = "RULE=LEVEL", help_heading = "Rules and CI")]
    pub severity: Vec<String>,

    /// Known habits of real stacks are notes (interop), or what the RFCs say (strict)
    #[arg(
        long,
        value_name = "PROFILE",
        default_value = "interop",
        hide_possible_values = true,
        help_heading = "Rules and CI"
    )]
    pub profile: Profile,

    /// Explain a rule, such as seq-gap, and exit
    #[arg(long, value_name = "RULE", exclusive = true, help_heading = "Rules and CI")]
    pub explain: Option<String>,

    /// List all rules and exit
    #[arg(long, exclusive = true, help_heading = "Rules and CI")]
    pub list_rules: bool,

    /// List all fields (name, type, description, where defined) and exit
    #[arg(long, exclusive = true, help_heading = "Rules and CI")]
    pub list_fields: bool,

    /// List all protocols and exit
    #[arg(long, exclusive = true, help_heading = "Rules and CI")]
    pub list_protocols: bool,

    /// List all algorithms of ESP (name, kind, key and ICV in octets, RFC, names in the key dialects) and exit
    #[arg(long, exclusive = true, help_heading = "Rules and CI")]
    pub list_algorithms: bool,

    /// Write the packets that pass -f, -c, -Y, --tunnel and --call to a pcapng file, as they were captured; - is
    /// standard output
    #[arg(short, long, value_name = "FILE", help_heading = "Write packets")]
    pub write: Option<PathBuf>,

    /// Write the same packets with ESP removed to a pcapng file: any tool reads it without keys
    #[arg(long, value_name = "FILE", help_heading = "Write packets")]
    pub write_decrypted: Option<PathBuf>,

    /// How far to peel them: the IP packets without ESP; of those only L2TP; the PPP frames; the users' IP packets
    #[arg(
        long,
        value_name = "LAYER",
        default_value = "ip",
        requires = "write_decrypted",
        help_heading = "Write packets"
    )]
    pub layer: Layer,

    /// Write the SAs of all key files, with their keys, to a file for Wireshark's esp_sa table
    #[arg(long, value_name = "FILE", help_heading = "Write packets")]
    pub export_esp_sa: Option<PathBuf>,

    /// With -i and -w: begin the next file after duration:SECONDS, filesize:KB or packets:N, and keep files:N of them;
    /// may be given several times
    #[arg(
        short = 'b',
        long,
        value_name = "CONDITION",
        requires = "interface",
        help_heading = "Write packets"
    )]
    pub ring_buffer: Vec<String>,

    /// Replace files that exist
    #[arg(long, help_heading = "Write packets")]
    pub force: bool,

    /// Control connections that are followed at once
    #[arg(long, value_name = "N", default_value_t = 65_536, value_parser = in_memory(),
          help_heading = "Limits and safety")]
    pub max_tunnels: u32,

    /// Calls that are followed
    #[arg(long, value_name = "N", default_value_t = 131_072, value_parser = in_memory(),
          help_heading = "Limits and safety")]
    pub max_calls: u32,

    /// With -i, as root: become this user once the interface is open (default: the caller of sudo, else nobody)
    #[arg(
        long,
        value_name = "NAME",
        requires = "interface",
        conflicts_with = "keep_privileges",
        help_heading = "Limits and safety"
    )]
    pub user: Option<String>,

    /// With -i: keep the privileges of the caller while packets of strangers are read
    #[arg(long, requires = "interface", help_heading = "Limits and safety")]
    pub keep_privileges: bool,

    /// With -i: what was counted as a page for Prometheus, on 127.0.0.1:9701 or this address
    #[arg(
        long,
        value_name = "ADDRESS",
        num_args = 0..=1,
        require_equals = true,
        default_missing_value = "127.0.0.1:9701",
        requires = "interface",
        help_heading = "Output"
    )]
    pub metrics: Option<String>,

    /// Print version
    #[arg(long, action = clap::ArgAction::Version)]
    pub version: Option<bool>,
}

/// What `--version` says.
const VERSION: &str = if cfg!(feature = "live") {
    env!("CARGO_PKG_VERSION")
} else {
    concat!(env!("CARGO_PKG_VERSION"), " (without libpcap: no -i, no -f)")
};

/// Limits above this would not fit into the memory of any machine in use.
fn in_memory() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=16_777_216)
}

/// How to write the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs: docs/report.schema.json
    Json,
    /// For programs, a line for each packet with -P or -V, or with -i for each event and the report
    Jsonl,
    /// A line for each packet with the fields of -e
    Fields,
    /// The same with a header, commas and quotes
    Csv,
    /// Tables for comments and job summaries
    Markdown,
    /// A test case for each expectation and each rule
    Junit,
    /// SARIF 2.1.0
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

/// How far packets are peeled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Layer {
    Ip,
    L2tp,
    Ppp,
    Inner,
}

/// How the time of a packet is written, as tshark names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Time {
    R,
    D,
    A,
    Ad,
    U,
    Ud,
    E,
}

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs)]
pub enum Color {
    Auto,
    Always,
    Never,
}
