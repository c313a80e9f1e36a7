// One meaning or none: what JSON.parse hides is found, however it is written, and nothing else is refused.
import fc from "fast-check";
import { describe, expect, it, test } from "vitest";
import { hasPlainNumbers, parseStrictJson } from "./strict-json.ts";

describe("refused, with its reason", () => {
  it.each([
    ['{"a":1,"a":2}', "json-duplicate-key"],
    ['{"a":1,"a" :2}', "json-duplicate-key"],
    ['{"a":1,"\\u0061":2}', "json-duplicate-key"],
    ['{"b":"\\":","a":1,"a":2}', "json-duplicate-key"],
    ['{"x":{"a":1,\n"a"\n:2}}', "json-duplicate-key"],
    ['[{"a":1},{"a":1,"b":{"c":1,"c":1}}]', "json-duplicate-key"],
    ['{"__proto__":1,"__proto__":2}', "json-duplicate-key"],
    ['{"a":"\\ud800"}', "json-lone-surrogate"],
    ['{"\\udc00":1}', "json-lone-surrogate"],
    ['{"a":"\ud800"}', "json-lone-surrogate"],
    ["{'a':1}", "json-malformed"],
    ['{"a":NaN}', "json-malformed"],
    ['{"a":1,}', "json-malformed"],
    ["", "json-malformed"],
    [`${"[".repeat(33)}${"]".repeat(33)}`, "json-too-deep"],
    [`${'{"a":'.repeat(33)}1${"}".repeat(33)}`, "json-too-deep"],
    ["[".repeat(100_000), "json-too-deep"],
  ])("%s: %s", (text, code) => {
    expect(parseStrictJson(text)).toMatchObject({ ok: false, code });
  });
});

it.each(["+85290000001", '{"+85290000001":1,"+85290000001":2}', '["+85290000001"'])(
  "says of %s where, and never what",
  (text) => {
    const read = parseStrictJson(text);
    expect(read.ok ? "" : read.detail).toMatch(/./);
    expect(JSON.stringify(read)).not.toContain("8529");
  },
);

it("takes what is as deep as allowed, and strings that look like keys", () => {
  for (const text of [
    `${"[".repeat(32)}${"]".repeat(32)}`,
    '{"a":"\\"a\\":1","b":["a\\":","\\":"],"c":{"a":1}}',
    '{"a" : 1, "b" : {"a" : 2}}',
    '{"a":"🙂","b":"\\ud83d\\ude42"}',
  ]) {
    expect(parseStrictJson(text)).toEqual({ ok: true, value: JSON.parse(text) as unknown });
  }
});

const spaces = fc.constantFrom("", "", "", " ", "\n", " \t");
const names = fc.constantFrom("a", "b", "c", 'q"', ":", '":', "\\", "é", "__proto__");

/** JSON text written with any spacing, with keys that may repeat; and whether one does. */
const written: fc.Arbitrary<{ text: string; repeats: boolean }> = fc.letrec<{
  value: { text: string; repeats: boolean };
}>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    fc
      .oneof(fc.integer(), fc.boolean(), names)
      .map((leaf) => ({ text: JSON.stringify(leaf), repeats: false })),
    fc.array(tie("value"), { maxLength: 3 }).map((inner) => ({
      text: `[${inner.map(({ text }) => text).join(",")}]`,
      repeats: inner.some(({ repeats }) => repeats),
    })),
    fc.array(fc.tuple(names, spaces, spaces, tie("value")), { maxLength: 4 }).map((members) => ({
      text: `{${members
        .map(([name, one, two, { text }]) => `${two}${JSON.stringify(name)}${one}:${two}${text}`)
        .join(",")}}`,
      repeats:
        new Set(members.map(([name]) => name)).size < members.length ||
        members.some(([, , , { repeats }]) => repeats),
    })),
  ),
})).value;

test("a key that repeats is found, and only that", () => {
  fc.assert(
    fc.property(written, ({ text, repeats }) => {
      const read = parseStrictJson(text);
      expect(read).toEqual(
        repeats
          ? { ok: false, code: "json-duplicate-key", detail: expect.any(String) as string }
          : { ok: true, value: JSON.parse(text) as unknown },
      );
    }),
    { numRuns: 3_000 },
  );
});

describe("numbers", () => {
  it.each(['{"a":-1}', '{"a": 1.0}', '{"a":4e0}', "[1,-0]", '{"a":[2E3]}', '{"s":"x","a":1.5}'])(
    "in %s are not plain",
    (text) => expect(hasPlainNumbers(text)).toBe(false),
  );
  it.each([
    '{"time":"2026-11-22T07:00:00.123Z","a":12}',
    '{"s":"\\":-1","t":", -5 [1.5","a":1}',
    '{"a":[1,22,333],"b":true,"c":null,"d":"-1"}',
  ])("in %s are plain", (text) => expect(hasPlainNumbers(text)).toBe(true));
});
