//! Commands at given times: `cron` as `[[timer]]`.

use toml::Value;

use super::{Applied, Outcome, Topic, Verdict, daemons::words, engine::Translation, typed};
use crate::convert::draft::Section;

pub(in crate::convert::uwsgi) static CRON: Topic = Topic {
    documentation: "moved to systemd: a `[[timer]]`",
    slot: None,
    early: false,
    run: cron,
};

pub(in crate::convert::uwsgi) static CRON2: Topic = Topic {
    documentation: "moved to systemd: a `[[timer]]`",
    slot: None,
    early: false,
    run: cron2,
};

pub(in crate::convert::uwsgi) static CURL: Topic = Topic {
    documentation: "moved to systemd: a `[[timer]]` that runs curl",
    slot: None,
    early: false,
    run: curl,
};

/// Minute, hour, day, month, weekday, as uWSGI writes them: -1 is any, -N is every N.
type Times = [i32; 5];

/// Days of systemd.time(7), from Sunday as cron counts.
const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

fn cron(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let mut rest = option.value.trim();
    let mut times: Times = [-1; 5];
    for time in &mut times {
        let (word, behind) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
        match parsed(word) {
            Some(number) => *time = number,
            None => return unread(option),
        }
        rest = behind.trim_start();
    }
    timer(translation, option, times, rest, None)
}

/// Five times and a URL.
fn curl(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let mut words = option.value.split_whitespace();
    let times: Vec<&str> = words.by_ref().take(5).collect();
    let url = words.next().unwrap_or_default();
    let value = match url {
        "" => String::new(),
        url => format!(
            "{} curl --silent --show-error --fail {url}",
            times.join(" ")
        ),
    };
    let option = Applied {
        value,
        ..option.clone()
    };
    cron(translation, &option)
}

/// A number, or the star of every other cron, which uWSGI itself refuses.
fn parsed(word: &str) -> Option<i32> {
    match word.strip_prefix("*/") {
        _ if word == "*" => Some(-1),
        Some(step) => step.parse::<i32>().ok().map(|step| -step),
        None => word.parse().ok(),
    }
}

/// `minute=,hour=,day=,month=,week=,... command`
fn cron2(translation: &mut Translation<'_>, option: &Applied) -> Outcome {
    let text = option.value.trim();
    let (keys, command) = match text.split_once(' ') {
        Some((first, rest)) if first.contains('=') => (first, rest),
        _ => ("", text),
    };
    let mut times: Times = [-1; 5];
    let mut timeout = None;
    for (name, value) in keys.split(',').filter_map(|pair| pair.split_once('=')) {
        let place = match name {
            "minute" => 0,
            "hour" => 1,
            "day" => 2,
            "month" => 3,
            "week" | "weekday" => 4,
            "harakiri" => {
                timeout = value.parse::<u64>().ok();
                continue;
            }
            _ => continue,
        };
        match parsed(value) {
            Some(number) => times[place] = number,
            None => return unread(option),
        }
    }
    timer(translation, option, times, command, timeout)
}

fn unread(option: &Applied) -> Outcome {
    let why = format!(
        "`{}` has no five numbers in front of a command",
        option.value
    );
    Outcome::not_possible(why.clone(), "a `[[timer]]`").ask(why)
}

fn timer(
    translation: &mut Translation<'_>,
    option: &Applied,
    times: Times,
    command: &str,
    timeout: Option<u64>,
) -> Outcome {
    let Some(events) = events(times).filter(|_| !command.is_empty()) else {
        return unread(option);
    };
    let section = translation.draft.add("timer");
    let name = super::daemons::name_of(translation, "timer", command);
    translation.draft.set(section, "name", name);
    translation.draft.set(section, "command", words(command));
    translation
        .draft
        .set(section, "on-calendar", events.clone());
    limit(translation, section, timeout);
    Outcome {
        place: Some((section, None)),
        ..Outcome::new(Verdict::Moved {
            directive: format!("OnCalendar={}", events.join(" and ")),
            key: "timer".to_owned(),
        })
    }
}

/// How long the command may take: its own limit, or that of all.
fn limit(translation: &mut Translation<'_>, section: Section, own: Option<u64>) {
    let all = translation.last("cron-harakiri");
    let all = all.and_then(|option| option.value.trim().parse().ok());
    if let Some(seconds) = own.or(all).filter(|seconds| *seconds > 0) {
        translation
            .draft
            .set(section, "timeout", Value::from(typed::seconds(seconds)));
    }
}

/// As calendar events of systemd.time(7); two when either of day and weekday is enough.
fn events(times: Times) -> Option<Vec<String>> {
    let [minute, hour, day, month, weekday] = times;
    let clock = format!(
        "{}:{}:00",
        part(hour, 0..=23, false)?,
        part(minute, 0..=59, false)?
    );
    let month = part(month, 1..=12, true)?;
    let on_day = |day: &str, weekday: &str| {
        format!("{weekday} *-{month}-{day} {clock}")
            .trim_start()
            .to_owned()
    };
    let days = part(day, 1..=31, true)?;
    let weekdays = weekdays(weekday)?;
    Some(match (day >= 0, weekday >= 0) {
        (true, true) => vec![on_day(&days, ""), on_day("*", &weekdays)],
        _ => vec![on_day(&days, &weekdays)],
    })
}

/// One field: a number, any, or every so many. What counts from one is due when its number can be divided.
fn part(number: i32, range: std::ops::RangeInclusive<i32>, from_one: bool) -> Option<String> {
    match number {
        -1 => Some("*".to_owned()),
        step if step < 0 => {
            let step = step.checked_neg().filter(|step| step <= range.end())?;
            let first = if from_one { step } else { 0 };
            Some(format!("{first:02}/{step}"))
        }
        number => range.contains(&number).then(|| format!("{number:02}")),
    }
}

fn weekdays(number: i32) -> Option<String> {
    match number {
        -1 => Some(String::new()),
        step if step < 0 => {
            let step = usize::try_from(step.checked_neg()?).ok()?;
            let days: Vec<&str> = DAYS.into_iter().step_by(step).collect();
            Some(days.join(","))
        }
        number => {
            let number = usize::try_from(number).ok().filter(|number| *number <= 7)?;
            Some(DAYS[number % DAYS.len()].to_owned())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(times: Times, expected: &[&str]) {
        assert_eq!(events(times).unwrap_or_default(), expected);
    }

    #[test]
    fn times_are_calendar_events() {
        check([0, 4, -1, -1, -1], &["*-*-* 04:00:00"]);
        check([-1, -1, -1, -1, -1], &["*-*-* *:*:00"]);
        check([-5, -1, -1, -1, -1], &["*-*-* *:00/5:00"]);
        check([0, -2, -1, -1, -1], &["*-*-* 00/2:00:00"]);
        check([30, 2, 1, -1, -1], &["*-*-01 02:30:00"]);
        check([0, 0, -10, -3, -1], &["*-03/3-10/10 00:00:00"]);
        check([59, 2, -1, -1, 0], &["Sun *-*-* 02:59:00"]);
        check([0, 0, -1, -1, 7], &["Sun *-*-* 00:00:00"]);
        check([0, 0, -1, -1, -2], &["Sun,Tue,Thu,Sat *-*-* 00:00:00"]);
        check(
            [0, 0, 13, -1, 5],
            &["*-*-13 00:00:00", "Fri *-*-* 00:00:00"],
        );
        check([60, 0, -1, -1, -1], &[]);
        check([0, 0, -1, 13, -1], &[]);
        check([0, 0, -1, -1, 8], &[]);
        check([i32::MIN, 0, -1, -1, -1], &[]);
    }
}
