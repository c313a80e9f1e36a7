// One run of the simulator: a seed becomes a world, a mixture of faults and a schedule; then the faults
// stop, what is left comes to rest, and every oracle is asked. The same seed is the same run.
import { fx, hk, ph, testKeys } from "../testing/genesis.ts";
import { makeTopic } from "./bus.ts";
import { makeBooks } from "./books.ts";
import { makeClient } from "./client.ts";
import { makeCore } from "./core.ts";
import { makeCoverModel } from "./cover-model.ts";
import { makeForger } from "./forger.ts";
import type { LaneFrame } from "./frames.ts";
import { makeLedger } from "./ledger.ts";
import { makeMarket } from "./market.ts";
import type { EntriesMessage, InboxMessage } from "./messages.ts";
import { askOracles, type Finished, type Side } from "./oracles.ts";
import { makeSealer } from "./seals.ts";
import { BrokenPromise, makeSim, type Fault, type Sim } from "./sim.ts";
import { makeStore, type BatchToSave } from "./store.ts";
import { batchReader } from "./ledger-door.ts";
import { makeWallet } from "./wallet.ts";

export type RunOptions = {
  readonly without?: readonly Fault[];
  /** How many steps are taken before the faults stop. */
  readonly steps?: number;
};

export type RunReport = {
  readonly seed: number;
  readonly ok: boolean;
  /** Of a run that failed. */
  readonly promise?: number;
  readonly detail?: string;
  readonly story: string;
  readonly entries: number;
  readonly counts: Readonly<Record<string, number>>;
};

export const defaultSteps = 500;
/** Rounds in which a run has to come to rest: far more than the longest expiry needs. */
const mostRounds = 600;
const roundMs = 400;

type Actor = { readonly weight: number; readonly step: () => void; readonly rests: () => boolean };

type World = Finished & { readonly actors: readonly Actor[]; readonly deliver: () => void };

const always = (): boolean => true;

const makeWorld = (sim: Sim): World => {
  const lane = makeTopic<LaneFrame>(sim, "lane", { lossy: false });
  const entriesTopic = makeTopic<EntriesMessage>(sim, "entries", { lossy: true });
  const inboxes = new Map(
    [hk, ph, fx].map((one) => [one, makeTopic<InboxMessage>(sim, one, { lossy: true })] as const),
  );
  const cover = makeCoverModel(sim);
  const store = makeStore(sim, (batch: BatchToSave) => cover.take(batch));
  const sealer = makeSealer(sim, store.entries);
  const market = makeMarket(sim, lane, store);
  const door = batchReader(store);
  const side = (
    participant: string,
    payee: string,
    signers: readonly (typeof testKeys)["hk"][],
    pair: { readonly from: string; readonly to: string },
  ): Side => {
    const core = makeCore(sim, participant);
    const inbox = inboxes.get(participant) ?? makeTopic<InboxMessage>(sim, "", { lossy: true });
    const fetchBatches = (from: number, to: number) => door(participant, from, to);
    const fetchSeal = (fromN: number, toN: number) => {
      const newest = sealer.newest();
      const all = newest === undefined ? [] : sealer.messages(newest, 0);
      const own = all.find(({ to }) => to === participant);
      return own === undefined || own.toN < toN || own.fromN > fromN ? undefined : own;
    };
    const wallet = makeWallet({
      sim,
      participant,
      signers,
      inbox,
      lane,
      core,
      fetchBatches,
      fetchSeal,
    });
    const isLogged = (number: number): boolean =>
      [...store.sheets.values()].some(({ sheet }) => sheet.number === number);
    const client = makeClient({ sim, wallet, payee, pair, lane, market, isLogged });
    return { wallet, client, core };
  };
  const sides = [
    side(hk, ph, [testKeys.hk, testKeys.hk2], { from: "HKD", to: "PHP" }),
    side(ph, hk, [testKeys.ph], { from: "PHP", to: "HKD" }),
  ];
  const ledgers = ["first", "second"].map((name) =>
    makeLedger({ sim, name, store, lane, inboxes, entriesTopic, sealer }),
  );
  const books = makeBooks(sim, entriesTopic, store);
  const forger = makeForger(sim, lane, store);
  const actors: Actor[] = [
    ...ledgers.map((one) => ({ weight: 6, ...one })),
    ...sides.flatMap(({ wallet, client }) => [
      { weight: 3, step: wallet.step, rests: wallet.rests },
      { weight: 1, step: client.step, rests: client.rests },
    ]),
    { weight: 2, step: market.step, rests: market.rests },
    { weight: 2, step: books.step, rests: books.rests },
    { weight: 1, step: forger.step, rests: always },
  ];
  const topics = [lane, entriesTopic, ...inboxes.values()];
  const deliver = (): void => {
    for (const topic of topics) topic.deliver();
    if (sim.calm) for (const { core } of sides) core.deliver();
  };
  return { sim, store, sides, books, sealer, forger, actors, deliver };
};

const disturbed = ({ sim, actors, deliver }: World, steps: number): void => {
  const dice = sim.dice("schedule");
  const hat = actors.flatMap((actor) => Array.from({ length: actor.weight }, () => actor));
  for (let step = 0; step < steps; step += 1) {
    sim.now += dice.pick([0, 1, 2, 5, 10, 20, 40]);
    if (dice.chance(0.004)) sim.now += dice.int(4_000);
    deliver();
    dice.pick(hat).step();
  }
};

const comeToRest = ({ sim, actors, deliver, store }: World): void => {
  sim.calm = true;
  for (let round = 0; round < mostRounds; round += 1) {
    sim.now += roundMs;
    deliver();
    for (const { step } of actors) for (let turn = 0; turn < 4; turn += 1) step();
    if (store.open.size === 0 && actors.every(({ rests }) => rests())) return;
  }
  throw new BrokenPromise(15, `${store.open.size} transfers are open, and nothing comes to rest`);
};

const reportOf = (sim: Sim, entries: number, broken?: { promise: number; detail: string }) => ({
  seed: sim.seed,
  ok: broken === undefined,
  ...broken,
  story: sim.story.name,
  entries,
  counts: Object.fromEntries(sim.counts),
});

/** Runs one seed to its end. Whatever is thrown is the run's failure: promise 0 is a broken invariant. */
export const simulate = (
  seed: number,
  { without = [], steps = defaultSteps }: RunOptions = {},
): RunReport => {
  const sim = makeSim(seed, new Set(without));
  let world: World | undefined;
  try {
    world = makeWorld(sim);
    disturbed(world, steps);
    comeToRest(world);
    askOracles(world);
    for (const { note } of world.store.entries) {
      const { kind, context } = sim.verified(note);
      sim.count(context.outcome === "recorded" ? kind : context.outcome);
    }
    return reportOf(sim, world.store.entries.length);
  } catch (error) {
    const entries = world?.store.entries.length ?? 0;
    if (error instanceof BrokenPromise) {
      return reportOf(sim, entries, { promise: error.promise, detail: error.message });
    }
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return reportOf(sim, entries, { promise: 0, detail });
  }
};
