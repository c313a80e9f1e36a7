"""Transparency logs with Python's standard library: Ed25519, signed notes, policies, checkpoints,
trees (RFC 8032, RFC 9162, C2SP). Nothing of Sealane is in here. Every check is an `assert`."""
import base64, functools, hashlib, math, re, sys
if not __debug__: sys.exit("refused: python -O drops the checks")
P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ONE = -121665 * pow(121666, -1, P) % P, (0, 1, 1, 0)

def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()

def add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0])
    c, d = 2 * p[3] * q[3] * D, 2 * p[2] * q[2]
    e, f, g, h = (b - a) % P, (d - c) % P, (d + c) % P, (b + a) % P
    return e * f % P, g * h % P, f * g % P, e * h % P

def combine(s, p, k, q):
    """s·p + k·q"""
    sums, r = (None, p, q, add(p, q)), ONE
    for bit in range(252, -1, -1):
        r, at = add(r, r), (s >> bit & 1) + 2 * (k >> bit & 1)
        if at: r = add(r, sums[at])
    return r

def encode(p):
    x, y = (c * pow(p[2], -1, P) % P for c in p[:2])
    return (y | (x & 1) << 255).to_bytes(32, "little")

@functools.cache
def admit(key):
    """The point of a public key: canonical, on the curve, of prime order."""
    y, sign = int.from_bytes(key, "little") % 2**255, key[31] >> 7
    u, v = (y * y - 1) % P, (D * y * y + 1) % P
    x = u * v**3 * pow(u * v**7, (P - 5) // 8, P) % P
    x = x if v * x * x % P == u else x * pow(2, (P - 1) // 4, P) % P
    x, point = v * x * x % P == u and (x if x & 1 == sign else P - x), None
    assert x is not False and encode(point := (x, y, 1, x * y % P)) == key, "key: no canonical point"
    assert encode(combine(L, point, 0, ONE)) == encode(ONE) != key, "key: not of prime order"
    return point

BASE = admit(b"\x58" + b"\x66" * 31)

@functools.lru_cache(2**18)
def verify(key, message, sig):
    """An Ed25519 signature, judged without the cofactor, s below L."""
    s, (x, y, z, t) = int.from_bytes(sig[32:], "little"), admit(key)
    k = int.from_bytes(hashlib.sha512(sig[:32] + key + message).digest(), "little") % L
    return len(sig) == 64 and s < L and encode(combine(s, BASE, k, (P - x, y, z, P - t))) == sig[:32]

def b64(text, size=None):
    data = base64.b64decode(text, validate=True)
    assert base64.b64encode(data).decode() == text and size in (None, len(data)), "base64"
    return data

@functools.cache
def vkey(text, kind):
    """((name, key id), type ‖ public key) of a verifier key"""
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
    for who, sig in lines:
        if who not in keys: continue
        time = int.from_bytes(sig[:8], "big") if keys[who][0] == 4 else None
        head, sig = (b"", sig) if time is None else (b"cosignature/v1\ntime %d\n" % time, sig[8:])
        assert verify(keys[who][1:], head + text.encode(), sig), f"bad signature of {who[0]}"
        assert (time or 0) < 2**53, "a cosignature's time"
        found.setdefault(who, time)
    return found

class Policy:
    """A C2SP tlog-policy: whom its reader trusts."""
    def __init__(self, text):
        self.logs, self.witnesses, self.groups, self.quorum = {}, {}, {}, None
        for word, *items in (line.split() for line in text.split("\n") if line.split()):
            if word == "log":  # of one origin: the key in force, and those before it
                self.logs.setdefault(items[0].split("+")[0], []).append(vkey(items[0], 1))
            elif word == "witness": self.witnesses[items[0]] = vkey(items[1], 4)
            elif word == "group":
                least = {"any": 1, "all": len(items) - 2}.get(items[1]) or int(items[1])
                assert 1 <= least <= len(items) - 2, "policy: a threshold"
                self.groups[items[0]] = (items[2:], least)
            elif word == "quorum": self.quorum = items[0]
            else: assert word[0] == "#", f"policy: a line {word}"
        assert self.quorum in self.witnesses or self.quorum in self.groups, "policy: without quorum"

def fewest(pol, name, have):
    """How many of the witnesses that cosigned make up `name`; infinite if too few did."""
    if name in pol.witnesses: return 1 if pol.witnesses[name][0] in have else math.inf
    members, least = pol.groups[name]
    return sum(sorted(fewest(pol, member, have) for member in members)[:least])

def checkpoint(raw, pol, exact=False):
    """(origin, size, root, ms at which it was sealed, the log's key); `exact`: its line and a quorum's only.
    Sealed is the middle one of the cosignatures' times, which no single witness that lies can move."""
    text, lines = note(raw)
    origin, size, root, *rest = text[:-1].split("\n")
    assert re.fullmatch("0|[1-9][0-9]{0,14}", size) and all(rest), "checkpoint: malformed"
    assert origin in pol.logs, f"checkpoint: of {origin}, which the policy does not name"
    found = signed(text, lines, dict([*pol.logs[origin], *pol.witnesses.values()]))
    need = fewest(pol, pol.quorum, found)
    logs = [key for key in pol.logs[origin] if key[0] in found]
    assert logs, "checkpoint: no log key of the policy has signed; if the key log names another, add its line"
    assert need < math.inf, "checkpoint: too few cosignatures"
    assert not exact or len(lines) == len(found) == 1 + need, "checkpoint: a line too many"
    times = sorted(time for time in found.values() if time is not None)
    return origin, int(size), b64(root, 32), 1000 * times[(len(times) - 1) // 2], logs[0]

def included(node, index, size, proof):
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2)."""
    fn, sn = index, size - 1
    for step in proof:
        assert sn > 0, "inclusion: the proof is too long"
        node = sha(b"\1", step, node) if fn & 1 or fn == sn else sha(b"\1", node, step)
        while fn == sn and not fn & 1 and fn: fn, sn = fn >> 1, sn >> 1
        fn, sn = fn >> 1, sn >> 1
    assert index < size and sn == 0, "inclusion: the proof is too short"
    return node

def root_of(nodes):
    """The root of a tree (RFC 9162, 2.1.1) from its leaf hashes."""
    if len(nodes) < 2: return nodes[0] if nodes else sha()
    split = 1 << (len(nodes) - 1).bit_length() - 1
    return sha(b"\1", root_of(nodes[:split]), root_of(nodes[split:]))

def tile_path(index, width=256):
    path = f"{index % 1000:03}"
    while index := index // 1000: path = f"x{index % 1000:03}/{path}"
    return path if width == 256 else f"{path}.p/{width}"

def read_log(read, pol, older=None):
    """(entries, leaf hashes, checkpoint) of a published log that fits together."""
    origin, size, root, sealed, log = checkpoint(read("checkpoint").decode(), pol)
    entries, level = [], 0
    for n in range(0, size, 256):
        data, at = read(f"tile/entries/{tile_path(n // 256, min(256, size - n))}"), 0
        while at < len(data):
            end = at + 2 + int.from_bytes(data[at : at + 2], "big")
            assert at + 2 <= end <= len(data), f"bundle {n // 256}: cut short"
            entries.append(data[at + 2 : end])
            at = end
        assert len(entries) == min(n + 256, size), f"bundle {n // 256}: wrong number of entries"
    hashes = nodes = [sha(b"\0", entry) for entry in entries]
    assert root_of(hashes) == root, "the entries do not hash to the checkpoint's root"
    while nodes:
        tiles = [nodes[n : n + 256] for n in range(0, len(nodes), 256)]
        for n, tile in enumerate(tiles):
            path = f"tile/{level}/{tile_path(n, len(tile))}"
            assert read(path) == b"".join(tile), f"{path} is not made of the entries"
        nodes, level = [root_of(tile) for tile in tiles if len(tile) == 256], level + 1
    if older:
        assert older[0] == origin and older[1] <= size, f"an older state of {origin} than remembered"
        assert root_of(hashes[: older[1]]) == older[2], f"{origin} is not the log that is remembered"
    return entries, hashes, (origin, root, sealed, log)
