"""Receipts and bundles with all that belongs to them: who signed by which keys, policy, price, openings,
and that nothing is missing from a chain (docs/formats/bundle.md). Every check is an `assert`."""
import base64, functools, json, re
from entries import Sheet, judge, judge_log
from keylog import key_log, ms, statement
from verify import b64, note, sealed_entry, sha, signed

def digest(text): return base64.b64encode(sha(text.encode())).decode()

@functools.lru_cache(8)
def read_keys(text, pol, pinned=None):
    """The states of a key-log copy, and the notes of the sheets in it by their hash."""
    copy = json.loads(text)
    notes = {digest(one): one for one in copy.get("sheets", [])}
    return key_log(pol, copy["checkpoint"], copy["entries"], pinned=pinned), notes

def read_sheet(raw, origin, state, times):
    """A sheet out of a copy: signed by a key of its provider that was in force when it began."""
    text, lines = note(raw)
    x, _ = statement(text, origin, "rate-sheet")
    keys = {ident: key for ident, key in state["keys"].items()
            if key["who"] == x["provider"] and key["purpose"] == "rate-sheet"
            and (key["revoked"] is None or times[key["revoked"]] > ms(x["from"]))}
    assert signed(text, lines, {ident: key["data"] for ident, key in keys.items()}), "sheet: not signed"
    return Sheet(x, ms(x["from"]))

def judge_sealed(receipt, pol, history, notes):
    """(entry, origin, context, statement if it is a committed transfer, whether its sheet was at hand)"""
    entry, _, origin, log = sealed_entry(receipt, pol)
    states, _, times = history
    c, inner = statement(note(entry.decode())[0], origin, "entry")
    note(inner)
    assert c["keys"]["size"] < len(states), "receipt: the copy of the key log is too old"
    state = states[c["keys"]["size"]]
    judge_log(states[c["keys"]["size"]:], origin, log)
    _, _, x, *_ = judge(entry, origin, history)
    if c["outcome"] != "committed": return entry, origin, c, None, False
    cited = x["sheet"]["hash"]
    if cited not in notes: return entry, origin, c, x, False
    judge(entry, origin, history, {cited: read_sheet(notes[cited], origin, state, times)})
    return entry, origin, c, x, True

def check_receipt(data, pol, keys=None, pinned=None):
    if keys is None:
        entry, _, origin, _ = sealed_entry(data, pol)
        note(statement(note(entry.decode())[0], origin, "entry")[1])
        return "sealed; not checked: keys, parties, policy, conversion"
    *_, priced = judge_sealed(data, pol, *read_keys(keys, pol, pinned))
    return f"sealed, keys, parties, policy{', ' if priced else '; not checked: '}conversion"

KINDS = {"key-log-checkpoint": 1, "key-log-entry": 1, "sheet": 1, "chain": 4, "receipt": 1,
         "disclosure": 3}

def read_bundle(text):
    """The fields of its lines, by kind."""
    assert text.startswith("sealane/bundle/v1\n") and text.endswith("\n"), "bundle: no bundle"
    lines, found, stage = text[:-1].split("\n")[1:], {kind: [] for kind in KINDS}, 0
    assert len(lines) < 1_000_000, "bundle: too many lines"
    for number, line in enumerate(lines, 2):
        kind, *fields = line.split(" ")
        fits = len(line) <= 2**18 and len(fields) == KINDS.get(kind)
        assert fits and list(KINDS).index(kind) >= stage, f"line {number}: malformed, or out of order"
        stage = list(KINDS).index(kind)
        found[kind].append(fields)
    one, most = len(found["key-log-checkpoint"]) == 1, len(found["chain"]) <= 1
    assert one and most and found["receipt"], "bundle: a checkpoint, a chain and receipts"
    return found

@functools.lru_cache(8)
def bundle_keys(pol, raw, entries, pinned):
    return key_log(pol, raw, entries, True, None if pinned is None else dict(pinned))

def check_bundle(data, pol, pinned=None):
    parts = read_bundle(data.decode())
    def texts(kind): return tuple(b64(fields[0]).decode() for fields in parts[kind])
    sheets, entries = texts("sheet"), texts("key-log-entry")
    pins = tuple(pinned.items()) if pinned is not None else None
    history = bundle_keys(pol, texts("key-log-checkpoint")[0], entries, pins)
    notes = {digest(one): one for one in sheets}
    judged = [judge_sealed(b64(fields[0]), pol, history, notes) for fields in parts["receipt"]]
    places = [(origin.encode(), c["seq"]) for _, origin, c, _, _ in judged]
    assert places == sorted(set(places)), "receipts: out of order, or twice"
    terms = {x["id"]: x for _, _, _, x, _ in judged if x}
    assert all(priced for _, _, _, x, priced in judged if x), "a sheet is cited that is not here"
    cited = list(dict.fromkeys(x["sheet"]["hash"] for _, _, _, x, _ in judged if x))
    assert [digest(one) for one in sheets] == cited, "sheets: not those that are cited, in that order"
    last = ""
    for who, field, opening in parts["disclosure"]:
        assert f"{who} {field}" > last, "disclosures: out of order, or twice"
        last, x, opening = f"{who} {field}", terms[who], b64(opening)
        sealed = {"payer": x["payer"]["account"], "payee": x["payee"]["account"],
                  "reference": x.get("reference")}[field]
        assert base64.b64encode(sha(opening)).decode() == sealed, f"disclosure: another {field}"
        assert len(opening) >= 32 and opening[32:].decode() is not None, "disclosure: no text"
    said = f"{len(judged)} receipts, {len(entries)} entries of the key log"
    return said + "".join(", " + check_chain(claim, judged) for claim in parts["chain"])

def check_chain(claim, judged):
    """That the receipts are one participant's entries, all of them, and what its statements name."""
    who, origin, *ends = claim
    assert all(re.fullmatch("0|[1-9][0-9]{0,14}", end) for end in ends), "chain: its numbers"
    (first, last), hashes, time, complete = map(int, ends), {}, 0, ""
    for n, (entry, of, c, _, _) in enumerate(judged, first):
        (link,) = (link for link in c["chains"] if link["participant"] == who)
        before = hashes.get(n - 1, (bytes(32) if n == 0 else b64(link["prev"]), 0))[0]
        assert (of, link["n"], b64(link["prev"])) == (origin, n, before), f"chain: not entry {n}"
        assert ms(c["time"]) >= time, f"chain: entry {n} is earlier than the one before"
        time, hashes[n] = ms(c["time"]), (sha(b"\0", entry), c["seq"])
        text, _ = note(statement(note(entry.decode())[0], of, "entry")[1])
        if text.split("\n")[0] != f"{origin}/statement/v1": continue
        x, _ = statement(text, origin, "statement")
        if x["participant"] != who: continue
        named = hashes.get(x["to"], (b64(x["head"]), x["size"] - 1))
        assert x["to"] < n and named == (b64(x["head"]), x["size"] - 1), "statement: of other entries"
        if first == 0: complete = f": complete up to {c['time']} (statement, entry {n})"
    assert n == last, f"chain: it does not end with entry {last}"
    gap = complete or ": linked without a gap, not shown to be complete"
    return f"all {len(hashes)} entries of {who} from {first} to {last}{gap}"
