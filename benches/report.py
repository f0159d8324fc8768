"""The results as tables for a terminal, or for a README."""

import statistics

import measure
import peers

# Of rows of traffic: the key of a figure, what its column is called, and how it is written.
TRAFFIC = {"cpu_us": ("CPU µs", ".2f"), "least": ("least", ".2f"), "most": ("most", ".2f"), "busy": ("busy", ".0%"),
           "rps": ("req/s", ".0f"), "p99_ms": ("p99 ms", ".2f"), "tail": ("p99/p50", ".1f")}

# What is no server of others, in words.
SPOKEN = {"floor": "the kernel alone", "unwatched": "without them"}


def head(document):
    """The machine, who is compared, and how."""
    about = document["machine"]
    return "\n".join([
        f"{about['cpu']}, {about['cores']} cores, {about['kernel']}, TCP with {about['congestion']}, Python {about['python']}, "
        f"nginx {about['nginx']}",
        ", ".join(version for name, version in document["versions"].items() if name not in peers.OWN),
        f"{document['rounds']} rounds of {document['seconds']} s in turns, medians. The server on core {measure.SERVER_CPU}; "
        f"wrk (64 connections where nothing else is said) and nginx on core {measure.LOAD_CPU}.",
        f"CPU: user and system time of the server's whole process tree, {about['source']}, over the requests answered.",
        "Ratio: the program's first figure over the peer's within each round, the median. More: benches/README.md.",
    ])


def one(row, name, document):
    """Every server of one row, with the spread of its rounds."""
    return "\n".join(["", f"{name}: {row.about}", *_table(row, document["rows"][name], list(document["programs"]))])


def as_markdown(document, rows):
    """One line per row, for people who want the outcome: hostler's figure, and how many times that the others' are."""
    lines = ["| Row | hostler | the others, times that |", "| --- | --- | --- |"]
    first = next(iter(document["programs"]))
    for row, results in document["rows"].items():
        if "failed" in results[first]:
            continue
        key = rows[row].figure
        amount = f"{results[first][key]:.1f} µs" if key == "cpu_us" else f"{results[first][key]:{rows[row].figures[key]}} {key}"
        times = {name: ratio(result, results[first], key) for name, result in results.items() if name != first}
        others = ", ".join(f"{SPOKEN.get(name, name)} {one:.2f}" for name, one in times.items() if one is not None)
        lines.append(f"| {rows[row].about} | {amount} | {others} |")
    return "\n".join(lines)


def ratio(ours, theirs, key):
    """Rounds are paired: what slows the machine for a while slows both. None where there is nothing to compare."""
    if "failed" in ours or "failed" in theirs:
        return None
    pairs = [(a[key], b[key]) for a, b in zip(ours["rounds"], theirs["rounds"])]
    return statistics.median(a / b for a, b in pairs) if all(b for _, b in pairs) else None


def _table(row, results, programs):
    columns = TRAFFIC if row.figure == "cpu_us" else _columns(row.figures)
    titles = "".join(f"{title:>11}" for title, _ in columns.values()) + "".join(f"{f'{name}/it':>12}" for name in programs)
    yield f"  {'server':<10}{titles}  goal"
    for name, result in results.items():
        figures = f" {result['failed']}" if "failed" in result else _line(row, columns, name, results, programs)
        yield f"  {name:<10}{figures}"


def _columns(figures):
    """As `TRAFFIC`: the first figure with its spread, then the others."""
    (first, form), *others = figures.items()
    spread = {key: (title, form) for key, title in ((first, first), ("least", "least"), ("most", "most"))}
    return spread | {key: (key, form) for key, form in others}


def _line(row, columns, name, results, programs):
    result = results[name]
    spread = [one[row.figure] for one in result["rounds"]]
    shown = result | {"least": min(spread), "most": max(spread)}
    text = "".join(f"{shown[key]:>11{form}}" for key, (_, form) in columns.items())
    ratios = [ratio(results[program], result, row.figure) if program != name else None for program in programs]
    text += "".join(f"{'' if one is None else f'{one:.2f}':>12}" for one in ratios)
    return "  ".join([text, *_verdicts(row, name, results, programs[0])]).rstrip()


def _verdicts(row, name, results, program):
    """What is promised of the program beside this server, or of itself, and whether it holds."""
    if name == program:
        for key, most in row.limits.items():
            yield _verdict(f"{key} ≤ {most}", results[name][key] <= most)
        return
    times = ratio(results[program], results[name], row.figure)
    if name in row.goals and times is not None:
        yield _verdict(f"≤ {row.goals[name]:.2f}", times <= row.goals[name])
    times = ratio(results[program], results[name], "rps") if name in row.pace else None
    if times is not None:
        yield _verdict(f"req/s {times:.2f} ≥ {row.pace[name]:.2f}", times >= row.pace[name])


def _verdict(promise, holds):
    return f"{promise} {'reached' if holds else 'MISSED'}"
