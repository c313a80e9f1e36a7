// Everybody but the wallets who speaks to the lane: the liquidity provider with its sheets, operators with
// advances, the scheduler with cuts, the bank with statements. All of them repeat themselves.
import {
  formatTime,
  noteHash,
  transferIdOf,
  type BankLine,
  type RateSheet,
  type WindowNet,
} from "@sealane/protocol";
import { sha256, toBase64 } from "@sealane/tlog";
import {
  accountOf,
  bank,
  corridor,
  fx,
  hk,
  operator,
  origin,
  ph,
  testKeys,
} from "../testing/genesis.ts";
import type { Topic } from "./bus.ts";
import { frameOf, type LaneFrame, type StatementKind } from "./frames.ts";
import type { Sim } from "./sim.ts";
import type { Store } from "./store.ts";
import { sayAs, type Said } from "./stub-keys.ts";

type Pair = { readonly from: string; readonly to: string };

export type Market = {
  readonly step: () => void;
  /** Sheets that the desk has signed, newest last. */
  readonly sheets: (pair: Pair) => readonly { readonly sheet: RateSheet; readonly hash: string }[];
  /** Statements that were not acknowledged yet. */
  readonly rests: () => boolean;
};

const pairs: readonly Pair[] = [
  { from: "HKD", to: "PHP" },
  { from: "PHP", to: "HKD" },
];

/** Cover at the start: some runs are rich, some have too little. */
const covers = [
  { HKD: "400.00", PHP: "3000.00" },
  { HKD: "4000.00", PHP: "30000.00" },
  { HKD: "1000000.00", PHP: "9000000.00" },
] as const;

export const makeMarket = (sim: Sim, lane: Topic<LaneFrame>, store: Store): Market => {
  const dice = sim.dice("market");
  const sheets = new Map<string, { sheet: RateSheet; hash: string }[]>();
  let owed: LaneFrame[] = [];
  let number = 0;
  let statements = 0;

  const say = (kind: StatementKind, said: Said): void => {
    owed.push(frameOf(kind, said));
  };

  const publishSheet = (pair: Pair): void => {
    number += 1;
    const rate = pair.from === "HKD" ? `7.${dice.int(900) + 10}` : `0.13${dice.int(900) + 10}`;
    const sheet: RateSheet = {
      provider: fx,
      number,
      pair,
      rate,
      reference: { rate, date: "2026-10-30", source: "European Central Bank", feed: "replay" },
      spreadBasisPoints: "68.5",
      from: formatTime(sim.now - 2_000),
      quoteUntil: formatTime(sim.now + 20_000),
      honourUntil: formatTime(sim.now + 20_000 + dice.int(10_000)),
      maxTransfer: dice.pick(["1000000.00", "300.00"]),
      totalPerLane: dice.pick(["1000000.00", "1000000.00", "1500.00"]),
    };
    const said = sayAs(origin, "rate-sheet", sheet, [testKeys.fx]);
    const key = `${pair.from}/${pair.to}`;
    sheets.set(key, [...(sheets.get(key) ?? []), { sheet, hash: noteHash(said.note) }]);
    say("rate-sheet", said);
  };

  const withdraw = (pair: Pair): void => {
    const newest = sheets.get(`${pair.from}/${pair.to}`)?.at(-1);
    if (newest === undefined) return;
    const body = { provider: fx, pair, number: newest.sheet.number, reason: "stale-feed" };
    say("rate-withdrawal", sayAs(origin, "rate-withdrawal", body, [testKeys.fx]));
  };

  const advance = (participant: string, currency: string, amount: string, key: string): void => {
    const id = transferIdOf(operator, key);
    const body = { id, participant, currency, amount, note: "simulated" };
    say("advance", sayAs(origin, "advance", body, [testKeys.alice, testKeys.bob]));
  };

  /** The nets of cut windows, as the log has them. */
  const netsOf = (wanted: number): WindowNet[] =>
    store.entries.flatMap(({ note }) => {
      const { settlement } = sim.verified(note);
      const own = settlement?.kind === "window-net" && settlement.body.number === wanted;
      return own ? settlement.body : [];
    });

  const cut = (): void => {
    const open = store.settlement.get(`open ${corridor.corridor}`);
    const at = open === undefined ? 0 : (JSON.parse(open) as { number: number }).number;
    const signer = dice.pick([testKeys.alice, testKeys.scheduler]);
    const body = { corridor: corridor.corridor, number: at };
    say("window-cut", sayAs(origin, "window-cut", body, [signer]));
  };

  const pay = (): void => {
    const open = [...store.settlement].filter(([name]) => name.startsWith("closed "));
    if (open.length === 0) return;
    const [name, text] = dice.pick(open);
    const { attempt } = JSON.parse(text) as { attempt: number };
    const wanted = Number(name.slice(name.indexOf("/") + 1));
    const window = { corridor: corridor.corridor, number: wanted, attempt };
    const nets = netsOf(wanted);
    // After an abort the legs have new references: those of the state count.
    const held = JSON.parse(text) as { nets: [string, { legs: WindowNet["legs"] }][] };
    const legs = new Map(held.nets.map(([participant, net]) => [participant, net.legs]));
    const lines = nets.flatMap(({ participant }): BankLine[] =>
      (legs.get(participant) ?? []).map(({ reference, currency, side, amount }) => ({
        reference,
        account: accountOf(participant, currency),
        currency,
        amount,
        status: dice.chance(0.85) ? "booked" : "pending",
        side: side === "pay" ? "debit" : "credit",
      })),
    );
    statements += 1;
    const reference = `STATEMENT-${statements}`;
    const digest = toBase64(sha256(reference));
    const body = { bank, reference, digest, window, lines };
    say("bank-statement", sayAs(origin, "bank-statement", body, [testKeys.bank]));
    if (dice.chance(0.2)) owed.push(...owed.slice(-1)); // the same once more
    if (dice.chance(0.1)) {
      const abort = { ...window, reason: "wrong-accounts" };
      const both = [testKeys.alice, testKeys.bob];
      say("settlement-abort", sayAs(origin, "settlement-abort", abort, both));
    }
  };

  const cover = dice.pick(covers);
  for (const participant of [hk, ph, fx]) {
    for (const currency of ["HKD", "PHP"] as const) {
      advance(participant, currency, cover[currency], `first ${participant} ${currency}`);
    }
  }
  for (const pair of pairs) publishSheet(pair);

  const speak = (): void => {
    const [first] = owed;
    if (first === undefined) return;
    // Sometimes a statement of the same kind goes in front: nobody promises an order to its sender.
    if (lane.produce(first)) owed = owed.slice(1);
  };

  return {
    step: () => {
      const turn = dice.int(24);
      if (sim.calm || owed.length > 0) return speak();
      if (turn === 0) return publishSheet(dice.pick(pairs));
      if (turn === 1 && dice.chance(0.3)) return withdraw(dice.pick(pairs));
      if (turn === 2) return cut();
      if (turn === 3) return pay();
      if (turn === 4 && dice.chance(0.3)) {
        return advance(dice.pick([hk, ph, fx]), "HKD", "100.00", `more ${dice.int(3)}`);
      }
      return undefined;
    },
    sheets: ({ from, to }) => sheets.get(`${from}/${to}`) ?? [],
    rests: () => owed.length === 0,
  };
};
