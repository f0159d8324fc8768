//! Configurations made by chance: everything the reader knows of, in odd combinations, but nothing that has effects.
//!
//! Left out is what the reader does on purpose in another way than uWSGI 2.0: oddities of section headers, a percent
//! sign at the end of a line, replacements in inherited files, marks of templates, defaults in `$( )`.

/// George Marsaglia's xorshift: no crate, no seed from outside.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit.max(1) as u64).unwrap()
    }

    fn one_in(&mut self, limit: usize) -> bool {
        self.below(limit) == 0
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// Options that take any text and act late, if at all.
const OPTIONS: [&str; 18] = [
    "procname",
    "module",
    "wsgi-file",
    "pythonpath",
    "touch-reload",
    "pidfile2",
    "log-format",
    "callable",
    "master",
    "vacuum",
    "need-app",
    "lazy-apps",
    "processes",
    "threads",
    "listen",
    "max-requests",
    "buffer-size",
    "env",
];

/// Names that are no options, and are asked for.
const KEYS: [&str; 8] = ["k0", "k1", "k2", "k3", "k4", "site name", "k", "1"];

/// Pieces of values.
const PIECES: [&str; 56] = [
    "a",
    "b ",
    "0",
    "7",
    " x",
    "k",
    "1",
    "(",
    ")",
    "=",
    ";",
    "#",
    ",",
    "  ",
    "é",
    "$",
    "@",
    "%%",
    "%%(k1)",
    "%(k0)",
    "%(k1)",
    "%(k2)",
    "%(k3)",
    "%(k4)",
    "%(no)",
    "%(module)",
    "%(procname)",
    "%(k0 k1)",
    "%(k0 + 3)",
    "%(k1 - k2)",
    "%(k2 * 7 / 0)",
    "%(k0 ++)",
    "%(k1 --)",
    "%(k%(k1))",
    "%(no%(k0))",
    "%((k1))",
    "%()",
    "%(k3 )",
    "$(A)",
    "$(B)",
    "$(NO)",
    "$(%(k0))",
    "@(one)",
    "@(two)",
    "@(k%(k1)",
    "%(_)",
    "%d",
    "%n",
    "%s %e",
    "%c%p",
    "%x%o",
    "%0/%1%2",
    "%h%k",
    "%u%U%g%G%v",
    "%i%j%q%Z",
    "%D%N%S",
];

/// Conditions and loops.
const BLOCKS: [&str; 24] = [
    "if-env = A",
    "if-env = A=1",
    "if-env = B=1",
    "ifenv = NO",
    "if-not-env = A",
    "if-not-env = A=2",
    "if-not-env = NO",
    "if-opt = k0",
    "if-opt = k1=7",
    "if-opt = master",
    "if-not-opt = k1",
    "if-not-opt = k1=7",
    "if-exists = one",
    "if-not-exists = one",
    "if-file = .",
    "if-not-file = none",
    "if-dir = .",
    "ifdir = one",
    "if-not-dir = one",
    "if-reload =",
    "if-hostname = no",
    "if-not-hostname = no",
    "for = 1 k0  2",
    "for-times = 3",
];

/// Files that are in the directory of every case, beside the configurations.
pub(crate) const DATA: [(&str, &str); 3] = [
    ("one", "1\n"),
    ("two", "%(k0) two"),
    ("lines", "x\r\ny\n\nz"),
];

/// A configuration: file names and texts.
pub(crate) struct Case {
    pub(crate) files: Vec<(&'static str, String)>,
    pub(crate) words: Vec<&'static str>,
}

impl Case {
    pub(crate) fn new(random: &mut Random) -> Self {
        let files = vec![
            ("main.ini", file(random, true)),
            ("other.one.ini", file(random, false)),
            ("base.ini", base(random)),
        ];
        // First, since uWSGI falls over flags in a block that is left open. Nothing is done behind the configuration.
        let mut words = vec!["uwsgi", "--show-config", "--chdir", "/nonexistent"];
        let before = [
            "--set",
            "k1=7",
            "-S",
            "k2=%(k0)",
            "-Mp4",
            "--need-app",
            "--buffer-siz=8",
        ];
        if random.one_in(3) {
            words.extend_from_slice(&before[random.below(2) * 2..][..2]);
        }
        if random.one_in(3) {
            words.push(before[4 + random.below(3)]);
        }
        let main = [
            "--ini=main.ini",
            "--ini=main.ini:two",
            "main.ini",
            "--ini=./main.ini",
        ];
        words.push(main[random.below(5).min(3)]);
        words.extend(["--procname", "%(k0) $(A) %d"]);
        Self { files, words }
    }
}

/// A file with sections, blocks and includes.
fn file(random: &mut Random, is_main: bool) -> String {
    let mut text = String::from("[uwsgi]\n");
    for _ in 0..3 + random.below(12) {
        match random.below(20) {
            0..=1 if is_main => text.push_str(random.pick(&[
                "include = other.one.ini\n",
                "ini = other.one.ini:two\n",
                "ini = :two\n",
                "inherit = base.ini\n",
                "include = none.ini\n",
            ])),
            2..=4 => block(random, &mut text),
            5 => text.push_str(random.pick(&["[two]\n", "[uwsgi]\n", "\n; x = y\n", "  # [x]\n"])),
            6 => declaration(random, &mut text),
            _ => line(random, &mut text),
        }
    }
    text
}

/// What inherits and has nothing to be replaced.
fn base(random: &mut Random) -> String {
    let values = ["7", "base", "", "%n", "a b"];
    let lines = (0..random.below(4)).map(|_| {
        let name = random.pick(&KEYS);
        format!("{name} = {}\n", random.pick(&values))
    });
    ["[uwsgi]\n".to_owned()].into_iter().chain(lines).collect()
}

fn block(random: &mut Random, text: &mut String) {
    let kind = match random.below(12) {
        0 => "for-readline = lines",
        1 => "for-glob = [ot]*",
        _ => random.pick(&BLOCKS),
    };
    text.push_str(kind);
    text.push('\n');
    for _ in 0..random.below(4) {
        line(random, text);
    }
    if random.one_in(40) {
        text.push_str("for = x\n");
    }
    if !random.one_in(20) {
        text.push_str(random.pick(&[
            "endif\n",
            "end\n",
            "endfor =\n",
            "end-if = 1\n",
            "end-for\n",
        ]));
    }
}

/// Options that are about options.
fn declaration(random: &mut Random, text: &mut String) {
    let line = match random.below(12) {
        0 => "declare-option = two=procname=$1;threads=$2\ntwo = 8 9\n",
        1 => "declare-option = three=set=k1=$1$2\nthree = 4 %(k0)\n",
        2 => "declare-option2 = four=procname=$1\nfour = 8 9\n",
        3 => "blacklist = vacuum k9\n",
        4 => "end-blacklist = 1\n",
        5 => "set-ph = k4=%(k0)\n",
        6 => "set-placeholder = k3=5\n",
        7 if random.one_in(4) => "set-ph = master=1\n",
        8 if random.one_in(4) => "strict = true\n",
        9 if random.one_in(4) => "exit = 0\n",
        _ => "set = k0=%(k1)\n",
    };
    text.push_str(line);
}

fn line(random: &mut Random, text: &mut String) {
    let name = if random.one_in(2) {
        random.pick(&KEYS)
    } else {
        random.pick(&OPTIONS)
    };
    let equals = random.pick(&[" = ", "=", "\t=  ", " =", ""]);
    let indent = random.pick(&["", "", "", "  ", "\t"]);
    text.push_str(indent);
    text.push_str(name);
    text.push_str(equals);
    if !equals.is_empty() {
        // uWSGI accepts no negative numbers, and large ones become negative.
        let pieces = match name {
            "listen" | "processes" | "threads" => {
                text.push('9');
                0
            }
            "env" => {
                text.push_str("C=d");
                random.below(5)
            }
            _ => random.below(5),
        };
        for _ in 0..pieces {
            text.push_str(random.pick(&PIECES));
        }
    }
    text.push_str(random.pick(&["\n", "\n", "\r\n", " \n", "\n\n"]));
}
