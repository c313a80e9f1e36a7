// One writer of the lane, step by step: take the lease, load, decide, stage, compare-and-swap, publish,
// seal, note it. Between any two steps it may die, or stand still while another takes the lane. What it
// decides is the real fold; what surrounds it is the ledger's order of steps (`services/ledger`).
import { rangeRoot } from "@sealane/tlog";
import { keyLagMs } from "../audit-cover.ts";
import { proposalRepeatMs } from "../lane.ts";
import type { Topic } from "./bus.ts";
import type { LaneFrame } from "./frames.ts";
import { decideOn, stageBatch, type Decided } from "./ledger-batch.ts";
import { inboxBatch } from "./ledger-door.ts";
import type { EntriesMessage, InboxMessage } from "./messages.ts";
import type { Sealer } from "./seals.ts";
import type { Sim } from "./sim.ts";
import type { LoadedLane, LogHead, Store, StoredEntry, StoredMessage } from "./store.ts";

export type LedgerDeps = {
  readonly sim: Sim;
  readonly name: string;
  readonly store: Store;
  readonly lane: Topic<LaneFrame>;
  readonly inboxes: ReadonlyMap<string, Topic<InboxMessage>>;
  readonly entriesTopic: Topic<EntriesMessage>;
  readonly sealer: Sealer;
};

export type Ledger = {
  readonly step: () => void;
  /** Whether it holds the lane and has nothing left to do. */
  readonly rests: () => boolean;
};

const leaseMs = 500;
const maxUnsealedMs = 5_000;

type Publish = { readonly send: () => boolean; readonly done: () => void };

type Live = LoadedLane & {
  readonly epoch: number;
  head: LogHead;
  batch: number;
  publishedBatch: number;
  /** Participants were told of seals up to here. */
  toldSize: number;
  sealedSize: number;
  inputOffset: number;
  savedPublished: number;
  savedTold: number;
  readonly publishing: Publish[];
  unsealedSince: number | undefined;
};

export const makeLedger = (deps: LedgerDeps): Ledger => {
  const { sim, name, store } = deps;
  const dice = sim.dice(`ledger ${name}`);
  let live: Live | undefined;
  let decided: Decided | undefined;
  let frozenUntilMs = 0;
  let renewedMs = 0;
  /** Its wall clock less true time. */
  let skewMs = 0;
  let rightAtMs = 0;

  /** Never later than what a quorum's cosignatures will bear out (`clock-watch.ts`). */
  const clock = (): number => Math.floor(Math.min(sim.now + skewMs, sim.now + 1_001));
  const clockOff = (): boolean => Math.abs(skewMs) > 2_000;

  const die = (): void => {
    live = undefined;
    decided = undefined;
  };

  const tellInboxes = (
    now: Live,
    messages: readonly StoredMessage[],
    refusals: readonly string[],
  ): void => {
    for (const message of messages) {
      now.publishing.push({
        send: () =>
          deps.inboxes.get(message.to)?.produce(inboxBatch(store, message, refusals)) ?? true,
        done: () => undefined,
      });
    }
  };

  const tellEntries = (now: Live, from: number, entries: readonly StoredEntry[]): void => {
    if (entries.length === 0) return;
    const notes = entries.map(({ note }) => note);
    now.publishing.push({
      send: () => deps.entriesTopic.produce({ from, notes }),
      done: () => undefined,
    });
  };

  const take = (): void => {
    const epoch = store.acquire(name, leaseMs);
    const loaded = epoch === undefined ? undefined : store.load(epoch);
    if (epoch === undefined || loaded === undefined) return;
    renewedMs = sim.now;
    const { batch, publishedBatch, sealedSize } = loaded;
    const now: Live = {
      ...loaded,
      epoch,
      toldSize: sealedSize,
      savedPublished: publishedBatch,
      savedTold: sealedSize,
      publishing: [],
      unsealedSince: loaded.state.size > sealedSize ? clock() : undefined,
    };
    const untold = store.messages.filter((message) => message.batch > publishedBatch);
    tellInboxes(now, untold, []);
    now.publishing.push({
      send: () => true,
      done: () => {
        now.publishedBatch = Math.max(now.publishedBatch, batch);
      },
    });
    live = now;
    sim.count("lane taken");
  };

  const decide = (now: Live): void => {
    const { state, inputOffset } = now;
    const records = deps.lane.records.slice(inputOffset, inputOffset + 1 + dice.int(8));
    const timeMs = Math.max(state.logTimeMs, clock());
    const leftOut = sim.story.history.times[sim.keys().cited.size];
    if (leftOut !== undefined && leftOut < timeMs - keyLagMs) return; // the key log is behind
    if (records.length === 0 && !isDue(now, timeMs)) return;
    const mayReserve =
      now.unsealedSince === undefined || timeMs - now.unsealedSince <= maxUnsealedMs;
    const batch = { number: now.batch + 1, from: inputOffset, records };
    const at = { timeMs, mayReserve, clockOff: clockOff() };
    decided = decideOn(sim, store, state, batch, at);
  };

  const isDue = ({ state }: Live, timeMs: number): boolean => {
    for (const { expiresAtMs, proposedAtMs } of state.open.values()) {
      if (timeMs >= expiresAtMs || timeMs - proposedAtMs >= proposalRepeatMs) return true;
    }
    return false;
  };

  const save = (now: Live, { outcome, oldSize, next, inbox, staged }: Decided): void => {
    decided = undefined;
    if (staged === undefined) return;
    const { entries, refusals, head } = staged;
    const batch = now.batch + 1;
    const { state, epoch, publishedBatch, toldSize: sealedSize } = now;
    const progress = { batch, publishedBatch, sealedSize, inputOffset: next };
    const rows = { state, outcome, entries, refusals, head, inbox };
    const saved = store.save({ epoch, oldSize, ...rows, ...progress });
    if (saved !== "saved") {
      sim.count(saved);
      return die(); // in doubt: load again
    }
    Object.assign(now, { head, batch, inputOffset: next });
    if (entries.length > 0) now.unsealedSince ??= outcome.timeMs;
    tellInboxes(now, inbox, refusals);
    tellEntries(now, oldSize, entries);
    now.publishing.push({
      send: () => true,
      done: () => {
        now.publishedBatch = Math.max(now.publishedBatch, batch);
      },
    });
  };

  /** In order; what was not acknowledged is sent again. */
  const publish = (now: Live): void => {
    for (let most = 1 + dice.int(8); most > 0; most -= 1) {
      const [first] = now.publishing;
      if (first === undefined || !first.send()) return;
      now.publishing.shift();
      first.done();
    }
  };

  /** Offers the newest checkpoint, and tells the participants what a quorum has cosigned. */
  const seal = (now: Live): void => {
    const { size } = now.state;
    if (decided !== undefined || size === now.sealedSize) return;
    const sealed = deps.sealer.seal(size, rangeRoot(now.head.range));
    if (sealed === undefined) return;
    const from = now.sealedSize;
    now.sealedSize = size;
    now.unsealedSince = undefined;
    for (const message of deps.sealer.messages(sealed, from)) {
      now.publishing.push({
        send: () => deps.inboxes.get(message.to)?.produce(message) ?? true,
        done: () => undefined,
      });
    }
    now.publishing.push({
      send: () => deps.entriesTopic.produce({ from: size, notes: [], sealed }),
      done: () => {
        now.toldSize = Math.max(now.toldSize, size);
      },
    });
  };

  const note = (now: Live): void => {
    if (now.publishedBatch === now.savedPublished && now.toldSize === now.savedTold) return;
    store.saveProgress(now.epoch, now.publishedBatch, now.toldSize);
    now.savedPublished = now.publishedBatch;
    now.savedTold = now.toldSize;
  };

  const serve = (now: Live): void => {
    // Asked for before a batch is begun: who stands still after that learns it by the compare-and-swap.
    if (decided === undefined && sim.now - renewedMs > leaseMs / 4) {
      if (!store.renew(now.epoch, leaseMs)) return die();
      renewedMs = sim.now;
    }
    if (decided?.staged !== undefined) return save(now, decided);
    if (decided !== undefined) {
      decided.staged = stageBatch(now.head, decided.outcome);
      return undefined;
    }
    const turn = dice.int(6);
    if (turn <= 1 && now.publishing.length > 0) return publish(now);
    if (turn === 2) return seal(now);
    if (turn === 3) return note(now);
    if (now.inputOffset < deps.lane.records.length || isDue(now, clock())) return decide(now);
    return publish(now);
  };

  const disturb = (): boolean => {
    if (sim.calm || sim.now > rightAtMs) skewMs = 0;
    if (sim.hits("clock", 0.006)) {
      skewMs = dice.pick([300, -700, 1_500, 5_000, -9_000]);
      rightAtMs = sim.now + dice.int(2_000);
    }
    if (sim.hits("crash", 0.012)) {
      die();
      frozenUntilMs = sim.now + dice.int(400);
    } else if (sim.hits("pause", 0.01)) frozenUntilMs = sim.now + dice.int(3_000);
    return !sim.calm && sim.now < frozenUntilMs;
  };

  return {
    step: () => {
      if (disturb()) return;
      if (live === undefined) take();
      else serve(live);
    },
    rests: () =>
      live === undefined
        ? store.lane.holder !== name
        : decided === undefined &&
          live.inputOffset === deps.lane.records.length &&
          live.publishing.length === 0 &&
          live.toldSize === live.state.size &&
          live.toldSize === live.savedTold,
  };
};
