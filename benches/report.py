"""The results as tables for a terminal, or for a README."""

import statistics

import measure

# Of rows of traffic: the key of a figure, what its column is called, and how it is written.
TRAFFIC = {"cpu_us": ("CPU µs", ".2f"), "least": ("least", ".2f"), "most": ("most", ".2f"), "busy": ("busy", ".0%"),
           "rps": ("req/s", ".0f"), "p99_ms": ("p99 ms", ".2f"), "tail": ("p99/p50", ".1f")}


def as_text(document, rows):
    """Every server of every row, with the spread of its rounds."""
    about = document["machine"]
    lines = [
        f"{about['cpu']}, {about['cores']} cores, {about['kernel']}, Python {about['python']}, nginx {about['nginx']}",
        ", ".join(document["versions"].values()),
        f"{document['rounds']} rounds of {document['seconds']} s in turns, medians. Server on core {measure.SERVER_CPU}, load on "
        f"core {measure.LOAD_CPU}. CPU: of the server's whole process tree ({document['source']}), per request.",
        "Ratio: the program's first figure over the peer's, median of the ratios of each round. More: benches/README.md.",
    ]
    for name, results in document["rows"].items():
        lines += ["", f"{name}: {rows[name].about}", *_table(rows[name], results, list(document["programs"]))]
    return "\n".join(lines)


def as_markdown(document, rows):
    """One line per server, for people who want the outcome: CPU time of a request, or the figure of the row, and how many times hostler's it is."""
    lines = ["| Traffic | Server | Cost | Compared with hostler |", "| --- | --- | --- | --- |"]
    first = next(iter(document["programs"]))
    for row, results in document["rows"].items():
        about, key = rows[row].about, rows[row].figure
        for name, result in results.items():
            if "failed" in result:
                continue
            times = None if name == first else ratio(result, results[first], key)
            compared = "" if times is None else f"{times:.2f} ×"
            version = document["versions"].get(name, name)
            amount = f"{result[key]:.1f} {'µs' if key == 'cpu_us' else key}"
            lines.append(f"| {about} | {version} | {amount} | {compared} |".replace("|  |", "| |"))
            about = ""
    return "\n".join(lines).replace("\n|  |", "\n| |")


def ratio(ours, theirs, key):
    """Rounds are paired: what slows the machine for a while slows both. None where there is nothing to compare."""
    if "failed" in ours or "failed" in theirs:
        return None
    pairs = [(a[key], b[key]) for a, b in zip(ours["rounds"], theirs["rounds"])]
    return statistics.median(a / b for a, b in pairs) if all(b for _, b in pairs) else None


def _table(row, results, programs):
    columns = TRAFFIC if row.figure == "cpu_us" else {
        row.figure: (row.figure, row.figures[row.figure]), "least": ("least", row.figures[row.figure]),
        "most": ("most", row.figures[row.figure]), **{key: (key, form) for key, form in list(row.figures.items())[1:]}}
    titles = "".join(f"{title:>11}" for title, _ in columns.values()) + "".join(f"{f'{name}/it':>12}" for name in programs)
    yield f"  {'server':<10}{titles}  goal"
    for name, result in results.items():
        yield f"  {name:<10}" + (f" {result['failed']}" if "failed" in result else _line(row, columns, name, results, programs))


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
