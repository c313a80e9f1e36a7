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

  it("is told of ends, and as the payer's of the seal and the credit, under fixed numbers", () => {
    const told = (role: "payer" | "payee"): (number | undefined)[] =>
      statuses.map((status) => noticeOf(role, status));
    expect(told("payer")).toEqual([undefined, undefined, 2, exceptionNotice + 1, 2, 2]);
    expect(told("payee")).toEqual([undefined, undefined, undefined, undefined, 2, 2]);
  });

  it("believes an end more than a refusal that binds nothing", () => {
    expect(noticeOf("payer", "rejected", false)).toBeLessThan(noticeOf("payer", "sealed") ?? 0);
    expect(noticeOf("payer", "rejected", false)).toBeLessThan(noticeOf("payer", "rejected") ?? 0);
  });
});
