// What moves between two test lanes: orders, what is carried, and who takes it in.
import { formatTime, transferIdOf, type LiquidityOut } from "@sealane/protocol";
import { formatProof, hashReaderFromTiles, inclusionProof } from "@sealane/tlog";
import { carriedBody, carriedEntry, type CarriedFrame } from "../carried.ts";
import type { LiquidityInCommand, LiquidityOutCommand, SlotsInCommand } from "../commands.ts";
import type { KeyState } from "../key-state.ts";
import { verifyEntry, type EntryChecks } from "../verify-entry.ts";
import { letGoOf, slotsGoneOf } from "../verify-settlement.ts";
import { genesisMs, hk, operator, origin1 } from "./genesis.ts";
import { byOperators, type Signing } from "./statements.ts";
import type { World } from "./world.ts";

/** HKD 100.00 of the first wallet from the first lane to the second, all of it only advanced. */
export const liquidityOut = (
  keys: KeyState,
  body: Partial<LiquidityOut> & { readonly key?: string },
  signing: Signing = {},
): LiquidityOutCommand => {
  const { key = "move-1", amount = "100.00", ...rest } = body;
  const whole: LiquidityOut = {
    id: transferIdOf(operator, key),
    to: origin1,
    participant: hk,
    currency: "HKD",
    amount,
    unbacked: amount,
    until: formatTime(genesisMs + 3_600_000),
    ...rest,
  };
  return { ...byOperators(keys, "liquidity-out", whole, signing).command, kind: "liquidity-out" };
};

/** What is carried from another lane, opened as the ledger's door does. @throws what is wrong with it */
export const liquidityIn = (
  keys: KeyState,
  checks: EntryChecks,
  frame: CarriedFrame,
): LiquidityInCommand => {
  const body = carriedBody(frame);
  const carried = carriedEntry(checks, keys, body, frame.entry, verifyEntry);
  const letGo = "ok" in carried ? carried : letGoOf(body.from, carried);
  if ("ok" in letGo) throw new Error(`${letGo.code}: ${letGo.detail}`);
  return { kind: "liquidity-in", offset: 0n, body, entry: frame.entry, letGo };
};

/** One entry as it is carried to another lane: whole, with its proof under a checkpoint. */
export const carriedFrom = (world: World, seq: number, cosigners = 3): CarriedFrame => {
  const size = world.entries.length;
  const reader = hashReaderFromTiles((level, index) => world.tile(level, index, size));
  const hashes = inclusionProof(seq, size, reader);
  const proof = formatProof({ index: seq, hashes, checkpoint: world.checkpoint(size, cosigners) });
  return { entry: world.entries[seq] as string, proof };
};

/** Slots that are carried from another lane. @throws what is wrong with it */
export const slotsIn = (
  keys: KeyState,
  checks: EntryChecks,
  frame: CarriedFrame,
): SlotsInCommand => {
  const body = carriedBody(frame);
  const carried = carriedEntry(checks, keys, body, frame.entry, verifyEntry);
  const gone = "ok" in carried ? carried : slotsGoneOf(body.from, carried);
  if ("ok" in gone) throw new Error(`${gone.code}: ${gone.detail}`);
  return { kind: "slots-in", offset: 0n, body, entry: frame.entry, gone };
};
