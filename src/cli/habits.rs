//! Options of tshark and tcpdump that this tool has not, and what does the same here.

/// The option as typed, and the hint.
static HABITS: &[(&str, &str)] = &[
    ("-2", "leave it out: text views read a file twice by themselves"),
    ("-A", "-x shows octets and text"),
    ("-C", "leave it out: there are no profiles"),
    ("-F", "a capture is read as what it is, whatever its name"),
    ("-G", "--list-fields, --list-protocols, --list-algorithms or --list-rules"),
    ("-H", "leave it out: names are never looked up"),
    ("-J", "-T fields with -e NAME shows only some fields; -T json -V all"),
    ("-j", "-T fields with -e NAME shows only some fields; -T json -V all"),
    ("-K", "-k FILE takes the keys of ESP and IKE"),
    ("-N", "leave it out: names are never looked up"),
    ("-O", "-V shows all protocols in full; -Y l2tp selects packets"),
    ("-Q", "-q writes only the verdict"),
    ("-R", "-Y EXPR is the display filter"),
    ("-S", "leave it out"),
    ("-X", "-x shows octets and text"),
    (
        "-z",
        "no option at all writes the statistics: SAs, control connections and calls; -T json for programs",
    ),
    ("-u", "-t chooses how times are written"),
];

/// The hint for an option that somebody typed by habit.
pub(super) fn hint(option: &str) -> Option<&'static str> {
    HABITS.iter().find(|(habit, _)| *habit == option).map(|(_, hint)| *hint)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn no_option_of_ours_is_called_missing() {
        for option in crate::cli::args::Args::command().get_arguments() {
            let short = option.get_short().map(|letter| format!("-{letter}"));
            if let Some(name) = short {
                assert_eq!(hint(&name), None, "{name} is here");
            }
        }
        assert!(hint("-z").is_some_and(|hint| hint.contains("statistics")));
    }
}
