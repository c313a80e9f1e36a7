// Who is let in when more comes than goes through. What would wait longer than it is worth waiting is
// told "not now" before anything is signed: that binds nothing, and what was let in keeps its speed. A
// queue's wait is what stands in it by how fast it moves (Little's law), so that it is known before
// anybody has waited. One queue before the ledger's first answer, and one per payee until the end: a
// payee whose core is slow shuts its own door only.
import { OperationalError, pause } from "@sealane/runtime";
import { finalStatuses, type TransferStatus, type TransferView } from "./views.ts";

export type NotNowCode = "overloaded" | "payee-busy";

/** Not let in; nothing was signed or sent. Repeated with the same key it is a first try. */
export class NotNowError extends OperationalError {
  /** When it may be worth another try, in whole seconds. */
  readonly afterSeconds: number;

  constructor(code: NotNowCode, message: string, afterSeconds: number) {
    super(code, message, { retryable: true });
    this.name = "NotNowError";
    this.afterSeconds = afterSeconds;
  }
}

export type QueueLimits = {
  /** Nobody is let in who would wait longer. */
  readonly mostMs: number;
  /** So many may always stand in it, whatever is known of its speed. */
  readonly always: number;
  /** A second, at least: a queue that has just begun to move is not judged by nothing. */
  readonly slowest: number;
};

/** What has waited so long was lost on the way, or ends by itself: it says nothing about speed. */
const forgottenMs = 60_000;
const speedOverMs = 2_000;
const mostAfterSeconds = 10;
/** How often a request that may wait for room looks again. */
const lookEveryMs = 20;

export type WaitQueue = ReturnType<typeof makeWaitQueue>;

/** Those who wait, oldest first, and how fast they leave. */
export const makeWaitQueue = ({ mostMs, always, slowest }: QueueLimits, clock: () => number) => {
  const waiting = new Map<string, number>();
  /** How many left in this span of time, and in the one before it. */
  let span = { sinceMs: 0, left: 0 };
  let before = 0;
  let lastLeftMs = 0;

  const turn = (nowMs: number): void => {
    const age = nowMs - span.sinceMs;
    if (age < speedOverMs) return;
    before = age < 2 * speedOverMs ? span.left : 0;
    span = { sinceMs: nowMs, left: 0 };
  };

  const forget = (nowMs: number): void => {
    for (const [id, sinceMs] of waiting) {
      if (nowMs - sinceMs < forgottenMs) return;
      waiting.delete(id);
    }
  };

  const perSecond = (nowMs: number): number => {
    const part = Math.min(1, (nowMs - span.sinceMs) / speedOverMs);
    const left = span.left + before * (1 - part);
    return Math.max(slowest, (left * 1_000) / speedOverMs);
  };

  return {
    size: (): number => waiting.size,
    enter: (id: string): void => {
      waiting.set(id, clock());
    },
    leave: (id: string): void => {
      if (!waiting.delete(id)) return;
      const nowMs = clock();
      turn(nowMs);
      span.left += 1;
      lastLeftMs = nowMs;
    },
    /** It was never sent: nobody's speed. */
    drop: (id: string): void => {
      waiting.delete(id);
    },
    /** How long too long whoever comes now would wait; undefined when it may come in. */
    excessMs: (): number | undefined => {
      if (waiting.size < always) return undefined;
      const nowMs = clock();
      turn(nowMs);
      forget(nowMs);
      const oldestMs = waiting.values().next().value ?? nowMs;
      const standsMs = nowMs - Math.max(lastLeftMs, oldestMs);
      const waitMs = (waiting.size / perSecond(nowMs)) * 1_000;
      const excess = Math.max(standsMs, waitMs) - mostMs;
      return excess > 0 ? excess : undefined;
    },
  };
};

/** A seal within seconds is what is sold: who cannot have it is told at once. */
const ledgerLimits: QueueLimits = { mostMs: 1_000, always: 64, slowest: 300 };
/** Cores may take seconds for an answer, and terms last a minute. */
const payeeLimits: QueueLimits = { mostMs: 10_000, always: 256, slowest: 50 };

export type Admission = ReturnType<typeof makeAdmission>;

export const makeAdmission = (clock: () => number) => {
  const ledger = makeWaitQueue(ledgerLimits, clock);
  const payees = new Map<string, WaitQueue>();
  let shed = 0;

  const queueOf = (payee: string): WaitQueue => {
    const known = payees.get(payee);
    if (known !== undefined) return known;
    const made = makeWaitQueue(payeeLimits, clock);
    payees.set(payee, made);
    return made;
  };

  const refuse = (code: NotNowCode, message: string, excessMs: number): never => {
    shed += 1;
    const seconds = Math.ceil(excessMs / 1_000);
    throw new NotNowError(code, message, Math.min(mostAfterSeconds, Math.max(1, seconds)));
  };

  return {
    /** @throws NotNowError when whoever comes now would wait too long */
    check: (payee: string): void => {
      const full = ledger.excessMs();
      if (full !== undefined) refuse("overloaded", "more comes than goes through now", full);
      const busy = payees.get(payee)?.excessMs();
      if (busy !== undefined) refuse("payee-busy", `${payee} answers too slowly now`, busy);
    },
    /**
     * Resolves when the ledger's queue lets somebody in, or when `leftMs` are used up.
     * @returns what is left of them
     */
    room: async (leftMs: number): Promise<number> => {
      let left = leftMs;
      while (left > 0 && ledger.excessMs() !== undefined) {
        const wait = Math.min(lookEveryMs, left);
        await pause(wait);
        left -= wait;
      }
      return left;
    },
    /** An intent goes out. */
    enter: (id: string, payee: string): void => {
      ledger.enter(id);
      queueOf(payee).enter(id);
    },
    /** It did not go out, or nobody knows: whoever sent it sends it again. */
    drop: (id: string, payee: string): void => {
      ledger.drop(id);
      payees.get(payee)?.drop(id);
    },
    /** A transfer of ours moved. */
    moved: (step: TransferStatus, { id, role, payee }: TransferView): void => {
      if (role !== "payer") return;
      ledger.leave(id);
      const over = step === "committed" || finalStatuses.has(step);
      if (over && payee !== undefined) payees.get(payee)?.leave(id);
    },
    /** How many were told "not now". */
    shed: (): number => shed,
    waiting: ledger.size,
  };
};
