"""What the demo shows: each command before it runs, and a table of what was expected and what was seen."""

import shlex
import subprocess
import sys
from dataclasses import dataclass, field

COLOURS = sys.stdout.isatty()


def paint(text, code):
    """Text in a colour, at a terminal."""
    return f"\033[{code}m{text}\033[0m" if COLOURS else text


def headline(text):
    """The next part of the story."""
    print(paint(f"\n# {text}", "1"), flush=True)


class Shell:
    """Runs commands as a user would type them, and prints each before it runs."""

    def __init__(self, environment, prompt):
        self.environment, self.prompt = environment, prompt

    def run(self, *command, check=True, quiet=False):
        """Run a command. Returns the finished process."""
        shown = [str(word) for word in command]
        if not quiet:
            print(paint(f"{self.prompt}$", "36"), shlex.join(shown), flush=True)
        done = subprocess.run(shown, env=self.environment, capture_output=True, text=True, timeout=120)
        if check and done.returncode:
            raise SystemExit(f"the demo stops: status {done.returncode}: {done.stdout}{done.stderr}")
        return done

    def aws(self, *command, query=None, check=True, quiet=False):
        """Run the AWS CLI. With `query`, returns the words of that part of the answer."""
        selection = ("--query", query, "--output", "text") if query else ()
        done = self.run("aws", *command, *selection, check=check, quiet=quiet)
        return done.stdout.split() if check else done


@dataclass
class Table:
    """What was to be seen, and what was."""

    rows: list = field(default_factory=list)

    def add(self, what, expected, seen):
        """One row; it agrees where both are the same."""
        agrees = expected == seen
        self.rows.append((what, expected, seen, agrees))
        print(f"  {paint('as expected', '32') if agrees else paint('NOT as expected', '31')}: {what}: {seen}", flush=True)

    def print(self):
        """Print all of it. Returns whether every row agrees."""
        lines = [("what", "expected", "seen", ""), *((*row[:3], "ok" if row[3] else "DIFFERS") for row in self.rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(3)]
        headline("Expected and seen")
        for line in lines:
            print("  ".join(text.ljust(width) for text, width in zip(line, widths)), "", line[3])
        return all(row[3] for row in self.rows)
