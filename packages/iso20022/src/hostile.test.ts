// Files that strangers send: each kind of attack and each fault is refused with its own code, and without
// a word of what stood in the file.
import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { codeSets, type CodeSet } from "./code-sets.ts";
import { Iso20022Error, type Iso20022ErrorCode } from "./errors.ts";
import { readMessage, readMessageOf, writeMessage } from "./message.ts";
import type { Pacs009 } from "./messages/pacs-009.ts";
import { readValid, writeValid } from "./schema-node.ts";
import { defaultLimits } from "./xml/read-xml.ts";

const order: Pacs009 = {
  messageId: "hkd-php/0/0",
  createdAt: "2026-11-22T17:00:00.000Z",
  transfers: [
    {
      endToEndId: "hkd-php/0/0",
      uetr: "3f0c8a5e-6a0e-4d2f-9b1c-0d5f2f6a7b8c",
      amount: { currency: "HKD", amount: "1000.00" },
      debtor: "hk-wallet.example",
      debtorAccount: "SEALHK0001HKD",
      creditor: "sealane.example:settlement",
    },
  ],
};
const good = writeMessage("pacs.009", order);
const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
const codeOf = (text: string | Uint8Array): string => {
  const read = readValid(typeof text === "string" ? bytesOf(text) : text);
  return read.ok ? "read" : read.code;
};
const withHead = (head: string): string => good.replace(/<Document/, `${head}<Document`);
const deep = (n: number): string =>
  good.replace("<GrpHdr>", `${"<A>".repeat(n)}${"</A>".repeat(n)}<GrpHdr>`);
const lol = Array.from(
  { length: 9 },
  (_, at) => `<!ENTITY a${at + 1} "${`&a${at};`.repeat(10)}">`,
).join("");

describe("a hostile document", () => {
  it.each<[string, string | Uint8Array, Iso20022ErrorCode]>([
    ["a billion laughs", withHead(`<!DOCTYPE x [<!ENTITY a0 "ha">${lol}]>`), "doctype-refused"],
    [
      "an external entity",
      withHead('<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>').replace("HKD", "&a;"),
      "doctype-refused",
    ],
    ["an external subset", withHead('<!DOCTYPE x SYSTEM "http://127.0.0.1/x">'), "doctype-refused"],
    ["a document type alone", withHead("<!DOCTYPE Document>"), "doctype-refused"],
    ["an entity of its own", good.replace("1000.00", "&a;"), "entity-refused"],
    ["a processing instruction", withHead('<?xml-stylesheet href="x"?>'), "instruction-refused"],
    ["a document that is deep", deep(30_000), "document-too-deep"],
    ["a document that is huge", " ".repeat(8_388_609), "document-too-large"],
    ["UTF-16", new Uint8Array(Buffer.from(`\uFEFF${good}`, "utf16le")), "encoding-unsupported"],
    ["bytes that are no text", new Uint8Array([0x3c, 0xff, 0xfe]), "encoding-unsupported"],
    ["another encoding", good.replace("UTF-8", "ISO-8859-1"), "encoding-unsupported"],
    ["XML 1.1", good.replace('"1.0"', '"1.1"'), "encoding-unsupported"],
    ["nothing", "", "xml-malformed"],
    ["two byte order marks", `\uFEFF\uFEFF${good}`, "xml-malformed"],
    [
      "a namespace that is no name",
      good.replace("pacs.009.001.09", "pacs.009.001.09 "),
      "xml-malformed",
    ],
    ["half of it", good.slice(0, good.length / 2), "xml-malformed"],
    ["two documents", `${good}${good.slice(good.indexOf("<Document"))}`, "xml-malformed"],
    ["the same attribute twice", good.replace('Ccy="HKD"', 'Ccy="HKD" Ccy="HKD"'), "xml-malformed"],
    ["text beside elements", good.replace("<GrpHdr>", "free<GrpHdr>"), "xml-malformed"],
    ["another version", good.replace("pacs.009.001.09", "pacs.009.001.12"), "message-unknown"],
    ["no namespace", good.replace(/ xmlns="[^"]*"/, ""), "message-unknown"],
    [
      "an element that is not in the schema",
      good.replace("<GrpHdr>", "<X/><GrpHdr>"),
      "schema-invalid",
    ],
    [
      "elements in another order",
      good.replace(/(<MsgId>.*<\/MsgId>)\s*(<CreDtTm>.*<\/CreDtTm>)/, "$2$1"),
      "schema-invalid",
    ],
    ["a field twice", good.replace(/(<UETR>.*<\/UETR>)/, "$1$1"), "element-repeated"],
    ["a field that is missing", good.replace(/<UETR>.*<\/UETR>/, ""), "element-missing"],
    ["a UETR of version 1", good.replace("-4d2f-", "-1d2f-"), "uetr-malformed"],
    ["a UETR in upper case", good.replace("3f0c8a5e", "3F0C8A5E"), "uetr-malformed"],
    [
      "one transfer more than it says",
      good.replace("<NbOfTxs>1<", "<NbOfTxs>2<"),
      "count-mismatch",
    ],
    ["a fraction of a cent", good.replace("1000.00", "1000.001"), "amount-malformed"],
    ["an amount below zero", good.replace("1000.00", "-1.00"), "amount-malformed"],
    ["an amount with an exponent", good.replace("1000.00", "1e3"), "amount-malformed"],
    ["not a number", good.replace("1000.00", "NaN"), "amount-malformed"],
    ["no such currency", good.replace('"HKD"', '"XXQ"'), "currency-unknown"],
    ["the 30th of February", good.replace("2026-11-22T", "2026-02-30T"), "time-malformed"],
    ["text that is too long", good.replace("SEALHK0001HKD", "9".repeat(35)), "text-too-long"],
  ])("is refused: %s", (_, document, code) => {
    expect(codeOf(good)).toBe("read");
    expect(codeOf(document)).toBe(code);
  });

  it("is refused without being quoted", () => {
    const secret = "juan.dela.cruz";
    for (const at of ["1000.00", "hkd-php/0/0", "2026-11-22", "3f0c8a5e", "<GrpHdr>"]) {
      const read = readValid(bytesOf(good.replace(at, `${secret}<${secret}/>&${secret};`)));
      expect(read.ok ? secret : JSON.stringify(read)).not.toContain(secret);
    }
  });

  it("is refused or read, whatever was done to its bytes, and never throws", () => {
    const pieces = ["<", ">", "&", "]]>", "<!--", "\uFEFF", ' xmlns="x"', "<?x?>", "\0", "é", ""];
    const edit = fc.record({ at: fc.nat(good.length), cut: fc.nat(6), piece: fc.nat(10) });
    const changed = fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) =>
      edits.reduce((text, { at, cut, piece }) => {
        return `${text.slice(0, at)}${pieces[piece]}${text.slice(at + cut)}`;
      }, good),
    );
    fc.assert(
      fc.property(changed, (document) => {
        expect(codeOf(document)).toMatch(/^[a-z-]+$/);
      }),
      { numRuns: 500 },
    );
  });

  it("has no more elements than the limit", () => {
    const limits = { ...defaultLimits, elements: 20 };
    expect(
      readMessage(bytesOf(good.replace("<GrpHdr>", "<A/><A/><GrpHdr>")), limits),
    ).toMatchObject({ ok: false, code: "document-too-many-elements" });
  });

  it("of another kind than asked for is refused by kind", () => {
    const read = readMessageOf("camt.053", bytesOf(good));
    expect(read).toMatchObject({ ok: false, code: "message-unknown" });
  });
});

describe("a document of another's hand", () => {
  it("may say more than we read: other elements, comments, prefixes, white space", () => {
    const more = good
      .replace(
        "<IntrBkSttlmAmt",
        "<!-- a comment -->\n<PmtTpInf><InstrPrty>HIGH</InstrPrty></PmtTpInf><IntrBkSttlmAmt",
      )
      .replace("1000.00", "<![CDATA[1000.0]]>")
      .replaceAll(/<(\/?)([A-Z])/g, "<$1p:$2")
      .replace("xmlns=", "xmlns:p=");
    expect(readValid(bytesOf(more))).toEqual({
      ok: true,
      value: { kind: "pacs.009", body: order },
    });
  });

  it("may have white space around its numbers and dates, as the schema's types allow", () => {
    // libxml2 holds the white space of dates against them: our reader alone takes those.
    const amount = good.replace("1000.00", "\n 1000.00 ");
    expect(readValid(bytesOf(amount))).toMatchObject({ ok: true, value: { body: order } });
    const both = amount.replace("2026-11-22T", " 2026-11-22T");
    expect(readMessage(bytesOf(both))).toMatchObject({ ok: true, value: { body: order } });
  });

  it("keeps what stands in supplementary data to itself", () => {
    const extra = '<SplmtryData><Envlp><x xmlns="urn:x"><UETR>1</UETR></x></Envlp></SplmtryData>';
    const more = good.replace("</FICdtTrf>", `${extra}</FICdtTrf>`);
    expect(readMessage(bytesOf(more))).toMatchObject({ ok: true, value: { body: order } });
  });
});

describe("a message that cannot be", () => {
  const [transfer] = order.transfers;
  it.each<[string, Partial<NonNullable<typeof transfer>>, Iso20022ErrorCode]>([
    ["a code of no set", { purpose: "COMX" }, "code-unknown"],
    ["a UETR that is none", { uetr: "hello" }, "uetr-malformed"],
    [
      "decimals that the currency has not",
      { amount: { currency: "JPY", amount: "1.0" } },
      "amount-malformed",
    ],
    [
      "19 digits",
      { amount: { currency: "CLF", amount: `${"9".repeat(14)}1.0000` } },
      "amount-malformed",
    ],
    ["a control character", { endToEndId: "a\u0000b" }, "text-malformed"],
    ["half a character", { endToEndId: "\uD800" }, "text-malformed"],
    ["an empty text", { endToEndId: "" }, "text-malformed"],
    ["a participant with a long name", { debtor: `${"a".repeat(40)}.example` }, "text-too-long"],
  ])("is not written: %s", (_, change, code) => {
    const transfers = [{ ...transfer!, ...change }];
    let thrown: unknown;
    try {
      writeMessage("pacs.009", { ...order, transfers });
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(Iso20022Error);
    expect((thrown as Iso20022Error).code).toBe(code);
  });

  it("is not written when the schema wants one of a list, and there is none", () => {
    expect(() => writeValid("pacs.009", { ...order, transfers: [] })).toThrow(Iso20022Error);
  });
});

describe("code sets", () => {
  const published = createRequire(import.meta.url)("@taprsvp/iso20022_external_codes") as Record<
    string,
    Record<string, string>
  >;
  it.each<[CodeSet, string]>([
    ["statusReason", "StatusReason"],
    ["returnReason", "ReturnReason"],
    ["cancellationReason", "CancellationReason"],
    ["cancellationRejection", "PaymentCancellationRejection"],
    ["transactionStatus", "PaymentTransactionStatus"],
    ["groupStatus", "PaymentGroupStatus"],
    ["investigation", "InvestigationExecutionConfirmation"],
    ["entryStatus", "EntryStatus"],
    ["balanceType", "BalanceType"],
    ["purpose", "Purpose"],
  ])("%s is as published", (set, name) => {
    expect([...codeSets[set]].toSorted()).toEqual(
      [...new Set(Object.values(published[name] ?? {}))].toSorted(),
    );
  });
});
