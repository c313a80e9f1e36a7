#!/usr/bin/env python3
"""Checks Sealane's receipts, bundles and logs wholly, with nothing but Python's standard library. README.md
says what is checked, and what is not. Every check is an `assert`; the first that fails is the verdict."""
import argparse, base64, sys
from policy import read_policy
from receipts import check_bundle, check_receipt
from replay import check_log
from verify import vkey, why

def read_roots(text):
    """Lines `participant verifier-key`: with which root key each participant must have entered."""
    rows = [line.split() for line in text.split("\n") if line.strip()[:1] not in ("", "#")]
    assert all(len(row) == 2 and vkey(row[1], 1) for row in rows), "roots: malformed"
    assert len(dict(rows)) == len(rows), "roots: a participant twice"
    return dict(rows)

def verdict(check, *args):
    try: return f"ok {check(*args)}"
    except Exception as error: return f"refused {why(error)}"

def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["receipt", "bundle", "log"])
    parser.add_argument("items", nargs="+", help="files, or folders and URLs of logs; - reads a line "
                        "for each from standard input, files in base64")
    parser.add_argument("--policy", required=True, help="whom you trust: a C2SP tlog-policy")
    parser.add_argument("--roots", help="participants' root keys that you pinned")
    parser.add_argument("--keys", help="receipts: the copy of the key log beside the policy")
    parser.add_argument("--token", help="logs: an auditor's token, where entries are not open")
    parser.add_argument("--newer-than", help="logs: folder with the checkpoints that you remember")
    options = parser.parse_args()
    def read(path):
        with open(path, "rb") as file: return file.read()
    def text(path): return read(path).decode() if path else None
    try:
        pol, keys, pinned = read_policy(read(options.policy)), text(options.keys), text(options.roots)
        if pinned is not None: pinned = read_roots(pinned)
        token = (text(options.token) or "").strip()
    except Exception as error: sys.exit(f"cannot begin: {why(error)}")

    def judge(item, data):
        if options.what == "log": return check_log(item, pol, pinned, options.newer_than, token)
        if options.what == "bundle": return check_bundle(data(), pol, pinned)
        return check_receipt(data(), pol, keys, pinned)

    failed, piped = False, options.items == ["-"]
    for item in sys.stdin.buffer.read().decode(errors="replace").split("\n")[:-1] if piped else options.items:
        line = verdict(judge, item, lambda: base64.b64decode(item) if piped else read(item))
        failed |= not line.startswith("ok ")
        print(line, flush=True)
    sys.exit(failed)

if __name__ == "__main__": main()
