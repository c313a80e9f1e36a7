// `sealane keys move-slots`: which lane decides which ids, said anew by two operators. The lanes do the rest
// by themselves: the old one lets the slots go with what is open in them, the new one takes them in.
import { laneOrigins } from "@sealane/client";
import { slotCount, type LanesRecord } from "@sealane/protocol";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { loadPolicy, readDefaults } from "../defaults.ts";
import { running } from "../output.ts";
import { sayAndTell, type SayFlags } from "./finish.ts";
import { findKeyLog, stateAtHand } from "./key-log-view.ts";
import { operatorOption, sayOptions } from "./options.ts";

type Range = { readonly from: number; readonly to: number };

const rangesOf = (slots: readonly number[]): Range[] => {
  const ranges: Range[] = [];
  for (const slot of slots) {
    const last = ranges.at(-1);
    if (last?.to === slot) ranges[ranges.length - 1] = { from: last.from, to: slot + 1 };
    else ranges.push({ from: slot, to: slot + 1 });
  }
  return ranges;
};

/** The record with these slots given to a lane, and taken from whoever has them. */
export const withSlots = (record: LanesRecord, { from, to }: Range, lane: number): LanesRecord => ({
  ...record,
  lanes: record.lanes.map((one) => {
    const own = Array.from({ length: slotCount }, (_, slot) => slot).filter((slot) => {
      const moves = from <= slot && slot < to;
      const has = one.slots.some((range) => range.from <= slot && slot < range.to);
      return moves ? one.lane === lane : has;
    });
    return { ...one, slots: rangesOf(own) };
  }),
});

/** `0-15`, both inclusive, or one slot. @throws CliError */
export const parseSlots = (text: string): Range => {
  const match = /^(\d{1,4})(?:-(\d{1,4}))?$/.exec(text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2] ?? match?.[1]) + 1;
  if (match !== null && from < to && to <= slotCount) return { from, to };
  const action = `Write slots from 0 to ${slotCount - 1}, such as 0-15.`;
  throw new CliError("slots-invalid", `"${text}" are no slots`, action);
};

type Flags = SayFlags & { readonly operator: readonly string[]; readonly policy?: string };

const runMoveSlots = async (slots: string, lane: string, flags: Flags): Promise<boolean> => {
  const range = parseSlots(slots);
  const record = (await stateAtHand(findKeyLog(flags)))?.lanes;
  const to = record?.lanes.find((one) => String(one.lane) === lane);
  if (record === undefined || to === undefined) {
    const message = `the key log has no lane ${lane}`;
    throw new CliError("lane-unknown", message, "Name the key log: --ledger URL.");
  }
  const { policy } = loadPolicy(flags.policy, readDefaults());
  if (!laneOrigins(policy).includes(to.origin)) {
    const message = `the policy does not pin ${to.origin}`;
    throw new CliError("lane-unknown", message, "Give another: --policy FILE.");
  }
  return sayAndTell("lanes", withSlots(record, range, to.lane), flags.operator, flags);
};

/** Adds `move-slots` to `keys`. */
export const registerSlots = (keys: Command): void => {
  operatorOption(sayOptions(keys.command("move-slots")))
    .description("another lane decides these ids: two operators; the lanes hand them over")
    .argument("<slots>", "such as 0-15, both inclusive, of 0 to 1023")
    .argument("<lane>", "the lane's number")
    .action((slots: string, lane: string, flags: Flags) =>
      running(flags.json === true, () => runMoveSlots(slots, lane, flags)),
    );
};
