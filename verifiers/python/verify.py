#!/usr/bin/env python3
"""Checks Sealane's receipts with nothing but this file, Python 3.9 and the policy that you pinned:
exactly these bytes stand at this place of a log that its operator signed and a quorum cosigned.
Whole logs: logs.py. All the rest: audit.py. RFC 8032, RFC 9162, C2SP; README.md says how."""
import base64, functools, hashlib, json, math, re, sys
from datetime import datetime
if not __debug__: sys.exit("refused: python -O drops the checks")
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ONE = -121665 * pow(121666, -1, P) % P, (0, 1, 1, 0)
LINE = r"(?a)log( \S+){1,2}|witness( \S+){2,3}|group \S+ (any|all|[1-9][0-9]*)( \S+)+|quorum \S+"
def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
def why(error): return ascii(str(error) or type(error).__name__)[1:-1]  # on one line
def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * p[3] * q[3] * D, 2 * p[2] * q[2]
    e, f, g, h = (b - a) % P, (d - c) % P, (d + c) % P, (b + a) % P
    return e * f % P, g * h % P, f * g % P, e * h % P
def combine(s, p, k, q):  # s·p + k·q
    sums, r = (None, p, q, add(p, q)), ONE
    for bit in range(252, -1, -1):
        r = add(r, r)
        if at := (s >> bit & 1) + 2 * (k >> bit & 1): r = add(r, sums[at])
    return r
def encode(p):
    x, y = (c * pow(p[2], -1, P) % P for c in p[:2])
    return (y | (x & 1) << 255).to_bytes(32, "little")
@functools.cache
def admit(key):  # the point of a public key: canonical, on the curve, of prime order
    y, sign = int.from_bytes(key, "little") % 2**255, key[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * pow(2, (P - 1) // 4, P) % P
    point = (x := x if x & 1 == sign else P - x), y, 1, x * y % P
    assert x * x % P == square and encode(point) == key, "key: no canonical point"
    assert encode(combine(L, point, 0, ONE)) == encode(ONE) != key, "key: not of prime order"
    return point
BASE = admit(b"\x58" + b"\x66" * 31)
@functools.lru_cache(2**18)
def verify(key, message, sig):
    """An Ed25519 signature, judged without the cofactor, s below L."""
    s, (x, y, z, t) = int.from_bytes(sig[32:], "little"), admit(key)
    k = int.from_bytes(hashlib.sha512(sig[:32] + key + message).digest(), "little") % L
    r = encode(combine(s, BASE, k, (P - x, y, z, P - t)))
    return len(sig) == 64 and s < L and r == sig[:32]
def b64(text, size=None):
    data = base64.b64decode(text, validate=True)
    assert base64.b64encode(data).decode() == text and size in (None, len(data)), "base64"
    return data
@functools.cache
def vkey(text, kind):  # ((name, key id), type ‖ public key) of a verifier key
    name, ident, data = text.split("+", 2)
    data = b64(data, 33)
    assert data[0] == kind and sha(name.encode(), b"\n", data)[:4].hex() == ident, f"key {text}"
    return admit(data[1:]) and ((name, ident), data)
def note(text):
    """The text that is signed, and its lines as ((name, key id), signature)."""
    assert not re.search("[\0-\x09\x0b-\x1f]", text), "note: a control character"
    body, split, tail = text.rpartition("\n\n")
    lines = [re.fullmatch(r"— ([^\s+]+) (\S+)", line) for line in tail[:-1].split("\n")]
    assert split and tail.endswith("\n") and all(lines) and len(lines) <= 100, "note: malformed"
    found = [(m[1], b64(m[2])) for m in lines]
    assert all(len(sig) > 4 for _, sig in found), "note: a short signature"
    return body + "\n", [((name, sig[:4].hex()), sig[4:]) for name, sig in found]

def signed(text, lines, keys):
    """Those of `keys` that signed, with a cosignature's time; a bad line of a known key refuses."""
    found = {}
    for who, sig in (line for line in lines if line[0] in keys):
        time = int.from_bytes(sig[:8], "big") if keys[who][0] == 4 else None
        head, sig = (b"", sig) if time is None else (b"cosignature/v1\ntime %d\n" % time, sig[8:])
        good = (time or 0) < 2**53 and verify(keys[who][1:], head + text.encode(), sig)
        assert good, f"bad signature of {who[0]}"
        found.setdefault(who, time)
    return found

class Policy:  # a C2SP tlog-policy: whom its reader trusts
    def __init__(self, text):
        lines = re.findall(r"(?m)^[ \t]*([^# \t\n].*)$", text)
        rows = [re.findall("[^ \t]+", line) for line in lines]
        for row in map(" ".join, rows): assert re.fullmatch(LINE, row), f"policy: no line {row:.90}"
        self.logs = [vkey(row[1], 1) for row in rows if row[0] == "log"]  # its old keys too
        self.witnesses = {row[1]: vkey(row[2], 4) for row in rows if row[0] == "witness"}
        self.groups = {name: ({*of}, {"any": 1, "all": len(of)}.get(least) or int(least))
                       for kind, name, least, *of in (row for row in rows if row[0] == "group")}
        self.quorum, *_ = [row[1] for row in rows if row[0] == "quorum"] or [None]
        named = {self.quorum}.union(*(of for of, _ in self.groups.values()))
        assert named <= {*self.witnesses, *self.groups}, "policy: no quorum, or one of nobody"
        assert all(n <= len(of) for of, n in self.groups.values()), "policy: a threshold"
        own = {key for _, key in [*self.logs, *self.witnesses.values()]}  # one key is one witness
        assert len(rows) == 1 + len(own) + len(self.groups), "policy: a line twice"
    def fewest(self, name, have):
        """How many of the witnesses that cosigned make up `name`; infinite if too few did."""
        if name in self.witnesses: return 1 if self.witnesses[name][0] in have else math.inf
        members, least = self.groups[name]
        return sum(sorted(self.fewest(member, have) for member in members)[:least])

def checkpoint(raw, pol, exact=False):
    """(origin, size, root, ms of its seal, the log's key); `exact`: no line but that key's and a
    quorum's. The seal is the middle cosignature's time: no single witness that lies can move it."""
    text, lines = note(raw)
    origin, size, root, *rest = text[:-1].split("\n")
    assert re.fullmatch("0|[1-9][0-9]{0,14}", size) and all(rest), "checkpoint: malformed"
    logs = [key for key in pol.logs if key[0][0] == origin]
    assert logs, f"checkpoint: of {origin}, which the policy does not name"
    found = signed(text, lines, dict([*logs, *pol.witnesses.values()]))
    need, by = pol.fewest(pol.quorum, found), [key for key in logs if key[0] in found]
    assert by, "checkpoint: no known log key; if the key log names another, add its line"
    assert need < math.inf, "checkpoint: too few cosignatures"
    assert not exact or len(lines) == len(found) == 1 + need, "checkpoint: a line too many"
    times = sorted(time for time in found.values() if time is not None)
    return origin, int(size), b64(root, 32), 1000 * times[(len(times) - 1) // 2], by[0]

def root_from(node, index, size, proof):
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3): its last hash is the widest."""
    assert 0 <= index < size and bool(proof) == (size > 1), "inclusion: not a proof of this place"
    if size == 1: return node
    split = 1 << (size - 1).bit_length() - 1
    if index < split: return sha(b"\1", root_from(node, index, split, proof[:-1]), proof[-1])
    return sha(b"\1", proof[-1], root_from(node, index - split, size - split, proof[:-1]))

def sealed_entry(receipt, pol):
    """(bytes, place, origin of its log, the log's key) of the entry that a receipt holds."""
    form = r"c2sp\.org/tlog-proof@v1\nextra (\S+)\nindex (0|[1-9][0-9]*)\n((?:\S+\n)*)\n(.*)"
    assert (found := re.fullmatch(form, receipt.decode(), re.S)), "receipt: malformed"
    entry, at, raw = b64(found[1]), int(found[2]), found[4]
    path = [b64(line, 32) for line in found[3].split()]
    origin, size, root, sealed, log = checkpoint(raw, pol, exact=True)
    assert root_from(sha(b"\0", entry), at, size, path) == root, "receipt: not in the log"
    body, _ = note(entry.decode())
    context = json.loads(body.split("\n")[1])
    here = body.startswith(origin + "/entry/v1\n") and not origin.endswith("/keys")
    assert here and context["seq"] == at, "receipt: of another log, or another place"
    time = datetime.fromisoformat(context["time"][:-1] + "+00:00").timestamp() * 1000
    assert time <= sealed + 2000, "receipt: the entry is newer than its seal"
    return entry, at, origin, log

if __name__ == "__main__":
    if len(sys.argv) < 3: sys.exit("usage: verify.py POLICY RECEIPT...")
    policy, refused = None, False
    for path in sys.argv[1:]:
        try:
            with open(path, "rb") as file: data = file.read()
            if not policy: policy = Policy(data.decode(errors="surrogateescape"))
            else: print("{0}: sealed, entry {2} of {3}; who had to sign it was not checked".format(
                why(path), *sealed_entry(data, policy)))
        except Exception as error:
            refused = not print(f"{why(path)}: refused: {why(error)}")
            if not policy: break
    sys.exit(refused)
