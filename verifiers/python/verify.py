#!/usr/bin/env python3
"""Checks Sealane's receipts and logs with nothing but Python's standard library. README.md says how,
what is checked and what is not. Every check is an `assert`; the first that fails is the verdict."""
import argparse, base64, functools, json, sys
from audit import check_log
from entries import judge, judge_log
from keylog import key_log, ms, statement
from tlog import Policy, b64, checkpoint, included, note, sha, signed

@functools.cache
def read_keys(text, pol):
    """The states of a key-log copy, and the notes of the sheets in it by their hash."""
    copy = json.loads(text)
    notes = {base64.b64encode(sha(one.encode())).decode(): one for one in copy.get("sheets", [])}
    return key_log(pol, copy["checkpoint"], copy["entries"]), notes

def read_sheet(raw, origin, state, times):
    """A sheet out of a copy: signed by a key of its provider that was in force when it began."""
    text, lines = note(raw)
    x, _ = statement(text, origin, "rate-sheet")
    keys = {ident: key for ident, key in state["keys"].items()
            if key["who"] == x["provider"] and key["purpose"] == "rate-sheet"
            and (key["revoked"] is None or times[key["revoked"]] > ms(x["from"]))}
    assert signed(text, lines, {ident: key["data"] for ident, key in keys.items()}), "sheet: not signed"
    return x, ms(x["from"])

def check_receipt(data, pol, keys=None):
    head, split, raw = data.decode().partition("\n\n")
    magic, *lines = head.split("\n")
    assert split and magic == "c2sp.org/tlog-proof@v1" and len(lines) >= 2, "receipt: malformed"
    (extra, entry), (index, at) = (line.split(" ") for line in lines[:2])
    assert (extra, index) == ("extra", "index") and at == str(int(at)), "receipt: malformed"
    entry, at, proof = b64(entry), int(at), [b64(line, 32) for line in lines[2:]]
    origin, size, root, sealed, log = checkpoint(raw, pol, exact=True)
    assert not origin.endswith("/keys"), "receipt: of the key log"
    assert included(sha(b"\0", entry), at, size, proof) == root, "receipt: not in the log"
    text, _ = note(entry.decode())
    c, inner = statement(text, origin, "entry")
    note(inner)
    assert c["seq"] == at, "receipt: the entry is of another place"
    assert ms(c["time"]) <= sealed + 2000, "receipt: the entry is newer than its seal"
    if keys is None: return "sealed; not checked: keys, parties, policy, conversion"
    history, notes = read_keys(keys, pol)
    states, _, times = history
    assert c["keys"]["size"] < len(states), "receipt: the copy of the key log is too old"
    state = states[c["keys"]["size"]]
    judge_log(states[c["keys"]["size"]:], origin, log)
    _, kind, x, *_ = judge(entry, origin, history)
    cited = notes.get(x["sheet"]["hash"]) if c["outcome"] == "committed" else None
    if cited is None: return "sealed, keys, parties, policy; not checked: conversion"
    judge(entry, origin, history, {x["sheet"]["hash"]: read_sheet(cited, origin, state, times)})
    return "sealed, keys, parties, policy, conversion"

def verdict(check, *args):
    try: return f"ok {check(*args)}"
    except Exception as error:
        return f"refused {type(error).__name__ if not str(error) else error}".replace("\n", " ")

def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["receipt", "log"])
    parser.add_argument("items", nargs="+", help="receipts, or folders and URLs of logs; - reads a "
                        "line for each from standard input, receipts in base64")
    parser.add_argument("--policy", required=True, help="whom you trust: a C2SP tlog-policy")
    parser.add_argument("--keys", help="receipts: the copy of the key log beside the policy")
    parser.add_argument("--newer-than", help="logs: folder with the checkpoints that you remember")
    options = parser.parse_args()
    with open(options.policy, encoding="utf-8") as file: pol = Policy(file.read())
    keys = None
    if options.keys:
        with open(options.keys, encoding="utf-8") as file: keys = file.read()
    failed = False
    for item in sys.stdin.read().split("\n")[:-1] if options.items == ["-"] else options.items:
        if options.what == "log": line = verdict(check_log, item, pol, options.newer_than)
        elif options.items == ["-"]: line = verdict(check_receipt, base64.b64decode(item), pol, keys)
        else:
            with open(item, "rb") as file: line = verdict(check_receipt, file.read(), pol, keys)
        failed |= not line.startswith("ok ")
        print(line, flush=True)
    sys.exit(failed)

if __name__ == "__main__": main()
