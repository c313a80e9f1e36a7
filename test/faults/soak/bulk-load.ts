// Most of a soak's load: waves of transfers by the bulk resource, each line a transfer under a key of its
// own, asked for again under that key until its end is known. The same journal as that of single requests.
import { randomUUID } from "node:crypto";
import { appendFileSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { transferIdOf } from "@sealane/protocol";
import type { HistoryLine } from "../../src/oracles/index.ts";
import { bodyOf, judgeAnswer, payer, type Load } from "../clients.ts";
import type { FaultWorld } from "../world.ts";

export type BulkLoadOptions = {
  /** Transfers a second. */
  readonly rate: number;
  /** How long a client goes on asking for an end. */
  readonly patienceMs: number;
};

const waveEveryMs = 250;
/** What is due in so many seconds may be without an end; no more is sent then, as by a core that waits its turn. */
const mostOpenSeconds = 20;
const againAfterMs = 1_000;

type Order = { readonly key: string; readonly id: string; readonly text: string };

const orderOf = (n: number): Order => {
  const key = randomUUID();
  const text = JSON.stringify({ idempotencyKey: key, transfer: bodyOf(n) });
  return { key, id: transferIdOf(payer, key), text };
};

/** Sends until it is finished, as many as are due by the clock, whatever becomes of those before. */
export const startBulkLoad = (
  world: FaultWorld,
  file: string,
  { rate, patienceMs }: BulkLoadOptions,
): Load => {
  const lines: HistoryLine[] = [];
  const mostOpen = Math.ceil(rate * mostOpenSeconds);
  let going = true;
  let sent = 0;
  let ended = 0;

  const write = (added: readonly HistoryLine[]): void => {
    lines.push(...added);
    appendFileSync(file, added.map((line) => `${JSON.stringify(line)}\n`).join(""));
  };

  /** One request for all that are open; takes out of `open` what has ended. */
  const request = async (open: Map<string, Order>, attempt: number): Promise<void> => {
    const orders = [...open.values()];
    const baseOf = ({ id, key }: Order) => ({ id, key, attempt });
    const atMs = Date.now();
    write(orders.map((order) => ({ atMs, event: "invoked", ...baseOf(order) })));
    const answered = new Map<string, HistoryLine>();
    let detail = "no answer to this line";
    try {
      const response = await world.call("hk-wallet", "/v1/transfers/bulk", {
        method: "POST",
        body: `${orders.map(({ text }) => text).join("\n")}\n`,
        headers: { "Content-Type": "application/x-ndjson", Prefer: "wait=10" },
      });
      for (const text of (await response.text()).split("\n")) {
        if (text === "") continue;
        const said = JSON.parse(text) as Record<string, unknown>;
        const order = orders[Number(said["line"] ?? 0) - 1];
        if (order === undefined) {
          detail = `answered ${response.status}: ${text.slice(0, 200)}`;
          continue;
        }
        const { event, rest, final } = judgeAnswer(Number(said["httpStatus"]), said);
        answered.set(order.key, { atMs: Date.now(), event, ...baseOf(order), ...rest });
        if (final && open.delete(order.key)) ended += 1;
      }
    } catch (error) {
      detail = error instanceof Error ? error.message : String(error);
    }
    const lost = (order: Order): HistoryLine => ({
      atMs: Date.now(),
      event: "unknown",
      ...baseOf(order),
      detail,
    });
    write(orders.map((order) => answered.get(order.key) ?? lost(order)));
  };

  const wave = async (count: number): Promise<void> => {
    const open = new Map<string, Order>();
    for (let at = 0; at < count; at += 1) {
      const order = orderOf(sent + at);
      open.set(order.key, order);
    }
    sent += count;
    const until = Date.now() + patienceMs;
    for (let attempt = 1; open.size > 0 && Date.now() < until; attempt += 1) {
      if (attempt > 1) await delay(againAfterMs * (1 + Math.random()));
      await request(open, attempt);
    }
  };

  const running = new Set<Promise<void>>();
  const pump = async (): Promise<void> => {
    let lastMs = Date.now();
    let due = 0;
    while (going) {
      await delay(waveEveryMs);
      const nowMs = Date.now();
      due = Math.min(due + ((nowMs - lastMs) / 1_000) * rate, rate);
      lastMs = nowMs;
      const count = Math.min(Math.floor(due), mostOpen - (sent - ended));
      if (count <= 0) continue;
      due -= count;
      const work = wave(count);
      running.add(work);
      void work.finally(() => running.delete(work));
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
