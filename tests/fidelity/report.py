"""docs/fidelity.md, from what was expected and what was seen."""

from expected import name

HEAD = """\
# Fidelity

How near the API is to AWS's, by a test suite of others: that of [moto](https://github.com/getmoto/moto) {version}, which \
runs against any server. `make fidelity` runs it against a daemon, says what is not as expected, and writes this page; \
it brings moto by pip, and none of it is kept here. What is expected, test by test, is in `tests/fidelity/expected.toml`.

moto is another's view of the same API. Where a test of its contradicts AWS, AWS wins: the test fails here, and is \
listed below with the reason and where that is known from. Tests that moto itself skips against a server are not counted.

| family | passed | AWS does otherwise | not done here |
|---|---:|---:|---:|
"""

VERIFIED = "of them, those that moto has run against AWS"

DIFFERS = """
## Where AWS does otherwise

Each of these tests wants what AWS does not do.

"""

ABSENT = """
## Not done here

These tests need what Linkway does not do, if only to prepare something else: which says nothing about the rest of \
what they test.

| what | tests |
|---|---:|
"""


def report(expected, outcomes, version):
    """The page's text."""
    text = HEAD.format(version=version)
    of_family = {file: family for family, files in expected.families.items() for file in files}
    rows = [
        (family, tally(expected, [outcome for outcome in outcomes if of_family[file(outcome)] == family]))
        for family in expected.families
    ]
    verified = [outcome for outcome in outcomes if outcome["verified"]]
    rows += [("**all**", tally(expected, outcomes)), (VERIFIED, tally(expected, verified))]
    text += "".join(f"| {family} | {' | '.join(map(str, counts))} |\n" for family, counts in rows)
    text += DIFFERS
    failed = [outcome for outcome in outcomes if outcome["outcome"] == "failed"]
    for group in expected.groups:
        if group.kind == "differs":
            chance = " (By chance, it may pass.)" if group.may_pass else ""
            text += f"- {group.reason}{chance} Source: {group.source}.\n"
            text += "".join(f"  - `{test}`\n" for test in group.tests)
    text += ABSENT
    for group in expected.groups:
        if group.kind == "absent":
            text += f"| {group.reason} | {sum(expected.group(outcome) is group for outcome in failed)} |\n"
    return text


def file(outcome):
    """The file of a test."""
    return name(outcome).split("::")[0]


def tally(expected, outcomes):
    """How many of these tests passed, failed as AWS does otherwise, and failed as something is not done."""
    failed = [expected.group(outcome) for outcome in outcomes if outcome["outcome"] == "failed"]
    kinds = [group.kind for group in failed if group]
    return sum(outcome["outcome"] == "passed" for outcome in outcomes), kinds.count("differs"), kinds.count("absent")
