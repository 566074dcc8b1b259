//! Real captures with keys that are wrong in one way, or with packets that are damaged: each is named as what it is, in
//! a finding and in the verdict. What is broken is made here, in memory.

mod samples;

use l2tp_inspect::analysis::limits::Limits;
use l2tp_inspect::inspector::Inspector;
use l2tp_inspect::ipsec::{Sad, keys};
use l2tp_inspect::rules::{self, Case, Certainty, Confidence, Diagnosis, Finding};
use l2tp_inspect::util::Printable;
use samples::{Held, Sample, frames, sample};

const AES128: &str = "l2tp-ipsec/aes128-sha1";
const AES256: &str = "l2tp-ipsec/aes256-sha256";
const GCM: &str = "l2tp-ipsec/aes256gcm16-ikev2";
const ESN: &str = "l2tp-ipsec/esn-ikev2";
const NULL: &str = "l2tp-ipsec/null-sha1";
const REKEY: &str = "l2tp-ipsec/rekey-ikev2";

struct Judged {
    findings: Vec<Finding>,
    diagnosis: Diagnosis,
    decrypted: u64,
}

struct Run {
    sample: Sample,
    frames: Vec<Held>,
    keys: String,
}

impl Run {
    /// A sample with its first key file.
    fn of(name: &str) -> Self {
        let sample = sample(name);
        let keys = std::fs::read_to_string(sample.directory.join(&sample.keys[0])).unwrap();
        let frames = frames(&sample.capture()).unwrap().0;
        Self { sample, frames, keys }
    }

    /// The same with keys in the form of Wireshark, a line for each SA.
    fn lines(name: &str) -> Self {
        let mut run = Self::of(name);
        run.keys = std::fs::read_to_string(run.sample.directory.join("esp_sa")).unwrap();
        run
    }

    /// Other words in the key file.
    fn keys(mut self, from: &str, to: &str) -> Self {
        assert!(self.keys.contains(from), "{from} is not in the keys of {}", self.sample.name);
        self.keys = self.keys.replace(from, to);
        self
    }

    /// The fields of the SA lines, to change.
    fn fields(mut self, change: impl Fn(&mut Vec<Vec<String>>)) -> Self {
        let mut rows: Vec<Vec<String>> =
            self.keys.lines().map(|line| line.split(',').map(str::to_owned).collect()).collect();
        change(&mut rows);
        self.keys = rows.iter().map(|row| row.join(",") + "\n").collect();
        self
    }

    /// Changes ESP packets, counted from 0.
    fn esp(mut self, change: impl Fn(usize, &mut Held)) -> Self {
        let esp = self.frames.iter_mut().filter(|frame| frame.data.get(23) == Some(&50));
        esp.enumerate().for_each(|(at, frame)| change(at, frame));
        self
    }

    fn judge(&self) -> Judged {
        let sad = match self.keys.trim() {
            "" => Sad::default(),
            text => {
                Sad::build([keys::parse(&Printable::from_text("keys"), text.as_bytes()).unwrap()]).unwrap()
            }
        };
        let mut inspector = Inspector::new(&sad, Limits::default());
        for frame in &self.frames {
            inspector.push(&frame.frame());
        }
        let analysis = inspector.finish();
        let case = Case::of(&analysis, &sad);
        let findings = rules::judge(&case);
        let diagnosis = rules::diagnose(&case, &findings);
        let decrypted = analysis.flows.iter().map(|flow| flow.decrypted).sum();
        Judged { findings, diagnosis, decrypted }
    }
}

impl Judged {
    /// A finding of this rule says these words, and the verdict is this one with these words.
    #[track_caller]
    fn says(&self, rule: &str, words: &str, verdict: &str, sentence: &str) -> &Self {
        let found: Vec<&Finding> = self.findings.iter().filter(|finding| finding.rule.id == rule).collect();
        let text = |finding: &Finding| format!("{} {}", finding.title, finding.seen);
        assert!(found.iter().any(|finding| text(finding).contains(words)), "{words}: {:#?}", self.findings);
        assert_eq!(self.diagnosis.id, verdict, "{}", self.diagnosis.sentence);
        assert!(self.diagnosis.sentence.contains(sentence), "{sentence}: {}", self.diagnosis.sentence);
        self
    }

    #[track_caller]
    fn quiet(&self, rules: &[&str]) -> &Self {
        let raised = self.findings.iter().find(|finding| rules.contains(&finding.rule.id));
        assert!(raised.is_none(), "{raised:#?}");
        self
    }

    #[track_caller]
    fn unsure(&self, rule: &str) -> &Self {
        let found = self.findings.iter().find(|finding| finding.rule.id == rule);
        assert_eq!(found.map(Finding::certainty), Some(Certainty::Possible), "{rule}");
        self
    }
}

/// A key with its last digit changed.
fn wrong(key: &str) -> String {
    let key = key.trim_matches('"');
    let (head, last) = key.split_at(key.len() - 1);
    format!("\"{head}{}\"", if last == "0" { '1' } else { '0' })
}

const ENCRYPTION_KEY: usize = 5;
const INTEGRITY_KEY: usize = 7;

#[test]
fn keys_that_fit() {
    let judged = Run::of(AES128).judge();
    judged.quiet(&["esp-icv-bad", "esp-key-does-not-fit", "cap-esp-undecrypted"]);
    assert_eq!(judged.diagnosis.id, "healthy");
}

#[test]
fn a_wrong_integrity_key_for_both_directions() {
    let run = Run::lines(AES128).fields(|rows| {
        rows.iter_mut().for_each(|row| row[INTEGRITY_KEY] = wrong(&row[INTEGRITY_KEY]));
    });
    run.judge()
        .says("esp-key-does-not-fit", "passes", "icv-or-key-trouble", "the keys do not fit")
        .quiet(&["esp-icv-bad"]);
}

#[test]
fn a_wrong_integrity_key_for_one_direction() {
    let run = Run::lines(AES128).fields(|rows| rows[1][INTEGRITY_KEY] = wrong(&rows[1][INTEGRITY_KEY]));
    let judged = run.judge();
    judged
        .says("esp-icv-bad", "the other direction opens", "icv-or-key-trouble", "the key file is wrong")
        .unsure("esp-icv-bad");
}

#[test]
fn a_wrong_encryption_key() {
    let run = Run::lines(AES128).fields(|rows| {
        rows.iter_mut().for_each(|row| row[ENCRYPTION_KEY] = wrong(&row[ENCRYPTION_KEY]));
    });
    run.judge().says(
        "esp-key-does-not-fit",
        "the integrity key is right, the encryption key or its algorithm is not",
        "icv-or-key-trouble",
        "garbage",
    );
}

#[test]
fn another_cipher_with_keys_of_the_same_length() {
    let run = Run::of(AES128).keys("cbc(aes)", "cbc(camellia)");
    run.judge()
        .says("esp-key-does-not-fit", "encryption key", "icv-or-key-trouble", "algorithm")
        .quiet(&["esp-padding-bad", "esp-next-header-unexpected"]);
}

#[test]
fn another_hash_for_the_integrity() {
    let run = Run::of(AES128).keys("hmac(sha1)", "hmac(md5)");
    run.judge().says("esp-key-does-not-fit", "none of", "icv-or-key-trouble", "the keys do not fit");
}

#[test]
fn one_flipped_byte_in_one_packet() {
    let run = Run::of(AES128).esp(|at, frame| {
        if at == 20 {
            frame.data[60] ^= 1;
        }
    });
    run.judge()
        .says("esp-icv-bad", "1 bad packet", "icv-or-key-trouble", "it worked")
        .quiet(&["esp-key-does-not-fit"]);
}

#[test]
fn a_damaged_icv_in_three_packets() {
    let run = Run::of(AES128).esp(|at, frame| {
        if (20..23).contains(&at)
            && let Some(last) = frame.data.last_mut()
        {
            *last ^= 0x80;
        }
    });
    run.judge()
        .says("esp-icv-bad", "so the key is right", "icv-or-key-trouble", "")
        .quiet(&["esp-key-does-not-fit"]);
}

#[test]
fn a_tail_that_the_capture_cut() {
    let run = Run::of(AES128).esp(|at, frame| {
        if at >= 20 {
            *frame = frame.cut(80, true);
        }
    });
    let judged = run.judge();
    judged.quiet(&["esp-icv-bad", "esp-key-does-not-fit"]);
    assert!(judged.findings.iter().any(|finding| finding.rule.id == "cap-truncated"));
}

#[test]
fn a_tail_that_the_sender_left_out() {
    // The IP header says less too: the ICV is not where it should be.
    let run = Run::of(AES128).esp(|at, frame| {
        if at == 20 {
            let length = frame.data.len() - 4;
            *frame = frame.cut(length, false);
            let total = (length - 14) as u16;
            frame.data[16..18].copy_from_slice(&total.to_be_bytes());
        }
    });
    run.judge().says("esp-icv-bad", "1 bad packet", "icv-or-key-trouble", "");
}

#[test]
fn a_key_for_one_direction_only() {
    let run = Run::lines(AES128).fields(|rows| rows.truncate(1));
    let judged = run.judge();
    judged.says("cap-esp-undecrypted", "has no key", "undetermined", "could not be decrypted");
    // What came back is there, though it cannot be read: nobody is accused, and not the capture either.
    judged.quiet(&["esp-one-way", "esp-icv-bad", "tun-no-reply", "cap-one-way"]);
    assert_eq!(judged.diagnosis.confidence, Confidence::Possible);
    assert!(
        judged
            .diagnosis
            .advice
            .as_ref()
            .is_some_and(|advice| advice.contains("add the keys of both directions"))
    );
}

#[test]
fn no_key_at_all() {
    let run = Run::lines(AES128).fields(Vec::clear);
    run.judge().says("cap-esp-undecrypted", "no key was given", "undetermined", "without a key");
}

#[test]
fn swapped_keys() {
    let run = Run::lines(AES128).fields(|rows| {
        for field in [ENCRYPTION_KEY, INTEGRITY_KEY] {
            let first = rows[0][field].clone();
            rows[0][field] = std::mem::replace(&mut rows[1][field], first);
        }
    });
    run.judge().says("esp-key-does-not-fit", "none of", "icv-or-key-trouble", "the keys do not fit");
}

#[test]
fn encryption_and_integrity_key_mixed_up() {
    let run = Run::lines(AES128).fields(|rows| {
        for row in rows {
            // As many digits as each algorithm takes.
            let encryption = format!("\"{}\"", &row[INTEGRITY_KEY].trim_matches('"')[..34]);
            row[INTEGRITY_KEY] = row[ENCRYPTION_KEY].clone();
            row[ENCRYPTION_KEY] = encryption;
        }
    });
    run.judge().says("esp-key-does-not-fit", "none of", "icv-or-key-trouble", "the keys do not fit");
}

#[test]
fn a_wrong_spi() {
    let run = Run::of(AES128).keys("0xc5c3b9bb", "0xc5c3b9bc").keys("0xcde728fc", "0xcde728fd");
    let judged = run.judge();
    judged.says("key-unused", "2 keys fit no packet", "undetermined", "without a key");
    judged.quiet(&["esp-key-does-not-fit"]);
}

#[test]
fn a_dump_of_another_session() {
    let mut run = Run::of(AES128);
    run.keys = Run::of(AES256).keys;
    run.judge().says("key-unused", "2 keys fit no packet", "undetermined", "without a key");
}

#[test]
fn sha_256_cut_to_96_bits_in_the_key_file() {
    // `ip xfrm state` of old kernels says 96; what is sent has 128.
    let run = Run::of(AES256).keys(" 128\n", " 96\n");
    let judged = run.judge();
    assert!(judged.decrypted > 0 || judged.findings.iter().any(|f| f.rule.id == "esp-key-does-not-fit"));
}

#[test]
fn sha_256_cut_to_96_bits_on_the_wire() {
    // The packets lose four octets of each ICV, as old kernels send it: the key line says 128.
    let run = Run::of(AES256).esp(|_, frame| {
        let length = frame.data.len() - 4;
        *frame = frame.cut(length, false);
        let total = (length - 14) as u16;
        frame.data[16..18].copy_from_slice(&total.to_be_bytes());
    });
    run.judge()
        .says("esp-sha256-truncation", "verifies as hmac-sha256-96", "healthy", "")
        .unsure("esp-sha256-truncation")
        .quiet(&["esp-icv-bad", "esp-key-does-not-fit"]);
}

#[test]
fn a_wrong_salt() {
    // The last four octets of the key of AES-GCM are the salt (RFC 4106 section 8.1).
    let mut run = Run::of(GCM);
    let keys: Vec<String> = run
        .keys
        .split_whitespace()
        .filter(|word| word.starts_with("0x") && word.len() == 2 + 72)
        .map(str::to_owned)
        .collect();
    assert!(!keys.is_empty());
    for key in keys {
        let salted = wrong(&key).trim_matches('"').to_owned();
        run.keys = run.keys.replace(&key, &salted);
    }
    run.judge().says("esp-key-does-not-fit", "none of", "icv-or-key-trouble", "the keys do not fit");
}

#[test]
fn a_combined_mode_with_another_length_of_icv() {
    let run = Run::of(GCM).keys(" 128\n", " 64\n");
    run.judge().says("esp-key-does-not-fit", "none of", "icv-or-key-trouble", "the keys do not fit");
}

#[test]
fn extended_numbers_that_the_key_file_does_not_name() {
    Run::lines(ESN).judge().says("esp-esn-high-guess", "upper half 0", "healthy", "").quiet(&["esp-icv-bad"]);
    Run::of(ESN).judge().quiet(&["esp-esn-high-guess", "esp-icv-bad", "esp-key-does-not-fit"]);
}

#[test]
fn extended_numbers_that_are_none() {
    let run = Run::of(AES128);
    let toml: String = run
        .sample
        .directory
        .join("esp_sa")
        .pipe(|path| std::fs::read_to_string(path).unwrap())
        .lines()
        .map(|line| {
            let fields: Vec<&str> = line.split("\",\"").map(|field| field.trim_matches('"')).collect();
            format!(
                "[[sa]]\nspi = {}\nsource = \"{}\"\ndestination = \"{}\"\nencryption = \"aes-cbc\"\nencryption-key = \"{}\"\nintegrity = \"hmac-sha1-96\"\nintegrity-key = \"{}\"\nextended-sequence = true\n",
                fields[3],
                fields[1],
                fields[2],
                fields[5].trim_start_matches("0x"),
                fields[7].trim_start_matches("0x")
            )
        })
        .collect();
    let run = Run { keys: toml, ..run };
    run.judge().says("esp-key-does-not-fit", "none of", "icv-or-key-trouble", "the keys do not fit");
}

#[test]
fn null_encryption_taken_for_aes() {
    let run = Run::lines(NULL).fields(|rows| {
        for row in rows {
            row[4] = String::from("\"AES-CBC [RFC3602]\"");
            row[ENCRYPTION_KEY] = String::from("\"0x000102030405060708090a0b0c0d0e0f\"");
        }
    });
    run.judge().says("esp-key-does-not-fit", "encryption key", "icv-or-key-trouble", "garbage");
}

#[test]
fn aes_taken_for_null_encryption() {
    let run = Run::lines(AES128).fields(|rows| {
        for row in rows {
            row[4] = String::from("\"NULL\"");
            row[ENCRYPTION_KEY] = String::from("\"\"");
        }
    });
    run.judge()
        .says("esp-key-does-not-fit", "encryption key", "icv-or-key-trouble", "garbage")
        .quiet(&["sec-esp-null-encryption"]);
}

#[test]
fn null_encryption_without_a_key() {
    let run = Run::lines(NULL).fields(Vec::clear);
    run.judge()
        .says("sec-esp-null-encryption", "can be read without a key", "undetermined", "")
        .unsure("sec-esp-null-encryption");
    Run::of(NULL).judge().says("sec-esp-null-encryption", "as the key file says", "healthy", "");
    // What is encrypted is never taken for it.
    Run::lines(AES128).fields(Vec::clear).judge().quiet(&["sec-esp-null-encryption"]);
}

#[test]
fn the_keys_of_a_rekey_are_missing() {
    let all = Run::of(REKEY).judge();
    assert_eq!(all.diagnosis.id, "healthy");
    all.quiet(&["cap-esp-undecrypted"]);
    let judged = Run::of(REKEY).fields(|rows| rows.truncate(2)).judge();
    judged.says("cap-esp-undecrypted", "has no key", judged.diagnosis.id, "");
    let rekeyed = judged.findings.iter().any(|finding| finding.advice.contains("a rekey"));
    assert!(rekeyed, "{:#?}", judged.findings);
}

#[test]
fn an_old_packet_that_is_sent_again() {
    let mut run = Run::of(AES128);
    let esp: Vec<usize> =
        (0..run.frames.len()).filter(|at| run.frames[*at].data.get(23) == Some(&50)).collect();
    let mut again = run.frames[esp[10]].clone();
    let behind = esp[40];
    again.time = run.frames[behind].time;
    run.frames.insert(behind + 1, again);
    run.judge().says("esp-replay", "1 replayed packet", "path-duplicates", "").quiet(&["esp-icv-bad"]);
}

trait Pipe: Sized {
    fn pipe<T>(self, with: impl FnOnce(Self) -> T) -> T {
        with(self)
    }
}

impl<T> Pipe for T {}

/// Takes the last octets of ICVs away, and says so in the IP header.
fn shorter_icvs(from: [u8; 4], octets: usize) -> impl Fn(usize, &mut Held) {
    move |_, frame| {
        if frame.data[26..30] == from {
            let length = frame.data.len() - octets;
            *frame = frame.cut(length, false);
            frame.data[16..18].copy_from_slice(&((length - 14) as u16).to_be_bytes());
        }
    }
}

#[test]
fn lengths_tell_the_icv_without_a_key() {
    let sealed = |name: &str| Run { keys: String::new(), ..Run::of(name) };
    for (name, words) in [
        (AES128, "128-bit blocks, an ICV of 96 bits."),
        (AES256, "128-bit blocks, an ICV of 128 bits or more."),
        ("l2tp-natt/3des-sha1", "64-bit blocks, an ICV of 96 bits."),
    ] {
        let judged = sealed(name).judge();
        judged.says("cap-esp-undecrypted", words, judged.diagnosis.id, "").quiet(&["esp-sha256-truncation"]);
    }
    // A cipher without blocks: nothing is said.
    let judged = sealed(GCM).judge();
    let text = format!("{:?}", judged.findings);
    assert!(!text.contains("By their lengths"), "{text}");
    // One gateway cuts HMAC-SHA-256 to 96 bits, the other to 128.
    let mixed = sealed(AES256).esp(shorter_icvs([10, 1, 0, 2], 4)).judge();
    mixed.says("esp-sha256-truncation", "an ICV of 96 bits from 10.1.0.2", mixed.diagnosis.id, "");
    mixed.unsure("esp-sha256-truncation");
    // Both cut it to 96 bits.
    let both =
        sealed(AES256).esp(shorter_icvs([10, 1, 0, 2], 4)).esp(shorter_icvs([203, 0, 113, 2], 4)).judge();
    both.quiet(&["esp-sha256-truncation"]);
}

#[test]
fn encryption_without_integrity() {
    // The ICV of 12 octets is taken away, and the key file says that there is none.
    let bare = |run: Run| {
        run.esp(|_, frame| {
            frame.data.truncate(frame.data.len() - 12);
            frame.original_len -= 12;
            let length = (frame.data.len() - 14) as u16;
            frame.data[16..18].copy_from_slice(&length.to_be_bytes());
        })
    };
    let run = bare(Run::lines(AES128)).fields(|rows| {
        rows.iter_mut().for_each(|row| {
            (row[INTEGRITY_KEY - 1], row[INTEGRITY_KEY]) = ("\"NULL\"".into(), "\"\"".into());
        });
    });
    run.judge().says("sec-no-integrity", "without an ICV", "healthy", "").unsure("sec-no-integrity");
}
