"""What is expected of tests that do not pass, and why."""

import fnmatch
import re
import tomllib
from dataclasses import dataclass, field


@dataclass
class Group:
    """Tests that fail for one reason."""

    # `differs`: AWS does otherwise than the test wants. `absent`: it needs something that Linkway does not do.
    kind: str
    reason: str
    # Where it is known from what AWS does; for what differs.
    source: str
    # Names without the directory `tests/`, where `*` stands for any text.
    tests: list
    # Whether chance decides how a test ends, for example by the order of addresses.
    may_pass: bool = False
    patterns: list = field(init=False)

    def __post_init__(self):
        if self.kind not in ("differs", "absent") or (self.kind == "differs") != bool(self.source):
            raise ValueError(f"a group that differs has a source, one that is absent has none: {self.reason}")
        self.patterns = [re.compile(fnmatch.translate(test.replace("[", "[[]"))) for test in self.tests]

    def has(self, test):
        """Whether a test is of the group."""
        return any(pattern.match(test) for pattern in self.patterns)


@dataclass
class Expected:
    """Which tests are run, by family, and the groups of those that fail."""

    families: dict
    groups: list

    @classmethod
    def read(cls, path):
        """Read expected.toml."""
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        return cls(given["families"], [Group(**{"source": "", **group}) for group in given["group"]])

    def files(self):
        """All files of tests."""
        return [file for files in self.families.values() for file in files]

    def group(self, outcome):
        """The group of a test, or None."""
        test = name(outcome)
        return next((group for group in self.groups if group.has(test)), None)

    def surprises(self, outcomes, whole):
        """What is not as expected, a line each; with `whole`, also groups' names that no test has."""
        lines = []
        for outcome in outcomes:
            group, how = self.group(outcome), outcome["outcome"]
            if how == "failed" and group is None:
                lines.append(f"fails: {name(outcome)}: {' '.join(outcome['why'].split())[:200]}")
            if how == "passed" and group is not None and not group.may_pass:
                lines.append(f"passes, but is listed: {name(outcome)} ({group.reason})")
        if whole:
            names = [name(outcome) for outcome in outcomes]
            for group in self.groups:
                unmatched = zip(group.tests, group.patterns, strict=True)
                lines += [f"no such test: {test}" for test, pattern in unmatched if not any(map(pattern.match, names))]
        return lines


def name(outcome):
    """A test's name, without the directory of all tests."""
    return outcome["test"].removeprefix("tests/")
