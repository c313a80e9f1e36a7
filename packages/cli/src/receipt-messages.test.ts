// Receipts in the banks' language: each kind of entry gives the messages that it is, valid by their schemas.
import { readValid, writeValid } from "@sealane/iso20022/schema";
import { makeLog, makeReturnLog, policy, type World } from "@sealane/rules/testing";
import { utf8 } from "@sealane/tlog";
import { describe, expect, it } from "vitest";
import { messagesOf } from "./receipt-messages.ts";
import { verifySeal } from "./verify-seal.ts";

const world = makeReturnLog();
const messagesAt = (place: number, of: World = world) => {
  const seal = verifySeal(utf8(of.receipt(place)), policy);
  if (!seal.ok) throw new Error(seal.code);
  return messagesOf(seal.sealed);
};
const bodyAt = (place: number, at = 0): unknown => messagesAt(place)[at]?.body;

describe("the messages of a receipt", () => {
  it("are of every kind that banks know, and valid", () => {
    const kinds = world.entries.map((_, place) =>
      messagesAt(place).map(({ kind, body }) => {
        const xml = writeValid(kind, body);
        expect(readValid(utf8(xml))).toEqual({ ok: true, value: { kind, body } });
        return kind;
      }),
    );
    const order = ["pacs.008", "pacs.002"];
    expect(kinds.slice(0, 6).flat()).toEqual([]);
    expect(kinds.slice(6)).toEqual([
      order,
      order,
      ["pacs.004"],
      ["camt.056"],
      ["camt.029"],
      ["pacs.004"],
      ["camt.056"],
      ["pacs.004", "camt.029"],
    ]);
  });

  it("say of every end of a transfer what it was", () => {
    const log = makeLog();
    const ends = log.entries.flatMap((_, place) =>
      messagesAt(place, log).flatMap(({ kind, body }) => {
        expect(readValid(utf8(writeValid(kind, body))).ok).toBe(true);
        return kind === "pacs.002" ? body.transactions.map(({ status }) => status) : [];
      }),
    );
    expect(new Set(ends)).toEqual(new Set(["ACSP", "RJCT", "CANC"]));
  });

  it("link a return to its transfer by UETR, with what comes back in both currencies", () => {
    const [order] = messagesAt(6);
    const uetr = order?.kind === "pacs.008" ? order.body.transfers[0]?.uetr : undefined;
    expect(bodyAt(8)).toMatchObject({
      returns: [
        {
          uetr,
          reason: "AC04",
          amount: { currency: "PHP", amount: "1234.56" },
          instructed: { currency: "HKD" },
        },
      ],
    });
  });

  it("answer a recall under its own case: refused with a reason, granted without", () => {
    const asked = bodyAt(9) as { case: object };
    expect(asked).toMatchObject({
      cancellations: [{ reason: "DUPL", information: "PARTIAL PHP 6000.00" }],
    });
    expect(bodyAt(10)).toMatchObject({ case: asked.case, status: "RJCR" });
    const cancel = bodyAt(12) as { case: object };
    expect(bodyAt(13, 1)).toMatchObject({
      case: cancel.case,
      status: "CNCL",
      answers: [{ status: "ACCR" }],
    });
  });
});
