import { expect, test } from "vitest";
import { retryUntil } from "./retry-until.ts";

const failing = (retryable: boolean, times: number) => {
  let calls = 0;
  const work = (): Promise<number> => {
    calls += 1;
    if (calls > times) return Promise.resolve(calls);
    return Promise.reject(Object.assign(new Error(`refusal ${calls}`), { retryable }));
  };
  return work;
};

test("what is still starting is asked again", async () => {
  expect(await retryUntil(60_000, failing(true, 2), 1)).toBe(3);
});

test("what cannot be retried is thrown at once", async () => {
  await expect(retryUntil(60_000, failing(false, 2), 1)).rejects.toThrow("refusal 1");
});

test("the deadline ends it with the last error", async () => {
  await expect(retryUntil(0, failing(true, 2), 1)).rejects.toThrow("refusal 1");
});
