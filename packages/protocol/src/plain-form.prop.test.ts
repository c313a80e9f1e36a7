// The short way to read a line never says more than the long way: what it takes, the strict parser and the
// schema take too, with the same value. And it does take what our own programs write.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { z } from "zod";
import { entryContextSchema, outcomes, zeroHash } from "./entry.ts";
import { transferIdOf } from "./names.ts";
import { readPlainForm } from "./plain-form.ts";
import { hasPlainNumbers, parseStrictJson } from "./strict-json.ts";
import { termsSchema } from "./terms.ts";

const theLongWay = (line: string, schema: z.ZodType): unknown => {
  const json = parseStrictJson(line);
  if (!json.ok || !hasPlainNumbers(line)) return undefined;
  return schema.safeParse(json.value).data;
};

const participant = fc.constantFrom("hk-wallet.example", "a.b", `${"a".repeat(63)}.example`);
const amount = fc.constantFrom("0", "0.10", "1000.00", "999999999999999.123456789012");
const currency = fc.constantFrom("HKD", "PHP", "BHD");
const hash = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString("base64"));
const counter = fc.constantFrom(0, 7, 123_456, 999_999_999_999_999);
const id = fc.string().map((key) => transferIdOf("hk-wallet.example", key));
const time = fc.constantFrom("2026-11-22T07:00:00.123Z", "2028-02-28T23:59:59.999Z");
const money = fc.record({ currency, amount });
const party = fc.record({ participant, account: hash });
const label = fc.constantFrom("transfer/1", "hkd-php", "a.b/c-9");

/** In the order in which they are written; without those that may be missing, now and then. */
const terms = fc
  .record({
    id,
    request: hash,
    quote: id,
    policy: label,
    payer: party,
    payee: party,
    fixed: fc.constantFrom("send", "receive"),
    send: money,
    fees: fc.array(fc.record({ schedule: label, to: participant, currency, amount }), {
      maxLength: 8,
    }),
    converted: amount,
    sheet: fc.record({ provider: participant, number: counter, hash }),
    rate: amount,
    receive: money,
    residue: fc.constantFrom("0", "0.000000000000000000000001"),
    reference: fc.option(hash, { nil: undefined }),
    expiresAt: time,
  })
  .map((value) => JSON.stringify(value));

const account = participant.map((name) => `${name}:position`);
const context = fc
  .record({
    seq: counter,
    time,
    prev: fc.oneof(hash, fc.constant(zeroHash)),
    keys: fc.record({ size: counter, root: hash }),
    outcome: fc.constantFrom(...outcomes),
    reason: fc.option(fc.constantFrom("AC04", "MS03"), { nil: undefined }),
    rules: counter,
    chains: fc.array(fc.record({ participant, n: counter, prev: hash }), { maxLength: 16 }),
    postings: fc.array(fc.record({ debit: account, credit: account, currency, amount }), {
      maxLength: 64,
    }),
  })
  .map((value) => JSON.stringify(value));

/** A line with something put in the place of something else, or a part of it twice. */
const changed = (line: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(
      line,
      fc.nat(),
      fc.nat({ max: 40 }),
      fc.oneof(
        fc.constantFrom(
          "",
          '"',
          "\\",
          "\\u0041",
          "-1",
          "1.0",
          "1e3",
          " ",
          "\n",
          "\u0000",
          "\ud800",
        ),
        fc.constantFrom(",", ":", "{", "}", "[", "]", '"x":1,', '"seq":1,', "-0", "00", "01", "é"),
        fc.string({ maxLength: 4 }),
      ),
      fc.boolean(),
    )
    .map(([text, place, length, put, twice]) => {
      const at = place % (text.length + 1);
      const part = text.slice(at, at + length);
      return text.slice(0, at) + (twice ? part + part : put) + text.slice(at + length);
    });

const cases: readonly (readonly [string, fc.Arbitrary<string>, z.ZodType])[] = [
  ["terms", terms, termsSchema],
  ["the context of an entry", context, entryContextSchema],
];

describe.each(cases)("%s", (_, lines, schema) => {
  it("as we write them are read the short way, to the same value", () => {
    fc.assert(
      fc.property(lines, (line) => {
        expect(readPlainForm(line, schema)).toEqual(theLongWay(line, schema));
        expect(readPlainForm(line, schema)).toBeDefined();
      }),
    );
  });

  it("that were changed are not read the short way unless the long way takes them too", () => {
    fc.assert(
      fc.property(changed(lines), (line) => {
        const value = readPlainForm(line, schema);
        expect(value).toEqual(value === undefined ? undefined : theLongWay(line, schema));
      }),
      { numRuns: 2_000 },
    );
  });
});

it("takes no field's limit less seriously than its schema", () => {
  const long = `${"a.".repeat(100)}b`;
  expect(long).toHaveLength(201);
  const line = (name: string): string =>
    JSON.stringify({
      seq: 1,
      time: "2026-11-22T07:00:00.123Z",
      prev: zeroHash,
      keys: { size: 1, root: zeroHash },
      outcome: "recorded",
      rules: 1,
      chains: [{ participant: name, n: 1, prev: zeroHash }],
      postings: [],
    });
  expect(readPlainForm(line(long.slice(2)), entryContextSchema)).toBeDefined();
  for (const bad of [
    line(long),
    line("a.b").replace('"seq":1', '"seq":9007199254740993'),
    line("a.b").replace("-22T", "-31T"),
    line("a.b").replace("-22T", "-30T").replace("2026-11", "2026-02"),
    `${line("a.b")}\n`,
  ]) {
    expect(readPlainForm(bad, entryContextSchema)).toBeUndefined();
  }
});
