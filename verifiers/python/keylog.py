"""Sealane's statements, and the key log: who takes part, and whose key counted when. Shapes of
statements are in statements.json. Every check is an `assert`."""
import functools, json, os, re
from datetime import datetime, timedelta, timezone
from verify import b64, checkpoint, note, sha, signed, vkey

with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "statements.json"), "rb") as file:
    TABLES = json.load(file)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

def has_slot(lane, slot): return any(one["from"] <= slot < one["to"] for one in lane["slots"])

def shape(schema, value):
    kind = schema.get("type", "string")
    if kind == "object":
        assert type(value) is dict, "JSON: not an object"
        assert set(schema["required"]) <= set(value) <= set(schema["properties"]), "JSON: fields"
        for key in value: shape(schema["properties"][key], value[key])
    elif kind == "array":
        assert type(value) is list, "JSON: not a list"
        assert schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", 2**16), "JSON: list"
        for item in value: shape(schema["items"], item)
    elif kind == "integer": assert type(value) is int and 0 <= value < 2**53, "JSON: number"
    elif kind == "boolean": assert type(value) is bool, "JSON: not a boolean"
    else:
        assert type(value) is str, "JSON: not a string"
        pattern = schema.get("pattern", "(?s).*")
        assert re.fullmatch(pattern, value, re.ASCII), "JSON: a string"
        if pattern.endswith("Z$"): ms(value)  # a time: it has to exist
        units = len(value.encode("utf-16-le")) // 2
        assert units <= schema.get("maxLength", 2**15), "JSON: a string too long"
        assert value in schema.get("enum", [schema.get("const", value)]), "JSON: a string"

def unique(pairs):
    assert len(dict(pairs)) == len(pairs), "JSON: a key twice"
    return dict(pairs)

def counter(text):
    assert re.fullmatch("0|[1-9][0-9]*", text), "JSON: a number that is no counter"
    return int(text)

def statement(text, origin, kind, name=None):
    """The body of a statement and what stands below it."""
    head, line, rest = text.split("\n", 2)
    assert head == f"{origin}/{kind}/v1", f"a {kind} of {origin} is expected, not {head}"
    body = json.loads(line, object_pairs_hook=unique, parse_int=counter, parse_float=counter,
                      parse_constant=counter)
    json.dumps(body, ensure_ascii=False).encode()  # half of a surrogate pair raises
    shape(TABLES["shapes"][name or kind], body)
    return body, rest

def ms(text):
    return (datetime.fromisoformat(text[:-1] + "+00:00") - EPOCH) // timedelta(milliseconds=1)

def log_keys(s):
    """What signs checkpoints, or did."""
    return {data for _, data in [s["log"], *s["retired"], *(vkey(lane["vkey"], 1) for lane in s["lanes"])]}

def participant_keys(s):
    """What signs for a participant, or did; a root that was replaced is among the retired."""
    return {vkey(root, 1)[1] for root in s["roots"].values()} | {key["data"] for key in s["keys"].values()}

def known_keys(s):
    """What signs anything, or did: (what a signature line says of it, type ‖ public key)."""
    own = [s["ledger"]["entryKey"], *s["ledger"]["operators"]] if s["ledger"] else []
    own += [lane["vkey"] for lane in s["lanes"]] + list(s["roots"].values())
    found = [s["log"], *s["retired"], *(vkey(key, 1) for key in own)]
    return found + [(ident, key["data"]) for ident, key in s["keys"].items()]

def public_keys(s): return {data for _, data in known_keys(s)}  # one key, one purpose, and none comes back

def renew(s, origin, x, by):
    """Another key of a log: two operators and the new key sign; the old one's line has to be good."""
    lanes = [lane for lane in s["lanes"] if lane["origin"] == x["log"]]
    key = vkey(x["vkey"], 1)
    assert key[0][0] == x["log"] and by(x["vkey"]) == 1, "log-key: not its own"
    assert key[1] not in public_keys(s), "log-key: it signs something already"
    if x["log"] == origin: old, s["log"] = s["log"], key
    else:
        old = vkey(lanes[0]["vkey"], 1)
        s["lanes"] = [lane | {"vkey": x["vkey"]} if lane in lanes else lane for lane in s["lanes"]]
    s["retired"] = [*s["retired"], old]
    return old

def apply(s, origin, inner, place, time):
    """Folds one statement of the key log into the state `s`: who may say what (packages/rules)."""
    text, lines = note(inner)
    kind = text.split("\n")[0].split("/")[-2]
    x, _ = statement(text, origin, kind)
    def by(*keys): return len(signed(text, lines, dict(vkey(key, 1) for key in keys)))
    who, key = x.get("participant"), x.get("vkey")
    root = x["rootKey"] if kind == "participant" else s["roots"].get(who)
    operators = s["ledger"].get("operators", [])
    signed(text, lines, dict(known_keys(s)))  # a bad line of any of them refuses the statement
    assert text not in s["said"], f"{kind}: said before"
    s["said"].add(text)  # one set for all states
    needed = {"ledger": 2, "participant": 1, "key": 0, "revocation": 0}.get(
        kind, 2 - x.get("suspended", False))
    if kind == "root-recovery" and x["withdrawn"] and by(root): needed = 0
    first = kind == "ledger" and not s["ledger"]
    assert first or by(*operators) >= needed, f"{kind}: too few operators signed"
    if kind in ("participant", "key", "revocation", "binding"):
        assert root and by(root) == 1, f"{kind}: the root key of {who} has not signed"
    if kind == "ledger":
        assert vkey(x["entryKey"], 1), "ledger: no entry key"
        assert s["ledger"].get("operator", x["operator"]) == x["operator"], "ledger: another operator"
        public = [vkey(key, 1)[1] for key in x["operators"]]
        roles, others = {vkey(x["entryKey"], 1)[1], *public}, log_keys(s) | participant_keys(s)
        assert len(roles) == 1 + len(public) and not roles & others, "ledger: one key for two purposes"
        known = {vkey(key, 1)[1] for key in operators}
        assert all(data in known or by(key) for key, data in zip(x["operators"], public)), "ledger: new"
        s["ledger"] = x
    elif kind == "participant":
        before = s["roots"].get(who)
        if before not in (None, root) and not by(before):
            next_root, wait = s["next"].get(who), s["records"][who].get("recovery")
            assert wait and next_root and next_root[0] == root, f"{who} has another root key"
            due = next_root[1] + 1000 * wait["waitSeconds"]
            assert time >= due and by(*operators) >= 2, f"{who}: too early, or by too few"
            before = None
        if s["roots"].get(who) != root:
            assert vkey(root, 1)[1] not in public_keys(s), "participant: a root key that signs something already"
            if who in s["roots"]: s["retired"] = [*s["retired"], vkey(s["roots"][who], 1)]
        if before is None: s["begun"] = s["begun"] | {who: root}  # no signature leads to it: to be pinned
        s["roots"], s["records"] = s["roots"] | {who: root}, s["records"] | {who: x}
        s["next"] = {name: one for name, one in s["next"].items() if name != who}
    elif kind == "key" and x["purpose"] != "envelope":
        ident, data = vkey(key, 1)
        assert by(key) and "x25519" not in x and key.startswith(who + "/"), "key: not its owner's"
        assert ident not in s["keys"] and data not in public_keys(s), "key: it signs something already"
        new = {"data": data, "who": who, "purpose": x["purpose"], "revoked": None}
        s["keys"] = s["keys"] | {ident: new}
    elif kind == "key": assert len(b64(x["x25519"])) == 32 and not key, "key: fields"
    elif kind == "revocation":
        ident = vkey(key, 1)[0]
        known = s["keys"][ident]
        assert known["who"] == who and known["revoked"] is None, "revocation: of no key in force"
        s["keys"] = s["keys"] | {ident: known | {"revoked": place}}
    elif kind == "lanes":
        known = {lane["origin"]: lane["vkey"] for lane in s["lanes"]}
        same = all(known.get(lane["origin"], lane["vkey"]) == lane["vkey"] for lane in x["lanes"])
        assert same, "lanes: another log key"
        others = public_keys(s | {"lanes": []})
        fresh = {vkey(lane["vkey"], 1)[1] for lane in x["lanes"] if lane["origin"] not in known}
        assert not fresh & others, "lanes: a key that signs something else"
        spans = sorted((o["from"], o["to"]) for lane in x["lanes"] for o in lane["slots"] if o["from"] < o["to"])
        apart = all(a[1] <= b[0] for a, b in zip(spans, spans[1:]))
        assert apart, "lanes: a slot twice"
        for slot in range(1024):
            had, has = (any(has_slot(lane, slot) for lane in lanes) for lanes in (s["lanes"], x["lanes"]))
            assert has or not had, f"lanes: slot {slot} is left alone"
        s["lanes"], s["given"] = x["lanes"], [*s["given"], *x["lanes"]]
    elif kind == "log-key":
        old = renew(s, origin, x, by)
        signed(text, lines, dict([old]))
    elif kind == "root-recovery" and x["withdrawn"]:
        assert s["next"].get(who, ("",))[0] == x["rootKey"], "recovery: nothing to withdraw"
        s["next"] = {name: one for name, one in s["next"].items() if name != who}
    elif kind == "root-recovery":
        assert "recovery" in s["records"][who], f"recovery: {who} has not agreed to it"
        next_key = vkey(x["rootKey"], 1)[1]
        assert next_key not in public_keys(s) and by(x["rootKey"]) == 1, "recovery: the new root"
        s["next"] = s["next"] | {who: (x["rootKey"], time)}
    elif kind == "corridor":
        assert "settlement-bank" in s["records"][x["bank"]]["roles"], "corridor: of no bank"
        assert "scheduler" not in x or vkey(x["scheduler"], 1), "corridor: its key"
        others = [one["pairs"] for name, one in s["corridors"].items() if name != x["corridor"]]
        assert not any(pair in pairs for pair in x["pairs"] for pairs in others), "corridor: a pair twice"
        s["corridors"] = s["corridors"] | {x["corridor"]: x}
    elif kind == "binding":
        assert ("policy", x["policy"]) in s["named"], "binding: to no policy"
        s["bound"] = s["bound"] | {who: x["policy"]}
    elif kind == "suspension":
        assert who in s["roots"], "suspension: of nobody"
        s["stopped"] = s["stopped"] - {who} | ({who} if x["suspended"] else set())
    else:  # a fee schedule or a policy
        name = kind, x.get("schedule", x.get("policy"))
        assert name not in s["named"], f"{kind}: twice"
        s["named"] = s["named"] | {name: x}

def roots_of(nodes):
    """The root at each size, from the leaf hashes: the whole trees so far, folded."""
    whole, found = [], [sha()]
    for size, node in enumerate(nodes, 1):
        while size % 2 == 0: node, size = sha(b"\1", whole.pop(), node), size // 2
        whole.append(node)
        found.append(functools.reduce(lambda right, left: sha(b"\1", left, right), whole[::-1]))
    return found

def key_log(pol, raw, entries, exact=False, pinned=None):
    """Every state that the key log ever had, the root at each size, and the entries' times.
    `exact`: no line of its checkpoint but the log's and a quorum's; `pinned`: root keys by owner."""
    (origin,) = {name for (name, _), _ in pol.logs if name.endswith("/keys")}
    logs = [key for key in pol.logs if key[0][0] == origin]
    of, size, root, _, log = checkpoint(raw, pol, exact)
    assert of == origin and size == len(entries), "key log: its checkpoint is of another state"
    state = {"ledger": {}, "roots": {}, "keys": {}, "named": {}, "lanes": [], "given": [], "stopped": set(),
             "records": {}, "bound": {}, "corridors": {}, "said": set(), "log": log,
             "retired": [], "next": {}, "begun": {}}
    states, hashes, times = [state], [], []
    for seq, entry in enumerate(entries):
        text, lines = note(entry)
        x, inner = statement(text, origin, "entry", "key-entry")
        by = signed(text, lines, dict(logs))
        if not seq: state["log"] = next((key for key in logs if key[0] in by), log)
        before = hashes[-1] if seq else bytes(32)
        assert x["seq"] == seq and b64(x["prev"]) == before, f"key log {seq}: not in its place"
        assert ms(x["time"]) >= (times[-1] if seq else 0), f"key log {seq}: time runs backwards"
        state = dict(state)
        apply(state, origin, inner, seq, ms(x["time"]))
        assert state["log"][0] in by, f"key log {seq}: not signed by the key in force; if it names another, add its line"
        states.append(state)
        hashes.append(sha(b"\0", entry.encode()))
        times.append(ms(x["time"]))
    assert state["log"] == log, "key log: its checkpoint's key was replaced"
    for who in state["records"] if pinned is not None else []:
        assert state["begun"][who] == pinned.get(who), f"roots: {who} began with another key"
    roots = roots_of(hashes)
    assert roots[-1] == root, "key log: not the entries that were cosigned"
    return states, roots, times
