// One transfer with its steps as they happen: what `sealane send` and `npm start` show. The events
// stream is opened before the request is sent, and times are those at which this process learned of a
// step, so that no other machine's clock is in them.
import { randomUUID } from "node:crypto";
import { actionOf, refusalCodes, transferIdOf, type RefusalCode } from "@sealane/protocol";
import { parseProof, fromUtf8, TlogError } from "@sealane/tlog";
import type { AdapterClient } from "./adapter-client.ts";
import { AdapterRefusal, AdapterUnavailable } from "./adapter-error.ts";
import type { StepTimes, Transfer, TransferRequest } from "./adapter-types.ts";

export const sendSteps = ["accepted", "reserved", "committed", "sealed"] as const;
export type SendStep = (typeof sendSteps)[number];

export type SendOneOptions = {
  readonly client: AdapterClient;
  /** The payer's participant id: with the key it makes the transfer's id. */
  readonly payer: string;
  readonly request: TransferRequest;
  /** A fresh one when left out. */
  readonly idempotencyKey?: string;
  /** Told of each step once, with the time since the request was sent. */
  readonly onStep?: (step: SendStep, ms: number) => void;
  /** How long to wait for the end, in all; default 120 s. */
  readonly deadlineMs?: number;
};

export type SendResult =
  | {
      readonly outcome: "sealed";
      readonly transferId: string;
      readonly transfer: Transfer;
      /** Milliseconds since the request was sent. */
      readonly steps: Readonly<Record<SendStep, number>>;
      /** The receipt's text, and the entry inside it. */
      readonly receipt: string;
      readonly entry: string;
    }
  | {
      readonly outcome: "rejected" | "expired" | "cancelled";
      readonly transferId: string;
      readonly code: string;
      readonly reason: string;
      readonly detail: string;
      readonly action: string;
    };

const waitSeconds = 30;

const actions = {
  rejected: "Ask the payee's provider, with the reason, or check the payee's account.",
  expired: "Look at the payee's provider, which did not answer in time; then send a new transfer.",
  cancelled: "Send a new transfer, if it is still wanted.",
} as const;

/** What a payee's provider means by the reasons it may give (ISO 20022 external codes). */
const reasonTexts: Readonly<Record<string, string>> = {
  AB05: "the payee's provider did not answer in time",
  AC03: "the payee has no such account",
  AC04: "the payee's account is closed",
  AC06: "the payee's account is blocked",
  AM02: "the amount is more than the payee may receive",
  AM03: "the payee's account does not take this currency",
  AM14: "the amount is more than the payee's limit",
  BE23: "the payee's alias is not known",
  CUST: "it was taken back at the payer's request",
  MS03: "the payee's provider gives no reason",
  RR04: "a regulation forbids it",
};

/** What an ISO 20022 reason of a rejection says, in words; empty when it is not one of ours. */
export const reasonText = (reason: string): string => reasonTexts[reason] ?? "";

const knownCode = (code: string): code is RefusalCode => Object.hasOwn(refusalCodes, code);

const at = (steps: StepTimes, step: SendStep): string | undefined => steps[`${step}At`];

/** Collects the first time at which each step was seen. */
const makeStopwatch = (onStep: SendOneOptions["onStep"]) => {
  const seen: Partial<Record<SendStep, number>> = {};
  const startedAt = performance.now();
  const startedWall = Date.now();
  const note = (step: SendStep, ms: number): void => {
    if (seen[step] !== undefined) return;
    const rounded = Math.max(0, Math.round(ms * 10) / 10);
    seen[step] = rounded;
    onStep?.(step, rounded);
  };
  return {
    /** A change was told: whatever is new in it happened just now. */
    look: ({ steps }: Transfer): void => {
      for (const step of sendSteps) {
        if (at(steps, step) !== undefined) note(step, performance.now() - startedAt);
      }
    },
    /** The end is known now; what else no event told is taken by the adapter's own clock. */
    finish: ({ steps }: Transfer): Record<SendStep, number> => {
      const endedMs = performance.now() - startedAt;
      for (const step of sendSteps) {
        const text = at(steps, step);
        if (text === undefined) continue;
        note(step, step === "sealed" ? endedMs : Date.parse(text) - startedWall);
      }
      return Object.fromEntries(sendSteps.map((step) => [step, seen[step] ?? 0])) as Record<
        SendStep,
        number
      >;
    },
  };
};

/** The receipt's entry; the receipt itself is checked by `sealane verify`. */
export const entryOfReceipt = (receipt: string): string => {
  try {
    return fromUtf8(parseProof(receipt).extra ?? new Uint8Array());
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    throw new AdapterUnavailable("answer-invalid", "the receipt cannot be read", error);
  }
};

const notDone = (transferId: string, transfer: Transfer): SendResult => {
  const { status, code = transfer.status, reason = "NARR" } = transfer;
  const detail = transfer.detail ?? reasonText(reason);
  const outcome = status === "expired" || status === "cancelled" ? status : "rejected";
  const action = knownCode(code) ? actionOf(code) : actions[outcome];
  return { outcome, transferId, code, reason, detail, action };
};

const refused = (transferId: string, { problem, message }: AdapterRefusal): SendResult => ({
  outcome: "rejected",
  transferId,
  code: problem.code,
  reason: problem.reason ?? "NARR",
  detail: problem.pointer === undefined ? message : `${message} (${problem.pointer})`,
  action: problem.action ?? actions.rejected,
});

/** The adapter's no to this request is an outcome; a token that is not known here is not. */
const refusalOf = (error: unknown): AdapterRefusal => {
  const told = error instanceof AdapterRefusal && ![401, 403].includes(error.problem.status);
  if (told) return error;
  throw error;
};

/**
 * Sends one transfer and waits for its end.
 * @throws AdapterUnavailable when the outcome is still unknown: the same key may be sent again;
 * AdapterRefusal for a call that is wrong in itself (401, 403)
 */
export const sendOne = async (options: SendOneOptions): Promise<SendResult> => {
  const { client, payer, request, idempotencyKey = randomUUID() } = options;
  const { deadlineMs = 120_000 } = options;
  const transferId = transferIdOf(payer, idempotencyKey);
  const listening = new AbortController();
  const events = await client.events({ signal: listening.signal });
  const stopwatch = makeStopwatch(options.onStep);
  const listen = async (): Promise<void> => {
    for await (const change of events) {
      if (change.transferId === transferId && change.role === "payer") stopwatch.look(change);
    }
  };
  // Steps are told as well as they can be; the answers below are what counts.
  const listened = listen().catch(() => undefined);
  const deadline = performance.now() + deadlineMs;
  try {
    const sent = await client.send(request, { idempotencyKey, waitSeconds }).catch(refusalOf);
    if (sent instanceof AdapterRefusal) return refused(transferId, sent);
    let transfer = sent;
    while (!transfer.final) {
      if (performance.now() > deadline) {
        throw new AdapterUnavailable(
          "adapter-timeout",
          `${transferId} is ${transfer.status} still`,
        );
      }
      transfer = await client.get(transferId, { waitSeconds });
    }
    if (transfer.status !== "sealed" && transfer.status !== "credited") {
      return notDone(transferId, transfer);
    }
    const steps = stopwatch.finish(transfer);
    const receipt = await client.receipt(transferId, { waitSeconds });
    const entry = entryOfReceipt(receipt);
    return { outcome: "sealed", transferId, transfer, steps, receipt, entry };
  } finally {
    listening.abort();
    await listened;
  }
};
