// From the log to banks and back: each leg is instructed once, what a bank's file says is what is signed, and
// what could be read in two ways is refused.
import { describe, expect, it } from "vitest";
import { Iso20022Error } from "../errors.ts";
import { readMessage, writeMessage, type Message } from "../message.ts";
import type { Camt053, ReportEntry } from "../messages/account-reports.ts";
import { readValid, writeValid } from "../schema-node.ts";
import { bankFileParts, saysTheSame } from "./bank-file.ts";
import {
  settlementInstructions,
  windowOfReference,
  windowReference,
  type SettlementLeg,
} from "./instructions.ts";
import {
  participantCamt053,
  participantCsv,
  type ParticipantPeriod,
} from "./participant-statement.ts";
import { transferPacs002, transferPacs008, type TransferFacts } from "./single-transfer.ts";

const uetr = (n: number): string => `3f0c8a5e-6a0e-4d2f-9b1c-${String(n).padStart(12, "0")}`;
const clearing = "sealane.example:settlement";
const instruct = (nets: Record<string, readonly SettlementLeg[]>, missing?: string) =>
  settlementInstructions({
    window: { corridor: "hkd-php", number: 7, attempt: 1 },
    nets: Object.entries(nets).map(([participant, legs]) => ({ participant, legs })),
    operator: "sealane.example",
    clearing,
    bank: "bank.example",
    createdAt: "2026-11-22T09:00:00.000Z",
    payBy: "2026-11-23T01:00:00.000Z",
    accountOf: (owner, currency) =>
      owner === missing ? undefined : `${owner.slice(0, 2).toUpperCase()}01${currency}`,
  });
const leg = (n: number, side: "pay" | "receive", counterparty: string): SettlementLeg => ({
  reference: uetr(n),
  currency: "HKD",
  side,
  counterparty,
  amount: "12.50",
});

describe("instructions", () => {
  it("say a pair's leg once, from who pays to who is paid", () => {
    const { transfers } = instruct({
      "fx.example": [leg(1, "receive", "hk.example")],
      "hk.example": [leg(1, "pay", "fx.example")],
    });
    expect(transfers).toEqual([
      {
        instructionId: uetr(1).replaceAll("-", ""),
        endToEndId: "hkd-php/7/1",
        uetr: uetr(1),
        amount: { currency: "HKD", amount: "12.50" },
        settlementDate: "2026-11-23",
        debtor: "hk.example",
        debtorAccount: "HK01HKD",
        creditor: "fx.example",
        creditorAccount: "FX01HKD",
      },
    ]);
  });

  it("go through clearing: in first, then out", () => {
    const message = instruct({
      "fx.example": [leg(1, "receive", clearing)],
      "hk.example": [leg(2, "pay", clearing)],
    });
    expect(message.transfers.map(({ debtor, creditor }) => [debtor, creditor])).toEqual([
      ["hk.example", clearing],
      [clearing, "fx.example"],
    ]);
    expect(writeValid("pacs.009", message)).toContain("<MsgId>hkd-php/7/1</MsgId>");
  });

  it("are not made where the key log has no account", () => {
    const legs = { "hk.example": [leg(1, "pay", clearing)] };
    expect(() => instruct(legs, "hk.example")).toThrow(Iso20022Error);
  });

  it("name their window, and nothing else names one", () => {
    const window = { corridor: "hkd-php", number: 12, attempt: 3 };
    expect(windowOfReference(windowReference(window))).toEqual(window);
    for (const odd of [
      "",
      "hkd-php",
      "hkd-php/1",
      "hkd-php/01/0",
      "HKD/1/0",
      "a/1/0/0",
      "a/-1/0",
    ]) {
      expect(windowOfReference(odd)).toBeUndefined();
    }
  });
});

const entry = (change: Partial<ReportEntry> = {}): ReportEntry => ({
  amount: { currency: "HKD", amount: "5.00" },
  side: "CRDT",
  status: "BOOK",
  transactionCode: { domain: "PMNT", family: "RCDT", subFamily: "BOOK" },
  details: [{ messageId: "hkd-php/7/1", uetr: uetr(1) }],
  ...change,
});
const camt = (entries: readonly ReportEntry[]): Message => {
  const body: Camt053 = {
    messageId: "STMT-1",
    createdAt: "2026-11-22T18:00:00Z",
    statements: [
      {
        id: "1",
        account: "HK01HKD",
        balances: [
          {
            type: "CLBD",
            amount: { currency: "HKD", amount: "0.00" },
            side: "CRDT",
            date: "2026-11-22",
          },
        ],
        entries,
      },
    ],
  };
  const read = readMessage(new TextEncoder().encode(writeValid("camt.053", body)));
  if (!read.ok) throw new Error(read.code);
  return read.value;
};
const line = { account: "HK01HKD", currency: "HKD", side: "credit", amount: "5.00" } as const;

describe("a bank's file", () => {
  it("gives a window's lines, and deposits apart from them", () => {
    const deposit = entry({ details: [], servicerReference: "DEP-1" });
    const refused = entry({
      status: "INFO",
      details: [{ messageId: "hkd-php/7/1", uetr: uetr(2), returnReason: "AC04" }],
    });
    const later = entry({
      status: "PDNG",
      details: [{ endToEndId: "hkd-php/7/1", uetr: uetr(3) }],
    });
    expect(bankFileParts(camt([deposit, entry(), refused, later]))).toEqual([
      {
        window: { corridor: "hkd-php", number: 7, attempt: 1 },
        lines: [
          { ...line, reference: uetr(1), status: "booked" },
          { ...line, reference: uetr(2), status: "rejected", reason: "AC04" },
          { ...line, reference: uetr(3), status: "pending" },
        ],
      },
      { lines: [{ ...line, reference: "DEP-1", status: "booked" }] },
    ]);
  });

  it("gives each payment of a batch that was booked as one", () => {
    const amount = (text: string) => ({ currency: "HKD", amount: text });
    const details = [
      { uetr: uetr(1), amount: amount("2.00") },
      { uetr: uetr(2), amount: amount("3.00") },
    ];
    const [part] = bankFileParts(camt([entry({ details })]));
    expect(part?.lines.map(({ reference, amount: text }) => [reference, text])).toEqual([
      [uetr(1), "2.00"],
      [uetr(2), "3.00"],
    ]);
  });

  it.each<[string, Partial<ReportEntry>]>([
    ["several payments without their amounts", { details: [{ uetr: uetr(1) }, { uetr: uetr(2) }] }],
    ["an entry that takes one back", { reversal: "true" }],
    ["an entry without any reference", { details: [] }],
    [
      "a payment of another amount than its entry's",
      { details: [{ uetr: uetr(1), amount: { currency: "HKD", amount: "4.99" } }] },
    ],
    [
      "a payment in another currency than its entry",
      { details: [{ uetr: uetr(1), amount: { currency: "USD", amount: "5.00" } }] },
    ],
    [
      "payments that do not come to their entry",
      {
        details: [1, 2].map((n) => ({
          uetr: uetr(n),
          amount: { currency: "HKD", amount: "2.00" },
        })),
      },
    ],
  ])("is refused with %s", (_, change) => {
    expect(() => bankFileParts(camt([entry(change)]))).toThrow(
      expect.objectContaining({ code: "line-ambiguous" }) as Error,
    );
  });

  it("says the same as a signed statement in any order, and not when anything differs", () => {
    const message = camt([
      entry(),
      entry({ details: [{ messageId: "hkd-php/7/1", uetr: uetr(2) }] }),
    ]);
    const [part] = bankFileParts(message);
    const { window, lines = [] } = part ?? {};
    expect(saysTheSame(message, { window, lines: lines.toReversed() })).toBe(true);
    const [first, ...rest] = lines;
    const changes = [
      { amount: "5.01" },
      { side: "debit" },
      { account: "X" },
      { status: "pending" },
    ];
    for (const change of changes as Partial<NonNullable<typeof first>>[]) {
      expect(saysTheSame(message, { window, lines: [{ ...first!, ...change }, ...rest] })).toBe(
        false,
      );
    }
    expect(saysTheSame(message, { window, lines: rest })).toBe(false);
    expect(saysTheSame(message, { lines })).toBe(false);
  });
});

describe("a participant's statement", () => {
  const period: ParticipantPeriod = {
    messageId: "0123456789abcdef0123456789abcdef",
    participant: "hk-wallet.example",
    operator: "sealane.example",
    createdAt: "2026-11-23T00:00:00.000Z",
    from: "2026-11-22T00:00:00.000Z",
    to: "2026-11-23T00:00:00.000Z",
    accounts: [
      {
        account: "position",
        currency: "HKD",
        openingMinor: -500n,
        closingMinor: 0n,
        bookings: [
          {
            seq: 3,
            time: "2026-11-22T08:00:00.000Z",
            minor: -100n,
            uetr: uetr(1),
            kind: "transfer",
          },
          { seq: 9, time: "2026-11-22T09:00:00.000Z", minor: 600n, kind: "settlement" },
        ],
      },
    ],
  };

  it("is CSV with a balance behind each booking", () => {
    expect(participantCsv(period).split("\r\n")).toEqual([
      "account,currency,entry,time,kind,uetr,amount,balance",
      "position,HKD,,2026-11-22T00:00:00.000Z,opening,,,-5.00",
      `position,HKD,3,2026-11-22T08:00:00.000Z,transfer,${uetr(1)},-1.00,-6.00`,
      "position,HKD,9,2026-11-22T09:00:00.000Z,settlement,,6.00,0.00",
      "",
    ]);
  });

  it("is never given out when it does not add up", () => {
    const [account] = period.accounts;
    const wrong = { ...period, accounts: [{ ...account!, closingMinor: 1n }] };
    expect(() => participantCamt053(wrong)).toThrow("does not add up");
    expect(() => participantCsv(wrong)).toThrow("does not add up");
    expect(writeMessage("camt.053", participantCamt053(period))).toContain("OPBD");
  });
});

describe("a single transfer", () => {
  const facts: TransferFacts = {
    transferId: uetr(1),
    payer: "hk-wallet.example",
    payee: "ph-wallet.example",
    sent: { currency: "HKD", amount: "1000.00" },
    received: { currency: "PHP", amount: "8035.56" },
    fees: [{ to: "sealane.example", currency: "HKD", amount: "5.00" }],
    converted: "995.00",
    rate: "8.075946",
    outcome: "committed",
    logTime: "2026-11-22T09:00:00.000Z",
  };
  const valid = (xml: string): boolean => readValid(new TextEncoder().encode(xml)).ok;

  it("is a pacs.008 with what is converted, its rate and its fee, and no person", () => {
    const xml = writeValid("pacs.008", transferPacs008(facts));
    expect(valid(xml)).toBe(true);
    expect(xml).toContain('<InstdAmt Ccy="HKD">995.00</InstdAmt>');
    expect(xml).toContain('<IntrBkSttlmAmt Ccy="PHP">8035.56</IntrBkSttlmAmt>');
    expect(xml.match(/<Nm>.*<\/Nm>/g)).toEqual(["<Nm>NOTPROVIDED</Nm>", "<Nm>NOTPROVIDED</Nm>"]);
    expect(transferPacs008({ ...facts, rate: "8.075946123456" }).transfers[0]).not.toHaveProperty(
      "rate",
    );
  });

  it.each([
    ["committed", undefined, "ACSP"],
    ["rejected", "AC04", "RJCT"],
    ["expired", "AB05", "RJCT"],
    ["cancelled", "CUST", "CANC"],
  ] as const)("that is %s has a pacs.002 that says so", (outcome, reason, status) => {
    const message = transferPacs002({ ...facts, outcome, reason });
    expect(message.transactions).toMatchObject([{ uetr: facts.transferId, status }]);
    expect(message.transactions[0]?.reason).toBe(reason);
    expect(valid(writeValid("pacs.002", message))).toBe(true);
  });
});
