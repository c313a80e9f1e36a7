// The lanes that this adapter sends to and hears from. In each it has a chain, seals, sheets and a part of
// the inbox of its own; which of them decides a transfer is in its id, by the key log's slots.
import { laneRouter, type LedgerLane } from "@sealane/client";
import { headerOf, laneTopic, rateSheetSchema, readNote, readStatement } from "@sealane/protocol";
import type { KeyState } from "@sealane/rules";
import { makeLedgerClient, type LedgerClient } from "./ledger-client.ts";
import { makeSheetBook, type SheetBook } from "./sheet-book.ts";
import type { ChainEntry, InboxPosition, ViewStore } from "./view-store.ts";
import type { TransferView } from "./views.ts";

/** What an adapter keeps of one lane. */
export type LaneBook = {
  readonly lane: number;
  readonly origin: string;
  /** The lane's topic. */
  readonly topic: string;
  readonly ledger: LedgerClient;
  readonly sheets: SheetBook;
  readonly position: InboxPosition;
  /** Own entries that are not covered by a credited statement yet, oldest first. */
  readonly chain: ChainEntry[];
};

export type Lanes = {
  readonly all: readonly [LaneBook, ...LaneBook[]];
  readonly several: boolean;
  /** Who decides this id now. */
  readonly of: (id: string) => LaneBook;
  /** In whose log it is, or will be: an entry stays where it is when its slot moves. */
  readonly holding: (view: Pick<TransferView, "id" | "lane">) => LaneBook;
  readonly at: (lane: number) => LaneBook | undefined;
};

/** The lane whose log a statement or an entry is of, by its first line. */
export const laneOfLog = ({ all }: Pick<Lanes, "all">, note: string): LaneBook | undefined => {
  const log = headerOf(note)?.origin;
  return all.find(({ origin }) => origin === log);
};

/** What is remembered of a lane from before: the sheets that were logged, the inbox's position. */
export const openLaneBook = async (
  { lane, origin, url }: LedgerLane,
  store: Pick<ViewStore, "readPosition" | "readChainFrom" | "readSheets">,
  participant: string,
  token: string,
): Promise<LaneBook> => {
  const position = await store.readPosition(lane);
  // One entry more than is needed: the next one must follow it.
  const from = Math.min(position.creditedTo, position.sealedTo) - 1;
  const chain = await store.readChainFrom(lane, Math.max(0, from));
  const sheets = makeSheetBook();
  for (const note of await store.readSheets(lane)) {
    const read = readNote(note);
    const sheet = read.ok ? readStatement(read.note, "rate-sheet", rateSheetSchema) : undefined;
    if (sheet?.ok === true) sheets.add(sheet.statement.body, note);
  }
  const ledger = makeLedgerClient(url, participant, token);
  return { lane, origin, topic: laneTopic(lane), ledger, sheets, position, chain };
};

export const makeLanes = (
  all: readonly [LaneBook, ...LaneBook[]],
  keys: () => KeyState | undefined,
): Lanes => {
  const of = laneRouter(all, keys);
  const byLane = new Map(all.map((book) => [book.lane, book]));
  return {
    all,
    several: all.length > 1,
    of,
    holding: ({ id, lane }) => (lane === undefined ? undefined : byLane.get(lane)) ?? of(id),
    at: (lane) => byLane.get(lane),
  };
};
