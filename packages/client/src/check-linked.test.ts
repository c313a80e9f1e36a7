// What a provider signs when money comes back, and what it does not: each change that a dishonest adapter
// could make to a return, a recall or a refusal is found before anything is signed.
import { statementText, type Recall, type Return } from "@sealane/protocol";
import { hk, makeFundedWorld, origin, ph, testKeys } from "@sealane/rules/testing";
import { signNoteLine } from "@sealane/tlog";
import { describe, expect, test } from "vitest";
import { checkRecall, checkRefusal, checkReturn } from "./check-linked.ts";
import { signRecall, type HostedRecall, type RecallDecision } from "./hosted-recall.ts";
import type { PayeeParty } from "./hosted-payee.ts";

const world = makeFundedWorld();
const id = world.transfer({ key: "a" });
const other = world.transfer({ key: "b" });

const codeOf = (found: { readonly code: string } | undefined): string | undefined => found?.code;

describe("a return to be signed", () => {
  const request = { amount: { currency: "PHP", amount: "100.00" }, reason: "AC04" };
  const asked = { participant: ph, origin, transferId: id, idempotencyKey: "k", request };
  const good = world.giveBack(id, { key: "k", amount: "100.00", reason: "AC04" });
  const check = (text: string, changed: object = {}) =>
    codeOf(checkReturn({ ...asked, keys: world.keys(), ...changed }, text));
  const say = (changes: Partial<Return>) =>
    statementText(origin, "return", { ...good.body, ...changes }, good.inner);

  test("says what was asked for", () => {
    expect(check(good.text)).toBeUndefined();
    const whole = world.giveBack(id, { key: "k" });
    expect(check(whole.text, { request: {} })).toBeUndefined();
  });

  test.each([
    [
      "of another amount",
      say({ amount: { currency: "PHP", amount: "100.01" } }),
      "amount-mismatch",
    ],
    [
      "that gives the payer more",
      say({ back: { currency: "HKD", amount: "999.00" } }),
      "amount-mismatch",
    ],
    ["for another reason", say({ reason: "FOCR" }), "reason-mismatch"],
    ["with another bearer of the fee", say({ bearer: "payee" }), "fee-mismatch"],
    ["at another rate", say({ rate: "today" }), "sheet-mismatch"],
    ["that answers a recall", say({ recall: other }), "id-mismatch"],
    ["under another key", world.giveBack(id, { key: "z", amount: "100.00" }).text, "id-mismatch"],
    ["of another transfer", world.giveBack(other, { key: "k" }).text, "id-mismatch"],
    ["by another", say({ participant: hk }), "payee-mismatch"],
    ["without its entry", statementText(origin, "return", good.body), "statement-malformed"],
    [
      "for another log",
      statementText("x.example/1/0", "return", good.body, good.inner),
      "wrong-log",
    ],
    ["beyond what is left", say({ before: "7235.49" }), "amount-mismatch"],
  ])("%s is not signed", (_what, text, code) => {
    expect(check(text)).toBe(code);
  });

  test("at today's rate stands under a sheet that its provider has signed", () => {
    const today = { request: { rate: "today" as const } };
    const text = world.giveBack(id, { key: "k", rate: "today" }).text;
    expect(check(text, today)).toBe("sheet-mismatch");
    expect(check(text, { ...today, sheet: world.sheet().note })).toBe("sheet-mismatch");
  });
});

describe("a recall to be signed", () => {
  const asked = { participant: hk, origin, transferId: id, idempotencyKey: "k", request: {} };
  const good = world.recall(id, { key: "k" });
  const say = (changes: Partial<Recall>) =>
    statementText(origin, "recall", { ...good.body, ...changes }, good.inner);

  test("says what was asked for", () => {
    expect(checkRecall(asked, good.text)).toBeUndefined();
  });

  test.each([
    ["as a cancellation", say({ cancel: true }), "statement-malformed"],
    ["for another reason", say({ reason: "FRAD" }), "reason-mismatch"],
    [
      "of more than was received",
      say({ amount: { currency: "PHP", amount: "9999.00" } }),
      "amount-mismatch",
    ],
    ["by another", say({ participant: ph }), "payer-mismatch"],
    ["of another transfer", world.recall(other, { key: "k" }).text, "id-mismatch"],
  ])("%s is not signed", (_what, text, code) => {
    expect(codeOf(checkRecall(asked, text))).toBe(code);
  });
});

describe("the answer to a recall", () => {
  const recalled = world.recall(id, { key: "k", amount: "500.00" });
  const party: PayeeParty = {
    participant: ph,
    origin,
    signer: {
      name: testKeys.ph.name,
      signLine: (text) => Promise.resolve(signNoteLine(testKeys.ph.name, testKeys.ph.seed, text)),
    },
    keys: () => world.keys(),
    clock: world.nowMs,
  };
  const recallId = recalled.body.id;
  const back = world.giveBack(id, {
    key: `recall ${recallId}`,
    amount: "500.00",
    reason: "FOCR",
    recall: recallId,
  });
  const question: HostedRecall = {
    recallId,
    transferId: id,
    currency: "PHP",
    amount: "500.00",
    cancel: false,
    recall: recalled.note,
    statement: back.text,
  };
  const signed = (changes: Partial<HostedRecall>, decision: RecallDecision) =>
    signRecall(party, { ...question, ...changes }, decision);

  test("is a signature over the return, or a refusal that carries the recall", async () => {
    const yes = await signed({}, { answer: "return" });
    const line = signNoteLine(testKeys.ph.name, testKeys.ph.seed, back.text);
    expect(yes).toEqual({ ok: true, signed: { recallId, answer: "return", line } });
    const no = await signed({}, { answer: "refuse", reason: "CUST" });
    if (!no.ok || no.signed.answer !== "refuse") throw new Error("not refused");
    const text = no.signed.note.slice(0, no.signed.note.lastIndexOf("\n\n") + 1);
    const asked = { participant: ph, origin, transferId: id, reason: "CUST" };
    expect(checkRefusal(asked, text)).toBeUndefined();
    expect(codeOf(checkRefusal({ ...asked, reason: "LEGL" }, text))).toBe("reason-mismatch");
    expect(codeOf(checkRefusal({ ...asked, transferId: other }, text))).toBe("id-mismatch");
  });

  test.each([
    [
      "a recall that the payer has not signed",
      {
        recall: world.recall(id, { key: "k", amount: "500.00" }, { signers: [testKeys.stranger] })
          .note,
      },
      "signature-wrong",
    ],
    ["another amount than the recall's", { amount: "5.00" }, "amount-mismatch"],
    ["another transfer", { transferId: other }, "id-mismatch"],
    [
      "a return of another amount",
      {
        statement: world.giveBack(id, {
          key: `recall ${recallId}`,
          amount: "501.00",
          reason: "FOCR",
          recall: recallId,
        }).text,
      },
      "amount-mismatch",
    ],
    ["no return at all", { statement: undefined }, "statement-malformed"],
  ])("is none to %s", async (_what, changes, code) => {
    expect(await signed(changes, { answer: "return" })).toMatchObject({ ok: false, code });
  });
});
