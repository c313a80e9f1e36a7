// Money that comes back, as banks would have been told of it: a return (pacs.004), a recall asked for
// (camt.056), and the answer to it (camt.029). Linked to the original by its UETR; the case of a recall
// has the recall's id in all three.
import type { IsoAmount } from "../codec/leaves.ts";
import { messageName } from "../message.ts";
import type { Pacs004 } from "../messages/pacs-004.ts";
import type { Camt029, Camt056 } from "../messages/recalls.ts";
import { shortId } from "./single-transfer.ts";

/** The transfer that comes back. */
export type OriginalFacts = {
  readonly transferId: string;
  /** Providers. */
  readonly payer: string;
  readonly payee: string;
  readonly received: IsoAmount;
  /** Day of its commitment. */
  readonly date: string;
};

export type ReturnFacts = {
  readonly id: string;
  readonly original: OriginalFacts;
  /** Of the amount received. */
  readonly amount: IsoAmount;
  /** What the payer's provider gets, in the currency that was sent. */
  readonly back: IsoAmount;
  readonly reason: string;
  readonly logTime: string;
};

export type RecallFacts = {
  readonly id: string;
  readonly original: OriginalFacts;
  /** What is asked for, of the amount received. */
  readonly amount: IsoAmount;
  readonly reason: string;
  readonly logTime: string;
};

export type RecallAnswerFacts = {
  /** The recall's. */
  readonly id: string;
  readonly original: OriginalFacts;
  /** Why it is refused; without one it is granted. */
  readonly reason?: string | undefined;
  readonly logTime: string;
};

const originalIds = ({ transferId }: OriginalFacts) => ({
  originalMessageId: shortId(transferId),
  originalMessageName: messageName("pacs.008"),
  originalTransactionId: shortId(transferId),
  uetr: transferId,
});

/** A return that was logged: it is final and settles with its window. */
export const returnPacs004 = (facts: ReturnFacts): Pacs004 => {
  const { id, original, amount, back, reason, logTime } = facts;
  return {
    messageId: shortId(id),
    createdAt: logTime,
    instructingAgent: original.payee,
    instructedAgent: original.payer,
    returns: [
      {
        returnId: shortId(id),
        ...originalIds(original),
        originalAmount: original.received,
        originalDate: original.date,
        amount,
        settlementDate: logTime.slice(0, 10),
        instructed: back,
        charges: [],
        reason,
      },
    ],
  };
};

const assignmentOf = (id: string, assigner: string, assignee: string, createdAt: string) => ({
  assignmentId: id,
  assigner,
  assignee,
  createdAt,
});

/** A recall: all of it, or the part that is named beside the reason. */
export const recallCamt056 = (facts: RecallFacts): Camt056 => {
  const { id, original, amount, reason, logTime } = facts;
  const { payer, payee, received, date } = original;
  const whole = amount.amount === received.amount;
  const part = whole ? {} : { information: `PARTIAL ${amount.currency} ${amount.amount}` };
  return {
    ...assignmentOf(shortId(id), payer, payee, logTime),
    case: { id: shortId(id), creator: payer },
    cancellations: [
      {
        cancellationId: shortId(id),
        ...originalIds(original),
        originalAmount: received,
        originalDate: date,
        reason,
        ...part,
      },
    ],
  };
};

/** The answer to a recall: refused with a reason, or granted by a return. */
export const recallCamt029 = (facts: RecallAnswerFacts): Camt029 => {
  const { id, original, reason, logTime } = facts;
  const refused = reason !== undefined;
  return {
    ...assignmentOf(`${shortId(id)}-R`, original.payee, original.payer, logTime),
    case: { id: shortId(id), creator: original.payer },
    status: refused ? "RJCR" : "CNCL",
    answers: [
      {
        ...originalIds(original),
        ...(refused ? { status: "RJCR", reason } : { status: "ACCR" }),
      },
    ],
  };
};
