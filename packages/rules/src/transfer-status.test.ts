import { describe, expect, it } from "vitest";
import { advance, exceptionNotice, noticeOf, type TransferStatus } from "./transfer-status.ts";

const viewAt = (status: TransferStatus): { status: TransferStatus; unbound?: boolean } => ({
  status,
});

describe("a view", () => {
  it.each<[TransferStatus, TransferStatus, boolean]>([
    ["received", "reserved", true],
    ["received", "committed", true],
    ["reserved", "reserved", false],
    ["sealed", "committed", false],
    ["committed", "rejected", false],
    ["sealed", "expired", false],
    ["reserved", "expired", true],
    ["rejected", "cancelled", false],
  ])("that is %s is told %s: moved %s", (from, to, moved) => {
    const view = viewAt(from);
    expect(advance(view, to)).toBe(moved);
    expect(view.status).toBe(moved ? to : from);
  });

  it("that was refused without binding its id moves on to whatever is decided later", () => {
    for (const later of ["reserved", "committed", "sealed", "expired", "rejected"] as const) {
      const view = viewAt("received");
      expect(advance(view, "rejected", false)).toBe(true);
      expect(view).toEqual({ status: "rejected", unbound: true });
      expect(advance(view, later)).toBe(true);
      expect(view).toEqual({ status: later, unbound: undefined });
    }
  });

  it("that is under way is not moved by a refusal that binds nothing, nor twice by the same", () => {
    for (const status of ["reserved", "committed", "sealed", "rejected"] as const) {
      const view = viewAt(status);
      expect(advance(view, "rejected", false)).toBe(false);
      expect(view).toEqual({ status });
    }
  });
});

describe("a core", () => {
  const statuses = ["reserved", "committed", "sealed", "credited", "rejected", "expired"] as const;
  const payer = { role: "payer", notice: 0 } as const;

  it("is told of ends, and as the payer's of the seal and the credit, under fixed numbers", () => {
    const told = (role: "payer" | "payee"): number[] =>
      statuses.map((status) => noticeOf({ role, notice: 0 }, status));
    expect(told("payer")).toEqual([0, 0, 2, 4, 2, 2]);
    expect(told("payee")).toEqual([0, 0, 0, 0, 2, 2]);
  });

  it("is told of a credit under one number, whether it was told of the seal before or not", () => {
    const sealed = noticeOf(payer, "sealed");
    expect(noticeOf({ role: "payer", notice: sealed }, "credited")).toBe(
      noticeOf(payer, "credited"),
    );
    expect(exceptionNotice({ notice: sealed })).toBe(exceptionNotice({ notice: 0 }));
  });

  it("is told under a higher number each time, whatever else it was told between", () => {
    expect(noticeOf({ role: "payer", notice: 7 }, "credited")).toBe(8);
    expect(exceptionNotice({ notice: 7 })).toBe(8);
    expect(noticeOf({ role: "payer", notice: 7 }, "reserved")).toBe(7);
  });

  it("believes an end more than a refusal that binds nothing", () => {
    expect(noticeOf(payer, "rejected", false)).toBeLessThan(noticeOf(payer, "sealed"));
    expect(noticeOf(payer, "rejected", false)).toBeLessThan(noticeOf(payer, "rejected"));
  });
});
