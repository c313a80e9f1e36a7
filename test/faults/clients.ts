// Clients as cores are: each transfer under a key of its own, repeated under that key until its end is
// known. An open loop at a modest rate, and every request and answer in the journal. A few do what clients
// do wrong: the same request twice at once, another body under a key that was used.
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { transferIdOf } from "@sealane/protocol";
import type { HistoryEvent, HistoryLine } from "../src/oracles/index.ts";
import type { FaultWorld } from "./world.ts";

export type LoadOptions = {
  /** Transfers a second. */
  readonly rate?: number;
  /** How long one client goes on asking for an end. */
  readonly patienceMs?: number;
  readonly body?: (n: number) => object;
  /** No more than so many. */
  readonly most?: number;
};

export type Load = {
  readonly lines: readonly HistoryLine[];
  readonly sent: () => number;
  readonly ended: () => number;
  /** No new transfers; resolves when each has its end, or its client has lost patience. */
  finish(): Promise<void>;
};

export const payer = "hk-wallet.example";
const account = (prefix: string, n: number): string => `${prefix}${String(n).padStart(7, "0")}`;

/** 70 % from one account; amounts are small, so that the demo's liquidity lasts. */
export const bodyOf = (n: number): object => ({
  payer: { account: account("+8529", n % 10 < 7 ? 1 : 2 + (n % 900)) },
  payee: { participant: "ph-wallet.example", account: account("+63917", 1 + (n % 900)) },
  amount: { currency: "HKD", amount: `${20 + (n % 50)}.${String(n % 100).padStart(2, "0")}` },
  expiresInSeconds: 60 + (n % 60),
});

const finals = new Set(["sealed", "credited", "rejected", "expired", "cancelled"]);
/** Answers after which a client asks again: no decision was made, or none is known. */
const again = (status: number): boolean => status >= 500 || status === 429 || status === 409;

type Answer = { readonly final: boolean; readonly afterMs?: number };

/** One answer as the journal has it, and whether its client has to ask again. */
export const judgeAnswer = (
  status: number,
  said: Readonly<Record<string, unknown>>,
): {
  readonly event: HistoryEvent;
  readonly rest: Partial<HistoryLine>;
  readonly final: boolean;
} => {
  const transfer = typeof said["status"] === "string" ? said["status"] : undefined;
  const code = typeof said["code"] === "string" ? { code: said["code"] } : {};
  if (status < 300 && transfer !== undefined) {
    const position = typeof said["position"] === "number" ? { position: said["position"] } : {};
    const final = finals.has(transfer);
    const rest = { status, transfer, ...position, ...code };
    return { event: final ? "ok" : "unknown", rest, final };
  }
  const event = again(status) && status >= 500 ? "unknown" : "failed";
  return { event, rest: { status, ...code }, final: !again(status) };
};

/** How long a client was asked to wait, and a little more, so that not all come back at once. */
const waitOf = (response: Response): number => {
  const asked = Number(response.headers.get("retry-after") ?? 0) * 1_000;
  return asked * (1 + Math.random() / 2);
};

export const startLoad = (world: FaultWorld, file: string, options: LoadOptions = {}): Load => {
  const { rate = 25, patienceMs = 75_000, body = bodyOf, most = Infinity } = options;
  const lines: HistoryLine[] = [];
  const attempts = new Map<string, number>();
  let going = true;
  let sent = 0;
  let ended = 0;

  const write = (line: HistoryLine): void => {
    lines.push(line);
    appendFileSync(file, `${JSON.stringify(line)}\n`);
  };

  /** One request, from the moment it is made to whatever becomes of it. */
  const request = async (key: string, content: object, other = false): Promise<Answer> => {
    const id = transferIdOf(payer, key);
    const attempt = (attempts.get(key) ?? 0) + 1;
    attempts.set(key, attempt);
    const base = { id, key, attempt, ...(other ? { other: true as const } : {}) };
    write({ atMs: Date.now(), event: "invoked", ...base });
    const answered = (event: HistoryEvent, rest: Partial<HistoryLine>): void =>
      write({ atMs: Date.now(), event, ...base, ...rest });
    try {
      const response = await world.call("hk-wallet", "/v1/transfers", {
        method: "POST",
        body: JSON.stringify(content),
        headers: {
          "Content-Type": "application/json",
          "Idempotency-Key": key,
          Prefer: "wait=5",
        },
      });
      const said = (await response.json()) as Record<string, unknown>;
      const { event, rest, final } = judgeAnswer(response.status, said);
      answered(event, rest);
      return { final, afterMs: waitOf(response) };
    } catch (error) {
      answered("unknown", { detail: error instanceof Error ? error.message : String(error) });
      return { final: false };
    }
  };

  const untilEnded = async (key: string, content: object): Promise<void> => {
    const until = Date.now() + patienceMs;
    while (Date.now() < until) {
      const { final, afterMs = 0 } = await request(key, content);
      if (final) return;
      await delay(Math.max(250, afterMs));
    }
  };

  const one = async (n: number): Promise<void> => {
    const key = randomUUID();
    const content = body(n);
    const twins = n % 20 === 5 ? 2 : 1;
    await Promise.all(Array.from({ length: twins }, () => untilEnded(key, content)));
    ended += 1;
    if (n % 30 === 7) await request(key, { ...content, reference: "another body" }, true);
  };

  const running = new Set<Promise<void>>();
  const pump = async (): Promise<void> => {
    const startedMs = Date.now();
    while (going) {
      const due = ((Date.now() - startedMs) / 1_000) * rate;
      while (sent < Math.min(due, most) && running.size < 400) {
        const work = one(sent);
        running.add(work);
        void work.finally(() => running.delete(work));
        sent += 1;
      }
      await delay(20);
    }
  };
  const pumped = pump();
  return {
    lines,
    sent: () => sent,
    ended: () => ended,
    finish: async () => {
      going = false;
      await pumped;
      await Promise.all(running);
    },
  };
};
