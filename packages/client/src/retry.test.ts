import { describe, expect, test } from "vitest";
import { AdapterRefusal, AdapterUnavailable, readProblem } from "./adapter-error.ts";
import { defaultRetry, NotNow, waitBeforeRetry } from "./retry.ts";

const policy = { tries: 4, baseMs: 100, capMs: 1_000 };
const cutOff = new AdapterUnavailable("adapter-unreachable", "cut off");

describe("a call is repeated", () => {
  test.each([
    ["never when it was refused", 1, new AdapterRefusal({ status: 422, code: "x" }), 0, undefined],
    [
      "never after too many requests either",
      1,
      new AdapterRefusal({ status: 429, code: "x" }),
      0,
      undefined,
    ],
    ["never after an error of another kind", 1, new TypeError("bug"), 0, undefined],
    ["after a cut connection, at least half a step later", 1, cutOff, 0, 50],
    ["with jitter", 1, cutOff, 1, 100],
    ["after twice as long the second time", 2, cutOff, 0, 100],
    ["after no more than the cap", 3, cutOff, 1, 400],
    ["not more often than the policy says", 4, cutOff, 0, undefined],
    ["when the adapter says, if it says", 1, new NotNow("busy", 500), 0, 500],
    ["within reason, whatever it says", 1, new NotNow("busy", 3_600_000), 0, 1_000],
    ["as usual when it says nothing", 1, new NotNow("busy", undefined), 0, 50],
  ])("%s", (_what, failures, error, random, expected) => {
    expect(waitBeforeRetry(policy, failures, error, random)).toBe(expected);
  });

  test("five times at most by default, within 5 s", () => {
    const waits = [1, 2, 3, 4].map((failures) =>
      waitBeforeRetry(defaultRetry, failures, cutOff, 1),
    );
    expect(waits).toEqual([100, 200, 400, 800]);
    expect(waitBeforeRetry(defaultRetry, 5, cutOff, 1)).toBeUndefined();
  });
});

describe("a problem is read", () => {
  test("with its code, reason, action and pointer", () => {
    const body = JSON.stringify({
      code: "amount-decimals",
      title: "no",
      detail: "HKD has 2 decimals",
      action: "Use fewer.",
      reason: "CH20",
      errors: [{ pointer: "/amount/amount", detail: "x", code: "y" }],
    });
    expect(readProblem(422, body)).toMatchObject({
      code: "amount-decimals",
      reason: "CH20",
      action: "Use fewer.",
      pointer: "/amount/amount",
    });
  });

  test.each(["<html>Bad gateway</html>", "", "null", "[]", '{"code":7}'])(
    "as its status when it is none: %s",
    (body) => {
      expect(readProblem(502, body)).toMatchObject({ status: 502, code: "http-502" });
    },
  );
});
