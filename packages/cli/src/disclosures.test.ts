// Disclosures for a bundle: which fields are handed over is said, and nothing else is.
import { expect, test } from "vitest";
import { fetchDisclosures, fieldsToReveal } from "./disclosures.ts";

const opening = (value: string): string => Buffer.from("s".repeat(32) + value).toString("base64");
const client = (fields: readonly string[]) => ({
  disclosures: () => Promise.resolve(fields.map((field) => ({ field, opening: opening(field) }))),
});

test("fields are said one by one, or all; without a word none", () => {
  expect(fieldsToReveal(undefined)).toEqual([]);
  expect(fieldsToReveal("payee,reference")).toEqual(["payee", "reference"]);
  expect(fieldsToReveal("all")).toEqual(["payer", "payee", "reference"]);
  expect(() => fieldsToReveal("payee,name")).toThrow(/name is no field/);
});

test("an adapter's answer is cut down to the fields that were asked for", async () => {
  const found = await fetchDisclosures(client(["payer", "payee", "note"]), "t-1", ["payee"]);
  expect(found).toEqual([
    {
      transferId: "t-1",
      field: "payee",
      opening: new Uint8Array(Buffer.from(opening("payee"), "base64")),
    },
  ]);
});

test("a bundle that would show nothing of what was asked for is not written", async () => {
  const asked = fetchDisclosures(client(["payer"]), "t-1", ["reference"]);
  await expect(asked).rejects.toMatchObject({ code: "disclosure-unknown" });
});

test("what is no base64 is refused", async () => {
  const odd = { disclosures: () => Promise.resolve([{ field: "payer", opening: "*" }]) };
  const asked = fetchDisclosures(odd, "t-1", ["payer"]);
  await expect(asked).rejects.toMatchObject({ code: "disclosure-malformed" });
});
