// The ledger's refusal codes as HTTP problems: one map, beside the codes (`protocol/reasons.ts`).
import { problem, type Problem } from "@sealane/http";
import { MessagingError } from "@sealane/messaging";
import { actionOf, httpStatusOf, isoReasonOf, type RefusalCode } from "@sealane/protocol";
import { NotNowError } from "./admission.ts";
import type { TransferView } from "./views.ts";

const titles: Partial<Record<RefusalCode, string>> = {
  "request-mismatch": "This Idempotency-Key was used for another request",
  "payee-unknown": "The payee is not known",
  "insufficient-funds": "There is too little cover",
};

export const refusalProblem = (refusal: {
  readonly code: RefusalCode;
  readonly detail: string;
  readonly pointer: string;
}): Problem =>
  problem({
    status: httpStatusOf(refusal.code),
    code: refusal.code,
    title: titles[refusal.code] ?? "The request is refused",
    detail: refusal.detail,
    ...(refusal.pointer === "" ? {} : { pointer: refusal.pointer }),
    action: actionOf(refusal.code),
    extra: { reason: isoReasonOf(refusal.code) },
  });

/** The ledger has decided nothing and bound nothing: the same request is repeated. */
export const turnedAwayProblem = ({ turnedAway }: TransferView): Problem =>
  problem({
    status: 503,
    code: turnedAway?.code ?? "not-accepted",
    title: "The ledger takes nothing new now",
    detail: turnedAway?.detail ?? "",
    action: "Repeat it with the same Idempotency-Key in a moment: it is executed once.",
    headers: { "Retry-After": "1" },
  });

/** Nothing was sent: there is more to do than goes through, here or at the payee's. */
const notNowProblem = (error: NotNowError): Problem =>
  problem({
    status: 503,
    code: error.code,
    title: "Not now: there is more to do than goes through",
    detail: error.message,
    action: "Repeat it with the same Idempotency-Key after Retry-After seconds; nothing was sent.",
    headers: { "Retry-After": String(error.afterSeconds) },
  });

/** The intent is not on the topic, or nobody knows: the client repeats it under the same key. */
export const sendingProblem = (error: unknown): Problem | undefined => {
  if (error instanceof NotNowError) return notNowProblem(error);
  if (!(error instanceof MessagingError)) return undefined;
  const unknown = error.code === "unknown-outcome";
  return problem({
    status: 503,
    code: unknown ? "outcome-unknown" : "not-accepted",
    title: unknown
      ? "It is not known whether the request was accepted"
      : "The request was not accepted",
    action: "Repeat it with the same Idempotency-Key: it is executed once.",
    headers: { "Retry-After": "1" },
  });
};

export const transferUnknown = (): Problem =>
  problem({
    status: 404,
    code: "transfer-unknown",
    title: "This adapter does not know the transfer",
    detail: "This is not an answer about its outcome: a request may still be on its way.",
    action: "Ask again, cancel it, or read the ledger’s signed answer after 300 s.",
    extra: { final: false },
  });

/** A cancellation is the payer's own statement: the ledger would count no other. */
export const notThePayer = (): Problem =>
  problem({
    status: 403,
    code: "not-the-payer",
    title: "Only the payer's provider can cancel a transfer",
    detail: "this provider is the payee of it",
    action: "Refuse it when your core is asked whether it can credit.",
  });

/** The sender's right has ended; what is left is to ask. */
export const paidOut = ({ id, status }: { id: string; status: string }): Problem =>
  problem({
    status: httpStatusOf("not-cancellable"),
    code: "not-cancellable",
    title: "It has been paid out",
    detail: `it is ${status}`,
    action: "Ask for it back: POST /v1/transfers/{id}/recalls.",
    extra: { reason: isoReasonOf("not-cancellable"), transferId: id, transferStatus: status },
  });

export const closedProblem = (reason: string): Problem =>
  problem({
    status: 503,
    code: "not-ready",
    title: "The adapter cannot accept transfers now",
    detail: reason,
    action: "Repeat it with the same Idempotency-Key in a moment.",
    headers: { "Retry-After": "1" },
  });

/** A hosted adapter holds no key of its provider's. */
export const signatureRequired = (): Problem =>
  problem({
    status: 409,
    code: "signature-required",
    title: "This adapter cannot sign for the provider",
    detail: "it is hosted, and the provider signs by itself",
    action: "POST /v1/transfers/prepare, check the text, sign it, send it (client: hostedClient).",
  });

/** Harmless: whoever asked for the text asks again, under the same key. */
export const statementUnknown = (detail: string): Problem =>
  problem({
    status: 409,
    code: "statement-unknown",
    title: "This text is not waiting for a signature here",
    detail,
    action: "Prepare it again with the same Idempotency-Key, check it and sign it.",
  });

export const noOpenRecall = (): Problem =>
  problem({
    status: 409,
    code: "recall-unknown",
    title: "No recall of this transfer is open",
    action: "Look at the transfer: `recall` says what was asked and how it was answered.",
  });
