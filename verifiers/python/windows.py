"""Settlement windows: which transfers a cut ends, and each participant's net of them, which must follow in
the log. Membership is a place in the log and the corridor of the pair; no clock decides it."""
import uuid
from datetime import datetime, timedelta
from fractions import Fraction
from entries import DECIMALS, units
from keylog import ms
from verify import sha

NO_RECORD = {"netting": "multilateral", "payWithinMinutes": 24 * 60}  # of the corridor `default`

def amount(minor, currency):
    places = DECIMALS[currency]
    digits = f"{int(minor):0{places + 1}}"
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits

def obligations(netting, flows, sums, clearing):
    """(debtor, creditor, currency, minor units), none of nothing."""
    owed = {}
    if netting == "multilateral":
        for (who, currency), (debits, credits, fees) in sums.items():
            owed[who, clearing, currency] = debits - credits - fees
    else:
        for (debit, credit, currency), minor in flows.items():
            one, other = (account.rpartition(":")[0] for account in (debit, credit))
            if one == other: continue
            if netting == "bilateral" and one > other: one, other, minor = other, one, -minor
            owed[one, other, currency] = owed.get((one, other, currency), 0) + minor
    for (one, other, currency), minor in owed.items():
        if minor: yield (one, other, currency, minor) if minor > 0 else (other, one, currency, -minor)

def nets(flows, netting, operator, seed):
    """Totals and legs by participant. `seed` begins the name that a leg's reference is made of."""
    sums = {}
    for (debit, credit, currency), minor in flows.items():
        for account, side in (debit, 0), (credit, 2 if credit.endswith(":fees") else 1):
            sums.setdefault((account.rpartition(":")[0], currency), [0, 0, 0])[side] += minor
    found = {who: {"totals": [], "legs": []} for who in sorted({who for who, _ in sums})}
    for (who, currency), three in sorted(sums.items()):
        named = zip(("debits", "credits", "fees"), (amount(one, currency) for one in three))
        found[who]["totals"].append({"currency": currency, **dict(named)})
    clearing = operator + ":settlement"
    for debtor, creditor, currency, minor in obligations(netting, flows, sums, clearing):
        name = f"{seed} {debtor} {creditor} {currency}".encode()
        reference = str(uuid.UUID(bytes=sha(name)[:16], version=4))
        for who, side, other in (debtor, "pay", creditor), (creditor, "receive", debtor):
            if who in found:
                found[who]["legs"].append({"reference": reference, "currency": currency, "side": side,
                                           "counterparty": other, "amount": amount(minor, currency)})
    for one in found.values():
        one["legs"].sort(key=lambda leg: f"{leg['currency']} {leg['side']} {leg['counterparty']}")
    return found

MOST_LEGS, MOST_LINES = 100, 10_000  # of an entry, and of a bank's statement

def net_parts(net):
    """A net's entries: one, or, where it has more legs than an entry takes, parts; the first has the totals."""
    legs, of = net["legs"], -(-len(net["legs"]) // MOST_LEGS)
    if of <= 1: return [net]
    return [{**net, "part": {"number": at + 1, "of": of}, "totals": net["totals"] if at == 0 else [],
             "legs": legs[at * MOST_LEGS:(at + 1) * MOST_LEGS]} for at in range(of)]

def judge_default(c, x, net, cut, s):
    """Of a debtor that is suspended and late; its cover and a shortfall come to what it owes."""
    assert ms(c["time"]) >= cut["payBy"] and x["attempt"] == cut["attempt"], "default: before it is due"
    assert x["participant"] in s["stopped"], "default: of one that is not suspended"
    assert any(leg["side"] == "pay" for leg in net["legs"]), "default: of one that owes nothing"
    sums = [(one["currency"], Fraction(one["debits"]) - Fraction(one["credits"]) - Fraction(one["fees"]))
            for one in net["totals"]]
    paid = [(one["currency"], Fraction(one["cover"]) + Fraction(one["shortfall"])) for one in x["payments"]]
    assert paid == [(currency, owed) for currency, owed in sums if owed > 0], "default: its payments"

class Windows:
    def __init__(self, origin): self.origin, self.open, self.unsettled, self.due = origin, {}, {}, []

    def follow(self, c, kind, x, terms, s):
        """Judges an entry that stands by itself. `terms`: of what it pays out, or gives back."""
        if self.due or kind == "window-net":
            assert self.due and kind == "window-net" and x == self.due.pop(0), "window: not its net"
        elif kind == "window-cut": self.cut(c, x, s)
        elif kind == "window-default" or x.get("result") == "settled":
            cut = self.unsettled[x["corridor"], x["number"]]
            net = cut["nets"].pop(x["participant"])
            assert x["totals"] == net["totals"], f"{kind}: not its window's net"
            if kind == "window-default": judge_default(c, x, net, cut, s)
        elif kind == "settlement-abort":
            cut = self.unsettled[x["corridor"], x["number"]]
            assert x["attempt"] == cut["attempt"], "abort: of no attempt that is open"
            assert 0 < cut["all"] == len(cut["nets"]), "abort: something of it is settled"
            cut["attempt"] += 1
        elif terms:
            pair = {"from": terms["send"]["currency"], "to": terms["receive"]["currency"]}
            at = next((name for name, one in s["corridors"].items() if pair in one["pairs"]), "default")
            flows = self.open.setdefault(at, (0, 0, 0, {}))[3]
            for one in c["postings"]:
                flow = one["debit"], one["credit"], one["currency"]
                flows[flow] = flows.get(flow, 0) + units(one["amount"], one["currency"])

    def cut(self, c, x, s):
        corridor, time = x["corridor"], ms(c["time"])
        record = s["corridors"].get(corridor, NO_RECORD if corridor == "default" else None)
        assert record, "cut: of no corridor"
        number, first, since, flows = self.open.get(corridor, (0, 0, 0, {}))
        assert x["number"] == number, "cut: of a window that is not open"
        assert "due" not in x or since < ms(x["due"]) <= time, "cut: before it is due, or after another"
        pay_by = datetime.fromisoformat(c["time"][:-1]) + timedelta(minutes=record["payWithinMinutes"])
        common = {"corridor": corridor, "number": number, "from": first, "to": c["seq"],
                  "netting": record["netting"], "payBy": pay_by.isoformat(timespec="milliseconds") + "Z"}
        seed = f"{self.origin}{corridor}/{number}/0"
        found = nets(flows, record["netting"], s["ledger"]["operator"], seed)
        assert sum(len(net["legs"]) for net in found.values()) <= MOST_LINES, "cut: of too many legs"
        whole = [{**common, "participant": who, **net} for who, net in found.items()]
        self.due = [part for net in whole for part in net_parts(net)]
        left = {who: one for who, one in found.items() if one["legs"]}
        self.unsettled[corridor, number] = {"nets": left, "all": len(left), "attempt": 0,
                                            "payBy": ms(common["payBy"])}
        self.open[corridor] = number + 1, c["seq"] + 1, time, {}
