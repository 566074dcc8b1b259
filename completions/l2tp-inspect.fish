complete -c l2tp-inspect -s r -l read -d 'The same as FILE, as in tcpdump and tshark' -r -F
complete -c l2tp-inspect -s i -l interface -d 'Capture on this interface, until Ctrl-C; any is all of them; may be given several times. Words behind the options are the capture filter, as in tcpdump' -r
complete -c l2tp-inspect -s f -l capture-filter -d 'Only packets that pass this libpcap filter, such as \'host 10.1.0.2\' (on an interface, by default: IKE, ESP, AH, L2TP, later fragments and ICMP errors, with VLAN tags too)' -r
complete -c l2tp-inspect -s c -l count -d 'Stop after N packets of each file, or of the capture' -r
complete -c l2tp-inspect -s a -l autostop -d 'End the capture after duration:SECONDS, packets:N, filesize:KB or files:N; may be given several times' -r
complete -c l2tp-inspect -s s -l snaplen -d 'Capture only so many octets of each packet (0: all, the default)' -r
complete -c l2tp-inspect -s B -l buffer-size -d 'The kernel\'s buffer for each interface in MiB (default: 16)' -r
complete -c l2tp-inspect -s k -l keys -d 'SA keys, found by content: `ip xfrm state`, Wireshark esp_sa, setkey -D, tcpdump -E, FortiOS, RouterOS, VPP, TOML; a file, a strongSwan save-keys directory, or - for standard input; may be given several times' -r -F
complete -c l2tp-inspect -l keys-command -d 'With -i: run COMMAND (without a shell), such as \'ip xfrm state\', for keys: once at the start, and again when an SA without a key appears, so that rekeys are followed' -r
complete -c l2tp-inspect -s o -d 'tshark\'s -o \'uat:esp_sa:…\': one SA as a line of Wireshark\'s table (others can see it while this runs)' -r
complete -c l2tp-inspect -l secrets -d 'Tunnel secrets and users\' passwords (TOML: [[tunnel]] secret = "…"; [[user]] name = "…", password = "…"): hidden AVPs are read, authentication is proved' -r -F
complete -c l2tp-inspect -s d -l decode-as -d 'What a UDP port carries, such as udp.port==1702,l2tp (or isakmp, udpencap); may be given several times' -r
complete -c l2tp-inspect -s Y -l filter -d 'Only packets that pass this display filter, in tshark\'s language, such as \'l2tp.tunnel == 7 and not ppp\'' -r
complete -c l2tp-inspect -l tunnel -d 'Only packets of this control connection, such as T1, as the report names it' -r
complete -c l2tp-inspect -l call -d 'Only packets of this call, such as C1, as the report names it' -r
complete -c l2tp-inspect -l diff -d 'What differs between this capture and another one, message by message (keys and secrets serve both); with --check exit with 1 if anything does' -r -F
complete -c l2tp-inspect -s T -l format -d 'How to write it' -r -f -a "text\t'For people'
json\t'For programs: docs/report.schema.json'
jsonl\t'For programs, a line for each packet with -P or -V, or with -i for each event and the report'
fields\t'A line for each packet with the fields of -e'
csv\t'The same with a header, commas and quotes'
markdown\t'Tables for comments and job summaries'
junit\t'A test case for each expectation and each rule'
sarif\t'SARIF 2.1.0'
github\t'Annotations of GitHub Actions'"
complete -c l2tp-inspect -s e -l field -d 'With -T fields or csv: a column with this field, such as l2tp.tunnel; may be given several times' -r
complete -c l2tp-inspect -s E -d 'With -T fields: header=y, separator=, (/t, /s), occurrence=f|l|a, aggregator=, quote=d|s|n, escape=n, bom=y; or keys as for tcpdump: SPI@ADDRESS ALGORITHM:KEY, or \'file NAME\' (others can see a key on the command line)' -r
complete -c l2tp-inspect -s t -l time -d 'Time of packets: r since the first, d since the one before, a or ad local, u or ud UTC (d: with date), e epoch' -r -f -a "r\t''
d\t''
a\t''
ad\t''
u\t''
ud\t''
e\t''"
complete -c l2tp-inspect -l color -d 'When to use colour' -r -f -a "auto\t''
always\t''
never\t''"
complete -c l2tp-inspect -l width -d 'Columns to use (default: the terminal\'s, else 100)' -r
complete -c l2tp-inspect -l fail-on -d 'Exit with 1 at this verdict, or at a finding of this level or above (--check: all three verdicts, certain errors)' -r -f -a "note\t''
warning\t''
error\t''
undecided\t''
degraded\t''
broken\t''
never\t''"
complete -c l2tp-inspect -l check -d 'Compare with expectations (the = is required), print what differs, and exit with 1 if anything does' -r
complete -c l2tp-inspect -l write-expect -d 'Record this capture as the expectation' -r -F
complete -c l2tp-inspect -l select -d 'Only these rules: ids or families, such as hello,seq-gap' -r
complete -c l2tp-inspect -l ignore -d 'Not these rules' -r
complete -c l2tp-inspect -l severity -d 'How bad a rule or family is: off, note, warning or error' -r
complete -c l2tp-inspect -l profile -d 'Known habits of real stacks are notes (interop), or what the RFCs say (strict)' -r -f -a "interop\t'What a known stack always does, and its peers live with, is a note'
strict\t'As the RFCs say'"
complete -c l2tp-inspect -l explain -d 'Explain a rule, such as seq-gap, and exit' -r
complete -c l2tp-inspect -s w -l write -d 'Write the packets that pass -f, -c, -Y, --tunnel and --call to a pcapng file, as they were captured; - is standard output' -r -F
complete -c l2tp-inspect -l write-decrypted -d 'Write the same packets with ESP removed to a pcapng file: any tool reads it without keys' -r -F
complete -c l2tp-inspect -l layer -d 'How far to peel them: the IP packets without ESP; of those only L2TP; the PPP frames; the users\' IP packets' -r -f -a "ip\t''
l2tp\t''
ppp\t''
inner\t''"
complete -c l2tp-inspect -l export-esp-sa -d 'Write the SAs of all key files, with their keys, to a file for Wireshark\'s esp_sa table' -r -F
complete -c l2tp-inspect -s b -l ring-buffer -d 'With -i and -w: begin the next file after duration:SECONDS, filesize:KB or packets:N, and keep files:N of them; may be given several times' -r
complete -c l2tp-inspect -l max-tunnels -d 'Control connections that are followed at once' -r
complete -c l2tp-inspect -l max-calls -d 'Calls that are followed' -r
complete -c l2tp-inspect -l user -d 'With -i, as root: become this user once the interface is open (default: the caller of sudo, else nobody)' -r
complete -c l2tp-inspect -l metrics -d 'With -i: what was counted as a page for Prometheus, on 127.0.0.1:9701 or this address' -r
complete -c l2tp-inspect -s D -l list-interfaces -d 'List the interfaces (name, state, addresses, description) and exit'
complete -c l2tp-inspect -s p -l no-promiscuous -d 'Capture only what is for this machine'
complete -c l2tp-inspect -l list-keys -d 'List the SAs of all key files (SPI, ends, algorithms, where they stand, packets opened), never the keys'
complete -c l2tp-inspect -l show-secrets -d 'Do not mask passwords and values of hidden AVPs (keys are never shown)'
complete -c l2tp-inspect -s n -d 'Do not resolve names (never done; accepted for habit)'
complete -c l2tp-inspect -s P -l packets -d 'A line for each packet'
complete -c l2tp-inspect -s V -l details -d 'Every field of every packet, and how far the packet could be taken apart'
complete -c l2tp-inspect -s x -l hex -d 'The octets of each packet, decrypted and reassembled ones too'
complete -c l2tp-inspect -l summary -d 'The report: tables, ladder, findings, verdict (default)'
complete -c l2tp-inspect -l ladder -d 'Only the ladders, complete'
complete -c l2tp-inspect -l findings -d 'Only the findings'
complete -c l2tp-inspect -s q -l quiet -d 'Only the verdict line'
complete -c l2tp-inspect -s l -d 'Write out after each packet'
complete -c l2tp-inspect -l ascii -d 'Draw with ASCII characters only'
complete -c l2tp-inspect -l certain -d 'Count only findings that nothing could explain away'
complete -c l2tp-inspect -l list-rules -d 'List all rules and exit'
complete -c l2tp-inspect -l list-fields -d 'List all fields (name, type, description, where defined) and exit'
complete -c l2tp-inspect -l list-protocols -d 'List all protocols and exit'
complete -c l2tp-inspect -l list-algorithms -d 'List all algorithms of ESP (name, kind, key and ICV in octets, RFC, names in the key dialects) and exit'
complete -c l2tp-inspect -l force -d 'Replace files that exist'
complete -c l2tp-inspect -l keep-privileges -d 'With -i: keep the privileges of the caller while packets of strangers are read'
complete -c l2tp-inspect -l version -d 'Print version'
complete -c l2tp-inspect -s h -l help -d 'Print help (see more with \'--help\')'
