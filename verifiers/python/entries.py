"""One entry of a lane's log: who signed it by keys in force at its place, what it means, and whether
postings, chains and price are what its statement gives. Every check is an `assert`."""
import moves, returns
from decimal import Decimal
from fractions import Fraction
from keylog import TABLES, has_slot, ms, statement
from verify import b64, note, signed, vkey

DECIMALS = TABLES["decimals"]  # of ISO 4217's currencies

SETTLEMENT = ("window-cut", "window-net", "bank-statement", "settlement", "liquidity",
              "window-default", "settlement-abort", "adjustment", "liquidity-out", "liquidity-in",
              "slots-out", "slots-in")
TWO_SIGN = ("window-default", "settlement-abort", "adjustment", "liquidity-out")

def units(amount, currency): return Fraction(amount) * 10 ** DECIMALS[currency]

def plain(value):
    """An exact decimal without trailing zeros."""
    places = next(n for n in range(64) if (value * 10**n).denominator == 1)
    digits = f"{int(value * 10**places):0{places + 1}}"
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits

def price(x, sheet, schedule):
    """Fee, conversion and residue of terms, to the minor unit: fees round up, payouts down."""
    source, target = x["send"]["currency"], x["receive"]["currency"]
    for pair in sheet["pair"], schedule:
        assert (pair["from"], pair["to"]) == (source, target), "price: another pair"
    (fee,) = x["fees"]
    rate = Fraction(sheet["rate"]) * Fraction(10) ** (DECIMALS[target] - DECIMALS[source])

    def left(sent):
        share = -(-sent * Fraction(schedule["basisPoints"]) // 10_000)
        return sent - max(share, units(schedule["minimum"], source))

    sent, paid = units(x["send"]["amount"], source), units(x["receive"]["amount"], target)
    converted = left(sent)
    exact = converted * rate
    assert sent < 2**63 and paid < 2**63 and converted > 0 and paid > 0, "price: an amount"
    if x["fixed"] == "send": assert exact // 1 == paid, "price: what is paid out"
    else: assert exact >= paid > left(sent - 1) * rate // 1, "price: what is sent"
    assert plain((exact - paid) / 10 ** DECIMALS[target]) == x["residue"], "price: the residue"
    assert x["rate"] == sheet["rate"], "price: the rate"
    assert (fee["to"], fee["currency"]) == (schedule["payee"], source), "price: whose fee"
    for text, value, currency in ((x["send"]["amount"], sent, source),
                                  (fee["amount"], sent - converted, source),
                                  (x["converted"], converted, source),
                                  (x["receive"]["amount"], paid, target)):
        places = DECIMALS[currency]
        digits = f"{int(value):0{places + 1}}"
        written = f"{digits[:-places]}.{digits[-places:]}" if places else digits
        assert value.denominator == 1 and text == written, f"price: {text}"

class Sheet:
    """A rate sheet: when it could be cited, what ended it, and how much of it was used."""
    def __init__(self, body, logged):
        self.body, self.logged, self.used = body, logged, Fraction(0)
        self.ends = self.withdrawn = float("inf")

    def held(self, x, time):
        """At some instant at which the terms can have been reserved: at most 300 s before they expire.
        A withdrawal counts in log order: others of the same instant may stand before it."""
        first = max(ms(self.body["from"]), ms(x["expiresAt"]) - 300_000, self.logged)
        until = min(ms(self.body["honourUntil"]), self.ends)
        return first <= time and first < until and first <= self.withdrawn

def judge_price(x, time, s, sheets):
    """The sheet that terms cite: `sheets` has it by hash."""
    held = sheets[x["sheet"]["hash"]]
    sheet = held.body
    cited = {"provider": sheet["provider"], "number": sheet["number"], "hash": x["sheet"]["hash"]}
    assert cited == x["sheet"], "sheet: another than the one that is cited"
    assert held.held(x, time), "sheet: it did not hold"
    assert Fraction(x["send"]["amount"]) <= Fraction(sheet["maxTransfer"]), "sheet: beyond its limit"
    price(x, sheet, s["named"]["fee-schedule", x["fees"][0]["schedule"]])

def operators_needed(send, policy):
    """Of a policy's thresholds those that are reached; one that is no amount counts always."""
    reached = [0]
    for least in policy["operatorsFrom"]:
        amount = units(least["amount"], send["currency"])
        here = least["currency"] == send["currency"]
        if here and (amount.denominator > 1 or units(send["amount"], send["currency"]) >= amount):
            reached.append(least["count"])
    return max(reached)

def transfer_postings(x):
    """(debit, credit, currency, amount) of a committed transfer."""
    payer, desk = x["payer"]["participant"] + ":position", x["sheet"]["provider"] + ":position"
    pairs = [(payer, fee["to"] + ":fees", fee["currency"], fee["amount"])
             for fee in x["fees"] if Fraction(fee["amount"])]
    pairs.append((payer, desk, x["send"]["currency"], x["converted"]))
    payee, received = x["payee"]["participant"] + ":position", x["receive"]
    return [*pairs, (desk, payee, received["currency"], received["amount"])]

def less(amount, part, currency):
    return f"{Decimal(amount) - Decimal(part):.{TABLES['decimals'][currency]}f}"

def settlement_postings(operator, kind, x):
    """What a statement about settlement posts, from its own text."""
    who, cash = x.get("participant", ""), operator + ":cash"
    clearing, contra, found = operator + ":settlement", f"{who}:settled", []
    final = kind == "window-default" or x.get("result") == "settled"
    if final or kind == "window-net" and not x["legs"]:
        sides = (clearing, contra, "debits"), (contra, clearing, "credits"), (f"{who}:fees", clearing, "fees")
        found = [(*two, t["currency"], t[field]) for t in x["totals"] for *two, field in sides]
    for one in x.get("payments", []):
        found.append((f"{who}:liquidity", cash, one["currency"], one["cover"]))
        short = f"{who}:shortfall", operator + ":guarantee"
        found.append((*short, one["currency"], one["shortfall"]))
    if kind == "adjustment":
        own = operator + (":rounding" if x["break"] == "fx-residue" else ":adjustments")
        sides = (own, f"{who}:liquidity") if x["side"] == "credit" else (f"{who}:liquidity", own)
        found.append((*sides, x["currency"], x["amount"]))
    if kind in ("liquidity-out", "liquidity-in"):  # of the latter `x` is what the other lane said
        sides = f"{who}:liquidity", f"{who}:in-transit"
        found.append((*(sides if kind == "liquidity-out" else sides[::-1]), x["currency"], x["amount"]))
    for one in x["lines"] if kind == "liquidity" else []:
        amount, currency, back = one["amount"], one["currency"], one.get("repaid", "0")
        if one["side"] == "debit": found.append((f"{who}:liquidity", cash, currency, amount))
        elif "advance" in one: found.append((cash, operator + ":advances", currency, amount))
        else:
            found.append((operator + ":guarantee", f"{who}:shortfall", currency, back))
            rest = less(amount, back, currency) if "repaid" in one else amount
            found.append((cash, f"{who}:liquidity", currency, rest))
    return [one for one in found if Fraction(one[3])]

def judge_log(states, origin, log):
    """A checkpoint counts by a key that is named for its log where the entry stands, or later."""
    lanes = [lane for s in states for lane in s["lanes"] if lane["origin"] == origin]
    assert any(vkey(lane["vkey"], 1)[1] == log[1] for lane in lanes), "lane: it has another key"

def signers_of(s):
    """The keys that sign inner notes."""
    schedulers = [one["scheduler"] for one in s["corridors"].values() if "scheduler" in one]
    own = [s["ledger"]["entryKey"], *s["ledger"]["operators"], *schedulers]
    return dict(vkey(key, 1) for key in own) | {ident: key["data"] for ident, key in s["keys"].items()}

def judge(raw, origin, history, sheets=None):
    """(context, kind, statement, terms, note inside, original) of an entry that stands by itself. Without
    `sheets` the conversion is not checked."""
    assert len(raw) <= 32768, "entry: too large"
    text, lines = note(raw.decode())
    c, inner = statement(text, origin, "entry")
    states, roots, times = history
    size, time, end = c["keys"]["size"], ms(c["time"]), c["outcome"]
    assert size < len(states) and roots[size] == b64(c["keys"]["root"]), "entry: no such key log"
    assert size >= len(times) or times[size] >= time - 2000, "entry: leaves out a key-log entry"
    s, chains, postings, reason, terms = states[size], None, [], None, None
    assert c["rules"] == 1, "entry: rules that this verifier does not know"
    assert signed(text, lines, dict([vkey(s["ledger"]["entryKey"], 1)])), "entry: not signed"
    text, lines = note(inner)
    kind = text.split("\n")[0].split("/")[-2]
    assert kind in TABLES["kinds"], f"entry: a {kind}"
    x, below = statement(text, origin, kind)
    signers = signers_of(s)  # a bad line of any of them refuses the note
    good = signed(text, lines, signers).keys() & s["keys"].keys()
    operators = len(signed(text, lines, dict(vkey(key, 1) for key in s["ledger"]["operators"])))

    def party(who, purpose=("transfer",), revoked=False):
        keys = [s["keys"][ident] for ident in good]
        assert any(key["who"] == who and key["purpose"] in purpose
                   and (revoked or key["revoked"] is None) for key in keys), f"{who} has not signed"

    answers, linked = kind in ("rejection", "cancellation"), None
    taken = kind in moves.KINDS
    assert answers or taken or kind in returns.KINDS or not below, f"{kind}: it answers no statement"
    if kind in returns.KINDS:
        def inside(entry): return judge(entry.encode(), origin, history)
        linked = returns.original(kind, x, below, c["seq"], origin, inside)
    elif kind == "transfer": terms = x
    elif below and not taken:
        said, by = note(below)
        terms, _ = statement(said, origin, "transfer")
        payers = {ident for ident, key in s["keys"].items()
                  if key["who"] == terms["payer"]["participant"] and key["purpose"] == "transfer"}
        assert kind != "rejection" or payers & signed(said, by, signers).keys(), "rejection: the payer has not signed"
    if terms:
        sides = {side: terms[side]["participant"] for side in ("payer", "payee")}
        chains = list(dict.fromkeys([*sides.values(), terms["sheet"]["provider"]]))
    if kind == "transfer" and end == "expired":
        assert time >= ms(x["expiresAt"]), "expired before its time"
        party(sides["payer"], revoked=True)
        reason = "AB05"
    elif kind == "transfer":
        assert end == "committed" and time < ms(x["expiresAt"]), "committed after its time"
        assert sides["payer"] != sides["payee"], "transfer: to oneself"
        party(sides["payer"])
        party(sides["payee"])
        assert sides["payee"] not in s["stopped"], "transfer: its payee is suspended"
        bound = s["bound"].get(sides["payer"], x["policy"])
        assert bound == x["policy"], "policy: another one binds the payer"
        needed = operators_needed(x["send"], s["named"]["policy", x["policy"]])
        assert operators >= needed, "policy: too few operators signed"
        if sheets is not None: judge_price(x, time, s, sheets)
        postings = transfer_postings(x)
    elif answers:
        side, ends = ("payer", "cancelled") if kind == "cancellation" else ("payee", "rejected")
        assert terms or kind == "cancellation", f"{kind}: it answers no terms"
        assert end == ends, f"{kind}: {end}"
        if terms: assert (terms["id"], sides[side]) == (x["id"], x["participant"]), f"{kind}: of others"
        party(x["participant"], revoked=kind == "cancellation")
        reason = x["reason"]
    elif linked:
        assert end == "recorded", f"{kind}: {end}"
        party(x["participant"])
        postings, chains = returns.judge_linked(kind, x, linked, time, s, sheets)
    elif kind in SETTLEMENT:
        assert end == "recorded", f"{kind}: {end}"
        if kind == "window-cut":
            by = s["corridors"].get(x["corridor"], {}).get("scheduler")
            assert operators or by and signed(text, lines, dict([vkey(by, 1)])), "cut: not signed"
        elif kind == "bank-statement": party(x["bank"], ("bank-statement",))
        elif kind in TWO_SIGN: assert operators >= 2, f"{kind}: two sign"
        else: assert signed(text, lines, dict([vkey(s["ledger"]["entryKey"], 1)])), f"{kind}: not signed"
        def elsewhere(entry, log): return judge(entry.encode(), log, history)
        said = moves.carried(kind, x, below, origin, c["keys"]["size"], states, elsewhere) if taken else x
        roles = s["records"].get(said.get("participant"), {"roles": []})["roles"]
        chains = [said["participant"]] if set(roles) - {"settlement-bank"} else []
        postings = settlement_postings(s["ledger"]["operator"], kind, said)
    else:
        assert end == "recorded", f"{kind}: {end}"
        chains = [x.get("provider", x.get("participant"))]
        if kind == "advance":
            assert operators >= 2, "advance: two operators sign"
            accounts = s["ledger"]["operator"] + ":advances", x["participant"] + ":liquidity"
            postings = [(*accounts, x["currency"], x["amount"])]
        else:
            sheets_only, any_key = ("rate-sheet",), ("transfer", "rate-sheet")
            party(chains[0], {"credited": ("transfer",), "statement": any_key}.get(kind, sheets_only))
    if terms or kind in ("cancellation", "return", "recall"):
        slot = int(x["id"][:4], 16) >> 6
        given = [lane for lane in s["given"] if lane["origin"] == origin]
        assert any(has_slot(lane, slot) for lane in given), "lane: another's"
    fields = "debit", "credit", "currency", "amount"
    assert [tuple(map(one.get, fields)) for one in c["postings"]] == postings, "entry: postings"
    named = [link["participant"] for link in c["chains"]]
    unknown = kind == "cancellation" and not terms and named[:1] == [x["participant"]]
    assert named == chains or unknown, "entry: chains"
    assert c.get("reason") == reason, "entry: another reason than its statement gives"
    return c, kind, x, terms, inner, linked
