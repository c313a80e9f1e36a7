// Every message: what is written is valid by its published schema, and reads back as what was written,
// whatever stands in it.
import { allCurrencies, currencyExponent, formatAmount, type Currency } from "@sealane/money";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeSets, type CodeSet } from "./code-sets.ts";
import {
  messageKinds,
  readMessage,
  writeMessage,
  type MessageBodies,
  type MessageKind,
} from "./message.ts";
import { readValid, writeValid } from "./schema-node.ts";

const text = (most: number): fc.Arbitrary<string> =>
  fc
    .string({
      unit: fc.oneof(
        fc.constantFrom(...Array.from("&<>'\"]/+-?:. aZ9é€𝄞")),
        fc.string({ minLength: 1, maxLength: 1 }),
      ),
      minLength: 1,
      maxLength: most,
    })
    .map((value) => Array.from(value).slice(0, most).join(""));
const id = text(35);
const uetr = fc.uuid({ version: 4 });
const code = (set: CodeSet) => fc.constantFrom(...codeSets[set]);
const agent = fc.oneof(
  fc.constantFrom("HSBCHKHHXXX", "bank.example"),
  fc.domain().filter((one) => one.length <= 35),
);
const account = fc.constantFrom(
  "SEALHK0001HKD",
  "GB82WEST12345698765432",
  "GB83WEST12345698765432",
  "X1",
);
const instant = fc
  .date({ min: new Date("2001-01-01"), max: new Date("2099-12-31"), noInvalidDate: true })
  .map((one) => one.toISOString());
const day = instant.map((one) => one.slice(0, 10));
const amount = fc
  .tuple(fc.constantFrom(...allCurrencies()), fc.bigInt(0n, 10n ** 15n))
  .map(([currency, minor]: [Currency, bigint]) => {
    const most = 10n ** BigInt(13 + currencyExponent(currency));
    return { currency, amount: formatAmount(minor % most, currency) };
  });
const side = fc.constantFrom("CRDT" as const, "DBIT" as const);
const bearer = fc.constantFrom("DEBT" as const, "CRED" as const, "SHAR" as const, "SLEV" as const);
const rate = fc.bigInt(0n, 99_999_999_999n).map((n) => {
  const digits = n.toString().padStart(7, "0");
  return `${digits.slice(0, -6)}.${digits.slice(-6)}`;
});
const charges = fc.array(fc.record({ amount, agent }), { maxLength: 2 });
const some = <T>(one: fc.Arbitrary<T>) => fc.array(one, { minLength: 1, maxLength: 3 });

const group = { messageId: id, createdAt: instant };
const agents = { instructingAgent: agent, instructedAgent: agent };
const original = {
  originalEndToEndId: id,
  originalTransactionId: id,
};
const entry = fc.record(
  {
    reference: id,
    amount,
    side,
    reversal: fc.constantFrom("true" as const, "false" as const),
    status: code("entryStatus"),
    bookedAt: fc.oneof(day, instant),
    valueDate: fc.oneof(day, instant),
    servicerReference: id,
    transactionCode: fc.constant({ domain: "PMNT", family: "RCDT", subFamily: "BOOK" }),
    charged: amount,
    charges: fc.array(fc.record({ amount }), { minLength: 1, maxLength: 2 }),
    details: fc.array(
      fc.record(
        {
          messageId: id,
          servicerReference: id,
          instructionId: id,
          endToEndId: id,
          uetr,
          transactionId: id,
          amount,
          side,
          charged: amount,
          charges: fc.array(fc.record({ amount }), { minLength: 1, maxLength: 2 }),
          returnReason: code("returnReason"),
          information: text(500),
        },
        { requiredKeys: ["uetr"] },
      ),
      { maxLength: 3 },
    ),
    information: text(500),
  },
  { requiredKeys: ["amount", "side", "status", "transactionCode", "details"] },
);
const head = {
  id,
  sequence: fc.nat().map(String),
  createdAt: instant,
  account,
  currency: fc.constantFrom(...allCurrencies()).map(String),
  owner: id,
  servicer: agent,
};
const balances = some(
  fc.record({ type: code("balanceType"), amount, side, date: fc.oneof(day, instant) }),
);
const reportsWith = (more: object) =>
  some(
    fc.record(
      { ...head, ...more, balances, entries: fc.array(entry, { maxLength: 3 }) },
      { requiredKeys: ["id", "account", "balances", "entries"] },
    ),
  );
const pages = {
  page: fc.record({
    number: fc.nat(99_999).map(String),
    last: fc.constantFrom("true" as const, "false" as const),
  }),
};
const notices = some(
  fc.record(
    { ...head, entries: fc.array(entry, { maxLength: 3 }) },
    { requiredKeys: ["id", "account", "entries"] },
  ),
);
const assignment = { assignmentId: id, assigner: agent, assignee: agent, createdAt: instant };
const theCase = fc.record({ id, creator: agent });

const bodies: { readonly [K in MessageKind]: fc.Arbitrary<MessageBodies[K]> } = {
  "pacs.009": fc.record(
    {
      ...group,
      ...agents,
      transfers: some(
        fc.record(
          {
            instructionId: id,
            endToEndId: id,
            uetr,
            amount,
            settlementDate: day,
            debtor: agent,
            debtorAccount: account,
            creditor: agent,
            creditorAccount: account,
            purpose: code("purpose"),
          },
          { requiredKeys: ["endToEndId", "uetr", "amount", "debtor", "creditor"] },
        ),
      ),
    },
    { requiredKeys: ["messageId", "createdAt", "transfers"] },
  ),
  "pacs.008": fc.record(
    {
      ...group,
      ...agents,
      transfers: some(
        fc.record(
          {
            instructionId: id,
            endToEndId: id,
            transactionId: id,
            uetr,
            amount,
            settlementDate: day,
            acceptedAt: instant,
            instructed: amount,
            rate,
            chargeBearer: bearer,
            charges,
            debtorReference: id,
            debtorAccount: account,
            debtorAgent: agent,
            creditorAgent: agent,
            creditorReference: id,
            creditorAccount: account,
            purpose: code("purpose"),
          },
          {
            requiredKeys: [
              "endToEndId",
              "uetr",
              "amount",
              "chargeBearer",
              "charges",
              "debtorAgent",
              "creditorAgent",
            ],
          },
        ),
      ),
    },
    { requiredKeys: ["messageId", "createdAt", "transfers"] },
  ),
  "pacs.002": fc.record(
    {
      ...group,
      ...agents,
      original: fc.record(
        {
          messageId: id,
          messageName: id,
          status: code("groupStatus"),
          reason: code("statusReason"),
          information: text(105),
        },
        { requiredKeys: ["messageId", "messageName"] },
      ),
      transactions: fc.array(
        fc.record(
          {
            ...original,
            originalInstructionId: id,
            uetr,
            status: code("transactionStatus"),
            reason: code("statusReason"),
            information: text(105),
            acceptedAt: instant,
          },
          { requiredKeys: ["status"] },
        ),
        { maxLength: 3 },
      ),
    },
    { requiredKeys: ["messageId", "createdAt", "transactions"] },
  ),
  "pacs.004": fc.record(
    {
      ...group,
      ...agents,
      returns: some(
        fc.record(
          {
            ...original,
            returnId: id,
            uetr,
            originalAmount: amount,
            originalDate: day,
            amount,
            settlementDate: day,
            instructed: amount,
            rate,
            chargeBearer: bearer,
            charges,
            reason: code("returnReason"),
            information: text(105),
          },
          { requiredKeys: ["uetr", "amount", "charges", "reason"] },
        ),
      ),
    },
    { requiredKeys: ["messageId", "createdAt", "returns"] },
  ),
  "camt.056": fc.record(
    {
      ...assignment,
      case: theCase,
      cancellations: some(
        fc.record(
          {
            ...original,
            cancellationId: id,
            uetr,
            originalAmount: amount,
            originalDate: day,
            reason: code("cancellationReason"),
            information: text(105),
          },
          { requiredKeys: ["uetr", "reason"] },
        ),
      ),
    },
    { requiredKeys: ["assignmentId", "assigner", "assignee", "createdAt", "cancellations"] },
  ),
  "camt.029": fc.record(
    {
      ...assignment,
      case: theCase,
      status: code("investigation"),
      answers: fc.array(
        fc.record(
          {
            ...original,
            statusId: id,
            uetr,
            status: fc.constantFrom("ACCR" as const, "RJCR" as const, "PDCR" as const),
            reason: code("cancellationRejection"),
            information: text(105),
          },
          { requiredKeys: ["uetr"] },
        ),
        { maxLength: 3 },
      ),
    },
    { requiredKeys: ["assignmentId", "assigner", "assignee", "createdAt", "status", "answers"] },
  ),
  "camt.052": fc.record({ ...group, reports: reportsWith({}) }),
  "camt.053": fc.record({ ...group, statements: reportsWith(pages) }),
  "camt.054": fc.record({ ...group, notices }),
};

const bytesOf = (xml: string): Uint8Array => new TextEncoder().encode(xml);

describe.each(messageKinds)("%s", (kind) => {
  const arbitrary = bodies[kind] as fc.Arbitrary<MessageBodies[typeof kind]>;

  it("is written valid, and reads back as what was written", () => {
    fc.assert(
      fc.property(arbitrary, (body) => {
        const read = readValid(bytesOf(writeValid(kind, body)));
        expect(read).toEqual({ ok: true, value: { kind, body } });
      }),
      { numRuns: 60 },
    );
  });

  it("has one text: the same message is the same bytes", () => {
    fc.assert(
      fc.property(arbitrary, (body) => {
        const xml = writeMessage(kind, body);
        const read = readMessage(bytesOf(xml));
        expect(read.ok && writeMessage(kind, read.value.body)).toBe(xml);
      }),
      { numRuns: 30 },
    );
  });
});
