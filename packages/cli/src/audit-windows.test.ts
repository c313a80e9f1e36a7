// Windows as an audit puts them together from the log: a net of several entries is one net.
import type { WindowNet } from "@sealane/protocol";
import { describe, expect, it } from "vitest";
import { windowsOf } from "./audit-windows.ts";

const net = (participant: string, changes: Partial<WindowNet>): WindowNet => ({
  corridor: "hkd-php",
  number: 0,
  participant,
  from: 0,
  to: 5,
  netting: "gross",
  payBy: "2026-11-23T00:00:00.000Z",
  totals: [],
  legs: [],
  ...changes,
});
const totals = [{ currency: "HKD", debits: "1.00", credits: "0.00", fees: "0.00" }];
const leg = (counterparty: string): WindowNet["legs"][number] => ({
  reference: "00000000-0000-4000-8000-000000000000",
  currency: "HKD",
  side: "pay",
  counterparty,
  amount: "1.00",
});

describe("windows from the log", () => {
  it("have the totals of a net's first part and the legs of all", () => {
    const cut = { kind: "window-cut", body: { corridor: "hkd-php", number: 0 } } as const;
    const parts = [
      net("a.example", { part: { number: 1, of: 2 }, totals, legs: [leg("b.example")] }),
      net("a.example", { part: { number: 2, of: 2 }, legs: [leg("c.example")] }),
      net("b.example", { totals }),
    ];
    const windows = windowsOf([
      { seq: 5, said: cut },
      ...parts.map((body, at) => ({ seq: 6 + at, said: { kind: "window-net", body } as const })),
    ]);
    const nets = windows.get("hkd-php/0")?.nets;
    expect(nets?.get("a.example")).toMatchObject({
      net: { totals, legs: [leg("b.example"), leg("c.example")] },
      final: undefined,
    });
    expect(nets?.get("b.example")?.final).toBe("settled");
  });
});
