import { policy } from "@sealane/rules/testing";
import { describe, expect, test } from "vitest";
import { makeClockWatch } from "./clock-watch.ts";
import type { WitnessClient } from "./witness-client.ts";

/** 3 of 4 witnesses are a quorum. True time is what the witnesses go by. */
const begin = (trueMs = 1_795_330_800_500) => {
  let trueNow = trueMs;
  let mono = 5_000;
  let skew = 0;
  const watch = makeClockWatch({
    policy,
    toleranceMs: 2_000,
    wall: () => trueNow + skew,
    mono: () => mono,
  });
  const says = (witness: string, offMs = 0): void =>
    watch.observe(witness, Math.floor((trueNow + offMs) / 1_000) * 1_000, mono - 5, mono);
  return {
    watch,
    says,
    all: (): void => ["w1", "w2", "w3", "w4"].forEach((name) => says(name)),
    pass: (ms: number): void => {
      trueNow += ms;
      mono += ms;
    },
    skewBy: (ms: number): void => void (skew = ms),
    now: () => trueNow,
  };
};

describe("a clock among witnesses", () => {
  test("is not trusted before a quorum has told the time", () => {
    const { watch, says } = begin();
    expect(watch.trouble()).toBe("too few witnesses have told the time");
    says("w1");
    says("w2");
    expect(watch.known()).toBe(false);
    says("w3");
    expect(watch.trouble()).toBeUndefined();
  });

  test("is trusted within 2 s, and their whole seconds are no difference", () => {
    for (const at of [0, 1, 499, 998, 999]) {
      const { watch, all, skewBy, now } = begin(1_795_330_800_000 + at);
      all();
      for (const skew of [0, 2_000, -2_000]) {
        skewBy(skew);
        expect(watch.trouble(), `${at} ${skew}`).toBeUndefined();
      }
      skewBy(0);
      expect(watch.clock()).toBe(now());
    }
  });

  test("is off at once when it jumps, without another cosignature, and log time stays behind", () => {
    const { watch, all, skewBy, pass, now } = begin();
    all();
    pass(60_000);
    expect(watch.trouble()).toBeUndefined();
    skewBy(3_600_000);
    expect(watch.trouble()).toMatch(/^the clock is \d+ ms ahead of the witnesses'$/);
    expect(watch.offMs()).toBeGreaterThan(3_590_000);
    // What a quorum bears out: 2 s, less what whole seconds leave out.
    expect(watch.clock()).toBeLessThanOrEqual(now() + 1_001);
    expect(watch.clock()).toBeGreaterThanOrEqual(now());
    skewBy(-3_600_000);
    expect(watch.trouble()).toMatch(/behind the witnesses'$/);
    expect(watch.clock()).toBe(now() - 3_600_000);
    skewBy(0);
    expect(watch.trouble()).toBeUndefined();
  });

  test("is not moved by one witness that lies, either way", () => {
    for (const lie of [7_200_000, -7_200_000]) {
      const { watch, all, says, skewBy, now } = begin();
      all();
      says("w2", lie);
      expect(watch.trouble()).toBeUndefined();
      expect(watch.clock()).toBe(now());
      skewBy(7_200_000);
      expect(watch.trouble()).toBeDefined();
      expect(watch.clock()).toBeLessThanOrEqual(now() + 1_001);
    }
  });

  test("is off when only two agree with it", () => {
    const { watch, all, says } = begin();
    all();
    says("w1", -10_000);
    says("w2", -10_000);
    expect(watch.trouble()).toBeDefined();
    says("w2");
    expect(watch.trouble()).toBeUndefined();
  });

  test("hears the time in every cosignature, and asks for it while it is off", async () => {
    const { watch, now } = begin();
    const stopping = new AbortController();
    const asked: string[] = [];
    const witness = (name: string): WitnessClient => ({
      name,
      busy: () => false,
      cosign: () => {
        asked.push(name);
        const timeMs = Math.floor(now() / 1_000) * 1_000;
        return Promise.resolve({ outcome: "cosigned", cosignature: { line: "", timeMs } });
      },
      sizeOf: () => Promise.resolve(0),
      close: () => undefined,
    });
    const witnesses = ["w1", "w2", "w3"].map((name) => watch.listen(witness(name)));
    const checkpoint = { origin: "o", size: 1, note: "", text: "" };
    const running = watch.run(
      witnesses,
      () => checkpoint,
      { consistency: () => [], rootAt: () => new Uint8Array(32) },
      stopping.signal,
    );
    await watch.whenKnown(stopping.signal);
    expect(asked).toEqual(["w1", "w2", "w3"]);
    expect(watch.trouble()).toBeUndefined();
    stopping.abort();
    await running;
  });
});
