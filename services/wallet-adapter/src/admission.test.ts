// Letting in and turning away, on a clock of the test's own.
import { beforeEach, describe, expect, it } from "vitest";
import { makeAdmission, makeWaitQueue, NotNowError } from "./admission.ts";
import type { TransferStatus, TransferView } from "./views.ts";

let nowMs = 0;
const clock = (): number => nowMs;
beforeEach(() => {
  nowMs = 1_000_000;
});

describe("a queue", () => {
  const limits = { mostMs: 2_000, always: 10, slowest: 20 };

  /** Keeps `length` waiting while `perSecond` leave, for a while. */
  const settled = (length: number, perSecond: number) => {
    const queue = makeWaitQueue(limits, clock);
    let [next, last] = [0, 0];
    while (next < length) queue.enter(String(next++));
    for (let left = 0; left < perSecond * 5; left += 1) {
      nowMs += 1_000 / perSecond;
      queue.leave(String(last++));
      queue.enter(String(next++));
    }
    return queue;
  };

  it("lets in whoever would not wait too long", () => {
    expect(settled(190, 100).excessMs()).toBeUndefined();
  });

  it("turns away before anybody has waited, by how many stand and how fast they leave", () => {
    expect(settled(300, 100).excessMs()).toBeCloseTo(1_000, -2);
  });

  it("lets a few in always, and is not judged by a speed that it has not shown yet", () => {
    const queue = makeWaitQueue(limits, clock);
    for (let at = 0; at < 40; at += 1) queue.enter(String(at));
    expect(queue.excessMs()).toBeUndefined();
    queue.enter("one more than 2 s at the slowest speed");
    expect(queue.excessMs()).toBeGreaterThan(0);
  });

  it("turns away while nothing moves, though it was quick before", () => {
    const queue = settled(20, 100);
    expect(queue.excessMs()).toBeUndefined();
    nowMs += 2_100;
    expect(queue.excessMs()).toBeGreaterThan(0);
  });

  it("is open again as soon as it is empty enough", () => {
    const queue = settled(300, 100);
    for (let at = 0; at < 1_000; at += 1) queue.leave(String(at));
    expect(queue.excessMs()).toBeUndefined();
  });

  it("forgets what was lost on the way", () => {
    const queue = makeWaitQueue(limits, clock);
    for (let at = 0; at < 100; at += 1) queue.enter(String(at));
    nowMs += 61_000;
    expect(queue.excessMs()).toBeUndefined();
    expect(queue.size()).toBe(0);
  });
});

describe("an adapter's admission", () => {
  const view = (id: string, payee = "ph-wallet.example"): TransferView => ({
    id,
    role: "payer",
    status: "received",
    payee,
    steps: {},
    notice: 0,
    notified: 0,
  });
  const codeOf = (check: () => void): string | undefined => {
    try {
      check();
      return undefined;
    } catch (error) {
      expect(error).toBeInstanceOf(NotNowError);
      expect((error as NotNowError).afterSeconds).toBeGreaterThanOrEqual(1);
      return (error as NotNowError).code;
    }
  };
  const filled = (steps: readonly TransferStatus[], count = 700) => {
    const admission = makeAdmission(clock);
    for (let at = 0; at < count; at += 1) {
      admission.enter(String(at), "ph-wallet.example");
      for (const step of steps) admission.moved(step, view(String(at)));
    }
    return admission;
  };

  it("sheds when the ledger is behind, and says when to come again", () => {
    const admission = filled([]);
    expect(codeOf(() => admission.check("ph-wallet.example"))).toBe("overloaded");
    expect(codeOf(() => admission.check("sg-wallet.example"))).toBe("overloaded");
    expect(admission.shed()).toBe(2);
  });

  it("shuts the door to a payee that does not answer, and no other", () => {
    const admission = filled(["reserved"]);
    expect(codeOf(() => admission.check("ph-wallet.example"))).toBe("payee-busy");
    expect(codeOf(() => admission.check("sg-wallet.example"))).toBeUndefined();
  });

  it.each(["committed", "rejected", "expired", "cancelled"] as const)(
    "counts nobody who has ended as %s",
    (step) => {
      const admission = filled([step]);
      expect(codeOf(() => admission.check("ph-wallet.example"))).toBeUndefined();
      expect(admission.waiting()).toBe(0);
    },
  );

  it("does not count what could not be sent", () => {
    const admission = filled([]);
    for (let at = 0; at < 700; at += 1) admission.drop(String(at), "ph-wallet.example");
    expect(codeOf(() => admission.check("ph-wallet.example"))).toBeUndefined();
  });

  it("holds whoever may wait until there is room, and no longer than that", async () => {
    const admission = filled([]);
    expect(await admission.room(0)).toBe(0);
    expect(await admission.room(30)).toBe(0);
    const held = admission.room(60_000);
    for (let at = 0; at < 700; at += 1) admission.moved("reserved", view(String(at)));
    const left = await held;
    expect(left).toBeGreaterThan(0);
    expect(await admission.room(left)).toBe(left);
  });
});
