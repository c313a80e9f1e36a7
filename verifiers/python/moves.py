"""What moves from one lane to another: cover leaves by an entry that two operators have signed, and comes
in by one of the ledger's own, which holds the first whole and a proof. Every check is an `assert`."""
import re
from keylog import has_slot, statement
from verify import b64, checkpoint, note, root_from, sha, signed, vkey

KINDS = ("liquidity-in", "slots-in")

def proof(x):
    """(place, path, checkpoint) of the proof that stands in a statement."""
    form = r"c2sp\.org/tlog-proof@v1\nindex (0|[1-9][0-9]{0,14})\n((?:\S+\n){0,63})\n(.*)"
    found = re.fullmatch(form, x["proof"], re.S)
    assert found, "in: its proof is malformed"
    return int(found[1]), [b64(line, 32) for line in found[2].split()], found[3]

def carried(kind, x, below, origin, cited, states, judge):
    """The statement that another lane let go by: judged there, and in a log that a key of it has signed."""
    assert x["from"] != origin, "in: from the same lane"
    given = states[cited]["given"]
    assert any(lane["origin"] == x["from"] for lane in given), "in: from no other lane"
    c, what, gone, *_ = judge(below, x["from"])
    assert what == kind[:-2] + "out" and gone["to"] == origin, "in: it was not let go for this lane"
    assert c["keys"]["size"] <= cited, "in: it cites less of the key log than what it carries"
    at, path, raw = proof(x)
    text, lines = note(raw)
    log, size, root, *rest = text[:-1].split("\n")
    assert re.fullmatch("0|[1-9][0-9]{0,14}", size) and all(rest), "in: its checkpoint is malformed"
    assert (log, c["seq"]) == (x["from"], at), "in: the proof is of another entry"
    assert root_from(sha(b"\0", below.encode()), at, int(size), path) == b64(root, 32), "in: not in the log"
    keys = [vkey(lane["vkey"], 1) for state in states[c["keys"]["size"]:cited + 1] for lane in state["lanes"]
            if lane["origin"] == log]
    assert any(signed(text, lines, dict([key])) for key in keys), "in: no key of that lane has signed"
    return gone

def judge_seal(kind, x, pol):
    """What is taken in was sealed in the other lane, by the policy's quorum."""
    if kind in KINDS: assert checkpoint(proof(x)[2], pol)[0] == x["from"], "in: another log's seal"

class Slots:
    """What a lane decides: what the key log gave it first, less what left, and what came."""
    def __init__(self, origin): self.origin, self.moved, self.open = origin, {}, set()

    def decides(self, slot, s):
        first = next((lane["origin"] for lane in s["given"] if has_slot(lane, slot)), None)
        return self.moved.get(slot, first == self.origin)

    def follow(self, kind, x, inner, ended, original, s):
        """`ended`: the id of the transfer, return or recall that an entry is about; `original`: of what
        comes back, which stands where it does."""
        beside = original and ended and int(original[:4], 16) >> 6 == int(ended[:4], 16) >> 6
        here = not ended or beside or ended in self.open or self.decides(int(ended[:4], 16) >> 6, s)
        assert here, f"lane: {ended} is another lane's by now"
        if kind == "slots-out":
            to = [lane for lane in s["lanes"] if lane["origin"] == x["to"] != self.origin]
            for slot in spans(x):
                assert self.decides(slot, s) and to and has_slot(to[0], slot), f"slots: {slot} stays here"
                self.moved[slot] = False
            self.open.update(x["open"])
        if kind == "slots-in":
            for slot in spans(let_go(kind, x, inner)):
                assert not self.decides(slot, s), f"slots: {slot} is here already"
                self.moved[slot] = True

def let_go(kind, x, inner):
    """What the other lane said in the entry that stands below."""
    entry = note(inner)[0].split("\n", 2)[2]
    said = note(entry)[0].split("\n", 2)[2]
    return statement(note(said)[0], x["from"], kind[:-2] + "out")[0]

def once(kind, x, inner):
    """What may stand in a lane once: what ended, a break that was adjusted, cover that left or came."""
    if kind == "liquidity-in": return "in", x["from"], let_go(kind, x, inner)["id"]
    return (kind, x["id"]) if kind in ("adjustment", "liquidity-out") else x.get("id")

def spans(x): return [slot for one in x["slots"] for slot in range(one["from"], one["to"])]
