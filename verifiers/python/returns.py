"""Money that comes back: a return gives all or part of a committed transfer back, a recall asks for it,
a refusal says no. The original's entry stands whole below each. Every check is an `assert`."""
import base64
from fractions import Fraction
from keylog import TABLES, ms, statement
from verify import note, sha

DECIMALS = TABLES["decimals"]
KINDS = ("return", "recall", "recall-refusal")
RETURN_PERIOD, CANCEL_PERIOD = 30 * 24 * 3_600_000, 30 * 60_000

def minor(text, currency):
    """Minor units of an amount that is written in the one way there is."""
    value, places = Fraction(text) * 10 ** DECIMALS[currency], DECIMALS[currency]
    assert value.denominator == 1 and text == written(int(value), places), f"an amount: {text}"
    return int(value)

def written(value, places):
    digits = f"{value:0{places + 1}}"
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits

def original(kind, x, below, seq, origin, judge):
    """The committed transfer that a statement is about: context, terms, leaf hash, number at its payee's."""
    if kind == "recall-refusal":
        recall, below = statement(note(below)[0], origin, "recall")
        assert recall["id"] == x["recall"], "refusal: of another recall"
    assert below.split("\n")[0].endswith("/entry/v1"), "return: no entry stands below it"
    c, what, terms, *_ = judge(below)
    assert what == "transfer" and c["outcome"] == "committed", "return: of what was not committed"
    assert c["seq"] < seq, "return: of what comes later"
    payee = terms["payee"]["participant"]
    n = next(link["n"] for link in c["chains"] if link["participant"] == payee)
    return {"context": c, "terms": terms, "hash": sha(b"\0", below.encode()), "n": n}

def part(x, terms):
    """What comes back of the original: from the first minor unit to the one after the last."""
    received = terms["receive"]
    assert x["amount"]["currency"] == received["currency"], "return: another currency"
    before = minor(x["before"], received["currency"])
    amount = minor(x["amount"]["amount"], received["currency"])
    assert amount > 0, "return: of nothing"
    assert before + amount <= minor(received["amount"], received["currency"]), "return: of more than there was"
    return before, before + amount

def worth(terms, upto):
    """Up to some part: what was converted and the fee, rounded down; what the payee pays for it, up."""
    currency, received = terms["send"]["currency"], terms["receive"]
    whole, converted = minor(received["amount"], received["currency"]), minor(terms["converted"], currency)
    fee = upto * sum(minor(one["amount"], currency) for one in terms["fees"]) // whole
    return upto * converted // whole, fee, -(-fee * whole // converted)

def today(x, converted, currency, time, sheets):
    """A return at today's rate against the sheet that it cites."""
    held = sheets[x["sheet"]["hash"]]
    sheet = held.body
    cited = {"provider": sheet["provider"], "number": sheet["number"], "hash": x["sheet"]["hash"]}
    assert cited == x["sheet"], "sheet: another than the one that is cited"
    assert sheet["pair"] == {"from": x["amount"]["currency"], "to": currency}, "sheet: another pair"
    assert max(ms(sheet["from"]), held.logged) <= time < ms(sheet["honourUntil"]), "sheet: it did not hold"
    assert time < held.ends and time <= held.withdrawn, "sheet: it had ended"
    amount = Fraction(x["amount"]["amount"])
    assert held.used + amount <= Fraction(sheet["totalPerLane"]), "sheet: used beyond its total"
    assert amount <= Fraction(sheet["maxTransfer"]), "sheet: beyond its limit"
    assert amount * Fraction(sheet["rate"]) * 10 ** DECIMALS[currency] // 1 == converted, "sheet: another price"

def judge_return(x, o, time, s, sheets):
    """Postings and chains of a return."""
    terms, bearer, now = o["terms"], x["bearer"], x["rate"] == "today"
    payer, payee = terms["payer"]["participant"], terms["payee"]["participant"]
    assert x["participant"] == payee, "return: only its payee returns a transfer"
    assert time - ms(o["context"]["time"]) <= RETURN_PERIOD, "return: too late"
    assert not {payer, payee} & set(s["stopped"]), "return: a party is suspended"
    default = {"rates": ["original", "today"], "bearers": ["payer", "payee"]}
    allowed = s["named"].get(("policy", terms["policy"]), {}).get("returns", default)
    assert x["rate"] in allowed["rates"], "return: the policy has no such rate"
    assert bearer in allowed["bearers"] or bearer == "earner" and "recall" in x, "return: who bears the fee"
    assert now == ("sheet" in x) and not (now and bearer == "payee"), "return: today's rate"
    before, after = part(x, terms)
    currency, received = terms["send"]["currency"], terms["receive"]["currency"]
    assert x["back"]["currency"] == currency, "return: another currency"
    back = minor(x["back"]["amount"], currency)
    converted, fee, surcharge = (b - a for a, b in zip(worth(terms, before), worth(terms, after)))
    if bearer == "payer": fee = 0
    if bearer != "payee": surcharge = 0
    desk = terms["sheet"]["provider"]
    if now: desk, converted = x["sheet"]["provider"], back - fee
    assert converted > 0 and back == converted + fee, "return: what comes back"
    if now and sheets is not None: today(x, converted, currency, time, sheets)
    giver = terms["fees"][0]["to"] if bearer == "earner" else desk
    moves = ((payee, desk, received, after - before), (payee, desk, received, surcharge),
             (desk, payer, currency, converted), (giver, payer, currency, fee))
    postings = [(f"{a}:position", f"{b}:position", unit, written(value, DECIMALS[unit]))
                for a, b, unit, value in moves if value]
    return postings, list(dict.fromkeys([payee, payer, desk]))

def judge_linked(kind, x, o, time, s, sheets):
    """The same of a return, a recall or a refusal."""
    if kind == "return": return judge_return(x, o, time, s, sheets)
    terms = o["terms"]
    payer, payee = terms["payer"]["participant"], terms["payee"]["participant"]
    if kind == "recall":
        assert x["participant"] == payer and payer not in s["stopped"], "recall: only its payer recalls"
        assert time - ms(o["context"]["time"]) <= RETURN_PERIOD, "recall: too late"
        assert x["amount"]["currency"] == terms["receive"]["currency"], "recall: another currency"
        assert minor(x["amount"]["amount"], x["amount"]["currency"]) > 0, "recall: of nothing"
    else: assert x["participant"] == payee, "refusal: only its payee refuses a recall"
    return [], [payer, payee]

def follow(kind, x, o, time, s, leaves, credited, returned, recalls):
    """Judges it by those before, and remembers. `returned` and `recalls` are by the original's id.
    Returns who is debited, and in which currency."""
    terms, c = o["terms"], o["context"]
    at, name, unit = c["seq"], terms["id"], terms["receive"]["currency"]
    assert leaves[at] == o["hash"], "return: its original is another"
    if kind != "recall-refusal":
        mine = {"id": name, "seq": at, "hash": base64.b64encode(o["hash"]).decode()}
        assert x["original"] == mine, "return: it names another original"
    payer, payee, received = terms["payer"]["participant"], terms["payee"]["participant"], terms["receive"]
    whole, back, paid_out = minor(received["amount"], unit), returned.get(name, 0), credited.get(payee, 0)
    recall = recalls.get(name)
    if recall and recall["until"] < time: recall = None
    if kind == "return":
        before, after = part(x, terms)
        assert before == back, "return: something else was returned before"
        if "recall" in x:
            assert recall and recall["id"] == x["recall"], "return: it answers no recall that is open"
            right = after == whole and x["bearer"] == "earner" and x["rate"] == "original"
            allowed = s["named"].get(("policy", terms["policy"]), {}).get("returns", {"bearers": []})
            earns = x["bearer"] != "earner" or "earner" in allowed["bearers"]
            assert right if recall["cancel"] else earns, "return: not what the recall asks for"
        returned[name] = after
        if "recall" in x or after == whole: recalls.pop(name, None)
        desk = x.get("sheet", terms["sheet"])["provider"]
        debits = [(payee, unit), (desk, terms["send"]["currency"])]
        if x["bearer"] == "earner": debits.append((terms["fees"][0]["to"], terms["send"]["currency"]))
        return debits
    if kind == "recall":
        asked, cancel = minor(x["amount"]["amount"], unit), x["cancel"]
        assert asked <= whole - back, "recall: of more than is left"
        assert not recall or cancel and not recall["cancel"], "recall: another is open"
        early = time - ms(c["time"]) <= CANCEL_PERIOD and o["n"] >= paid_out and asked == whole
        assert early or not cancel, "recall: it is too late to cancel"
        recalls[name] = {"id": x["id"], "n": o["n"], "cancel": cancel, "until": time + RETURN_PERIOD}
        return []
    assert recall and recall["id"] == x["recall"], "refusal: of no recall that is open"
    assert not recall["cancel"] or recall["n"] < paid_out, "refusal: before it was paid out"
    del recalls[name]
    return []
