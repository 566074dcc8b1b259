
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'l2tp-inspect' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'l2tp-inspect'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'l2tp-inspect' {
            [CompletionResult]::new('-r', '-r', [CompletionResultType]::ParameterName, 'The same as FILE, as in tcpdump and tshark')
            [CompletionResult]::new('--read', '--read', [CompletionResultType]::ParameterName, 'The same as FILE, as in tcpdump and tshark')
            [CompletionResult]::new('-i', '-i', [CompletionResultType]::ParameterName, 'Capture on this interface, until Ctrl-C; any is all of them; may be given several times. Words behind the options are the capture filter, as in tcpdump')
            [CompletionResult]::new('--interface', '--interface', [CompletionResultType]::ParameterName, 'Capture on this interface, until Ctrl-C; any is all of them; may be given several times. Words behind the options are the capture filter, as in tcpdump')
            [CompletionResult]::new('-f', '-f', [CompletionResultType]::ParameterName, 'Only packets that pass this libpcap filter, such as ''host 10.1.0.2'' (on an interface, by default: IKE, ESP, AH, L2TP, later fragments and ICMP errors, with VLAN tags too)')
            [CompletionResult]::new('--capture-filter', '--capture-filter', [CompletionResultType]::ParameterName, 'Only packets that pass this libpcap filter, such as ''host 10.1.0.2'' (on an interface, by default: IKE, ESP, AH, L2TP, later fragments and ICMP errors, with VLAN tags too)')
            [CompletionResult]::new('-c', '-c', [CompletionResultType]::ParameterName, 'Stop after N packets of each file, or of the capture')
            [CompletionResult]::new('--count', '--count', [CompletionResultType]::ParameterName, 'Stop after N packets of each file, or of the capture')
            [CompletionResult]::new('-a', '-a', [CompletionResultType]::ParameterName, 'End the capture after duration:SECONDS, packets:N, filesize:KB or files:N; may be given several times')
            [CompletionResult]::new('--autostop', '--autostop', [CompletionResultType]::ParameterName, 'End the capture after duration:SECONDS, packets:N, filesize:KB or files:N; may be given several times')
            [CompletionResult]::new('-s', '-s', [CompletionResultType]::ParameterName, 'Capture only so many octets of each packet (0: all, the default)')
            [CompletionResult]::new('--snaplen', '--snaplen', [CompletionResultType]::ParameterName, 'Capture only so many octets of each packet (0: all, the default)')
            [CompletionResult]::new('-B', '-B ', [CompletionResultType]::ParameterName, 'The kernel''s buffer for each interface in MiB (default: 16)')
            [CompletionResult]::new('--buffer-size', '--buffer-size', [CompletionResultType]::ParameterName, 'The kernel''s buffer for each interface in MiB (default: 16)')
            [CompletionResult]::new('-k', '-k', [CompletionResultType]::ParameterName, 'SA keys, found by content: `ip xfrm state`, Wireshark esp_sa, setkey -D, tcpdump -E, FortiOS, RouterOS, VPP, TOML; a file, a strongSwan save-keys directory, or - for standard input; may be given several times')
            [CompletionResult]::new('--keys', '--keys', [CompletionResultType]::ParameterName, 'SA keys, found by content: `ip xfrm state`, Wireshark esp_sa, setkey -D, tcpdump -E, FortiOS, RouterOS, VPP, TOML; a file, a strongSwan save-keys directory, or - for standard input; may be given several times')
            [CompletionResult]::new('--keys-command', '--keys-command', [CompletionResultType]::ParameterName, 'With -i: run COMMAND (without a shell), such as ''ip xfrm state'', for keys: once at the start, and again when an SA without a key appears, so that rekeys are followed')
            [CompletionResult]::new('-o', '-o', [CompletionResultType]::ParameterName, 'tshark''s -o ''uat:esp_sa:…'': one SA as a line of Wireshark''s table (others can see it while this runs)')
            [CompletionResult]::new('--secrets', '--secrets', [CompletionResultType]::ParameterName, 'Tunnel secrets and users'' passwords (TOML: [[tunnel]] secret = "…"; [[user]] name = "…", password = "…"): hidden AVPs are read, authentication is proved')
            [CompletionResult]::new('-d', '-d', [CompletionResultType]::ParameterName, 'What a UDP port carries, such as udp.port==1702,l2tp (or isakmp, udpencap); may be given several times')
            [CompletionResult]::new('--decode-as', '--decode-as', [CompletionResultType]::ParameterName, 'What a UDP port carries, such as udp.port==1702,l2tp (or isakmp, udpencap); may be given several times')
            [CompletionResult]::new('-Y', '-Y ', [CompletionResultType]::ParameterName, 'Only packets that pass this display filter, in tshark''s language, such as ''l2tp.tunnel == 7 and not ppp''')
            [CompletionResult]::new('--filter', '--filter', [CompletionResultType]::ParameterName, 'Only packets that pass this display filter, in tshark''s language, such as ''l2tp.tunnel == 7 and not ppp''')
            [CompletionResult]::new('--tunnel', '--tunnel', [CompletionResultType]::ParameterName, 'Only packets of this control connection, such as T1, as the report names it')
            [CompletionResult]::new('--call', '--call', [CompletionResultType]::ParameterName, 'Only packets of this call, such as C1, as the report names it')
            [CompletionResult]::new('--diff', '--diff', [CompletionResultType]::ParameterName, 'What differs between this capture and another one, message by message (keys and secrets serve both); with --check exit with 1 if anything does')
            [CompletionResult]::new('-T', '-T ', [CompletionResultType]::ParameterName, 'How to write it')
            [CompletionResult]::new('--format', '--format', [CompletionResultType]::ParameterName, 'How to write it')
            [CompletionResult]::new('-e', '-e', [CompletionResultType]::ParameterName, 'With -T fields or csv: a column with this field, such as l2tp.tunnel; may be given several times')
            [CompletionResult]::new('--field', '--field', [CompletionResultType]::ParameterName, 'With -T fields or csv: a column with this field, such as l2tp.tunnel; may be given several times')
            [CompletionResult]::new('-E', '-E ', [CompletionResultType]::ParameterName, 'With -T fields: header=y, separator=, (/t, /s), occurrence=f|l|a, aggregator=, quote=d|s|n, escape=n, bom=y; or keys as for tcpdump: SPI@ADDRESS ALGORITHM:KEY, or ''file NAME'' (others can see a key on the command line)')
            [CompletionResult]::new('-t', '-t', [CompletionResultType]::ParameterName, 'Time of packets: r since the first, d since the one before, a or ad local, u or ud UTC (d: with date), e epoch')
            [CompletionResult]::new('--time', '--time', [CompletionResultType]::ParameterName, 'Time of packets: r since the first, d since the one before, a or ad local, u or ud UTC (d: with date), e epoch')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour')
            [CompletionResult]::new('--width', '--width', [CompletionResultType]::ParameterName, 'Columns to use (default: the terminal''s, else 100)')
            [CompletionResult]::new('--fail-on', '--fail-on', [CompletionResultType]::ParameterName, 'Exit with 1 at this verdict, or at a finding of this level or above (--check: all three verdicts, certain errors)')
            [CompletionResult]::new('--check', '--check', [CompletionResultType]::ParameterName, 'Compare with expectations (the = is required), print what differs, and exit with 1 if anything does')
            [CompletionResult]::new('--write-expect', '--write-expect', [CompletionResultType]::ParameterName, 'Record this capture as the expectation')
            [CompletionResult]::new('--select', '--select', [CompletionResultType]::ParameterName, 'Only these rules: ids or families, such as hello,seq-gap')
            [CompletionResult]::new('--ignore', '--ignore', [CompletionResultType]::ParameterName, 'Not these rules')
            [CompletionResult]::new('--severity', '--severity', [CompletionResultType]::ParameterName, 'How bad a rule or family is: off, note, warning or error')
            [CompletionResult]::new('--profile', '--profile', [CompletionResultType]::ParameterName, 'Known habits of real stacks are notes (interop), or what the RFCs say (strict)')
            [CompletionResult]::new('--explain', '--explain', [CompletionResultType]::ParameterName, 'Explain a rule, such as seq-gap, and exit')
            [CompletionResult]::new('-w', '-w', [CompletionResultType]::ParameterName, 'Write the packets that pass -f, -c, -Y, --tunnel and --call to a pcapng file, as they were captured; - is standard output')
            [CompletionResult]::new('--write', '--write', [CompletionResultType]::ParameterName, 'Write the packets that pass -f, -c, -Y, --tunnel and --call to a pcapng file, as they were captured; - is standard output')
            [CompletionResult]::new('--write-decrypted', '--write-decrypted', [CompletionResultType]::ParameterName, 'Write the same packets with ESP removed to a pcapng file: any tool reads it without keys')
            [CompletionResult]::new('--layer', '--layer', [CompletionResultType]::ParameterName, 'How far to peel them: the IP packets without ESP; of those only L2TP; the PPP frames; the users'' IP packets')
            [CompletionResult]::new('--export-esp-sa', '--export-esp-sa', [CompletionResultType]::ParameterName, 'Write the SAs of all key files, with their keys, to a file for Wireshark''s esp_sa table')
            [CompletionResult]::new('-b', '-b', [CompletionResultType]::ParameterName, 'With -i and -w: begin the next file after duration:SECONDS, filesize:KB or packets:N, and keep files:N of them; may be given several times')
            [CompletionResult]::new('--ring-buffer', '--ring-buffer', [CompletionResultType]::ParameterName, 'With -i and -w: begin the next file after duration:SECONDS, filesize:KB or packets:N, and keep files:N of them; may be given several times')
            [CompletionResult]::new('--max-tunnels', '--max-tunnels', [CompletionResultType]::ParameterName, 'Control connections that are followed at once')
            [CompletionResult]::new('--max-calls', '--max-calls', [CompletionResultType]::ParameterName, 'Calls that are followed')
            [CompletionResult]::new('--user', '--user', [CompletionResultType]::ParameterName, 'With -i, as root: become this user once the interface is open (default: the caller of sudo, else nobody)')
            [CompletionResult]::new('--metrics', '--metrics', [CompletionResultType]::ParameterName, 'With -i: what was counted as a page for Prometheus, on 127.0.0.1:9701 or this address')
            [CompletionResult]::new('-D', '-D ', [CompletionResultType]::ParameterName, 'List the interfaces (name, state, addresses, description) and exit')
            [CompletionResult]::new('--list-interfaces', '--list-interfaces', [CompletionResultType]::ParameterName, 'List the interfaces (name, state, addresses, description) and exit')
            [CompletionResult]::new('-p', '-p', [CompletionResultType]::ParameterName, 'Capture only what is for this machine')
            [CompletionResult]::new('--no-promiscuous', '--no-promiscuous', [CompletionResultType]::ParameterName, 'Capture only what is for this machine')
            [CompletionResult]::new('--list-keys', '--list-keys', [CompletionResultType]::ParameterName, 'List the SAs of all key files (SPI, ends, algorithms, where they stand, packets opened), never the keys')
            [CompletionResult]::new('--show-secrets', '--show-secrets', [CompletionResultType]::ParameterName, 'Do not mask passwords and values of hidden AVPs (keys are never shown)')
            [CompletionResult]::new('-n', '-n', [CompletionResultType]::ParameterName, 'Do not resolve names (never done; accepted for habit)')
            [CompletionResult]::new('-P', '-P ', [CompletionResultType]::ParameterName, 'A line for each packet')
            [CompletionResult]::new('--packets', '--packets', [CompletionResultType]::ParameterName, 'A line for each packet')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Every field of every packet, and how far the packet could be taken apart')
            [CompletionResult]::new('--details', '--details', [CompletionResultType]::ParameterName, 'Every field of every packet, and how far the packet could be taken apart')
            [CompletionResult]::new('-x', '-x', [CompletionResultType]::ParameterName, 'The octets of each packet, decrypted and reassembled ones too')
            [CompletionResult]::new('--hex', '--hex', [CompletionResultType]::ParameterName, 'The octets of each packet, decrypted and reassembled ones too')
            [CompletionResult]::new('--summary', '--summary', [CompletionResultType]::ParameterName, 'The report: tables, ladder, findings, verdict (default)')
            [CompletionResult]::new('--ladder', '--ladder', [CompletionResultType]::ParameterName, 'Only the ladders, complete')
            [CompletionResult]::new('--findings', '--findings', [CompletionResultType]::ParameterName, 'Only the findings')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Only the verdict line')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Only the verdict line')
            [CompletionResult]::new('-l', '-l', [CompletionResultType]::ParameterName, 'Write out after each packet')
            [CompletionResult]::new('--ascii', '--ascii', [CompletionResultType]::ParameterName, 'Draw with ASCII characters only')
            [CompletionResult]::new('--certain', '--certain', [CompletionResultType]::ParameterName, 'Count only findings that nothing could explain away')
            [CompletionResult]::new('--list-rules', '--list-rules', [CompletionResultType]::ParameterName, 'List all rules and exit')
            [CompletionResult]::new('--list-fields', '--list-fields', [CompletionResultType]::ParameterName, 'List all fields (name, type, description, where defined) and exit')
            [CompletionResult]::new('--list-protocols', '--list-protocols', [CompletionResultType]::ParameterName, 'List all protocols and exit')
            [CompletionResult]::new('--list-algorithms', '--list-algorithms', [CompletionResultType]::ParameterName, 'List all algorithms of ESP (name, kind, key and ICV in octets, RFC, names in the key dialects) and exit')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Replace files that exist')
            [CompletionResult]::new('--keep-privileges', '--keep-privileges', [CompletionResultType]::ParameterName, 'With -i: keep the privileges of the caller while packets of strangers are read')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
