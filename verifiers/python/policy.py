"""Reads a policy to the letter of C2SP's tlog-policy: verify.py reads the same lines, and leaves open in which
order names are defined, and that each is a member of one group at most, so that no witness counts twice."""
import re
from verify import Policy, vkey

def read_policy(data):
    """The policy in a file's bytes; what is raised says which line cannot be used, and why."""
    text, known, once = data.decode(errors="surrogateescape"), {"none"}, set()  # not ASCII: as it is
    assert not re.search("[\0-\x08\x0b-\x1f\x7f]", text), "policy: a control character"
    assert text.endswith("\n"), "policy: its last line does not end in a newline"

    def define(one, what, seen=once):
        assert one not in seen, f"{what} twice"
        seen.add(one)

    def read(kind, name="", *rest):
        if kind == "log": define(vkey(name, 1)[1], "a key")
        elif kind == "witness":
            define(name, "a name", known)
            define(vkey(rest[0], 4)[1], "a key")
        elif kind in ("group", "quorum"):
            for member in rest[1:] if kind == "group" else [name]:
                assert member in known - {"none"}, f"{member} is not defined before it"
                if kind == "group": define(member, f"member {member}")
            if kind == "group": define(name, "a name", known)

    for number, line in enumerate(text.split("\n"), 1):
        words = re.findall("[^ \t]+", line)
        try:
            if words and words[0][0] != "#": read(*words)
        except Exception as error:
            raise AssertionError(f"policy: line {number}: {error or 'malformed'}") from error
    return Policy(text)
