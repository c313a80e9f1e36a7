// Carries what one lane has let go to the lane that takes it in: its entry with a proof, onto that lane's
// topic, again and again until the books show it there. It decides nothing and signs nothing, so it may die
// anywhere and several may run: what is taken in twice is taken in once. A move that was begun is ended here.
import { fetchProof, type LogReader } from "@sealane/client";
import { laneTopic, type CarriedKind } from "@sealane/protocol";
import { inKey, type SettlementState } from "@sealane/rules";
import { pause } from "@sealane/runtime";
import { formatProof, parseCheckpointText, parseNote } from "@sealane/tlog";
import type { Bookkeeper } from "./bookkeeper.ts";

export type MovingLane = {
  readonly lane: number;
  readonly origin: string;
  readonly bookkeeper: Pick<Bookkeeper, "state">;
  readonly log: Pick<LogReader, "checkpoint" | "entries" | "fetch">;
};

export type CarrierDeps = {
  readonly lanes: readonly MovingLane[];
  readonly send: (topic: string, key: string, value: string) => Promise<void>;
  readonly clock: () => number;
  readonly log: {
    info(fields: object, message: string): void;
    warn(fields: object, message: string): void;
  };
};

const everyMs = 250;
/** Until the other lane's books show it: sealed and read again takes less. */
const againMs = 2_000;

/** The entry whole and its proof, or undefined while it is not sealed. */
export const frameOf = async (
  log: MovingLane["log"],
  seq: number,
): Promise<{ readonly entry: string; readonly proof: string } | undefined> => {
  const checkpoint = await log.checkpoint();
  const { size } = parseCheckpointText(parseNote(checkpoint).text);
  if (size <= seq) return undefined;
  const [entry = ""] = await log.entries(seq, seq + 1);
  const hashes = await fetchProof(log.fetch, seq, size);
  return { entry, proof: formatProof({ index: seq, hashes, checkpoint }) };
};

/** What a lane has let go: cover or slots. */
type Gone = {
  readonly kind: CarriedKind;
  readonly seq: number;
  /** The other lane's origin. */
  readonly to: string;
  /** Whether that lane's books have it. */
  readonly isIn: (books: SettlementState) => boolean;
};

const goneFrom = ({ origin, bookkeeper }: MovingLane): Gone[] => {
  const { moves, slotMoves } = bookkeeper.state()?.settlement ?? { moves: [], slotMoves: [] };
  const cover = [...moves].map(([key, { seq, lane: to, body }]) => {
    const isIn = (books: SettlementState): boolean => books.moves.has(inKey(origin, body));
    return { key, kind: "liquidity-in" as const, seq, to, isIn };
  });
  const slots = [...slotMoves].map(([key, { seq, lane: to }]) => {
    const isIn = (books: SettlementState): boolean => books.slotMoves.has(`in ${origin} ${seq}`);
    return { key, kind: "slots-in" as const, seq, to, isIn };
  });
  return [...cover, ...slots].filter(({ key }) => key.startsWith("out "));
};

export const makeCarrier = ({ lanes, send, clock, log }: CarrierDeps) => {
  /** When each move was carried last; those that have ended are not looked at again. */
  const carriedMs = new Map<string, number>();
  const ended = new Set<string>();

  const carry = async (from: MovingLane, to: MovingLane, { kind, seq }: Gone): Promise<void> => {
    const frame = await frameOf(from.log, seq);
    if (frame === undefined) return;
    const value = JSON.stringify({ v: 1, kind, ...frame });
    await send(laneTopic(to.lane), to.origin, value);
    log.info({ kind, seq, from: from.lane, to: to.lane }, "carried to the other lane");
  };

  const look = async (from: MovingLane, gone: Gone): Promise<void> => {
    const name = `${from.lane} ${gone.seq}`;
    if (ended.has(name)) return;
    const to = lanes.find(({ origin }) => origin === gone.to);
    const books = to?.bookkeeper.state();
    if (to === undefined || books === undefined) return;
    if (gone.isIn(books.settlement)) {
      carriedMs.delete(name);
      ended.add(name);
      return;
    }
    if (clock() - (carriedMs.get(name) ?? 0) < againMs) return;
    carriedMs.set(name, clock());
    try {
      await carry(from, to, gone);
    } catch (err) {
      log.warn({ err, seq: gone.seq, from: from.lane }, "not carried, trying again");
    }
  };

  /** Looks once at every move that has not ended. */
  const step = async (): Promise<void> => {
    for (const from of lanes) {
      for (const gone of goneFrom(from)) await look(from, gone);
    }
  };

  const run = async (signal: AbortSignal): Promise<void> => {
    while (!signal.aborted) {
      await step();
      await pause(everyMs, signal);
    }
  };

  return { step, run };
};
