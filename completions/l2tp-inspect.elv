
use builtin;
use str;

set edit:completion:arg-completer[l2tp-inspect] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'l2tp-inspect'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'l2tp-inspect'= {
            cand -r 'The same as FILE, as in tcpdump and tshark'
            cand --read 'The same as FILE, as in tcpdump and tshark'
            cand -i 'Capture on this interface, until Ctrl-C; any is all of them; may be given several times. Words behind the options are the capture filter, as in tcpdump'
            cand --interface 'Capture on this interface, until Ctrl-C; any is all of them; may be given several times. Words behind the options are the capture filter, as in tcpdump'
            cand -f 'Only packets that pass this libpcap filter, such as ''host 10.1.0.2'' (on an interface, by default: IKE, ESP, AH, L2TP, later fragments and ICMP errors, with VLAN tags too)'
            cand --capture-filter 'Only packets that pass this libpcap filter, such as ''host 10.1.0.2'' (on an interface, by default: IKE, ESP, AH, L2TP, later fragments and ICMP errors, with VLAN tags too)'
            cand -c 'Stop after N packets of each file, or of the capture'
            cand --count 'Stop after N packets of each file, or of the capture'
            cand -a 'End the capture after duration:SECONDS, packets:N, filesize:KB or files:N; may be given several times'
            cand --autostop 'End the capture after duration:SECONDS, packets:N, filesize:KB or files:N; may be given several times'
            cand -s 'Capture only so many octets of each packet (0: all, the default)'
            cand --snaplen 'Capture only so many octets of each packet (0: all, the default)'
            cand -B 'The kernel''s buffer for each interface in MiB (default: 16)'
            cand --buffer-size 'The kernel''s buffer for each interface in MiB (default: 16)'
            cand -k 'SA keys, found by content: `ip xfrm state`, Wireshark esp_sa, setkey -D, tcpdump -E, FortiOS, RouterOS, VPP, TOML; a file, a strongSwan save-keys directory, or - for standard input; may be given several times'
            cand --keys 'SA keys, found by content: `ip xfrm state`, Wireshark esp_sa, setkey -D, tcpdump -E, FortiOS, RouterOS, VPP, TOML; a file, a strongSwan save-keys directory, or - for standard input; may be given several times'
            cand --keys-command 'With -i: run COMMAND (without a shell), such as ''ip xfrm state'', for keys: once at the start, and again when an SA without a key appears, so that rekeys are followed'
            cand -o 'tshark''s -o ''uat:esp_sa:…'': one SA as a line of Wireshark''s table (others can see it while this runs)'
            cand --secrets 'Tunnel secrets and users'' passwords (TOML: [[tunnel]] secret = "…"; [[user]] name = "…", password = "…"): hidden AVPs are read, authentication is proved'
            cand -d 'What a UDP port carries, such as udp.port==1702,l2tp (or isakmp, udpencap); may be given several times'
            cand --decode-as 'What a UDP port carries, such as udp.port==1702,l2tp (or isakmp, udpencap); may be given several times'
            cand -Y 'Only packets that pass this display filter, in tshark''s language, such as ''l2tp.tunnel == 7 and not ppp'''
            cand --filter 'Only packets that pass this display filter, in tshark''s language, such as ''l2tp.tunnel == 7 and not ppp'''
            cand --tunnel 'Only packets of this control connection, such as T1, as the report names it'
            cand --call 'Only packets of this call, such as C1, as the report names it'
            cand --diff 'What differs between this capture and another one, message by message (keys and secrets serve both); with --check exit with 1 if anything does'
            cand -T 'How to write it'
            cand --format 'How to write it'
            cand -e 'With -T fields or csv: a column with this field, such as l2tp.tunnel; may be given several times'
            cand --field 'With -T fields or csv: a column with this field, such as l2tp.tunnel; may be given several times'
            cand -E 'With -T fields: header=y, separator=, (/t, /s), occurrence=f|l|a, aggregator=, quote=d|s|n, escape=n, bom=y; or keys as for tcpdump: SPI@ADDRESS ALGORITHM:KEY, or ''file NAME'' (others can see a key on the command line)'
            cand -t 'Time of packets: r since the first, d since the one before, a or ad local, u or ud UTC (d: with date), e epoch'
            cand --time 'Time of packets: r since the first, d since the one before, a or ad local, u or ud UTC (d: with date), e epoch'
            cand --color 'When to use colour'
            cand --width 'Columns to use (default: the terminal''s, else 100)'
            cand --fail-on 'Exit with 1 at this verdict, or at a finding of this level or above (--check: all three verdicts, certain errors)'
            cand --check 'Compare with expectations (the = is required), print what differs, and exit with 1 if anything does'
            cand --write-expect 'Record this capture as the expectation'
            cand --select 'Only these rules: ids or families, such as hello,seq-gap'
            cand --ignore 'Not these rules'
            cand --severity 'How bad a rule or family is: off, note, warning or error'
            cand --profile 'Known habits of real stacks are notes (interop), or what the RFCs say (strict)'
            cand --explain 'Explain a rule, such as seq-gap, and exit'
            cand -w 'Write the packets that pass -f, -c, -Y, --tunnel and --call to a pcapng file, as they were captured; - is standard output'
            cand --write 'Write the packets that pass -f, -c, -Y, --tunnel and --call to a pcapng file, as they were captured; - is standard output'
            cand --write-decrypted 'Write the same packets with ESP removed to a pcapng file: any tool reads it without keys'
            cand --layer 'How far to peel them: the IP packets without ESP; of those only L2TP; the PPP frames; the users'' IP packets'
            cand --export-esp-sa 'Write the SAs of all key files, with their keys, to a file for Wireshark''s esp_sa table'
            cand -b 'With -i and -w: begin the next file after duration:SECONDS, filesize:KB or packets:N, and keep files:N of them; may be given several times'
            cand --ring-buffer 'With -i and -w: begin the next file after duration:SECONDS, filesize:KB or packets:N, and keep files:N of them; may be given several times'
            cand --max-tunnels 'Control connections that are followed at once'
            cand --max-calls 'Calls that are followed'
            cand --user 'With -i, as root: become this user once the interface is open (default: the caller of sudo, else nobody)'
            cand --metrics 'With -i: what was counted as a page for Prometheus, on 127.0.0.1:9701 or this address'
            cand -D 'List the interfaces (name, state, addresses, description) and exit'
            cand --list-interfaces 'List the interfaces (name, state, addresses, description) and exit'
            cand -p 'Capture only what is for this machine'
            cand --no-promiscuous 'Capture only what is for this machine'
            cand --list-keys 'List the SAs of all key files (SPI, ends, algorithms, where they stand, packets opened), never the keys'
            cand --show-secrets 'Do not mask passwords and values of hidden AVPs (keys are never shown)'
            cand -n 'Do not resolve names (never done; accepted for habit)'
            cand -P 'A line for each packet'
            cand --packets 'A line for each packet'
            cand -V 'Every field of every packet, and how far the packet could be taken apart'
            cand --details 'Every field of every packet, and how far the packet could be taken apart'
            cand -x 'The octets of each packet, decrypted and reassembled ones too'
            cand --hex 'The octets of each packet, decrypted and reassembled ones too'
            cand --summary 'The report: tables, ladder, findings, verdict (default)'
            cand --ladder 'Only the ladders, complete'
            cand --findings 'Only the findings'
            cand -q 'Only the verdict line'
            cand --quiet 'Only the verdict line'
            cand -l 'Write out after each packet'
            cand --ascii 'Draw with ASCII characters only'
            cand --certain 'Count only findings that nothing could explain away'
            cand --list-rules 'List all rules and exit'
            cand --list-fields 'List all fields (name, type, description, where defined) and exit'
            cand --list-protocols 'List all protocols and exit'
            cand --list-algorithms 'List all algorithms of ESP (name, kind, key and ICV in octets, RFC, names in the key dialects) and exit'
            cand --force 'Replace files that exist'
            cand --keep-privileges 'With -i: keep the privileges of the caller while packets of strangers are read'
            cand --version 'Print version'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
        }
    ]
    $completions[$command]
}
