// Wires a desk's part in one lane: sheets of its own, signed for that lane's log, its chain, and how far its
// messages have been read. All lanes quote the same rates.
import { makeLogReader, type KeyWatch, type LedgerLane } from "@sealane/client";
import type { Producer } from "@sealane/messaging";
import type { KeyFamily } from "@sealane/signer";
import type { TlogPolicy } from "@sealane/tlog";
import type { DeskConfig } from "./config.ts";
import { makeInbox, makeMissedBatches, type MissedBatches } from "./inbox.ts";
import { makeKeyLogCopy } from "./key-log.ts";
import { makeOwnChain } from "./own-chain.ts";
import { makeRateDesk, type RateDesk, type RateDeskDeps } from "./rate-desk.ts";
import { openStateFile, type StateFile } from "./state-file.ts";
import { makeStatements, type Statements } from "./statements.ts";

type Parts = {
  readonly config: DeskConfig;
  readonly one: LedgerLane;
  /** There is no other lane. */
  readonly alone: boolean;
  readonly policy: TlogPolicy;
  /** By which the ledger knows this participant; without it gaps are not filled. */
  readonly token: string | undefined;
  readonly keys: KeyWatch;
  readonly signer: KeyFamily;
  readonly producer: Producer;
  readonly reference: RateDeskDeps["reference"];
  readonly onLogged: () => void;
  readonly clock: () => number;
  readonly log: RateDeskDeps["log"];
};

export type LaneDesk = {
  readonly file: StateFile;
  readonly desk: RateDesk;
  readonly statements: Statements;
  readonly inbox: ReturnType<typeof makeInbox>;
  readonly missed: MissedBatches | undefined;
};

export const openLaneDesk = (parts: Parts): LaneDesk => {
  const { config, one, alone, policy, token, keys, signer, producer, clock, log } = parts;
  const { lane, origin, url } = one;
  const participant = config.SEALANE_PARTICIPANT;
  const first = config.SEALANE_LANE;
  const path = config.SEALANE_STATE_FILE;
  const file = openStateFile(lane === first ? path : `${path}.${lane}`, clock(), (err) =>
    log.warn({ err }, "the state was not written, trying again"),
  );
  const { state } = file;
  const missed = token === undefined ? undefined : makeMissedBatches(url, participant, token);
  const common = { participant, origin, lane, state, signer, producer, clock, log };
  const desk = makeRateDesk({
    ...common,
    pairs: config.SEALANE_PAIRS,
    settings: {
      provider: participant,
      spreadBasisPoints: config.SEALANE_SPREAD_BASIS_POINTS,
      maxTransfer: config.SEALANE_MAX_TRANSFER,
      totalPerLane: config.SEALANE_TOTAL_PER_LANE,
      quoteMs: config.SEALANE_SHEET_LIFE,
    },
    reference: parts.reference,
    file,
  });
  const { checkpoint } = makeLogReader(`${url}/log`);
  const statements = makeStatements({ ...common, policy, checkpoint });
  const chain = makeOwnChain({
    ...common,
    desk,
    keys: makeKeyLogCopy(keys),
    onLogged: parts.onLogged,
  });
  const only = alone ? undefined : lane;
  const inbox = makeInbox({ participant, lane: only, state, chain, missed, log });
  return { file, desk, statements, inbox, missed };
};
