// A settlement bank: takes instructions, books, answers, gives notice and states, with the faults that
// somebody asked for. It knows windows only as the id of the instructions that it was given. What
// it was told is written down before it is answered, so the same instructions are booked once.
import { createHash } from "node:crypto";
import type { Iso20022Refusal } from "@sealane/iso20022";
import { readValid, writeValid } from "@sealane/iso20022/schema";
import { bankStatementTexts } from "@sealane/protocol";
import { composeNote } from "@sealane/tlog";
import { makeBankBook, type BankEvent } from "./bank-book.ts";
import { makeBankFaults } from "./bank-faults.ts";
import { openBankFolder } from "./bank-folder.ts";
import {
  movementLine,
  noticeOf,
  orderLines,
  signedBody,
  statementOf,
  statusReport,
  type Line,
  type PaperHead,
} from "./bank-papers.ts";
import type { BankDocument, BankOptions, Movement, Order } from "./bank-types.ts";
import { judgeInstructions } from "./judge-instructions.ts";
import { withLineTwice, withWrongAmount } from "./statement-faults.ts";

export type Taken =
  | { readonly ok: true; readonly report: BankDocument; readonly xml: string }
  | Iso20022Refusal;

export type IssuedStatement = {
  readonly reference: string;
  readonly camt: BankDocument;
  /** The signed statement, or its parts in order; without a signer there are none. */
  readonly notes: readonly BankDocument[];
};

export type MoveResult =
  | { readonly ok: true; readonly statement: IssuedStatement }
  | { readonly ok: false; readonly code: "account-unknown" | "funds-missing" };

const digestOf = (bytes: Uint8Array | string): string =>
  createHash("sha256").update(bytes).digest("base64");

export type Bank = ReturnType<typeof openBank>;

export const openBank = (options: BankOptions) => {
  const { bank, directory, accounts, signing, clock = () => Date.now() } = options;
  const folder = openBankFolder(directory);
  const book = makeBankBook(accounts);
  for (const event of folder.events()) book.apply(event);
  const faults = makeBankFaults();
  const documents: BankDocument[] = [];

  const keep = (event: BankEvent): void => {
    folder.remember(event);
    book.apply(event);
  };

  /** The next paper's own reference: it is used once, also across restarts. */
  const nextHead = (): PaperHead => {
    const atMs = clock();
    keep({ kind: "numbered", atMs });
    const day = new Date(atMs).toISOString().slice(0, 10).replaceAll("-", "");
    return { reference: `${day}-${String(book.number()).padStart(4, "0")}`, atMs };
  };

  const put = (document: BankDocument, text: string): BankDocument => {
    folder.write(document.name, text);
    documents.push(document);
    return document;
  };

  const about = (messageId: string | undefined) => (messageId === undefined ? {} : { messageId });

  const sign = async (
    reference: string,
    body: ReturnType<typeof signedBody>,
    messageId: string | undefined,
  ): Promise<BankDocument[]> => {
    if (signing === undefined) return [];
    const texts = bankStatementTexts(signing.origin, body);
    const signed: BankDocument[] = [];
    for (const [at, text] of texts.entries()) {
      const note = composeNote(text, [await signing.signer.signLine(text)]);
      const part = texts.length === 1 ? "" : `.${at + 1}`;
      const name = `camt.053-${reference}${part}.note`;
      signed.push(put({ name, kind: "note", reference, ...about(messageId) }, note));
    }
    return signed;
  };

  const state = async (lines: readonly Line[], messageId?: string): Promise<IssuedStatement> => {
    const head = nextHead();
    const { reference } = head;
    const body = statementOf(book, bank, head, lines);
    const xml = writeValid("camt.053", body);
    const wrong = faults.use("wrong-file") !== undefined;
    const other = { ...body, messageId: `${reference}-copy` };
    const name = `camt.053-${reference}.xml`;
    const camt = put(
      { name, kind: "camt.053", reference, ...about(messageId) },
      wrong ? writeValid("camt.053", other) : xml,
    );
    const signed = signedBody(bank, reference, body, digestOf(xml));
    return { reference, camt, notes: await sign(reference, signed, messageId) };
  };

  /** States again all that became of these instructions, or undefined when it has none of them. */
  const issue = async (messageId: string): Promise<IssuedStatement | undefined> => {
    const orders = book.message(messageId)?.orders ?? [];
    let lines = orders.flatMap((order) => orderLines(book, order));
    if (lines.length === 0) return undefined;
    const wrong = faults.use("wrong-amount");
    if (wrong !== undefined) lines = withWrongAmount(lines, wrong);
    if (faults.use("duplicate-line") !== undefined) lines = withLineTwice(lines);
    const statement = await state(lines, messageId);
    if (faults.use("duplicate-statement") !== undefined) await state(lines, messageId);
    return statement;
  };

  const bookedOf = (orders: readonly Order[]): Order[] =>
    orders.filter(({ status }) => status === "booked");

  const allOrders = (): Order[] =>
    book.messageIds().flatMap((id) => [...(book.message(id)?.orders ?? [])]);

  const answer = (messageId: string, duplicate = false): Taken => {
    const head = nextHead();
    const { reference } = head;
    const xml = statusReport(head, messageId, book.message(messageId)?.orders ?? [], duplicate);
    const name = `pacs.002-${reference}.xml`;
    return { ok: true, report: put({ name, kind: "pacs.002", reference, messageId }, xml), xml };
  };

  /** Does it, then tells of everything that it has booked. */
  const follow = async (event: BankEvent, always: readonly string[] = []): Promise<void> => {
    const before = new Set(bookedOf(allOrders()));
    keep(event);
    const fresh = bookedOf(allOrders()).filter((order) => !before.has(order));
    const changed = new Set([...always, ...fresh.map(({ messageId }) => messageId)]);
    for (const messageId of changed) {
      const lines = fresh
        .filter((order) => order.messageId === messageId)
        .flatMap((order) => orderLines(book, order));
      if (lines.length > 0) {
        const head = nextHead();
        const { reference } = head;
        const document: BankDocument = {
          name: `camt.054-${reference}.xml`,
          kind: "camt.054",
          reference,
          messageId,
        };
        put(document, noticeOf(book, bank, head, lines));
      }
      // Whoever was told "pending" hears that it is no more.
      if (!always.includes(messageId)) answer(messageId);
      await issue(messageId);
    }
  };

  const release = (): Promise<void> => follow({ kind: "released", atMs: clock() });

  /** Tries what was refused of these instructions again, as when an account is unblocked. */
  const retry = (messageId: string): Promise<void> =>
    follow({ kind: "retried", atMs: clock(), messageId });

  /** An account, the operator's say, pays what debtors of these instructions were refused. */
  const cover = (messageId: string, account: string): Promise<void> =>
    follow({ kind: "covered", atMs: clock(), messageId, account }, [messageId]);

  /** Takes instructions, books what it can, and answers. The same once more is answered once more. */
  const take = async (bytes: Uint8Array): Promise<Taken> => {
    const read = readValid(bytes);
    if (!read.ok) return read;
    if (read.value.kind !== "pacs.009") {
      return { ok: false, code: "message-unknown", detail: "instructions are a pacs.009" };
    }
    const { body } = read.value;
    const { messageId } = body;
    const digest = digestOf(bytes);
    const before = book.message(messageId);
    if (before !== undefined) return answer(messageId, before.digest !== digest);
    const asked = { late: faults.use("late"), partial: faults.use("partial") };
    const event = judgeInstructions(book, body, digest, clock(), asked);
    await follow(event, asked.late === undefined ? [messageId] : []);
    const wait = asked.late?.ms;
    if (wait !== undefined) setTimeout(() => void release(), wait).unref();
    return answer(messageId);
  };

  /** A deposit or withdrawal, stated at once. */
  const move = async (movement: Omit<Movement, "atMs" | "currency">): Promise<MoveResult> => {
    const account = book.account(movement.account);
    if (account === undefined) return { ok: false, code: "account-unknown" };
    const { minor, side } = movement;
    if (side === "debit" && account.minor < minor) return { ok: false, code: "funds-missing" };
    const whole = { ...movement, currency: account.currency, atMs: clock() };
    await follow({ kind: "moved", ...whole, minor: minor.toString() });
    return { ok: true, statement: await state([movementLine(whole)]) };
  };

  return {
    bank,
    folder,
    take,
    move,
    release,
    retry,
    cover,
    issue,
    faults,
    documents: (): readonly BankDocument[] => documents,
    accounts: book.accounts,
  };
};
