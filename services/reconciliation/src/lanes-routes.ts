// What no single lane's books say: how far each lane is, and what an account comes to over all of them. The
// lanes are read one after the other: each sum names the position in every lane that it is of.
import { route, type HttpApp } from "@sealane/http";
import { corridorNameSchema } from "@sealane/protocol";
import { amountOf, inKey, minorOf } from "@sealane/rules";
import { z } from "zod";
import type { BalanceRow } from "./book-reader.ts";
import type { LaneBooks } from "./open-lane.ts";
import { balancesFor } from "./routes.ts";

type Summed = { account: string; currency: string; debits: bigint; credits: bigint };

/** Balances of the same account and currency, added up; sorted by both. */
export const addUp = (lanes: readonly (readonly BalanceRow[])[]): Summed[] => {
  const sums = new Map<string, Summed>();
  for (const { account, currency, debits, credits } of lanes.flat()) {
    const key = `${account} ${currency}`;
    const before = sums.get(key) ?? { account, currency, debits: 0n, credits: 0n };
    const sum = { debits: before.debits + debits, credits: before.credits + credits };
    sums.set(key, { account, currency, ...sum });
  }
  return [...sums.keys()].sort().flatMap((key) => sums.get(key) ?? []);
};

type CutWindow = NonNullable<Awaited<ReturnType<LaneBooks["window"]>>>;

/** Nets of a window, added up over the lanes that have cut it: per participant and currency. */
export const netsOver = (windows: readonly Pick<CutWindow, "nets">[]) => {
  const sums = new Map<string, bigint>();
  for (const { participant, totals } of windows.flatMap(({ nets }) => nets)) {
    for (const { currency, debits, credits, fees } of totals) {
      const key = `${participant} ${currency}`;
      const net = minorOf(credits, currency) + minorOf(fees, currency) - minorOf(debits, currency);
      sums.set(key, (sums.get(key) ?? 0n) + net);
    }
  }
  return [...sums.keys()].toSorted().map((key) => {
    const [participant = "", currency = ""] = key.split(" ");
    return { participant, currency, net: amountOf(sums.get(key) ?? 0n, currency) };
  });
};

const mountWindows = (app: HttpApp, lanes: readonly LaneBooks[]): void => {
  route(app, {
    method: "get",
    path: "/v1/lanes/windows/:corridor/:number",
    summary: "A window over all lanes: its interval in each, and closed when every lane has cut",
    tags: ["settlement"],
    auth: "operator",
    params: z.object({ corridor: corridorNameSchema, number: z.coerce.number().int().min(0) }),
    responses: { 200: "Its interval, status and nets in each lane, and the nets over all" },
    handler: async ({ params }) => {
      const cuts = await Promise.all(lanes.map((lane) => lane.window(params)));
      const cut = cuts.filter((window) => window !== undefined);
      const closed = cut.length === lanes.length;
      const inLanes = lanes.map(({ lane, origin }, at) => {
        const window = cuts[at];
        if (window === undefined) return { lane, origin, status: "open" };
        const { from, to, cutSeq, status } = window;
        return { lane, origin, status, from, to, cutSeq };
      });
      return { status: 200, body: { ...params, closed, lanes: inLanes, nets: netsOver(cut) } };
    },
  });
};

const position = z.int().min(0);
const amount = z.string().regex(/^-?\d+(\.\d+)?$/);
const placeSchema = z.object({ lane: z.int(), asOf: position, sealedSize: position });

/** Cover that left a lane, and whether it has come into the other: outs first, in order of their lanes. */
export const movesOver = (lanes: readonly Pick<LaneBooks, "origin" | "bookkeeper">[]) => {
  const movesOf = (origin: string) =>
    lanes.find((one) => one.origin === origin)?.bookkeeper.state()?.settlement.moves;
  return lanes.flatMap(({ origin: from }) =>
    [...(movesOf(from) ?? [])].flatMap(([key, { body, lane: to, seq: outSeq }]) => {
      if (!key.startsWith("out ")) return [];
      const { until: _until, unbacked: _unbacked, ...said } = body;
      const move = { ...said, from, to, outSeq };
      const taken = movesOf(to)?.get(inKey(from, body));
      return taken === undefined
        ? { ...move, status: "in-transit" as const }
        : { ...move, status: "moved" as const, inSeq: taken.seq };
    }),
  );
};

const mountMoves = (app: HttpApp, lanes: readonly LaneBooks[]): void => {
  route(app, {
    method: "get",
    path: "/v1/lanes/moves",
    summary: "Cover that moved between lanes: where it left, and where it came in, if it has",
    tags: ["settlement"],
    auth: "operator",
    responses: { 200: "Moves with their entries' places; `in-transit` until taken in" },
    handler: () => ({ status: 200, body: { moves: movesOver(lanes) } }),
  });
};

export const mountLanes = (
  app: HttpApp,
  lanes: readonly LaneBooks[],
  openBalances: boolean,
): void => {
  mountWindows(app, lanes);
  mountMoves(app, lanes);
  route(app, {
    method: "get",
    path: "/v1/lanes",
    summary: "The lanes whose books are kept here; another than the first is below /lanes/{lane}",
    tags: ["books"],
    responses: {
      200: z.object({
        lanes: z.array(
          z.object({
            lane: z.int(),
            origin: z.string(),
            path: z.string().describe("before the paths of this lane's routes"),
            applied: position,
            sealedSize: position,
            fault: z.object({ position, code: z.string(), detail: z.string() }).optional(),
          }),
        ),
      }),
    },
    handler: () => ({
      status: 200,
      body: {
        lanes: lanes.map(({ lane, origin, bookkeeper }, at) => {
          const { applied = 0, sealedSize = 0 } = bookkeeper.standing() ?? {};
          const fault = bookkeeper.fault();
          const path = at === 0 ? "" : `/lanes/${lane}`;
          const standing = { lane, origin, path, applied, sealedSize };
          return fault === undefined ? standing : { ...standing, fault };
        }),
      },
    }),
  });
  route(app, {
    method: "get",
    path: "/v1/totals",
    summary: "Balances per account and currency over all lanes, and the position in each",
    tags: ["books"],
    ...balancesFor(openBalances),
    query: z.strictObject({
      participant: z
        .string()
        .regex(/^[a-z0-9.-]{1,200}$/, "write a name like hk-wallet.example")
        .optional(),
      currency: z
        .string()
        .regex(/^[A-Z]{3}$/, "write a currency such as HKD")
        .optional(),
    }),
    responses: {
      200: z.object({
        lanes: z.array(placeSchema),
        balances: z.array(
          z.object({
            account: z.string(),
            currency: z.string(),
            debits: amount,
            credits: amount,
            balance: amount.describe("credits less debits"),
          }),
        ),
      }),
    },
    handler: async ({ query: { participant, currency } }) => {
      const read = await Promise.all(
        lanes.map(({ reader }) => reader.balances({ participant, currency }, undefined)),
      );
      const balances = addUp(read.map(({ rows }) => rows)).map((sum) => ({
        account: sum.account,
        currency: sum.currency,
        debits: amountOf(sum.debits, sum.currency),
        credits: amountOf(sum.credits, sum.currency),
        balance: amountOf(sum.credits - sum.debits, sum.currency),
      }));
      const places = read.map(({ applied, sealedSize }, at) => ({
        lane: lanes[at]?.lane ?? 0,
        asOf: applied,
        sealedSize,
      }));
      return { status: 200, body: { lanes: places, balances } };
    },
  });
};
