import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { sampleFile, sampleRemittances, sampleRows, sampleSeed } from "./sample-remittances.ts";

const text = sampleRemittances(sampleRows, sampleSeed);

test("the file in data/ is what the script makes", () => {
  expect(readFileSync(sampleFile, "utf8")).toBe(text);
});

test("amounts are from 20.00 to 7,999.00 HKD, to accounts that behave", () => {
  const rows = text.trim().split("\n").slice(1);
  expect(rows).toHaveLength(300);
  for (const row of rows) {
    const [payer, payee, amount = "", currency] = row.split(",");
    expect(payer).toMatch(/^\+8529000(?!0000)\d{4}$/);
    expect(Number(payee?.slice(-7))).toBeLessThanOrEqual(990);
    expect(amount).toMatch(/^\d{2,4}\.\d{2}$/);
    const cents = BigInt(amount.replace(".", ""));
    expect(cents >= 2_000n && cents <= 799_900n).toBe(true);
    expect(currency).toBe("HKD");
  }
});
