// Providers' files become one shape: CSV by a mapping, camt.053 by its UETRs; what could be read two ways is
// refused with its place.
import { writeMessage, type Camt053, type ReportEntry } from "@sealane/iso20022";
import { readValid } from "@sealane/iso20022/schema";
import { providerLineSchema, type ProviderStatement } from "@sealane/protocol";
import { describe, expect, it, test } from "vitest";
import { ageText } from "./break-command.ts";
import { takeCamt053 } from "./camt-statement.ts";
import { plainMapping, readCsvStatement, readMapping, type CsvMapping } from "./csv-statement.ts";
import { partsOf } from "./reconcile-command.ts";
import { instantOf, type DraftResult } from "./statement-draft.ts";

const id = "0b0e6a5c-1f36-4d8b-9d6e-0d8a1c2b3e4f";

const linesOf = (result: DraftResult) => (result.ok ? result.draft.lines : result.faults);

const mappingOf = (given: object): CsvMapping => {
  const mapping = readMapping(given);
  if (typeof mapping === "string") throw new Error(mapping);
  return mapping;
};

describe("CSV", () => {
  const bank = mappingOf({
    columns: {
      reference: "Txn",
      transfer: "UETR",
      side: "D/C",
      amount: "Betrag",
      status: "State",
      bookedAt: "When",
    },
    words: { D: "debit", C: "credit", OK: "booked", BACK: "reversed" },
    currency: "PHP",
    decimal: ",",
    zone: "+08:00",
  });

  it("is read by what the mapping says of columns, words, decimals and zone", () => {
    const text = `When,Txn,UETR,D/C,Betrag,State\n2026-11-22 08:00:00,T-1,${id.toUpperCase()},C,"8.035,56",OK\n`;
    expect(linesOf(readCsvStatement(text, bank))).toEqual([
      {
        reference: "T-1",
        transfer: id,
        side: "credit",
        currency: "PHP",
        amount: "8035.56",
        status: "booked",
        bookedAt: "2026-11-22T00:00:00.000Z",
      },
    ]);
  });

  it("without a mapping has the fields' own names, and a sign may say the side", () => {
    const text =
      "reference,currency,amount,fee,bookedAt\nT-1,HKD,-1000.00,2.00,2026-11-22T00:00:00Z\n";
    const [line] = linesOf(readCsvStatement(text, plainMapping));
    expect(line).toMatchObject({ side: "debit", amount: "1000.00", fee: "2.00", status: "booked" });
    expect(providerLineSchema.safeParse(line).success).toBe(true);
    const mirror = readCsvStatement(text, mappingOf({ mirror: true }));
    expect(linesOf(mirror)).toMatchObject([{ side: "credit" }]);
  });

  it("is read with semicolons, tabs, a byte order mark and quotes, as the mapping says", () => {
    const of = (separator: string, note = "T;1") =>
      [
        ["reference", "currency", "amount", "bookedAt", "note"],
        ['"a ""b"""', "PHP", '"1.234,50"', "2026-11-22 08:00:00", `"${note}\n"`],
      ]
        .map((cells) => cells.join(separator))
        .join("\r\n");
    for (const separator of [";", "\t", "|", ","]) {
      const mapping = mappingOf({ separator, decimal: ",", zone: "+08:00" });
      expect(linesOf(readCsvStatement(`\uFEFF${of(separator)}`, mapping))).toMatchObject([
        { reference: 'a "b"', amount: "1234.50", bookedAt: "2026-11-22T00:00:00.000Z" },
      ]);
    }
    expect(readMapping({ separator: "x" })).toContain("separator");
  });

  it.each([
    ["a row with fewer cells than the header", "T-1,HKD,1.00", "line 2", "3 cells"],
    ["a row with more", "T-1,HKD,1.00,2026-11-22T00:00:00Z,x", "line 2", "5 cells"],
    ["a line without a name", ",HKD,1.00,2026-11-22T00:00:00Z", "line 2", "reference: none"],
    ["a day that does not exist", "T-1,HKD,1.00,2026-02-30T00:00:00Z", "line 2", "bookedAt"],
  ])("with %s is refused", (_what, row, at, detail) => {
    const text = `reference,currency,amount,bookedAt\n${row}\n`;
    expect(readCsvStatement(text, plainMapping)).toMatchObject({
      ok: false,
      faults: [{ at, detail: expect.stringContaining(detail) }],
    });
  });

  it("with two columns of one name, or words of no mapping, is refused", () => {
    const twice = "reference,currency,amount,amount,bookedAt\n";
    expect(readCsvStatement(twice, plainMapping)).toMatchObject({ faults: [{ at: "header" }] });
    const odd = `reference,currency,amount,bookedAt,side\nT,HKD,1.00,2026-11-22T00:00:00Z,constructor\n`;
    expect(readCsvStatement(odd, plainMapping)).toMatchObject({
      faults: [{ detail: "side: constructor is not in words" }],
    });
  });

  it.each(["1000.00-", "10-00.00", "--5.00", "(5.00)", "−5.00", "+5.00", "5 000.00", "1e3", "NaN"])(
    "with the amount %s is refused: a sign stands in front, once, or nowhere",
    (amount) => {
      const text = `reference,amount,currency,bookedAt\nA,${amount},HKD,2026-11-22T08:00:00Z\n`;
      expect(readCsvStatement(text, plainMapping)).toEqual({
        ok: false,
        faults: [{ at: "line 2", detail: "amount: no such number" }],
      });
    },
  );

  it("that could be read two ways is refused, all of it at once, by line", () => {
    const head = "Txn,UETR,D/C,Betrag,State,When\n";
    const rows = [
      `A,${id},X,"1,00",OK,2026-11-22 08:00:00`,
      `B,${id},D,1.00,OK,2026-11-22 08:00:00`,
      `C,${id},D,"-1,00",OK,2026-11-22 08:00:00`,
      `D,nothing,D,"1,00",OK,2026-11-22`,
    ];
    const faults = linesOf(readCsvStatement(`${head}${rows.join("\n")}\n`, bank));
    expect(faults.map((one) => ("at" in one ? `${one.at} ${one.detail}` : one))).toEqual([
      "line 2 side: X is not in words",
      "line 3 amount: no such number",
      "line 4 amount: a sign, and a side too",
      "line 5 bookedAt: a time with its zone is needed",
      "line 5 transfer: no UETR",
    ]);
    expect(readCsvStatement("Txn,When\n", bank)).toMatchObject({
      faults: [{ at: "header", detail: "no column for transfer, side, amount, status" }],
    });
  });

  it.each([
    [[], "columns: give"],
    [{ colums: {} }, "there is no setting colums"],
    [{ columns: { amout: "x" } }, "columns: there is no field amout"],
    [{ decimal: ";" }, "decimal"],
    [{ zone: "Manila" }, "zone"],
  ])("refuses the mapping %j", (given, why) => {
    const read = readMapping(Array.isArray(given) ? { columns: 1 } : given);
    expect(read).toEqual(expect.stringContaining(why));
  });
});

describe("camt.053", () => {
  const entry = (more: Partial<ReportEntry> = {}): ReportEntry => ({
    reference: "N-1",
    amount: { currency: "HKD", amount: "1000.00" },
    side: "DBIT",
    status: "BOOK",
    bookedAt: "2026-11-22T00:00:01.000Z",
    transactionCode: { domain: "PMNT", family: "ICDT", subFamily: "BOOK" },
    details: [{ uetr: id }],
    ...more,
  });
  type Head = Partial<Omit<Camt053["statements"][number], "entries">>;
  const read = (entries: ReportEntry[], mirror = false, head: Head = {}): DraftResult => {
    const body: Camt053 = {
      messageId: "M-1",
      createdAt: "2026-11-22T12:00:00.000Z",
      statements: [
        {
          id: "S-1",
          from: "2026-11-22T00:00:00.000Z",
          to: "2026-11-22T12:00:00.000Z",
          account: "HKD-POSITION",
          currency: "HKD",
          balances: [
            {
              type: "OPBD",
              amount: { currency: "HKD", amount: "0.00" },
              side: "CRDT",
              date: "2026-11-22",
            },
          ],
          ...head,
          entries,
        },
      ],
    };
    const valid = readValid(new TextEncoder().encode(writeMessage("camt.053", body)));
    if (!valid.ok) throw new Error(`${valid.code} ${valid.detail}`);
    if (valid.value.kind !== "camt.053") throw new Error(valid.value.kind);
    return takeCamt053(valid.value.body, mirror);
  };

  test("gives the period, and a line for each entry, named by its UETR", () => {
    const result = read([entry(), entry({ reference: "N-2", side: "CRDT", status: "PDNG" })]);
    expect(result).toMatchObject({
      ok: true,
      draft: { reference: "M-1", from: "2026-11-22T00:00:00.000Z", to: "2026-11-22T12:00:00.000Z" },
    });
    expect(linesOf(result)).toMatchObject([
      { reference: "N-1", transfer: id, side: "debit", amount: "1000.00", status: "booked" },
      { reference: "N-2", side: "credit", status: "pending" },
    ]);
    expect(linesOf(read([entry()], true))).toMatchObject([{ side: "credit" }]);
  });

  test("a reversal takes back what was on the other side", () => {
    const back = entry({ reversal: "true", side: "CRDT" });
    expect(linesOf(read([back]))).toMatchObject([{ side: "debit", status: "reversed" }]);
  });

  test("an entry of several details has a line for each", () => {
    const amount = { currency: "HKD", amount: "500.00" };
    const two = linesOf(read([entry({ details: [{ uetr: id, amount }, { amount }] })]));
    expect(two).toMatchObject([{ reference: "N-1/1", amount: "500.00" }, { reference: "N-1/2" }]);
    const less = { currency: "HKD", amount: "400.00" };
    expect(read([entry({ details: [{ uetr: id, amount }, { amount: less }] })])).toMatchObject({
      faults: expect.arrayContaining([
        { at: "statement 1, entry 1", detail: "an entry's payments do not come to its amount" },
      ]),
    });
    expect(read([entry({ details: [{ uetr: id, amount }, {}] })]).ok).toBe(false);
  });

  test("what is booked is the entry's amount, whatever its only payment came to", () => {
    const amount = { currency: "HKD", amount: "999.00" };
    const [line] = linesOf(read([entry({ details: [{ uetr: id, amount }] })]));
    expect(line).toMatchObject({ amount: "1000.00", transfer: id });
  });

  test("charges are the fee: their sum, or the only one; of the payment before the entry", () => {
    const of = (amount: string, currency = "HKD") => ({ currency, amount });
    const feeOf = (more: Partial<ReportEntry>) => linesOf(read([entry(more)]))[0];
    expect(feeOf({ charged: of("2.00") })).toMatchObject({ fee: "2.00", amount: "1000.00" });
    expect(feeOf({ charges: [{ amount: of("3.00") }] })).toMatchObject({ fee: "3.00" });
    const both = { charged: of("9.00"), details: [{ uetr: id, charged: of("2.00") }] };
    expect(feeOf(both)).toMatchObject({ fee: "2.00" });
    expect(feeOf({})).not.toHaveProperty("fee");
    expect(feeOf({ charges: [{ amount: of("1.00") }, { amount: of("1.00") }] })).toMatchObject({
      detail: expect.stringContaining("no sum"),
    });
    expect(feeOf({ charged: of("1.00", "USD") })).toMatchObject({
      detail: expect.stringContaining("another currency"),
    });
  });

  test("a page that is not the last closes no period, and has a number of its own", () => {
    const page = (number: string, last: "true" | "false") => ({ page: { number, last } });
    expect(read([entry()], false, page("1", "false"))).toMatchObject({
      draft: { reference: "M-1/1", more: true },
    });
    const end = read([entry()], false, page("2", "true"));
    expect(end).toMatchObject({ draft: { reference: "M-1/2" } });
    expect(end.ok && end.draft.more).toBeUndefined();
  });

  test("balances that the bookings do not lead to are warned of; information is left out", () => {
    const balance = (type: string, amount: string) => ({
      type,
      amount: { currency: "HKD", amount },
      side: "CRDT" as const,
      date: "2026-11-22",
    });
    const warnings = (closing: string, more: ReportEntry[] = []) => {
      const balances = [balance("OPBD", "1500.00"), balance("CLBD", closing)];
      const result = read([entry(), ...more], false, { balances });
      return result.ok ? result.draft.warnings : result.faults;
    };
    expect(warnings("500.00")).toEqual([]);
    expect(warnings("500.00", [entry({ status: "PDNG", reference: "N-2" })])).toEqual([]);
    expect(warnings("500.01")).toEqual([expect.stringContaining("opening balance")]);
    expect(warnings("500.00", [entry({ status: "INFO", reference: "N-3" })])).toEqual([
      expect.stringContaining("left out"),
    ]);
  });

  test("with days in place of times is refused: what is late could not be said", () => {
    expect(read([entry({ bookedAt: "2026-11-22" })])).toMatchObject({
      ok: false,
      faults: [{ at: "statement 1, entry 1" }],
    });
  });
});

test("a long statement goes in parts, and only the last one closes its period", () => {
  const bookedAt = "2026-11-22T00:00:01.000Z";
  const common = { side: "debit", currency: "HKD", amount: "1.00", status: "booked" } as const;
  const whole: ProviderStatement = {
    participant: "hk-wallet.example",
    reference: "DAY",
    from: "2026-11-22T00:00:00.000Z",
    to: "2026-11-23T00:00:00.000Z",
    lines: ["a", "b", "c"].map((reference) => ({ reference, ...common, bookedAt })),
  };
  expect(partsOf(whole, 3)).toEqual([whole]);
  const parts = partsOf(whole, 2);
  expect(parts.map(({ reference, more, lines }) => [reference, more, lines.length])).toEqual([
    ["DAY/1", true, 2],
    ["DAY/2", undefined, 1],
  ]);
});

test("times need a zone; ages name their two largest units", () => {
  expect(instantOf("2026-11-22T08:00:00", "+08:00")).toBe("2026-11-22T00:00:00.000Z");
  expect(instantOf("2026-11-22T08:00:00")).toBeUndefined();
  expect(instantOf("2026-11-22", "Z")).toBeUndefined();
  expect([59, 3_700, 100_000].map(ageText)).toEqual(["0m", "1h 1m", "1d 3h"]);
});
