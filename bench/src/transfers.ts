// The transfers that a benchmark sends: through the public API only, like any core. 70 % come from one
// payer's account; amounts are small, so that the demo's liquidity lasts.
import { randomUUID } from "node:crypto";
import { Agent, request, type IncomingMessage } from "node:http";
import { pause } from "@sealane/runtime";

const account = (prefix: string, n: number): string => `${prefix}${String(n).padStart(7, "0")}`;

/** Body number `n` of a run. */
export const transferBody = (n: number): object => ({
  payer: { account: account("+8529", n % 10 < 7 ? 1 : 2 + (n % 900)) },
  payee: { participant: "ph-wallet.example", account: account("+63917", 1 + (n % 990)) },
  amount: { currency: "HKD", amount: `${10 + (n % 90)}.${String(n % 100).padStart(2, "0")}` },
});

export const newKey = (): string => randomUUID();

export type Target = { readonly url: string; readonly token: string };

export type Sent = {
  readonly transferId: string;
  /** Wall clock when it should have been sent: waiting in our own queue counts. */
  readonly dueMs: number;
  readonly status: number;
  /** How often it was told "not now" before that. */
  readonly shed: number;
};

/** So long "not now" is taken for an answer; a core would go on for longer. */
const patienceMs = 30_000;

/**
 * One POST /v1/transfers, sent again under its key when it is told "not now", after the time that the
 * answer names. The time that this takes counts: `dueMs` stays.
 * @throws when there was no answer at all
 */
export const sendSingle = async (target: Target, n: number, dueMs: number): Promise<Sent> => {
  const key = newKey();
  for (let shed = 0; ; shed += 1) {
    const response = await fetch(`${target.url}/v1/transfers`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${target.token}`,
        "Content-Type": "application/json",
        "Idempotency-Key": key,
      },
      body: JSON.stringify(transferBody(n)),
      signal: AbortSignal.timeout(40_000),
    });
    const body = (await response.json()) as Record<string, unknown>;
    const { status } = response;
    if (status !== 503 || Date.now() - dueMs > patienceMs) {
      return { transferId: String(body["transferId"]), dueMs, status, shed };
    }
    await pause(Number(response.headers.get("retry-after") ?? 1) * 1_000);
  }
};

export type Order = { readonly key: string; readonly n: number };

/** `count` transfers that have not been sent before, from body number `from` on. */
export const ordersFrom = (from: number, count: number): Order[] =>
  Array.from({ length: count }, (_, at) => ({ key: newKey(), n: from + at }));

/** The adapter said "not now": nothing was sent, and the same order may come again. */
export const isShed = ({ httpStatus, code }: Readonly<Record<string, unknown>>): boolean =>
  httpStatus === 503 && (code === "overloaded" || code === "payee-busy");

/** As many connections as there are requests at once, and each is used again. */
const agent = new Agent({ keepAlive: true, maxSockets: 512 });

/** Node's own client: its `fetch` goes through three streams, and took a tenth of the machine. */
const post = (url: URL, headers: Record<string, string>, body: string): Promise<IncomingMessage> =>
  new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(60_000);
    const sent = request(url, { method: "POST", headers, agent, signal }, resolve);
    sent.once("error", reject);
    sent.end(body);
  });

/** One POST /v1/transfers that waits for the end, over a connection that is used again. */
export const sendWaiting = async (
  target: Target,
  { key, n }: Order,
): Promise<Record<string, unknown>> => {
  const headers = {
    Authorization: `Bearer ${target.token}`,
    "Content-Type": "application/json",
    "Idempotency-Key": key,
    Prefer: "wait=30",
  };
  const url = new URL("/v1/transfers", target.url);
  const response = await post(url, headers, JSON.stringify(transferBody(n)));
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
  return { httpStatus: response.statusCode, ...(JSON.parse(text) as Record<string, unknown>) };
};

/** One bulk request; answers come as they are final, each with its order. */
export const sendBulk = async (
  target: Target,
  orders: readonly Order[],
  onAnswer: (answer: Record<string, unknown>, order: Order) => void,
): Promise<void> => {
  const lines = orders.map(({ key, n }) =>
    JSON.stringify({ idempotencyKey: key, transfer: transferBody(n) }),
  );
  const headers = {
    Authorization: `Bearer ${target.token}`,
    "Content-Type": "application/x-ndjson",
    Prefer: "wait=30",
  };
  const url = new URL("/v1/transfers/bulk", target.url);
  const response = await post(url, headers, `${lines.join("\n")}\n`);
  if (response.statusCode !== 200) {
    response.resume();
    throw new Error(`bulk answered ${response.statusCode}`);
  }
  const take = (text: string): void => {
    const answer = JSON.parse(text) as Record<string, unknown>;
    const order = orders[Number(answer["line"]) - 1];
    if (order === undefined) throw new Error(`an answer to no line: ${text.slice(0, 200)}`);
    onAnswer(answer, order);
  };
  let rest = "";
  for await (const chunk of response.setEncoding("utf8")) {
    const parts = (rest + String(chunk)).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) if (part !== "") take(part);
  }
};
