// Prices that no statement can carry are refused where they are made: terms that the ledger cannot read
// would be answered by nobody.
import { termsSchema } from "@sealane/protocol";
import { expect, it } from "vitest";
import { priceTransfer } from "./pricing.ts";
import { feeSchedule, genesisMs } from "./testing/genesis.ts";
import { makeSheet, makeTerms } from "./testing/statements.ts";

const sheet = makeSheet();

it.each([
  ["send", "999999999999999.99"],
  ["send", "200000000000000.00"],
  ["receive", "999999999999999.99"],
  ["receive", "0.01"],
  ["send", "1000.00"],
] as const)("a fixed %s of %s is refused, or makes terms that can be read", (fixed, amount) => {
  const priced = priceTransfer(fixed, amount, sheet, feeSchedule);
  if (!priced.ok) {
    expect(priced.code).toBe("amount-invalid");
    return;
  }
  const hash = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";
  const terms = makeTerms({ sheet, hash }, genesisMs, { fixed, amount });
  expect(termsSchema.safeParse(terms)).toMatchObject({ success: true });
});

it("refuses what is received over 15 digits, though what is sent has fewer", () => {
  const priced = priceTransfer("send", "200000000000000.00", sheet, feeSchedule);
  expect(priced).toMatchObject({ ok: false, code: "amount-invalid" });
});
