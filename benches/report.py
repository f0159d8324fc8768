"""The results as a table for a terminal, or for a README."""

import statistics

import measure


def as_text(document, rows):
    """Every server of every row, with the spread of its rounds."""
    about = document["machine"]
    lines = [
        f"{about['cpu']}, {about['kernel']}, Python {about['python']}, nginx {about['nginx']}",
        f"{document['rounds']} rounds of {document['seconds']} s, server on core "
        f"{measure.SERVER_CPU}, load on core {measure.LOAD_CPU}. CPU: median of the server's whole process tree per "
        "request.",
        "Ratio: the program's CPU time over the peer's, median of the ratios of each round.",
    ]
    for row, results in document["rows"].items():
        ratios = "".join(f"{f'{name}/it':>12}" for name in document["programs"])
        lines += ["", f"{row}: {rows[row].about}",
                  f"  {'server':<12}{'CPU µs':>8}{'least':>8}{'most':>8}{'busy':>6}{'req/s':>9}{'p99 ms':>8}{ratios}  goal"]
        lines += ["  " + _line(rows[row], name, results, document["programs"]) for name in results]
    return "\n".join(lines)


def as_markdown(document, rows):
    """One line per server, for people who want the outcome: CPU time, and how many times hostler's it is."""
    lines = ["| Traffic | Server | CPU per request | Compared with hostler |", "| --- | --- | --- | --- |"]
    first = next(iter(document["programs"]))
    for row, results in document["rows"].items():
        about = rows[row].about
        for name, result in results.items():
            if "failed" in result:
                continue
            times = ratio(result, results[first])
            compared = "" if name == first or times is None else f"{times:.2f} ×"
            version = document["versions"].get(name, name)
            lines.append(f"| {about} | {version} | {result['cpu_us']:.1f} µs | {compared} |".replace("|  |", "| |"))
            about = ""
    return "\n".join(lines).replace("\n|  |", "\n| |")


def ratio(ours, theirs):
    """Rounds are paired: what slows the machine for a while slows both."""
    if "failed" in ours or "failed" in theirs:
        return None
    return statistics.median(a["cpu_us"] / b["cpu_us"] for a, b in zip(ours["rounds"], theirs["rounds"]))


def _line(row, name, results, programs):
    result = results[name]
    if "failed" in result:
        return f"{name:<12}{result['failed']}"
    spent = [one["cpu_us"] for one in result["rounds"]]
    text = (f"{name:<12}{result['cpu_us']:>8.2f}{min(spent):>8.2f}{max(spent):>8.2f}{result['busy']:>6.0%}"
            f"{result['rps']:>9.0f}{result['p99_ms']:>8.2f}")
    ratios = [ratio(results[program], result) if program != name else None for program in programs]
    text += "".join(f"{'' if one is None else f'{one:.2f}':>12}" for one in ratios)
    goal = row.goals.get(name)
    if goal is not None and ratios[0] is not None:
        text += f"  {goal:.2f} {'reached' if ratios[0] <= goal else 'MISSED'}"
    return text.rstrip()
