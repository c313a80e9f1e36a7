// The lane's writer: load, decide, save, answer, one batch after the other. The next batch's
// signatures are judged while the last one is being saved. Any doubt (a failed or unknown commit, a
// lost lease) throws the state away and loads it again: after the save, recovery only goes forward.
import { OperationalError, pause } from "@sealane/runtime";
import type { KeyHistory, KeysCited, KeyState } from "@sealane/rules";
import type { AssemblerThread } from "./assembler-thread.ts";
import { makeBatchRunner, type Live } from "./batch-runner.ts";
import { makeCheckpointTeller } from "./checkpoint-teller.ts";
import { makeLaneQueue } from "./lane-queue.ts";
import { FencedError } from "./lane-load.ts";
import { makeLaneStops, type StoppedAt } from "./lane-stops.ts";
import type { LaneStore } from "./lane-store.ts";
import type { RawCommand } from "./open-command.ts";
import type { Clock, LaneMetrics, LaneSpans } from "./lane-telemetry.ts";
import { prepareBatch, type Prepared } from "./prepare-batch.ts";
import { makePublishQueue } from "./publish-queue.ts";
import { makeMessageBuilder, type Outgoing } from "./publisher.ts";
import { makeSealTracker } from "./seal-tracker.ts";
import type { Sealed } from "./sealer.ts";
import { stoppedText, type SetAsideDesk } from "./set-aside.ts";
import type { Tree } from "./tree.ts";

export type LaneWriterDeps = {
  readonly origin: string;
  readonly lane: number;
  readonly store: LaneStore;
  readonly assembler: AssemblerThread;
  readonly tree: Tree;
  readonly holder: string;
  readonly leaseMs: number;
  /** Another process's own: never begun here, and left to that one for so long. Undefined: our own. */
  readonly standbyAfterMs: number | undefined;
  readonly clock: Clock;
  readonly keys: () => { readonly keys: KeyState; readonly cited: KeysCited } | undefined;
  readonly history: () => KeyHistory;
  /** The lane has been taken: reads what another instance has done to the key log meanwhile. */
  readonly refreshKeys: () => Promise<void>;
  /**
   * Why what is stored must not be built on, if so: a witness has seen more than `size` entries.
   * @param continues this instance wrote what is stored
   */
  readonly confirm: (size: number, continues: boolean) => Promise<string | undefined>;
  /** Why the clock cannot be trusted; undefined when it can. Without trust nothing is reserved. */
  readonly clockTrouble: () => string | undefined;
  readonly publish: (messages: readonly Outgoing[]) => Promise<void>;
  /** Opens commands, with the operators' decisions about some of them in their places. */
  readonly desk: SetAsideDesk;
  /** A batch is stored: its checkpoint may be offered to the witnesses. */
  readonly onCheckpoint: (size: number, note: string) => void;
  /** The lane is held here now, or by another instance. */
  readonly onHeld: (held: boolean) => void;
  readonly metrics: LaneMetrics;
  readonly spans: LaneSpans;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
};

/** Where commands come from: begun at an offset, and surely silent after `stop`. */
export type LaneInput = {
  start(from: bigint): Promise<void>;
  stop(): Promise<void>;
};

/** How often an instance that waits looks whether the lease has run out. */
const lookEveryMs = 250;
/** Leaves of the tree that it reads at each look, so that taking over a long log costs no more. */
const leavesPerLook = 10_000;
/** A stop waits no longer for the batch under way and for the lane to be let go. */
const letGoWithinMs = 1_000;
const tickMs = 200;

const standBy = async (
  { lane, log, standbyAfterMs }: LaneWriterDeps,
  signal: AbortSignal,
): Promise<void> => {
  if (standbyAfterMs === undefined) return;
  await pause(standbyAfterMs, signal);
  log.info({ lane }, "standing by");
};

/**
 * While another writes: the tree grows with what is sealed, which no writer of this log can lack. What is
 * only stored might be lost with its database.
 */
const followTree = async ({ store, tree }: LaneWriterDeps): Promise<void> => {
  const known = tree.size();
  const target = Math.min(await store.sealedSize(), known + leavesPerLook);
  if (target > known) await tree.load(target, store.readLeafHashes);
};

/** Stopped in order, with nothing under way: another may have the lane now. */
const letGo = ({ store, lane, log }: LaneWriterDeps, epoch: bigint): Promise<void> =>
  store.release(epoch).catch((err: unknown) => {
    log.warn({ err, lane }, "the lane was not let go: its lease runs out by itself");
  });

const stoppedTextOf = (lane: number, stopped: StoppedAt | undefined): string | undefined =>
  stopped === undefined ? undefined : stoppedText(lane, stopped);

export type LaneWriter = ReturnType<typeof makeLaneWriter>;

export const makeLaneWriter = (deps: LaneWriterDeps) => {
  const { store, clock, log, leaseMs } = deps;
  const builder = makeMessageBuilder(store, deps.lane);
  const queue = makeLaneQueue();
  const publishing = makePublishQueue(deps.publish, (err, attempt) =>
    log.warn({ err, attempt }, "publishing failed, trying again"),
  );
  const seals = makeSealTracker(deps.lane, deps.tree);
  const checkpoints = makeCheckpointTeller(deps.lane);
  const runner = makeBatchRunner({ ...deps, builder, publishing, seals });
  const stops = makeLaneStops();
  const stopping = new AbortController();
  let live: Live | undefined;
  let lastSeal: Sealed | undefined;
  let stopReason: string | undefined;
  let lastEpoch: bigint | undefined;
  let doubt: string | undefined;
  let failure: string | undefined;
  let running: Promise<void> = Promise.resolve();

  /** @param take asked when all but the commands is there: a failure before is not theirs */
  const prepare = async (now: Live, take: () => readonly RawCommand[]): Promise<Prepared> => {
    const cosigned = deps.keys();
    if (cosigned === undefined) throw new Error("the key log is not cosigned");
    const raw = take();
    stops.attempt(raw);
    return prepareBatch(store, now.loaded.state, cosigned, raw, deps.desk.open);
  };

  const prepareNext = (now: Live): Promise<Prepared> =>
    prepare(now, () => queue.take(stops.alone()));

  /** A command that stops the lane holds up what follows it, not the time: what is due still ends. */
  const runTimers = async (now: Live): Promise<void> => {
    if (!stops.alone() || !runner.isDue(now, clock())) return;
    await runner.run(now, await prepare(now, () => []), () => undefined);
  };

  const renew = async (now: Live): Promise<void> => {
    if (clock() - now.renewedMs <= leaseMs / 4) return;
    if (!(await store.renew(now.loaded.epoch, leaseMs))) throw new FencedError("lease lost");
    now.renewedMs = clock();
  };

  const idle = async (now: Live): Promise<void> => {
    if (runner.isDue(now, clock())) {
      await runner.run(now, await prepareNext(now), () => undefined);
      return;
    }
    await runner.saveProgress(now);
  };

  const serve = async (now: Live): Promise<void> => {
    let next: Promise<Prepared> | undefined;
    const begin = (): void => {
      if (queue.size() === 0) return;
      next = prepareNext(now);
      // Awaited in the next turn; a failure must not look unhandled until then.
      next.catch(() => undefined);
    };
    try {
      while (!stopping.signal.aborted) {
        if (next === undefined && queue.size() === 0) await queue.wait(tickMs);
        await renew(now);
        if (doubt !== undefined) throw new OperationalError("doubt", doubt, { retryable: true });
        tellOwedCheckpoint();
        if (next === undefined) begin();
        const current = next;
        next = undefined;
        if (current === undefined) await idle(now);
        else await runner.run(now, await current, begin);
      }
    } finally {
      await next?.catch(() => undefined);
    }
  };

  /** The ledger is behind a witness, or must not go on for another reason: it signs no more. */
  const halt = (reason: string): void => {
    stopReason ??= reason;
    stopping.abort();
    queue.stir();
  };

  /** A quorum has cosigned: tell the participants, with proofs, in order. */
  const sealed = (seal: Sealed): void => {
    lastSeal = seal;
    const { covered, messages } = seals.cover(seal);
    if (covered.length === 0) return;
    const nowMs = clock();
    for (const { timeMs, savedMs, trace } of covered) {
      deps.metrics.sealed(nowMs - savedMs);
      if (trace !== undefined) deps.spans.sealed(trace, timeMs);
    }
    const all = [...messages, ...checkpoints.take(seal, nowMs)];
    publishing.add({
      messages: () => Promise.resolve(all),
      onDone: () => seals.tell({ size: seal.checkpoint.size, note: seal.note }),
    });
  };

  const tellOwedCheckpoint = (): void => {
    const messages = checkpoints.owed(clock());
    if (messages === undefined) return;
    publishing.add({ messages: () => Promise.resolve(messages), onDone: () => undefined });
  };

  const load = async (): Promise<Live | undefined> => {
    const epoch = await store.acquire(deps.holder, leaseMs, deps.standbyAfterMs === undefined);
    if (epoch === undefined) return undefined;
    doubt = undefined;
    await deps.refreshKeys();
    const loaded = await store.load(epoch, deps.history());
    const { state } = loaded;
    const continues = lastEpoch === epoch - 1n && deps.tree.size() === state.size;
    const behind = await deps.confirm(state.size, continues);
    if (behind !== undefined) {
      log.error({ behind }, "refusing to sign");
      halt(behind);
      return undefined;
    }
    if (deps.tree.size() > state.size) throw new Error("broken invariant: the tree is ahead");
    await deps.tree.load(state.size, store.readLeafHashes);
    await deps.desk.load(loaded.inputOffset);
    const now = await runner.begin(loaded);
    lastEpoch = epoch;
    queue.reopen(loaded.inputOffset);
    // Sealed before the lane began again in this process: nobody cosigns that size twice for us.
    if (lastSeal !== undefined) sealed(lastSeal);
    if (loaded.checkpoint !== "") deps.onCheckpoint(state.size, loaded.checkpoint);
    log.info(
      { lane: deps.lane, epoch: String(epoch), size: state.size, open: state.open.size },
      "lane taken",
    );
    return now;
  };

  const serveOnce = async (input: LaneInput): Promise<void> => {
    const now = await load();
    if (now === undefined) {
      failure = "another instance holds the lane";
      deps.onHeld(false);
      if (!stopping.signal.aborted) await followTree(deps);
      await pause(lookEveryMs, stopping.signal);
      return;
    }
    live = now;
    failure = undefined;
    deps.onHeld(true);
    await runTimers(now);
    await input.start(now.inputOffset);
    await serve(now);
  };

  /** Runs until stopped; begins again after every failure, and the input with it. */
  const runUntilStopped = async (input: LaneInput): Promise<void> => {
    let failures = 0;
    await standBy(deps, stopping.signal);
    while (!stopping.signal.aborted) {
      try {
        await serveOnce(input);
        failures = 0;
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error);
        const stopped = live === undefined ? undefined : stops.failed(error, live.inputOffset);
        const at = stopped === undefined ? {} : { ...stopped, offset: String(stopped.offset) };
        log.error({ err: error, ...at }, "the lane begins again");
        failures += 1;
      }
      const held = live?.loaded.epoch;
      live = undefined;
      queue.shut();
      await input.stop();
      if (stopping.signal.aborted) {
        if (held !== undefined && stopReason === undefined) await letGo(deps, held);
        return;
      }
      await publishing.reset();
      await pause(Math.min(50 * 2 ** failures, 2_000), stopping.signal);
    }
  };

  return {
    run: (input: LaneInput): Promise<void> => {
      running = runUntilStopped(input);
      return running;
    },
    /** The command at which the lane stops, found by trying each alone. */
    stopped: stops.stopped,
    push: queue.push,
    sealed,
    halt,
    /**
     * A witness has seen more than this instance has written. Another may have taken the lane while this
     * one was stopped, which is no fault; or the database is an old one. Loading the lane tells which.
     */
    doubt: (reason: string): void => {
      doubt ??= reason;
      queue.stir();
    },
    state: () => live?.loaded.state,
    size: () => live?.loaded.state.size ?? 0,
    seals,
    /** The newest checkpoint with the log's own line only; empty before the first entry. */
    checkpoint: (): string => live?.checkpoint ?? "",
    unsealedAgeMs: (): number => {
      const oldest = seals.oldestMs();
      return oldest === undefined ? 0 : Math.max(0, clock() - oldest);
    },
    queued: queue.size,
    /** Why the lane does not work now; undefined when it does. */
    trouble: (): string | undefined =>
      stopReason ??
      stoppedTextOf(deps.lane, stops.stopped()) ??
      failure ??
      (live === undefined ? "the lane is not loaded yet" : undefined),
    builder,
    stop: async (): Promise<void> => {
      stopping.abort();
      queue.stir();
      await publishing.stop();
      const done = new AbortController();
      await Promise.race([running, pause(letGoWithinMs, done.signal)]);
      done.abort();
    },
  };
};
