// Money that comes back: returns and answers to recalls on the payee's side, recalls and cancellations on
// the payer's; signed here, or by a provider that keeps its key to itself. Each is a transfer-like view of
// its own, linked to the original, so that it is looked up, told to the core, proven and credited like any transfer.
import { linkedIdOf, statementText, type MoneyField } from "@sealane/protocol";
import type {
  FeeBearer,
  Recall,
  RecallReason,
  RecallRefusalReason,
  RefusalCode,
  Return,
  ReturnRate,
  ReturnReason,
} from "@sealane/protocol";
import type { Producer } from "@sealane/messaging";
import {
  amountOf,
  backAtOriginal,
  backToday,
  isAmount,
  minorOf,
  readOriginal,
  refOf,
  type Original,
} from "@sealane/rules";
import type { Signer } from "@sealane/signer";
import { composeNote } from "@sealane/tlog";
import type { OpenRecall } from "./recall-store.ts";
import { laneOfLog, type LaneBook, type Lanes } from "./lanes.ts";
import type { Refusal } from "./terms-maker.ts";
import type { TransferBook } from "./transfer-book.ts";
import type { Taken } from "./intake.ts";
import type { TransferView } from "./views.ts";

export type ReturnRequest = {
  /** Of what was received; all that is left unless told. */
  readonly amount?: MoneyField | undefined;
  readonly reason: ReturnReason;
  readonly rate: ReturnRate;
  readonly bearer: FeeBearer;
  readonly recallId?: string | undefined;
};

export type RecallRequest = {
  readonly amount?: MoneyField | undefined;
  readonly reason: RecallReason;
  readonly cancel: boolean;
};

type Deps = {
  readonly participant: string;
  readonly lanes: Lanes;
  readonly book: TransferBook;
  /** Undefined where the provider keeps its key to itself. */
  readonly signer: Signer | undefined;
  readonly producer: Producer;
  readonly requestOf: (body: Uint8Array) => string;
  readonly clock: () => number;
};

/** The exact text of a return or a recall, for whoever signs it. Nothing was sent. */
export type PreparedLinked = {
  readonly ok: true;
  readonly kind: "return" | "recall";
  readonly view: TransferView;
  readonly statement: string;
  /** The rate sheet that a return at today's rate cites. */
  readonly sheet?: string | undefined;
};

const produceDeadlineMs = 5_000;

export type ReturnDesk = ReturnType<typeof makeReturnDesk>;

const no = (code: RefusalCode, detail: string, pointer = ""): Refusal => ({
  ok: false,
  code,
  detail,
  pointer,
});

/** The original as the log has it that it is in. */
const originalIn = (lanes: Lanes, view: TransferView | undefined): Original | undefined =>
  view?.entry === undefined ? undefined : readOriginal(lanes.holding(view).origin, view.entry);

const amountAsked = (
  asked: MoneyField | undefined,
  { terms }: Original,
  left: bigint,
): MoneyField | Refusal => {
  const { currency } = terms.receive;
  if (asked === undefined) {
    if (left > 0n) return { currency, amount: amountOf(left, currency) };
    return no("return-exceeds", "all of it has been returned");
  }
  if (asked.currency !== currency) {
    return no("currency-not-served", `it was received in ${currency}`, "/amount/currency");
  }
  if (!isAmount(asked.amount, currency)) {
    return no("amount-invalid", asked.amount, "/amount/amount");
  }
  const minor = minorOf(asked.amount, currency);
  if (minor > left) return no("return-exceeds", `${amountOf(left, currency)} are left`, "/amount");
  return { currency, amount: amountOf(minor, currency) };
};

/** Returns that the ledger has not decided: they count, each once, when another one is priced. */
const makeUnderWay = () => {
  /** By their original. */
  const underWay = new Map<string, TransferView[]>();

  /** Counts from here on, once: a repetition takes the place of what it repeats. */
  const hold = (view: TransferView): void => {
    const originalId = view.returnOf;
    if (originalId === undefined) return;
    const others = (underWay.get(originalId) ?? []).filter(({ id }) => id !== view.id);
    underWay.set(originalId, [...others, view]);
  };

  /** Returned already, with what is on its way: this return, perhaps sent before, counts from there. */
  const returnedSoFar = ({ id, returned }: TransferView, returnId: string): bigint => {
    let sum = returned === undefined ? 0n : minorOf(returned.amount, returned.currency);
    const open = (underWay.get(id) ?? []).filter(
      (one) => one.status === "received" && one.id !== returnId,
    );
    if (open.length === 0) underWay.delete(id);
    else underWay.set(id, open);
    for (const { sent } of open) {
      if (sent !== undefined) sum += minorOf(sent.amount, sent.currency);
    }
    return sum;
  };

  return { hold, returnedSoFar };
};

export const makeReturnDesk = (deps: Deps) => {
  const { participant, lanes, book, signer, clock } = deps;
  const { hold, returnedSoFar } = makeUnderWay();

  const signed = async (text: string): Promise<string> => {
    if (signer === undefined) throw new Error("broken invariant: there is no key to sign with");
    return composeNote(text, [await signer.signLine(text)]);
  };

  /** Where the original stands it comes back, wherever its slot is by now. */
  const laneBeside = (inner: string | undefined, id: string): LaneBook =>
    laneOfLog(lanes, inner ?? "") ?? lanes.of(id);

  const produce = (kind: string, note: string, key: string): Promise<void> => {
    const value = JSON.stringify({ v: 1, kind, note });
    const { topic } = laneOfLog(lanes, note) ?? lanes.of(key);
    const records = [{ topic, key, value }];
    return deps.producer.send(records, { deadlineMs: produceDeadlineMs });
  };

  /** The original as its entry has it, for whoever has it: committed, and not an advance of ours. */
  const find = async (
    id: string,
  ): Promise<{ view: TransferView; original: Original } | Refusal> => {
    const view = (await book.findKept(id))?.view;
    const original = originalIn(lanes, view);
    if (view === undefined || original === undefined) {
      return no("original-unknown", "it has not been committed, as far as we know");
    }
    return { view, original };
  };

  /** What an earlier call under this key was answered; another request under it is refused. */
  const replay = async (id: string, request: string): Promise<Taken | undefined> => {
    const known = await book.find(id);
    if (known === undefined) return undefined;
    if (known.request !== request) {
      const detail = "this Idempotency-Key was used for another request";
      return no("request-mismatch", detail, "#/header/idempotency-key");
    }
    return known.steps.accepted === undefined && known.status === "received"
      ? undefined
      : { ok: true, view: known, replayed: true };
  };

  /** Keeps the view, and sends; the ledger's answer may be quicker than the acknowledgement. */
  const send = async (view: TransferView, kind: string, note: string): Promise<Taken> => {
    const kept = book.put(view);
    await produce(kind, note, view.id);
    view.steps.accepted = clock();
    book.changed(kept);
    return { ok: true, view, replayed: false };
  };

  /** What the payer gets, and under which sheet, where it is today's. */
  const price = (
    rate: ReturnRate,
    priced: Pick<Return, "amount" | "before" | "bearer">,
    { terms }: Original,
  ): { readonly says: Pick<Return, "back" | "sheet">; readonly note?: string } | Refusal => {
    if (rate === "original") return { says: { back: backAtOriginal(priced, terms) } };
    const logged = lanes
      .of(terms.id)
      .sheets.current(priced.amount.currency, terms.send.currency, clock());
    const back = logged === undefined ? undefined : backToday(priced, terms, logged.sheet);
    if (logged === undefined || back === undefined) {
      return no("sheet-unknown", "there is no rate for the way back today", "/rate");
    }
    const { provider, number } = logged.sheet;
    const { hash, note } = logged;
    return { says: { back, sheet: { provider, number, hash } }, note };
  };

  /** Gives a transfer to us back, all or part, as a text to be signed; or what the key was used for. */
  const prepareReturn = async (
    originalId: string,
    key: string,
    asked: ReturnRequest,
    body: Uint8Array,
  ): Promise<PreparedLinked | Taken> => {
    const found = await find(originalId);
    if ("ok" in found) return found;
    const { view: of, original } = found;
    if (of.role !== "payee") return no("return-not-yours", "only its payee returns a transfer");
    const { terms } = original;
    const id = linkedIdOf(originalId, participant, key);
    const request = deps.requestOf(body);
    const known = await replay(id, request);
    if (known !== undefined) return known;
    const { currency } = terms.receive;
    const before = returnedSoFar(of, id);
    const amount = amountAsked(
      asked.amount,
      original,
      minorOf(terms.receive.amount, currency) - before,
    );
    if ("ok" in amount) return amount;
    const { bearer, reason, rate, recallId } = asked;
    const part = { amount, before: amountOf(before, currency), bearer };
    const priced = price(rate, part, original);
    if ("ok" in priced) return priced;
    const made: Return = {
      id,
      original: refOf(original),
      participant,
      ...part,
      rate,
      ...priced.says,
      ...(recallId === undefined ? {} : { recall: recallId }),
      reason,
    };
    const view: TransferView = {
      id,
      role: "payer",
      status: "received",
      request,
      returnOf: originalId,
      payer: participant,
      payee: terms.payer.participant,
      sent: amount,
      received: priced.says.back,
      reason,
      steps: {},
      notice: 0,
      notified: 0,
    };
    // With nothing between the sum and this: of two at once the second counts the first.
    if (signer !== undefined) hold(view);
    const statement = statementText(laneBeside(of.entry, id).origin, "return", made, of.entry);
    return { ok: true, kind: "return", view, statement, sheet: priced.note };
  };

  /** Asks for a transfer of ours back; with `cancel` as the sender's right, while it is not paid out. */
  const prepareRecall = async (
    originalId: string,
    key: string,
    asked: RecallRequest,
    body: Uint8Array,
  ): Promise<PreparedLinked | Taken> => {
    const found = await find(originalId);
    if ("ok" in found) return found;
    const { view: of, original } = found;
    if (of.role !== "payer") return no("return-not-yours", "only its payer recalls a transfer");
    const { terms } = original;
    const id = linkedIdOf(originalId, participant, key);
    const request = deps.requestOf(body);
    const known = await replay(id, request);
    if (known !== undefined) return known;
    const { currency } = terms.receive;
    const gone = of.returned === undefined ? 0n : minorOf(of.returned.amount, currency);
    const left = minorOf(terms.receive.amount, currency) - gone;
    const amount = amountAsked(asked.amount, original, left);
    if ("ok" in amount) return amount;
    const { cancel, reason } = asked;
    const made: Recall = { id, original: refOf(original), participant, amount, cancel, reason };
    const view: TransferView = {
      id,
      role: "payer",
      status: "received",
      request,
      recallOf: originalId,
      payer: participant,
      payee: terms.payee.participant,
      sent: amount,
      reason,
      steps: {},
      notice: 0,
      notified: 0,
    };
    const statement = statementText(laneBeside(of.entry, id).origin, "recall", made, of.entry);
    return { ok: true, kind: "recall", view, statement };
  };

  /**
   * Sends what was prepared, signed.
   * @throws MessagingError: the outcome is unknown or it failed; the caller repeats it under the same key
   */
  const submit = ({ kind, view }: PreparedLinked, note: string): Promise<Taken> => {
    hold(view);
    return send(view, kind, note);
  };

  const signAndSend = async (made: PreparedLinked | Taken): Promise<Taken> =>
    "statement" in made ? submit(made, await signed(made.statement)) : made;

  /** What a no to a recall says, around the recall. */
  const refusalText = ({ recallId, note }: OpenRecall, reason: RecallRefusalReason): string => {
    const body = { recall: recallId, participant, reason };
    return statementText(laneBeside(note, recallId).origin, "recall-refusal", body, note);
  };

  /** Says no to a recall; the ledger takes it when the recall is open, and nobody may cancel. */
  const sendRefusal = ({ recallId }: OpenRecall, note: string): Promise<void> =>
    produce("recall-refusal", note, recallId);

  return {
    /** False where the provider signs itself: nothing here can sign then. */
    signs: signer !== undefined,
    /** @throws where the provider signs itself */
    signed,
    prepareReturn,
    prepareRecall,
    submit,
    refusalText,
    sendRefusal,
    giveBack: async (...asked: Parameters<typeof prepareReturn>): Promise<Taken> =>
      signAndSend(await prepareReturn(...asked)),
    recall: async (...asked: Parameters<typeof prepareRecall>): Promise<Taken> =>
      signAndSend(await prepareRecall(...asked)),
    refuseRecall: async (open: OpenRecall, reason: RecallRefusalReason): Promise<void> =>
      sendRefusal(open, await signed(refusalText(open, reason))),
  };
};
