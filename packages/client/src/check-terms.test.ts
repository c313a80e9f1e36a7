// What a provider signs when somebody else hosts its adapter: each way of changing what was asked for is
// found before anything is signed.
import { formatTime, statementText, type Terms } from "@sealane/protocol";
import { hk, makeFundedWorld, origin, ph, say, testKeys } from "@sealane/rules/testing";
import { composeNote, sha256, toBase64, utf8 } from "@sealane/tlog";
import { describe, expect, test } from "vitest";
import type { Quote, TransferRequest } from "./adapter-types.ts";
import { checkTerms, type Asked, type Preparation } from "./check-terms.ts";

const key = "order-7";
const request: TransferRequest = {
  payer: { account: "+85290000001" },
  payee: { participant: ph, account: "+639170000001" },
  amount: { currency: "HKD", amount: "1000" },
  reference: "for the Garcia family",
};

const commit = (value: string) => {
  const opening = new Uint8Array([...sha256(`salt of ${value}`), ...utf8(value)]);
  return { commitment: toBase64(sha256(opening)), opening: toBase64(opening) };
};

const world = makeFundedWorld();
const payer = commit(request.payer.account);
const payee = commit(request.payee.account);
const reference = commit(request.reference ?? "");

const honest = (amount = "1000.00"): Terms =>
  world.terms({
    key,
    amount,
    payer: { participant: hk, account: payer.commitment },
    payee: { participant: ph, account: payee.commitment },
    reference: reference.commitment,
  });

const asked = (changes: Partial<Asked> = {}): Asked => ({
  participant: hk,
  origin,
  idempotencyKey: key,
  request,
  keys: world.keys(),
  nowMs: world.nowMs(),
  ...changes,
});

const prepared = (terms: object, changes: Partial<Preparation> = {}): Preparation => ({
  transferId: (terms as Terms).id,
  statement: statementText(origin, "transfer", terms),
  sheet: world.sheet().note,
  openings: { payer: payer.opening, payee: payee.opening, reference: reference.opening },
  ...changes,
});

const judge = (terms: object, changes: Partial<Preparation> = {}, ask: Partial<Asked> = {}) => {
  const result = checkTerms(asked(ask), prepared(terms, changes));
  return result.ok ? "ok" : result.code;
};

describe("terms that say what was asked for", () => {
  test("may be signed, with the amount written in another way", () => {
    expect(checkTerms(asked(), prepared(honest()))).toEqual({ ok: true, terms: honest() });
  });

  test("may be signed under a quote, as it was quoted", () => {
    const { quote, terms } = quoted();
    const ask = { request: { ...request, quoteId: quote.quoteId }, quote };
    expect(judge(terms, {}, ask)).toBe("ok");
  });
});

const quoteId = "11111111-1111-4111-8111-111111111111";

const quoted = () => {
  const terms = { ...honest(), quote: quoteId };
  const [fee] = terms.fees;
  if (fee === undefined) throw new Error("the test's terms have a fee");
  const quote: Quote = {
    quoteId,
    expiresAt: formatTime(world.nowMs() + 60_000),
    fixed: "send",
    sent: terms.send,
    fee: { currency: fee.currency, amount: fee.amount },
    otherCharges: { currency: "HKD", amount: "0" },
    exchangeRate: terms.rate,
    referenceRate: { rate: terms.rate, date: "2026-10-30", source: "test" },
    spreadBasisPoints: "0",
    converted: { currency: "HKD", amount: terms.converted },
    received: terms.receive,
  };
  return { quote, terms };
};

const later = (ms: number): string => formatTime(world.nowMs() + ms);
const dearer = (terms: Terms) => ({ ...terms, fees: [{ ...terms.fees[0], amount: "12.00" }] });

describe("terms that a hosted adapter has changed", () => {
  const changes: [string, string, (terms: Terms) => object][] = [
    ["another amount", "amount-mismatch", () => honest("1000.01")],
    [
      "less for the payee",
      "amount-mismatch",
      (terms) => ({ ...terms, receive: { ...terms.receive, amount: "1.00" } }),
    ],
    [
      "another currency of the same number",
      "amount-mismatch",
      (terms) => ({ ...terms, send: { ...terms.send, currency: "PHP" } }),
    ],
    ["the other side fixed", "amount-mismatch", (terms) => ({ ...terms, fixed: "receive" })],
    ["a higher fee", "fee-mismatch", dearer],
    [
      "a fee schedule that the key log does not have",
      "fee-mismatch",
      (terms) => ({ ...terms, fees: [{ ...terms.fees[0], schedule: "mine" }] }),
    ],
    [
      "a fee for somebody else",
      "fee-mismatch",
      (terms) => ({ ...terms, fees: [{ ...terms.fees[0], to: ph }] }),
    ],
    ["a worse rate", "amount-mismatch", (terms) => ({ ...terms, rate: "7" })],
    ["more residue", "amount-mismatch", (terms) => ({ ...terms, residue: "0.5" })],
    [
      "another payee",
      "payee-mismatch",
      (terms) => ({ ...terms, payee: { ...terms.payee, participant: "fx-desk.example" } }),
    ],
    [
      "another account of the payee",
      "account-mismatch",
      (terms) => ({ ...terms, payee: { ...terms.payee, account: payer.commitment } }),
    ],
    [
      "another account of the payer",
      "account-mismatch",
      (terms) => ({ ...terms, payer: { ...terms.payer, account: payee.commitment } }),
    ],
    [
      "another payer",
      "payer-mismatch",
      (terms) => ({ ...terms, payer: { ...terms.payer, participant: ph } }),
    ],
    ["another id", "id-mismatch", (terms) => ({ ...terms, id: quoteId })],
    ["a quote that was not asked for", "quote-mismatch", (terms) => ({ ...terms, quote: quoteId })],
    ["a later expiry", "expiry-mismatch", (terms) => ({ ...terms, expiresAt: later(63_000) })],
    [
      "an expiry in the past",
      "expiry-mismatch",
      (terms) => ({ ...terms, expiresAt: later(-3_000) }),
    ],
    ["a policy of nobody", "policy-unknown", (terms) => ({ ...terms, policy: "none" })],
    [
      "another sheet",
      "sheet-mismatch",
      (terms) => ({ ...terms, sheet: { ...terms.sheet, hash: payer.commitment } }),
    ],
    ["no reference", "reference-mismatch", ({ reference: _gone, ...terms }) => terms],
    [
      "another reference",
      "reference-mismatch",
      (terms) => ({ ...terms, reference: payee.commitment }),
    ],
    ["a field that no schema knows", "statement-malformed", (terms) => ({ ...terms, tip: "5.00" })],
  ];
  test.each(changes)("%s: not signed", (_name, code, change) => {
    expect(judge(change(honest()))).toBe(code);
  });

  test("for another log, or as another statement: not signed", () => {
    const terms = honest();
    const at = (log: string, kind: string, inner?: string) => ({
      statement: statementText(log, kind, terms, inner),
    });
    expect(judge(terms, at("sealane.example/2026/1", "transfer"))).toBe("wrong-log");
    expect(judge(terms, at(origin, "rejection"))).toBe("statement-malformed");
    expect(judge(terms, at(origin, "transfer", world.sheet().note))).toBe("statement-malformed");
    expect(judge(terms, { statement: "" })).toBe("statement-malformed");
  });

  test("with openings of other commitments, or none: not signed", () => {
    const other = { payer: payer.opening, payee: commit("+639170000002").opening };
    expect(judge(honest(), { openings: other })).toBe("account-mismatch");
    expect(judge(honest(), { openings: { ...other, payee: "?" } })).toBe("account-mismatch");
  });

  test("under a quote: not signed but as quoted, and never under one that is not known", () => {
    const { quote, terms } = quoted();
    const asks = { ...request, quoteId };
    expect(judge(terms, {}, { request: asks })).toBe("quote-unknown");
    const cheaper = { ...quote, received: { ...quote.received, amount: "9999.00" } };
    expect(judge(terms, {}, { request: asks, quote: cheaper })).toBe("quote-mismatch");
    expect(judge({ ...terms, quote: terms.id }, {}, { request: asks, quote })).toBe(
      "quote-mismatch",
    );
  });

  test("under a sheet that its provider has not signed, or that is over: not signed", () => {
    const { text, body } = world.sheet();
    const forged = say.rateSheet(world.keys(), body, { signers: [testKeys.stranger] });
    const cited = { ...honest().sheet, hash: say.sheetHash(forged) };
    expect(judge({ ...honest(), sheet: cited }, { sheet: forged.note })).toBe("signature-wrong");
    expect(judge(honest(), { sheet: composeNote(text, ["— a b+AAAAAAA="]) })).toBe(
      "sheet-mismatch",
    );
    expect(judge(honest(), { sheet: "none" })).toBe("sheet-mismatch");
    const nowMs = Date.parse(body.honourUntil) + 2_000;
    const until = { ...honest(), expiresAt: formatTime(nowMs + 60_000) };
    expect(judge(until, {}, { nowMs })).toBe("sheet-mismatch");
  });
});
