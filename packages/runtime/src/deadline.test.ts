// Deadlines: three outcomes, and never longer than the deadline.
import { expect, test } from "vitest";
import { withDeadline } from "./deadline.ts";

test("hands the value on", async () => {
  expect(await withDeadline(1_000, async () => 7)).toEqual({ outcome: "ok", value: 7 });
});

test("calls a deadline an unknown outcome and aborts the work", async () => {
  let aborted = false;
  const result = await withDeadline(5, (signal) => {
    signal.addEventListener("abort", () => (aborted = true));
    return new Promise<never>(() => {});
  });
  expect(result.outcome).toBe("unknown");
  expect(aborted).toBe(true);
});

test.each([
  ["an answer that is an error", new Error("refused"), "failed"],
  ["a refused connection", Object.assign(new Error("x"), { code: "ECONNREFUSED" }), "failed"],
  ["a reset connection", Object.assign(new Error("x"), { code: "ECONNRESET" }), "unknown"],
  ["an abort", new DOMException("gone", "AbortError"), "unknown"],
  [
    "a cause that was a reset",
    new Error("x", { cause: Object.assign(new Error("y"), { code: "EPIPE" }) }),
    "unknown",
  ],
  [
    "a reset before anything was sent",
    Object.assign(new Error("x"), { code: "ECONNRESET", sent: false }),
    "failed",
  ],
])("calls %s by its outcome", async (_name, error, outcome) => {
  const result = await withDeadline(1_000, () => Promise.reject(error));
  expect(result).toEqual({ outcome, error });
});
