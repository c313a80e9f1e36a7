// One transfer of the log as banks would have been told of it: pacs.008 is what was ordered, pacs.002 what
// became of it. Both follow from the receipt alone, so whoever has it writes the same bytes. Who paid
// and who was paid is with their providers: the log knows no person, and neither do these messages.
import type { IsoAmount } from "../codec/leaves.ts";
import { messageName } from "../message.ts";
import type { Pacs002 } from "../messages/pacs-002.ts";
import type { Pacs008 } from "../messages/pacs-008.ts";

export type TransferFacts = {
  readonly transferId: string;
  /** Providers. */
  readonly payer: string;
  readonly payee: string;
  readonly sent: IsoAmount;
  readonly received: IsoAmount;
  readonly fees: readonly (IsoAmount & { readonly to: string })[];
  /** What is left of `sent` after the fees, in its currency. */
  readonly converted: string;
  readonly rate: string;
  readonly outcome: "committed" | "rejected" | "expired" | "cancelled";
  /** A code of ISO's, for an end that is not `committed`. */
  readonly reason?: string | undefined;
  /** Log time of its end. */
  readonly logTime: string;
};

/** What has no value here must be said all the same. */
const notProvided = "NOTPROVIDED";

/** 32 characters of an id: the fields have room for 35. */
export const shortId = (uuid: string): string => uuid.replaceAll("-", "");

/** A rate of the messages has 11 digits: a longer one is left out, since the amounts are exact. */
const shownRate = (rate: string): { readonly rate?: string } =>
  /^(?:0|[1-9]\d*)(?:\.\d{1,10})?$/.test(rate) && rate.replace(".", "").length <= 11
    ? { rate }
    : {};

/** What was ordered: fees are the payer's, and are not in what is converted. */
export const transferPacs008 = (facts: TransferFacts): Pacs008 => {
  const { transferId, payer, payee, sent, received, fees, converted, rate, logTime } = facts;
  return {
    messageId: shortId(transferId),
    createdAt: logTime,
    instructingAgent: payer,
    instructedAgent: payee,
    transfers: [
      {
        endToEndId: notProvided,
        transactionId: shortId(transferId),
        uetr: transferId,
        amount: received,
        settlementDate: logTime.slice(0, 10),
        acceptedAt: logTime,
        instructed: { currency: sent.currency, amount: converted },
        ...shownRate(rate),
        chargeBearer: "DEBT",
        charges: fees.map(({ to, currency, amount }) => ({
          amount: { currency, amount },
          agent: to,
        })),
        debtorAgent: payer,
        creditorAgent: payee,
      },
    ],
  };
};

/** A committed transfer is final and settles with its window: settlement in process. */
const statuses = {
  committed: "ACSP",
  rejected: "RJCT",
  expired: "RJCT",
  cancelled: "CANC",
} as const satisfies Record<TransferFacts["outcome"], string>;

/** What became of it. */
export const transferPacs002 = (facts: TransferFacts): Pacs002 => {
  const { transferId, payer, payee, outcome, reason, logTime } = facts;
  const status = statuses[outcome];
  return {
    messageId: `${shortId(transferId)}-S`,
    createdAt: logTime,
    instructingAgent: payee,
    instructedAgent: payer,
    transactions: [
      {
        originalMessageId: shortId(transferId),
        originalMessageName: messageName("pacs.008"),
        originalEndToEndId: notProvided,
        originalTransactionId: shortId(transferId),
        uetr: transferId,
        status,
        ...(outcome === "committed" || reason === undefined ? {} : { reason }),
        ...(outcome === "committed" ? { acceptedAt: logTime } : {}),
      },
    ],
  };
};
