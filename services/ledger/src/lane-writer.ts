// The lane's writer: load, decide, save, answer, one batch after the other. The next batch's
// signatures are judged while the last one is being saved. Any doubt (a failed or unknown commit, a
// lost lease) throws the state away and loads it again: after the save, recovery only goes forward.
import { formatTime, type EntryItem } from '@sealane/protocol';
import {
  decideBatch,
  verifyEntry,
  type BatchOutcome,
  type KeyHistory,
  type KeysCited,
  type KeyState,
  type KnownTransfer,
  type LaneCommand,
} from '@sealane/rules';
import { pause } from '@sealane/runtime';
import { sha256, toBase64 } from '@sealane/tlog';
import type { AssemblerThread } from './assembler-thread.ts';
import type { Clock, LaneMetrics, LaneSpans } from './lane-telemetry.ts';
import {
  FencedError,
  type LaneStore,
  type LoadedLane,
  type LogHead,
  type StoredMessage,
} from './lane-store.ts';
import { openCommand, type OpenedCommand, type RawCommand } from './open-command.ts';
import {
  deadLetterMessage,
  entriesMessages,
  entryItem,
  makeMessageBuilder,
  sealMessages,
  type Bodies,
  type Outgoing,
  type SealedEntry,
} from './publisher.ts';
import type { Sealed } from './sealer.ts';
import type { Tree } from './tree.ts';

export type LaneWriterDeps = {
  readonly origin: string;
  readonly lane: number;
  readonly store: LaneStore;
  readonly assembler: AssemblerThread;
  readonly tree: Tree;
  readonly holder: string;
  readonly clock: Clock;
  readonly keys: () => { readonly keys: KeyState; readonly cited: KeysCited } | undefined;
  readonly history: () => KeyHistory;
  readonly publish: (messages: readonly Outgoing[]) => Promise<void>;
  /** A batch is stored: its checkpoint may be offered to the witnesses. */
  readonly onCheckpoint: (size: number, note: string) => void;
  readonly metrics: LaneMetrics;
  readonly spans: LaneSpans;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    error(fields: object, message: string): void;
  };
};

const leaseMs = 4_000;
const maxBatch = 1_000;
const maxQueue = 8_000;
const tickMs = 200;
/** Nothing new is reserved while the oldest unsealed entry is older. */
export const maxUnsealedMs = 5_000;

type Prepared = {
  readonly opened: readonly OpenedCommand[];
  readonly raw: readonly RawCommand[];
  readonly keys: KeyState;
  readonly cited: KeysCited;
  readonly known: Map<string, KnownTransfer>;
  readonly usedQuotes: Map<string, string>;
};

type Live = {
  readonly loaded: LoadedLane;
  head: LogHead;
  batch: number;
  publishedBatch: number;
  inputOffset: bigint;
  /** Ends of the batch before: their rows may not have been there for the look-up. */
  recent: readonly KnownTransfer[];
  recentQuotes: readonly { readonly quote: string; readonly id: string }[];
};

/** Where commands come from: begun at an offset, and surely silent after `stop`. */
export type LaneInput = {
  start(from: bigint): Promise<void>;
  stop(): Promise<void>;
};

export type LaneWriter = ReturnType<typeof makeLaneWriter>;

export const makeLaneWriter = (deps: LaneWriterDeps) => {
  const { store, clock, log, metrics } = deps;
  const builder = makeMessageBuilder(store, deps.lane);
  const queue: RawCommand[] = [];
  const unsealed: (SealedEntry & { readonly timeMs: number; readonly traces: readonly string[] })[] = [];
  const stopping = new AbortController();
  let live: Live | undefined;
  let wake: (() => void) | undefined;
  let drained: (() => void)[] = [];
  let sealedSize = 0;
  let sealedNote = '';
  /** The newest seal that the participants were told of: what is kept across restarts. */
  let told = { size: 0, note: '' };
  let savedSeal = 0;
  let queuedTo = 0n;
  let publishing: Promise<void> = Promise.resolve();
  let behind: string | undefined;
  let failure: string | undefined;

  const stir = (): void => {
    wake?.();
    wake = undefined;
  };

  /** From the consumer: takes records in order; waits while too many are queued. */
  const push = async (records: readonly RawCommand[]): Promise<void> => {
    if (live === undefined) return;
    for (const record of records) {
      if (record.offset < queuedTo) continue;
      queue.push(record);
      queuedTo = record.offset + 1n;
    }
    stir();
    if (queue.length > maxQueue) await new Promise<void>((resolve) => drained.push(resolve));
  };

  const takeRaw = (): RawCommand[] => {
    const taken = queue.splice(0, maxBatch);
    if (queue.length <= maxQueue / 2) {
      for (const go of drained) go();
      drained = [];
    }
    return taken;
  };

  const prepare = async (now: Live, raw: readonly RawCommand[]): Promise<Prepared> => {
    const { keys, cited } = deps.keys() ?? { keys: undefined, cited: undefined };
    if (keys === undefined || cited === undefined) throw new Error('the key log is not cosigned');
    const { state } = now.loaded;
    const opened = await Promise.all(raw.map((record) => openCommand(record, keys, state)));
    const ids = new Set<string>();
    const quotes = new Set<string>();
    for (const one of opened) {
      if (!one.ok) continue;
      const { command } = one;
      if (command.kind === 'acceptance') ids.add(command.id);
      else if ('id' in command.body) ids.add(command.body.id);
      if (command.kind === 'intent' && command.body.quote !== command.body.id) {
        quotes.add(command.body.quote);
      }
    }
    // A transfer that is open has not ended: most acceptances need no look-up.
    for (const id of ids) if (state.open.has(id)) ids.delete(id);
    const found = await store.lookUp([...ids], [...quotes]);
    return { opened, raw, keys, cited, ...found };
  };

  const due = (now: Live, timeMs: number): boolean => {
    for (const open of now.loaded.state.open.values()) {
      if (timeMs >= open.expiresAtMs || timeMs - open.proposedAtMs >= 2_000) return true;
    }
    return false;
  };

  const mayReserve = (timeMs: number): boolean => {
    const oldest = unsealed[0];
    return oldest === undefined || timeMs - oldest.timeMs <= maxUnsealedMs;
  };

  const numberInbox = (now: Live, outcome: BatchOutcome, batch: number): StoredMessage[] => {
    const { inboxes } = now.loaded.state;
    return [...outcome.inbox].map(([participant, refs]) => {
      const n = inboxes.get(participant) ?? 0;
      inboxes.set(participant, n + 1);
      return { participant, n, batch, timeMs: outcome.timeMs, refs };
    });
  };

  const deadLetters = (outcome: BatchOutcome, prepared: Prepared): Outgoing[] => {
    const values = new Map(prepared.raw.map(({ offset, value }) => [offset, value]));
    const refused = prepared.opened.flatMap((one) => (one.ok ? [] : [one]));
    return [...refused, ...outcome.deadLetters].map(({ offset, code, detail }) => {
      const value = values.get(offset) ?? new Uint8Array();
      metrics.deadLetter(code);
      return deadLetterMessage('ledger', {
        v: 1,
        topic: `lane.${deps.lane}`,
        offset: String(offset),
        size: value?.length ?? 0,
        hash: toBase64(sha256(value ?? new Uint8Array())),
        code,
        detail: detail.slice(0, 300),
        time: formatTime(outcome.timeMs),
      });
    });
  };

  /** What is stored goes out, in order of batches; a failure is tried again until it is out. */
  const publishLater = (
    now: Live,
    batch: number,
    messages: () => Promise<Outgoing[]>,
    onDone?: () => void,
  ): void => {
    publishing = publishing.then(async () => {
      for (let attempt = 0; !stopping.signal.aborted && live === now; attempt += 1) {
        try {
          await deps.publish(await messages());
          now.publishedBatch = Math.max(now.publishedBatch, batch);
          onDone?.();
          return;
        } catch (error) {
          log.warn({ err: error, batch, attempt }, 'publishing failed, trying again');
          await pause(Math.min(100 * 2 ** attempt, 2_000), stopping.signal);
        }
      }
    });
  };

  const runBatch = async (
    now: Live,
    prepared: Prepared,
    startNext: () => void,
  ): Promise<void> => {
    const { state, epoch } = now.loaded;
    const startedMs = clock();
    const oldSize = state.size;
    const timeMs = Math.max(state.logTimeMs, startedMs);
    for (const ended of now.recent) prepared.known.set(ended.id, ended);
    for (const { quote, id } of now.recentQuotes) prepared.usedQuotes.set(quote, id);
    const commands: LaneCommand[] = prepared.opened.flatMap((one) => (one.ok ? [one.command] : []));
    const outcome = decideBatch(state, {
      timeMs,
      commands,
      keys: prepared.keys,
      cited: prepared.cited,
      known: prepared.known,
      usedQuotes: prepared.usedQuotes,
      mayReserve: mayReserve(timeMs),
    });
    const batch = now.batch + 1;
    const inbox = numberInbox(now, outcome, batch);
    const traces = deps.spans.batch(outcome, commands, startedMs);
    now.recent = outcome.ended;
    now.recentQuotes = outcome.usedQuotes;
    startNext();
    const assembled = await deps.assembler.assemble({
      head: now.head,
      drafts: outcome.entries,
      refusals: outcome.refusals,
    });
    const inputOffset = (prepared.raw.at(-1)?.offset ?? now.inputOffset - 1n) + 1n;
    const seal = told;
    await store.save({
      loaded: { epoch, oldSize },
      state,
      outcome,
      entries: assembled.entries,
      refusalNotes: assembled.refusalNotes,
      head: assembled.head,
      checkpoint: assembled.checkpoint,
      batch,
      publishedBatch: now.publishedBatch,
      sealedSize: seal.size,
      sealed: seal.note,
      inputOffset,
      inbox,
    });
    savedSeal = seal.size;
    now.head = assembled.head;
    now.batch = batch;
    now.inputOffset = inputOffset;
    deps.tree.append(assembled.entries.map(({ leafHash }) => leafHash));
    const items = new Map<number, EntryItem>();
    for (const [at, entry] of assembled.entries.entries()) {
      const draft = outcome.entries[at];
      const trace = draft?.transferId === undefined ? undefined : traces.get(draft.transferId);
      items.set(entry.seq, entryItem(entry, trace));
      unsealed.push({
        seq: entry.seq,
        chains: draft?.chains ?? [],
        timeMs,
        traces: trace === undefined ? [] : [trace],
      });
    }
    const bodies: Bodies = {
      entries: items,
      open: new Map(
        [...outcome.inbox.values()].flat().flatMap((ref) => {
          const open = ref.type === 'proposal' ? state.open.get(ref.id) : undefined;
          return open === undefined ? [] : [[open.id, open] as const];
        }),
      ),
      refusalNotes: assembled.refusalNotes,
      traces,
    };
    if (assembled.entries.length > 0) deps.onCheckpoint(state.size, assembled.checkpoint);
    publishLater(now, batch, async () => [
      ...(await builder.inboxMessages(inbox, bodies)),
      ...(items.size === 0 ? [] : entriesMessages(deps.lane, oldSize, [...items.values()])),
      ...deadLetters(outcome, prepared),
    ]);
    metrics.batch(outcome, prepared.opened.length, clock() - startedMs);
  };

  const waitForWork = async (): Promise<void> => {
    if (queue.length > 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, tickMs);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  };

  const serve = async (now: Live): Promise<void> => {
    let next: Promise<Prepared> | undefined;
    let renewedMs = clock();
    try {
      while (!stopping.signal.aborted) {
        if (next === undefined && queue.length === 0) await waitForWork();
        if (clock() - renewedMs > leaseMs / 4) {
          if (!(await store.renew(now.loaded.epoch, leaseMs))) throw new FencedError('lease lost');
          renewedMs = clock();
        }
        const current = next ?? (queue.length > 0 ? prepare(now, takeRaw()) : undefined);
        next = undefined;
        if (current !== undefined) {
          await runBatch(now, await current, () => {
            if (queue.length === 0) return;
            next = prepare(now, takeRaw());
            next.catch(() => undefined);
          });
        } else if (due(now, clock())) {
          await runBatch(now, await prepare(now, []), () => undefined);
        } else if (told.size > savedSeal || now.publishedBatch > idleSaved) {
          await saveIdle(now);
        }
      }
    } finally {
      await next?.catch(() => undefined);
    }
  };

  let idleSaved = 0;
  const saveIdle = async (now: Live): Promise<void> => {
    const seal = told;
    const published = now.publishedBatch;
    if (seal.size <= savedSeal && published <= idleSaved) return;
    await store.saveSealed(now.loaded.epoch, seal.size, seal.note, published);
    savedSeal = seal.size;
    idleSaved = published;
  };

  /** Entries that no quorum had cosigned, or whose seal nobody may have been told of. */
  const loadUnsealed = async (from: number, size: number): Promise<void> => {
    unsealed.length = 0;
    for (let at = from; at < size; at += 1_000) {
      for (const bytes of await store.readEntries(at, Math.min(at + 1_000, size))) {
        const checks = { origin: deps.origin, history: deps.history(), signatures: false };
        const verified = verifyEntry(bytes.toString('utf8'), checks);
        if (!verified.ok) throw new Error(`broken invariant: stored entry: ${verified.detail}`);
        const { context } = verified.entry;
        // Counted from now: a ledger that was down must not stop reserving for that.
        unsealed.push({ seq: context.seq, chains: context.chains, timeMs: clock(), traces: [] });
      }
    }
  };

  const begin = async (): Promise<Live | undefined> => {
    const epoch = await store.acquire(deps.holder, leaseMs);
    if (epoch === undefined) return undefined;
    const loaded = await store.load(epoch, deps.history());
    if (deps.tree.size() > loaded.state.size) throw new Error('broken invariant: the tree is ahead');
    if (deps.tree.size() < loaded.state.size) {
      await deps.tree.load(loaded.state.size, store.readLeafHashes);
    }
    sealedSize = Math.max(sealedSize, loaded.sealedSize);
    if (sealedNote === '') sealedNote = loaded.sealed;
    told = { size: loaded.sealedSize, note: loaded.sealed };
    savedSeal = loaded.sealedSize;
    queuedTo = loaded.inputOffset;
    idleSaved = loaded.publishedBatch;
    await loadUnsealed(loaded.sealedSize, loaded.state.size);
    queue.length = 0;
    const now: Live = {
      loaded,
      head: loaded.head,
      batch: loaded.batch,
      publishedBatch: loaded.publishedBatch,
      inputOffset: loaded.inputOffset,
      recent: [],
      recentQuotes: [],
    };
    live = now;
    const again = await store.readUnpublished(loaded.publishedBatch);
    const { open } = loaded.state;
    publishLater(now, loaded.batch, () =>
      builder.inboxMessages(again, { entries: new Map(), open, refusalNotes: [], traces: new Map() }),
    );
    if (loaded.checkpoint !== '') deps.onCheckpoint(loaded.state.size, loaded.checkpoint);
    log.info({ epoch: String(epoch), size: loaded.state.size, open: open.size }, 'lane taken');
    return now;
  };

  /** Runs until stopped; begins again after every failure, and the input with it. */
  const run = async (input: LaneInput): Promise<void> => {
    for (let attempt = 0; !stopping.signal.aborted; attempt += 1) {
      try {
        const now = await begin();
        if (now === undefined) {
          failure = 'another instance holds the lane';
          await pause(500, stopping.signal);
          continue;
        }
        failure = undefined;
        attempt = 0;
        await input.start(now.inputOffset);
        await serve(now);
      } catch (error) {
        failure = error instanceof Error ? error.message : String(error);
        log.error({ err: error }, 'the lane begins again');
      }
      live = undefined;
      await input.stop();
      await publishing.catch(() => undefined);
      await pause(Math.min(100 * 2 ** attempt, 2_000), stopping.signal);
    }
  };

  /** A quorum has cosigned: tell the participants, with proofs, in order. */
  const sealed = (seal: Sealed): void => {
    const { size } = seal.checkpoint;
    if (size <= sealedSize && unsealed.length === 0) return;
    sealedSize = Math.max(size, sealedSize);
    sealedNote = seal.note;
    let count = 0;
    while ((unsealed[count]?.seq ?? size) < size) count += 1;
    const now = live;
    const covered = unsealed.splice(0, count);
    if (covered.length === 0 || now === undefined) return;
    const reader = deps.tree.reader();
    const proofOf = (seq: number) => deps.tree.inclusionWith(reader, seq, size);
    const nowMs = clock();
    for (const { timeMs, traces } of covered) {
      metrics.sealed(nowMs - timeMs);
      for (const trace of traces) deps.spans.sealed(trace, timeMs);
    }
    const messages = [
      ...sealMessages(deps.lane, seal.note, covered, proofOf),
      ...entriesMessages(deps.lane, size, [], seal.note),
    ];
    publishLater(now, now.publishedBatch, () => Promise.resolve(messages), () => {
      told = { size, note: seal.note };
    });
  };

  return {
    run,
    push,
    sealed,
    /** The ledger is behind a witness: it must not sign on. */
    setBehind: (detail: string): void => {
      behind = detail;
      stopping.abort();
      stir();
    },
    state: () => live?.loaded.state,
    size: () => live?.loaded.state.size ?? 0,
    sealedNote: () => sealedNote,
    sealedSize: () => sealedSize,
    unsealedAgeMs: (): number => {
      const oldest = unsealed[0];
      return oldest === undefined ? 0 : Math.max(0, clock() - oldest.timeMs);
    },
    queued: () => queue.length,
    status: (): string | undefined =>
      behind ?? failure ?? (live === undefined ? 'the lane is not loaded yet' : undefined),
    builder,
    stop: async (): Promise<void> => {
      stopping.abort();
      stir();
      await publishing.catch(() => undefined);
    },
  };
};
