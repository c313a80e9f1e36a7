// Strict JSON: the grammar with positions, and what JSON.parse would let through.
import { expect, test } from "vitest";
import { parseJsonStrictly, scanJson } from "./json-text.ts";

test.each([
  ["{", "json-malformed", 1, ""],
  ["", "json-malformed", 0, ""],
  ["nul", "json-malformed", 0, ""],
  ["NaN", "json-malformed", 0, ""],
  ["01", "json-malformed", 1, ""],
  ["1.", "json-malformed", 1, ""],
  ["+1", "json-malformed", 0, ""],
  ["[1,]", "json-malformed", 3, "/1"],
  ['{"a":1,}', "json-malformed", 7, ""],
  ["{'a':1}", "json-malformed", 1, ""],
  ['{"a" 1}', "json-malformed", 5, "/a"],
  ["1 2", "json-malformed", 2, ""],
  ['"a\nb"', "json-malformed", 2, ""],
  ['"\\x"', "json-malformed", 1, ""],
  ['"\\u12g4"', "json-malformed", 1, ""],
  ['"open', "json-malformed", 5, ""],
  ["\ufeff{}", "json-malformed", 0, ""],
  ['{"a":1,"a":2}', "json-duplicate-key", 7, "/a"],
  ['{"a":1,"\\u0061":2}', "json-duplicate-key", 7, "/a"],
  ['[{"a":1,"b":0,"a":2}]', "json-duplicate-key", 14, "/0/a"],
  ['{"__proto__":{}}', "json-forbidden-key", 1, "/__proto__"],
  ['{"\\u005f_proto__":{}}', "json-forbidden-key", 1, "/__proto__"],
  ['["\\ud800"]', "json-lone-surrogate", 1, "/0"],
  ['{"\\udc00":1}', "json-lone-surrogate", 1, ""],
  ["[[[1]]]", "json-too-deep", 2, "/0/0"],
  ['{"a":{"b":{}}}', "json-too-deep", 10, "/a/b"],
])("refuses %j with its code, position and pointer", (text, code, at, pointer) => {
  expect(scanJson(text, 2)).toEqual({ code, at, pointer });
});

test.each(["{}", "[[1]]", ' {"a":[true,false,null,-1.5e+3,"\\ud83d\\ude00"]} ', '"/"', "0"])(
  "takes %s",
  (text) => {
    expect(scanJson(text, 2)).toBeUndefined();
  },
);

test("refuses an array 30,000 deep, open or closed, without blowing the stack", () => {
  const open = "[".repeat(30_000);
  expect(scanJson(open)?.code).toBe("json-too-deep");
  expect(scanJson(open + "]".repeat(30_000))?.code).toBe("json-too-deep");
});

test("names position, line and column for people", () => {
  expect(() => parseJsonStrictly('{\n  "a": 1,\n  "a": 2\n}')).toThrow(
    "an object holds the same key twice (position 14, line 3, column 3)",
  );
});
