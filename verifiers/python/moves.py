"""What moves from one lane to another: cover leaves by an entry that two operators have signed, and comes
in by one of the ledger's own, which holds the first whole and a proof. Every check is an `assert`."""
import re
from verify import b64, checkpoint, note, root_from, sha, signed, vkey

KINDS = ("liquidity-in",)

def proof(x):
    """(place, path, checkpoint) of the proof that stands in a statement."""
    form = r"c2sp\.org/tlog-proof@v1\nindex (0|[1-9][0-9]{0,14})\n((?:\S+\n){0,63})\n(.*)"
    found = re.fullmatch(form, x["proof"], re.S)
    assert found, "in: its proof is malformed"
    return int(found[1]), [b64(line, 32) for line in found[2].split()], found[3]

def carried(x, below, origin, states, s, judge):
    """The statement that another lane let go by: judged there, and in a log that a key of it has signed."""
    assert x["from"] != origin, "in: from the same lane"
    assert any(lane["origin"] == x["from"] for lane in s["lanes"]), "in: from no other lane"
    c, kind, gone, *_ = judge(below, x["from"])
    assert kind == "liquidity-out" and gone["to"] == origin, "in: it was not let go for this lane"
    at, path, raw = proof(x)
    text, lines = note(raw)
    log, size, root, *rest = text[:-1].split("\n")
    assert re.fullmatch("0|[1-9][0-9]{0,14}", size) and all(rest), "in: its checkpoint is malformed"
    assert (log, c["seq"]) == (x["from"], at), "in: the proof is of another entry"
    assert root_from(sha(b"\0", below.encode()), at, int(size), path) == b64(root, 32), "in: not in the log"
    keys = [vkey(lane["vkey"], 1) for state in states[c["keys"]["size"]:] for lane in state["lanes"]
            if lane["origin"] == log]
    assert any(signed(text, lines, dict([key])) for key in keys), "in: no key of that lane has signed"
    return gone

def judge_seal(kind, x, pol):
    """What is taken in was sealed in the other lane, by the policy's quorum."""
    if kind in KINDS: assert checkpoint(proof(x)[2], pol)[0] == x["from"], "in: another log's seal"
