import { describe, expect, test } from "vitest";
import { readTransferRows } from "./transfer-rows.ts";

const head = "payer_account,payee_account,amount,currency,reference";
const good = "+85290000001,+639170000001,10.00,HKD,rent";

const faults = (...lines: string[]): readonly string[] => {
  const result = readTransferRows(lines.join("\n"));
  return result.ok ? [] : result.faults.map(({ line, detail }) => `${line}: ${detail}`);
};

describe("a file of transfers", () => {
  test("becomes rows that are numbered without the header and know their lines", () => {
    const result = readTransferRows(`${head}\n${good}\n\n"+85290000002",x-1,0.01,HKD,"a, ""b"""\n`);
    expect(result).toMatchObject({
      ok: true,
      rows: [
        { row: 1, line: 2, amount: "10.00", currency: "HKD", reference: "rent" },
        { row: 2, line: 4, payeeAccount: "x-1", reference: 'a, "b"' },
      ],
    });
  });

  test("may have its columns in any order, and no references", () => {
    const text = "currency,amount,payee_account,payer_account\nJPY,5,+6391,+8529\n";
    expect(readTransferRows(text)).toMatchObject({
      ok: true,
      rows: [{ payerAccount: "+8529", payeeAccount: "+6391", amount: "5", reference: "" }],
    });
  });

  test.each([
    ["no header", [good], "1: the header has no payer_account"],
    ["a missing column", ["payer_account,payee_account,amount"], "1: the header has no currency"],
    ["an unknown column", [`${head},note`], "1: the header has an unknown column: note"],
    ["a column twice", [`${head},amount`], "1: the header names a column twice"],
    ["no row", [head], "1: there is no row"],
    ["too few cells", [head, "+8529,+6391"], "2: 2 cells where the header has 5"],
    ["an empty account", [head, ",+6391,1.00,HKD,"], "2: payer_account is no account"],
    [
      "too many decimals",
      [head, "+8529,+6391,1.001,HKD,"],
      '2: amount "1.001": HKD has 2 decimals',
    ],
    ["yen with sen", [head, "+8529,+6391,1.5,JPY,"], '2: amount "1.5": JPY has 0 decimals'],
    [
      "a negative amount",
      [head, "+8529,+6391,-1.00,HKD,"],
      '2: amount "-1.00": an amount is digits',
    ],
    ["zero", [head, "+8529,+6391,0.00,HKD,"], '2: amount "0.00": an amount is more than zero'],
    ["an exponent", [head, "+8529,+6391,1e3,HKD,"], '2: amount "1e3": an amount is digits'],
    ["no such currency", [head, "+8529,+6391,1.00,hkd,"], "2: currency is no ISO 4217 code"],
    ["a long reference", [head, `+8529,+6391,1.00,HKD,${"x".repeat(141)}`], "2: reference is over"],
    ["bad CSV", [head, '+8529,+6391,1.00,HKD,a"b'], "2: a quote stands"],
  ])("with %s is refused", (_what, lines, told) => {
    expect(faults(...lines)[0]).toContain(told);
  });

  test("tells everything that is wrong at once, by line", () => {
    const told = faults(head, good, "x,+6391,1.001,HKD,", good, "+8529,+6391,1.00,XXX,");
    expect(told.map((text) => text.split(":")[0])).toEqual(["3", "3", "5"]);
  });
});
