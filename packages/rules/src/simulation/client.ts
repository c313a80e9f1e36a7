// A core's client: it sends transfers under keys of its own until they are acknowledged, sometimes with
// another body under the same key, sometimes cancels. Its journal is what the log is held against.
import { formatTime, parseTime, type RateSheet, type Terms } from "@sealane/protocol";
import { sha256, toBase64 } from "@sealane/tlog";
import type { FeeSchedule } from "@sealane/protocol";
import { priceTransfer } from "../pricing.ts";
import { feeSchedule, operator, origin } from "../testing/genesis.ts";
import type { Topic } from "./bus.ts";
import { frameOf, type LaneFrame } from "./frames.ts";
import type { Market } from "./market.ts";
import type { Sim } from "./sim.ts";
import { sayAs } from "./stub-keys.ts";
import type { Wallet } from "./wallet.ts";

export type Promised = {
  readonly id: string;
  /** Requests that were sent under this id. */
  readonly requests: Set<string>;
  readonly payer: string;
  acknowledged: boolean;
  /** When its newest terms expire. */
  endsMs: number;
  nextCancelMs: number;
};

export type Client = {
  readonly step: () => void;
  readonly journal: ReadonlyMap<string, Promised>;
  readonly rests: () => boolean;
};

const mostTransfers = 14;
/** How long after its expiry a transfer without an end is an unknown outcome. */
const patienceMs = 3_000;
const hashOf = (label: string): string => toBase64(sha256(label));

export const scheduleBack: FeeSchedule = {
  schedule: "php-hkd",
  from: "PHP",
  to: "HKD",
  payee: operator,
  basisPoints: "37.5",
  minimum: "5.00",
  rounding: "up",
};

type Request = {
  readonly key: string;
  readonly amount: string;
  readonly fixed: "send" | "receive";
  readonly body: string;
  quote?: string;
};

export type ClientDeps = {
  readonly sim: Sim;
  readonly wallet: Wallet;
  readonly payee: string;
  readonly pair: { readonly from: string; readonly to: string };
  readonly lane: Topic<LaneFrame>;
  readonly market: Market;
  /** Whether a sheet of this number is in the log. */
  readonly isLogged: (number: number) => boolean;
};

export const makeClient = (deps: ClientDeps): Client => {
  const { sim, wallet, payee, pair, lane, market } = deps;
  const dice = sim.dice(`client ${wallet.participant}`);
  const journal = new Map<string, Promised>();
  const schedule = pair.from === "HKD" ? feeSchedule : scheduleBack;
  const most = 2 + dice.int(mostTransfers);
  let made = 0;
  let owed: Request[] = [];

  /** Mostly it quotes from what has been logged. */
  const isLogged = ({ sheet }: { readonly sheet: RateSheet }): boolean =>
    deps.isLogged(sheet.number) || dice.chance(0.02);

  const termsOf = ({ key, amount, fixed, body, quote }: Request): Terms | undefined => {
    const known = market.sheets(pair).filter(isLogged);
    if (known.length === 0) return undefined;
    const cited = dice.chance(0.85) ? known.at(-1) : dice.pick(known);
    if (cited === undefined) return undefined;
    const priced = priceTransfer(fixed, amount, cited.sheet, schedule);
    if (!priced.ok) return undefined;
    const { fee, ...price } = priced.price;
    const id = wallet.idOf(key);
    const { provider, number } = cited.sheet;
    const bound = sim.keys().keys.participants.get(wallet.participant)?.boundTo;
    return {
      id,
      request: hashOf(`${wallet.participant} ${body}`),
      quote: quote ?? id,
      policy: bound ?? "transfer/1",
      payer: { participant: wallet.participant, account: hashOf(`from ${key}`) },
      payee: { participant: payee, account: hashOf(`to ${key}`) },
      ...price,
      fees: [{ schedule: schedule.schedule, to: operator, currency: pair.from, amount: fee }],
      sheet: { provider, number, hash: cited.hash },
      expiresAt: formatTime(sim.now + dice.pick([200, 3_000, 6_000, 12_000])),
    };
  };

  const send = (request: Request): void => {
    const terms = termsOf(request);
    if (terms === undefined) {
      owed = owed.filter((one) => one !== request);
      return;
    }
    const { id } = terms;
    const known = journal.get(id);
    const promised = known ?? {
      id,
      requests: new Set<string>(),
      payer: wallet.participant,
      acknowledged: false,
      endsMs: 0,
      nextCancelMs: 0,
    };
    promised.requests.add(terms.request);
    promised.endsMs = Math.max(promised.endsMs, parseTime(terms.expiresAt));
    journal.set(id, promised);
    if (known === undefined) wallet.begin(terms);
    const said = sayAs(origin, "transfer", terms, [wallet.signer()]);
    if (!lane.produce(frameOf("intent", said))) return; // sent again, priced anew
    promised.acknowledged = true;
    owed = owed.filter((one) => one !== request);
    sim.count("acknowledged");
  };

  const begin = (): void => {
    made += 1;
    const cents = dice.int(dice.pick([900, 40_000, 200_000])) + 200;
    const minor = pair.from === "HKD" ? cents : cents * 7;
    const amount = `${Math.floor(minor / 100)}.${String(minor % 100).padStart(2, "0")}`;
    const key = `key ${made}`;
    const fixed = dice.pick(["send", "receive"] as const);
    const quote = dice.chance(0.1) ? { quote: wallet.idOf(`quote ${dice.int(2)}`) } : {};
    owed.push({ key, amount, fixed, body: `body ${made}`, ...quote });
    // Another body under the same key: refused, and without effect.
    if (dice.chance(0.08)) owed.push({ key, amount: "2.00", fixed: "send", body: "other" });
  };

  /** What was acknowledged long ago and is not known to have ended: a cancellation ends it. */
  const unknown = (patience: number): Promised[] =>
    [...journal.values()].filter(
      ({ id, acknowledged, endsMs }) =>
        acknowledged && sim.now > endsMs + patience && !wallet.isFinal(id),
    );

  const cancel = (open: readonly Promised[]): void => {
    if (open.length === 0) return;
    const promised = dice.pick(open);
    if (sim.now < promised.nextCancelMs) return;
    promised.nextCancelMs = sim.now + patienceMs;
    const body = { id: promised.id, participant: wallet.participant, reason: "CUST" };
    lane.produce(frameOf("cancellation", sayAs(origin, "cancellation", body, [wallet.signer()])));
  };

  return {
    step: () => {
      const [first] = owed;
      if (first !== undefined) return send(dice.chance(0.7) ? first : dice.pick(owed));
      if (sim.calm) return cancel(unknown(patienceMs));
      if (made >= most || market.sheets(pair).length === 0) return undefined;
      if (dice.chance(0.06)) {
        return cancel([...journal.values()].filter(({ id }) => !wallet.isFinal(id)));
      }
      return begin();
    },
    journal,
    rests: () => owed.length === 0 && unknown(-Infinity).length === 0,
  };
};
