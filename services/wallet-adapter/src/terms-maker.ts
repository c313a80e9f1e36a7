// From a request to terms: price, salted commitments, the envelope for the payee. No float touches an
// amount, and no account number gets into the terms.
import { createHmac, createSecretKey, randomUUID } from "node:crypto";
import {
  formatTime,
  parseTime,
  type EnvelopeField,
  type RefusalCode,
  type Terms,
} from "@sealane/protocol";
import { minorOf, priceTransfer, type KeyState, type Price } from "@sealane/rules";
import { randomBytes, sealEnvelope, type EnvelopeReader } from "@sealane/signer";
import { fromBase64, sha256, toBase64, utf8 } from "@sealane/tlog";
import type { QuoteRequest, TransferRequest } from "./requests.ts";
import type { Lanes } from "./lanes.ts";
import type { LoggedSheet, SheetBook } from "./sheet-book.ts";

export type Refusal = {
  readonly ok: false;
  readonly code: RefusalCode;
  readonly detail: string;
  readonly pointer: string;
};

const no = (code: RefusalCode, detail: string, pointer: string): Refusal => ({
  ok: false,
  code,
  detail,
  pointer,
});

export type Priced = {
  readonly ok: true;
  readonly price: Price;
  readonly sheet: LoggedSheet;
  readonly schedule: string;
  readonly feeTo: string;
};

/** A quote that was given: its price holds until it expires or was used. */
export type Quote = Priced & {
  readonly id: string;
  readonly payee: string;
  readonly expiresAtMs: number;
};

type Deps = {
  readonly participant: string;
  readonly policy: string;
  readonly keys: () => KeyState;
  readonly lanes: Pick<Lanes, "all" | "of">;
  readonly requestKey: Uint8Array;
};

export const quoteLifeMs = 120_000;

/** What is hashed and handed over as it is: `salt32 ‖ bytes`. */
const commit = (value: string): { readonly commitment: string; readonly opening: string } => {
  const opening = Buffer.concat([randomBytes(32), Buffer.from(value, "utf8")]);
  return { commitment: toBase64(sha256(opening)), opening: toBase64(opening) };
};

/** The openings of a transfer's commitments, as they travel inside the envelope. */
export type Openings = {
  readonly payer: string;
  readonly payee: string;
  readonly reference?: string | undefined;
};

/** Terms that nobody has signed yet, and what belongs to them. */
export type Made = {
  readonly ok: true;
  readonly terms: Terms;
  readonly envelope: EnvelopeField | undefined;
  readonly openings: Openings;
  /** The note of the sheet that the terms cite. */
  readonly sheet: string;
};

/** The same exact number: quotes have all decimals, a request may leave trailing zeros out. */
const sameAmount = (quoted: string, asked: string): boolean => {
  const bare = (text: string) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);
  return bare(quoted) === bare(asked);
};

export type TermsMaker = ReturnType<typeof makeTermsMaker>;

export const makeTermsMaker = (deps: Deps) => {
  const currencies = (
    request: QuoteRequest | TransferRequest,
  ): { readonly from: string; readonly to: string } | Refusal => {
    const keys = deps.keys();
    const own = keys.participants.get(deps.participant);
    const payee = keys.participants.get(request.payee.participant);
    if (own === undefined) return no("payer-unknown", deps.participant, "");
    const pointer = "/payee/participant";
    if (payee === undefined || !payee.roles.includes("wallet")) {
      return no("payee-unknown", `${request.payee.participant} is not of this ledger`, pointer);
    }
    if (payee === own) return no("same-participant", "that is the payer itself", pointer);
    if (own.suspended) return no("payer-suspended", own.participant, "");
    if (payee.suspended) return no("payee-suspended", payee.participant, pointer);
    const { currency } = request.amount;
    const other = request.otherCurrency;
    const from = request.fixed === "send" ? currency : (other ?? own.currencies[0] ?? "");
    const to = request.fixed === "send" ? (other ?? payee.currencies[0] ?? "") : currency;
    if (!own.currencies.includes(from)) {
      const at = request.fixed === "send" ? "/amount/currency" : "/otherCurrency";
      return no("currency-not-served", `${own.participant} does not serve ${from}`, at);
    }
    if (!payee.currencies.includes(to)) {
      const at = request.fixed === "send" ? "/otherCurrency" : "/amount/currency";
      return no("currency-not-served", `${payee.participant} does not serve ${to}`, at);
    }
    return { from, to };
  };

  /** Prices from the newest sheet that a lane has logged. */
  const price = (
    request: QuoteRequest | TransferRequest,
    sheets: SheetBook,
    nowMs: number,
  ): Priced | Refusal => {
    const pair = currencies(request);
    if ("ok" in pair) return pair;
    const sheet = sheets.current(pair.from, pair.to, nowMs);
    if (sheet === undefined) {
      return no("sheet-unknown", `nobody quotes ${pair.from}/${pair.to} now`, "/amount/currency");
    }
    const schedules = [...deps.keys().schedules.values()];
    const schedule = schedules.findLast(({ from, to }) => from === pair.from && to === pair.to);
    if (schedule === undefined) {
      return no("schedule-unknown", `no fees for ${pair.from}/${pair.to}`, "/amount/currency");
    }
    const priced = priceTransfer(request.fixed, request.amount.amount, sheet.sheet, schedule);
    if (!priced.ok) return no(priced.code, priced.detail, "/amount/amount");
    const { schedule: id, payee: feeTo } = schedule;
    return { ok: true, price: priced.price, sheet, schedule: id, feeTo };
  };

  const quote = (request: QuoteRequest, nowMs: number): Quote | Refusal => {
    const priced = price(request, deps.lanes.all[0].sheets, nowMs);
    if (!priced.ok) return priced;
    // A transfer is refused by the ledger, signed; a quote above the limit would only be a promise broken.
    const { send } = priced.price;
    const { maxTransfer } = priced.sheet.sheet;
    if (minorOf(send.amount, send.currency) > minorOf(maxTransfer, send.currency)) {
      const detail = `the sheet's largest transfer is ${maxTransfer} ${send.currency}`;
      return no("sheet-limit", detail, "/amount/amount");
    }
    const until = Math.min(nowMs + quoteLifeMs, parseTime(priced.sheet.sheet.quoteUntil));
    return { ...priced, id: randomUUID(), payee: request.payee.participant, expiresAtMs: until };
  };

  const sameAsQuoted = (request: TransferRequest, { price: quoted, payee }: Quote): boolean => {
    const side = request.fixed === "send" ? quoted.send : quoted.receive;
    return (
      payee === request.payee.participant &&
      quoted.fixed === request.fixed &&
      side.currency === request.amount.currency &&
      sameAmount(side.amount, request.amount.amount)
    );
  };

  /**
   * A quote is given before anybody knows which lane decides. Each lane has sheets of its own, made from the
   * same rates: the transfer cites one of its lane's that gives exactly the price of the quote.
   */
  const inLane = (quoted: Quote, sheets: SheetBook, nowMs: number): Priced | Refusal => {
    const { sheet: asked, hash } = quoted.sheet;
    if (sheets.byHash(hash) !== undefined) return quoted;
    const sheet = sheets.alike(asked, nowMs);
    if (sheet !== undefined) return { ...quoted, sheet };
    const detail = "its lane has no sheet with the quoted rate now";
    return no("sheet-unknown", detail, "/quoteId");
  };

  const seal = (id: string, payee: string, openings: Openings): EnvelopeField | undefined => {
    const keys = deps.keys();
    const readers: EnvelopeReader[] = [];
    for (const participant of [payee, deps.participant]) {
      const key = keys.participants.get(participant)?.envelopeKey;
      if (key !== undefined) readers.push({ participant, publicKey: fromBase64(key) });
    }
    if (readers.length === 0) return undefined;
    const sealed = sealEnvelope({ plaintext: utf8(JSON.stringify(openings)), readers, aad: id });
    return { ...sealed, wraps: [...sealed.wraps] };
  };

  // A key object once: made from bytes for each call it takes five times as long as the MAC.
  const requestKey = createSecretKey(deps.requestKey);

  /** HMAC of the request's bytes: tells a retry from another request without exposing accounts. */
  const requestOf = (body: Uint8Array): string =>
    createHmac("sha256", requestKey).update(body).digest("base64");

  const make = (
    id: string,
    request: TransferRequest,
    body: Uint8Array,
    quoted: Quote | undefined,
    nowMs: number,
  ): Made | Refusal => {
    if (quoted !== undefined && nowMs >= quoted.expiresAtMs) {
      return no("quote-expired", `it expired at ${formatTime(quoted.expiresAtMs)}`, "/quoteId");
    }
    if (quoted !== undefined && !sameAsQuoted(request, quoted)) {
      return no("quote-mismatch", "the quote was for another amount or payee", "/quoteId");
    }
    const { sheets } = deps.lanes.of(id);
    const priced =
      quoted === undefined ? price(request, sheets, nowMs) : inLane(quoted, sheets, nowMs);
    if (!priced.ok) return priced;
    const payer = commit(request.payer.account);
    const payee = commit(request.payee.account);
    const reference = request.reference === undefined ? undefined : commit(request.reference);
    const { fixed, send, converted, rate, receive, residue, fee } = priced.price;
    const { sheet, hash } = priced.sheet;
    const terms: Terms = {
      id,
      request: requestOf(body),
      quote: quoted?.id ?? id,
      policy: deps.keys().participants.get(deps.participant)?.boundTo ?? deps.policy,
      payer: { participant: deps.participant, account: payer.commitment },
      payee: { participant: request.payee.participant, account: payee.commitment },
      fixed,
      send,
      fees: [{ schedule: priced.schedule, to: priced.feeTo, currency: send.currency, amount: fee }],
      converted,
      sheet: { provider: sheet.provider, number: sheet.number, hash },
      rate,
      receive,
      residue,
      ...(reference === undefined ? {} : { reference: reference.commitment }),
      expiresAt: formatTime(nowMs + request.expiresInSeconds * 1_000),
    };
    const openings: Openings = {
      payer: payer.opening,
      payee: payee.opening,
      reference: reference?.opening,
    };
    const envelope = seal(id, request.payee.participant, openings);
    return { ok: true, terms, envelope, openings, sheet: priced.sheet.note };
  };

  return { price, quote, make, requestOf };
};
