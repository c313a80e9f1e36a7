"""A whole log, from its first entry to its last: every chain, what each entry means after those before,
and what its postings come to. Every check is an `assert`."""
import base64, moves, returns
from fractions import Fraction
from entries import Sheet, judge, judge_log
from keylog import key_log, ms
from logs import read_log, reader
from verify import b64, checkpoint, note, sha
from windows import Windows

def covered(books, states, who, currency):
    """Whether all that is posted was allowed by a record that may have counted at its reservation."""
    owes, owed = books.get((who + ":position", currency), (0, 0))
    paid, got = books.get((who + ":settled", currency), (0, 0))
    taken, given = books.get((who + ":liquidity", currency), (0, 0))
    for state in states:
        if who not in state["records"]: continue
        record = state["records"][who]
        caps = [Fraction(cap["amount"]) for cap in record["caps"] if cap["currency"] == currency]
        exposure = owes - got - (owed if record["exposure"] == "net" else 0)
        if exposure <= min([given - taken, *caps]): return True
    return False

def note_sheet(pairs, sheets, kind, x, inner, time):
    """A sheet ends the one before it after 2 s, and numbers grow; a withdrawal ends one at once."""
    pair = pairs.setdefault((x["provider"], x["pair"]["from"], x["pair"]["to"]), {})
    if kind == "rate-withdrawal":
        recent = x["number"] in sorted(pair)[-2:] and pair[x["number"]].withdrawn == float("inf")
        assert recent, f"there is no sheet {x['number']} to withdraw"
        pair[x["number"]].withdrawn = time
    else:
        assert x["number"] > max(pair, default=-1), "a sheet's number does not grow"
        if pair: pair[max(pair)].ends = time + 2000
        pair[x["number"]] = sheets[base64.b64encode(sha(inner.encode())).decode()] = Sheet(x, time)

def next_part(before, kind, x, inner):
    """A bank's statement in parts: (parts, of, whose, hash of the last) until it is whole, then None."""
    if kind != "bank-statement":
        assert before is None, "a bank's statement goes on here"
        return None
    part = x.get("part", {"number": 1, "of": 1})
    number, of, window = part["number"], part["of"], x.get("window", {})
    whose = [x["bank"], x["reference"], x["digest"], *map(window.get, ("corridor", "number", "attempt"))]
    taken, last_of, last_whose, above = before or (0, of, whose, None)
    assert number == taken + 1 and number <= of <= 100 and part.get("prev") == above, "part: its place"
    assert (of, whose) == (last_of, last_whose), "part: of another statement"
    text = note(inner)[0].encode()
    return None if number == of else (number, of, whose, base64.b64encode(sha(text)).decode())

def check_log(place, pol, pinned=None, older=None, token=""):
    """A folder that `sealane export` made, or the URL of a log, from its first entry to its last."""
    read, seen = reader(place, token), (reader(older) if older else None)
    def remembered(path): return seen and checkpoint(seen(path).decode(), pol)[:3]
    def read_keys_of(path): return read("keys/" + path)
    raws, hashes, (origin, root, sealed, log) = read_log(read, pol, remembered("checkpoint"))
    keys, *_ = read_log(read_keys_of, pol, remembered("keys/checkpoint"))
    history = key_log(pol, read("keys/checkpoint").decode(), [raw.decode() for raw in keys],
                      pinned=pinned)
    chains, sheets, numbers, ended, books, time, size, floor = {}, {}, {}, set(), {}, 0, 0, 0
    credited, returned, recalls, partial, windows = {}, {}, {}, None, Windows(origin)
    slots = moves.Slots(origin)
    assert not origin.endswith("/keys"), "log: the key log, not a lane's"
    for seq, raw in enumerate(raws):
        try:
            c, kind, x, terms, inner, linked = judge(raw, origin, history, sheets)
            moves.judge_seal(kind, x, pol)
            assert c["seq"] == seq and b64(c["prev"]) == (hashes[seq - 1] if seq else bytes(32)), "chain"
            about = terms or kind in ("cancellation", "return", "recall")
            of = linked and linked["terms"]["id"]
            slots.follow(kind, x, inner, x["id"] if about else None, of, history[0][c["keys"]["size"]])
            assert ms(c["time"]) >= time and c["keys"]["size"] >= size, "it goes back in time"
            time, size = ms(c["time"]), c["keys"]["size"]
            for link in c["chains"]:
                chain = chains.setdefault(link["participant"], [bytes(32)])
                assert (link["n"], b64(link["prev"])) == (len(chain) - 1, chain[-1]), "a party's chain"
            if kind in ("credited", "statement"):
                who, up_to = x["participant"], x["upTo"] if kind == "credited" else x["to"]
                chain = chains[who]
                assert up_to < len(chain) - 1 and chain[up_to + 1] == b64(x["head"]), "head"
                if kind == "credited":
                    assert up_to >= credited.get(who, 0), "credited: less than before"
                    credited[who] = up_to + 1
                else: assert x["from"] <= up_to >= credited.get(who, 0) and x["size"] <= seq, "statement"
            for link in c["chains"]: chains[link["participant"]].append(hashes[seq])
            partial = next_part(partial, kind, x, inner)
            once = moves.once(kind, x, inner)
            assert once not in ended, f"{once} ends twice"
            ended |= {once} - {None}
            if terms:
                assert ms(terms["expiresAt"]) - 300_000 <= time, "terms last longer than 300 s"
                held = sheets[terms["sheet"]["hash"]]
                assert held.held(terms, time), "its sheet did not hold"
                if c["outcome"] == "committed": held.used += Fraction(terms["converted"])
                assert held.used <= Fraction(held.body["totalPerLane"]), "a sheet used beyond its total"
            if kind.startswith("rate-"): note_sheet(numbers, sheets, kind, x, inner, time)
            back = kind == "return" and linked["terms"]
            windows.follow(c, kind, x, back or c["outcome"] == "committed" and terms, history[0][size])
            for one in c["postings"]:
                for side, account in enumerate((one["debit"], one["credit"])):
                    sums = books.setdefault((account, one["currency"]), [0, 0])
                    sums[side] += Fraction(one["amount"])
            while floor < size and history[2][floor] < time - 302_000: floor += 1
            if kind == "return" and "sheet" in x:
                sheets[x["sheet"]["hash"]].used += Fraction(x["amount"]["amount"])
            if kind == "liquidity-out" or kind == "adjustment" and x["side"] == "debit":
                states = history[0][floor : size + 1]
                assert covered(books, states, x["participant"], x["currency"]), "out: it was needed for cover"
            if linked:
                s = history[0][size]
                debits = returns.follow(kind, x, linked, time, s, hashes, credited, returned, recalls)
                states = history[0][floor : size + 1]
                for who, unit in debits:
                    known = any(who in state["records"] for state in states)
                    assert not known or covered(books, states, who, unit), f"{who} is beyond its cover"
            if c["outcome"] == "committed":
                states = history[0][floor : size + 1]
                payer, payee = x["payer"]["participant"], x["payee"]["participant"]
                for who in payer, payee, x["sheet"]["provider"]:
                    active = any(who not in state["stopped"] for state in states)
                    assert active, f"{who} was suspended when it was reserved"
                for who, at in (payer, "send"), (x["sheet"]["provider"], "receive"):
                    assert covered(books, states, who, x[at]["currency"]), f"{who} is beyond its cover"
        except Exception as error:
            raise AssertionError(f"entry {seq}: {error}") from error
    for currency in {currency for _, currency in books}:
        assert sum(d - c for key, (d, c) in books.items() if key[1] == currency) == 0, "sums"
    if history[0][-1]["lanes"]: judge_log(history[0][size:], origin, log)
    assert time <= sealed + 2000, "the last entry is newer than its seal"
    head = base64.b64encode(root).decode()
    return f"{len(raws)} entries of {origin}, {len(keys)} of the key log, root {head}"
