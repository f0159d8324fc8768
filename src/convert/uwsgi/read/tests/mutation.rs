//! Random changes of configurations: whatever the bytes are, nothing panics, and every line is in the account.
//!
//! The changes are the same on every run; the fuzz target `uwsgi_config` looks further.

use super::super::outside::read_bytes;

/// Changes of each configuration.
const ROUNDS: usize = 150;

/// Texts in which nearly everything occurs that the reader knows.
const ORIGINALS: [&str; 6] = [
    "[uwsgi]\n; comment\nn = 4\nprocesses = %(n + 3)\nif-env = HOME\nchdir = $(HOME)/%d%%\nelse\nmaster\nendif\nfor = a b\nenv = %(_)=@(x)\nendfor\n[other]\na = b\n",
    "[uwsgi]\nset = a=%(b)\nset-ph = c=d\ndeclare-option = o=set=x=$1;threads=$2\no = 1 2\ninclude = more.ini\nini = :other\ninherit = base.ini\nblacklist = a\nstrict = 1\nfor-times = 3\nx%(_) = {{ y }}\n",
    "uwsgi:\n  socket: :1 # x\n  env:\n    - A=1\n    - &a B\n  c: *a\n  d: {e: f}\nother: [1, 2]\n",
    "{\"uwsgi\": {\"socket\": [\":1\", true, null, 1.5], \"a\": {}, \"b\": \"\\u00e9%d\"}}",
    "<?xml version='1.0'?><x><uwsgi id='a'><master/><app mountpoint='/a'><b>c</b></app><![CDATA[x]]></uwsgi></x>",
    "[Service]\nEnvironment=A=1 'B=2 3'\nWorkingDirectory=/srv\nExecStart=-/usr/bin/uwsgi --ini $A.ini \\\n -Mp4 --http=${B} -- x.yaml\n--set\na=b\n-S\nx.json\n",
];

/// What a change puts in: what means something to the reader, whole or in parts.
const WORDS: [&[u8]; 24] = [
    b"%(",
    b"$(",
    b"@(",
    b")",
    b"%",
    b"%d",
    b"=",
    b"\n",
    b"\r\n",
    b"[uwsgi]\n",
    b"[",
    b"{%",
    b"%}",
    b"{{",
    b"}}",
    b"\xff",
    b"\0",
    b"\"",
    b"for = a b\n",
    b"endif\n",
    b"%(_)",
    b": ",
    b"- ",
    b"99999999999999999999",
];

/// George Marsaglia's xorshift: no crate, no seed from outside.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }

    /// One to four changes: a byte replaced, a stretch removed or repeated, a word put in.
    fn change(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len());
            let end = (at + 1 + self.below(30)).min(bytes.len());
            match self.below(4) {
                0 if at < end => bytes[at] = self.below(256) as u8,
                1 if at < end => drop(bytes.drain(at..end)),
                2 => bytes.splice(at..at, bytes[at..end].to_vec()).for_each(drop),
                _ => {
                    let word = WORDS[self.below(WORDS.len())];
                    bytes.splice(at..at, word.iter().copied()).for_each(drop);
                }
            }
        }
    }
}

#[test]
fn changed_configurations_do_no_harm() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for original in ORIGINALS {
        assert!(read_bytes(original.as_bytes()) > 0, "{original}");
        for _ in 0..ROUNDS {
            let mut bytes = original.as_bytes().to_vec();
            random.change(&mut bytes);
            read_bytes(&bytes);
        }
    }
}

/// Inputs of twenty kilobytes that would take minutes if anything were done again for each of their parts.
#[test]
fn large_configurations_take_no_longer_than_their_size() {
    let repeat = |text: &str| text.repeat(20_000 / text.len());
    for text in [
        "%(a)",
        "x%(uwsgi",
        "{{",
        "{%",
        "$(HOME)",
        "%(a ",
        "a = x%(a)\n",
        "a=@(x)\n",
        "[",
        "a:\n",
        "- ",
        "%d",
        "{\"a\":",
        "<a>",
        "--a\n",
        "'",
        "*",
        "@A",
    ] {
        read_bytes(repeat(text).as_bytes());
        read_bytes(format!("[uwsgi]\na = 1\nfoo = x{}\n", repeat(text)).as_bytes());
        read_bytes(format!("[uwsgi]\nfor-glob = {}\nfoo = %(_)\n", repeat(text)).as_bytes());
        read_bytes(format!("[uwsgi]\ndeclare-option = x=y=$1\nx = {}\n", repeat(text)).as_bytes());
    }
}
