// Waiting times: doubling, capped, jittered.
import { expect, test } from "vitest";
import { backoff, pause } from "./backoff.ts";

test("doubles up to the cap and starts again after a success", () => {
  const wait = backoff({ baseMs: 100, capMs: 1_000, random: () => 0.999_999 });
  expect([1, 2, 3, 4, 5, 6].map(() => wait.nextMs())).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  expect(wait.attempts()).toBe(6);
  wait.reset();
  expect(wait.nextMs()).toBe(100);
});

test("spreads each wait over its upper half", () => {
  const wait = backoff({ baseMs: 100, capMs: 1_000, random: () => 0 });
  expect([wait.nextMs(), wait.nextMs()]).toEqual([50, 100]);
});

test("stays finite after very many failures", () => {
  const wait = backoff({ baseMs: 1, capMs: 5_000 });
  for (let failures = 0; failures < 2_000; failures += 1) {
    expect(wait.nextMs()).toBeLessThanOrEqual(5_000);
  }
});

test("a pause ends when its signal aborts", async () => {
  const controller = new AbortController();
  const paused = pause(60_000, controller.signal);
  controller.abort();
  await expect(paused).resolves.toBeUndefined();
});
