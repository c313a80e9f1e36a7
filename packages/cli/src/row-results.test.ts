import { describe, expect, test } from "vitest";
import { resultsCsv, summarise, type RowResult } from "./row-results.ts";
import { rowKey } from "./send-file.ts";

const sealed: RowResult = {
  row: 1,
  transferId: "id-1",
  status: "sealed",
  ok: true,
  replayed: false,
  sent: { currency: "HKD", amount: "1.00" },
  received: { currency: "PHP", amount: "0.10" },
  reason: "",
  code: "",
  detail: "",
};
const failed: RowResult = {
  ...sealed,
  row: 2,
  status: "rejected",
  ok: false,
  reason: "AC04",
  code: "rejected",
};

describe("results", () => {
  test("sums are exact, by currency, and only of what went through", () => {
    const amounts = ["0.10", "0.20", "999999999999999.99"];
    const rows = amounts.map((amount) => ({ ...sealed, sent: { currency: "HKD", amount } }));
    expect(summarise([...rows, failed])).toEqual({
      sealed: 3,
      failed: 1,
      replayed: 0,
      sent: { HKD: "1000000000000000.29" },
      received: { PHP: "0.30" },
    });
  });

  test("a file has one line a row, and no amounts for what did not go through", () => {
    expect(resultsCsv([{ ...sealed, sent: { currency: "HKD", amount: "1.00" } }, failed])).toBe(
      "row,transferId,status,sent,received,reason,code\n" +
        "1,id-1,sealed,1.00 HKD,0.10 PHP,,\n" +
        "2,id-1,rejected,,,AC04,rejected\n",
    );
  });

  test("a row's key is the same for the same file, and another for another", () => {
    const hash = "a".repeat(64);
    const keys = [
      rowKey(hash, "ph-wallet.example", 1),
      rowKey(hash, "ph-wallet.example", 2),
      rowKey(hash, "sg-wallet.example", 1),
      rowKey("b".repeat(64), "ph-wallet.example", 1),
    ];
    expect(new Set(keys).size).toBe(4);
    expect(rowKey(hash, "ph-wallet.example", 1)).toBe(keys[0]);
    expect(keys.every((key) => /^[\x21-\x7e]{1,255}$/.test(key))).toBe(true);
  });
});
