// Strict JSON against JSON.parse: the same values, and a fault wherever it finds one.
import fc from "fast-check";
import { expect, test } from "vitest";
import { parseJsonStrictly, scanJson } from "./json-text.ts";

test("takes whatever JSON.stringify writes, and reads the same value", () => {
  const value = fc.jsonValue({ maxDepth: 6 });
  fc.assert(
    fc.property(value, fc.nat(4), (json, indent) => {
      const text = JSON.stringify(json, null, indent);
      fc.pre(!text.includes("__proto__"));
      expect(parseJsonStrictly(text)).toEqual(JSON.parse(text));
    }),
  );
});

test("finds a fault wherever JSON.parse finds one", () => {
  const alphabet = fc.constantFrom(...Array.from('{}[]",:\\utrfalsn0123e+-. \n'));
  fc.assert(
    fc.property(fc.string({ unit: alphabet, maxLength: 12 }), (text) => {
      const fault = scanJson(text);
      if (fault === undefined) JSON.parse(text);
      else if (fault.code === "json-malformed") expect(() => JSON.parse(text)).toThrow(SyntaxError);
    }),
    { numRuns: 2_000 },
  );
  expect(scanJson('{"a":[]}')).toBeUndefined();
});
