// A bank's file beside what it has signed: a statement (camt.053) or a notice (camt.054), with just the signed
// lines; anything else is refused with its reason, before anybody looks at a line.
import { writeValid } from "@sealane/iso20022/schema";
import type { BankLine, BankStatement } from "@sealane/protocol";
import { describe, expect, it } from "vitest";
import { bankFileFault, digestOf } from "./bank-files.ts";

const at = "2026-11-22T00:00:00.000Z";
const uetr = "7a562c67-ca16-48ba-b074-65581be6f066";

const lines: BankLine[] = [
  {
    reference: uetr,
    account: "SEALHK0001JPY",
    currency: "JPY",
    side: "debit",
    amount: "1000",
    status: "booked",
  },
  {
    reference: uetr,
    account: "SEALPH0002JPY",
    currency: "JPY",
    side: "credit",
    amount: "1000",
    status: "rejected",
    reason: "AC04",
  },
];
const window = { corridor: "jpy-kwd", number: 3, attempt: 1 };

type Change = { status?: string; amount?: string; reversal?: "true" };

const accounts = (changes: Change = {}) =>
  lines.map(({ account, currency, side, amount, status, reason }, n) => ({
    id: `S-${n}`,
    createdAt: at,
    account,
    currency,
    owner: "somebody.example",
    servicer: "bank.example",
    entries: [
      {
        amount: { currency, amount: changes.amount ?? amount },
        side: side === "debit" ? ("DBIT" as const) : ("CRDT" as const),
        status: changes.status ?? (status === "booked" ? "BOOK" : "INFO"),
        ...(changes.reversal === undefined ? {} : { reversal: changes.reversal }),
        transactionCode: { domain: "PMNT", family: "RCDT", subFamily: "BOOK" },
        details: [
          {
            messageId: "jpy-kwd/3/1",
            endToEndId: "jpy-kwd/3/1",
            uetr,
            ...(reason === undefined ? {} : { returnReason: reason }),
          },
        ],
      },
    ],
  }));

const statement = (changes?: Change): string =>
  writeValid("camt.053", {
    messageId: "S",
    createdAt: at,
    statements: accounts(changes).map((one) => ({
      ...one,
      balances: [
        { type: "CLBD", amount: { currency: "JPY", amount: "5" }, side: "CRDT", date: at },
      ],
    })),
  });
const notice = (changes?: Change): string =>
  writeValid("camt.054", { messageId: "N", createdAt: at, notices: accounts(changes) });

const faultOf = async (text: string, changes: Partial<BankStatement> = {}) => {
  const bytes = Buffer.from(text);
  const signed = { bank: "bank.example", reference: "S", digest: digestOf(bytes), window, lines };
  return (await bankFileFault(bytes, { ...signed, ...changes }))?.code;
};

describe("a bank's file", () => {
  it.each([
    ["a statement", statement],
    ["a notice", notice],
  ])("that is %s with the signed lines stands", async (_what, write) => {
    expect(await faultOf(write())).toBeUndefined();
  });

  it.each([
    ["another amount", { amount: "1001" }, "wrong-file"],
    ["another status", { status: "PDNG" }, "wrong-file"],
    ["an entry that takes another back", { reversal: "true" } as const, "line-ambiguous"],
  ])("with %s is refused, in either form", async (_what, changes, code) => {
    expect(await faultOf(statement(changes))).toBe(code);
    expect(await faultOf(notice(changes))).toBe(code);
  });

  it("of another window, attempt or digest is refused", async () => {
    expect(await faultOf(statement(), { window: { ...window, attempt: 0 } })).toBe("wrong-file");
    expect(await faultOf(statement(), { window: { ...window, number: 4 } })).toBe("wrong-file");
    expect(await faultOf(statement(), { digest: digestOf(Buffer.from("x")) })).toBe("wrong-file");
    expect(await faultOf(statement(), { lines: lines.slice(0, 1) })).toBe("wrong-file");
  });

  it.each([
    ["an entity bomb", '<!DOCTYPE a [<!ENTITY b "c">]><Document>&b;</Document>', "doctype-refused"],
    [
      "an external entity",
      '<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><Document>&b;</Document>',
      "doctype-refused",
    ],
    ["a document that is too deep", "<a>".repeat(40), "document-too-deep"],
    ["no XML", "MT940", "xml-malformed"],
    ["nothing", "", "xml-malformed"],
  ])("that is %s is refused unread", async (_what, text, code) => {
    expect(await faultOf(text)).toBe(code);
  });

  it("of another message, or of none of the schema, is refused", async () => {
    const namespace = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08";
    expect(await faultOf(statement().replace(namespace, `${namespace.slice(0, -2)}02`))).toMatch(
      /^(?:message-unknown|version-unknown)$/,
    );
    expect(await faultOf(statement().replace("<Ntry>", "<Ntry><Nonsense/>"))).toBe(
      "schema-invalid",
    );
  });
});
