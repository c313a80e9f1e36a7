// `sealane settle move`: cover of a participant leaves one lane for another; first signature of two, `settle
// cosign` is the second. `settle moves` shows how far each has come: reconciliation carries what has left
// to the other lane until it is there, and what has not left by its time never will.
import { laneOrigins } from "@sealane/client";
import { formatTime, transferIdOf, type LiquidityOut } from "@sealane/protocol";
import { amountOf, isAmount, minorOf } from "@sealane/rules";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { loadPolicy, readDefaults } from "../defaults.ts";
import { laneOf } from "../lane-places.ts";
import { columns, out, outJson, running } from "../output.ts";
import { askDesk, type DeskFlags, type Position } from "./desk-door.ts";
import { deskOptions } from "./window-command.ts";

type MakeFlags = DeskFlags & {
  readonly operatorKey: string;
  readonly policy?: string;
  readonly out: string;
};

/** What `settle` lends: a statement's first signature, and the options of who gives it. */
export type Makers = {
  readonly make: (flags: MakeFlags, kind: string, body: object) => Promise<boolean>;
  readonly makeOptions: (command: Command) => Command;
};

type MoveFlags = MakeFlags & {
  readonly to: string;
  readonly participant: string;
  readonly currency: string;
  readonly amount: string;
  readonly reference: string;
  readonly minutes: string;
};

const laneNamed = (policyPath: string | undefined, lane: string): string => {
  const { policy } = loadPolicy(policyPath, readDefaults());
  const origin = laneOrigins(policy).find((name) => laneOf(name) === Number(lane));
  if (origin !== undefined && /^\d{1,4}$/.test(lane)) return origin;
  const action = "Write the lane's number; with one lane there is nowhere to move to.";
  throw new CliError("lane-unknown", `the policy pins no lane ${lane}`, action);
};

/** Of what moves, as much as is only advanced goes first: what a bank has confirmed stays usable. */
const unbackedOf = async (flags: MoveFlags): Promise<string> => {
  const { participant, currency, amount } = flags;
  const path = `/v1/positions?participant=${encodeURIComponent(participant)}`;
  const { positions } = await askDesk<{ positions: Position[] }>(flags, path);
  const own = positions.find((one) => one.currency === currency);
  if (own === undefined) {
    const message = `${participant} has no cover in ${currency} in this lane`;
    throw new CliError("account-unknown", message, "See `sealane settle positions`.");
  }
  const [moves, unbacked] = [minorOf(amount, currency), minorOf(own.unbacked, currency)];
  return amountOf(moves < unbacked ? moves : unbacked, currency);
};

const runMove = async (flags: MoveFlags, { make }: Makers): Promise<boolean> => {
  const { participant, currency, amount, reference, minutes } = flags;
  if (!isAmount(amount, currency)) {
    throw new CliError("amount-invalid", `${amount} ${currency}`, "Write an exact amount.");
  }
  const body: LiquidityOut = {
    // The same reference is the same move: it leaves once.
    id: transferIdOf(participant, `move ${reference}`),
    to: laneNamed(flags.policy, flags.to),
    participant,
    currency,
    amount,
    unbacked: await unbackedOf(flags),
    until: formatTime(Date.now() + Number(minutes) * 60_000),
  };
  return make(flags, "liquidity-out", body);
};

type Move = {
  readonly id: string;
  readonly from: string;
  readonly to: string;
  readonly participant: string;
  readonly currency: string;
  readonly amount: string;
  readonly status: "in-transit" | "moved";
  readonly outSeq: number;
  readonly inSeq?: number;
};

const runMoves = async (flags: DeskFlags): Promise<boolean> => {
  const { moves } = await askDesk<{ moves: Move[] }>(flags, "/v1/lanes/moves");
  if (flags.json === true) outJson({ ok: true, moves });
  else {
    const rows = moves.map(({ id, from, to, participant, currency, amount, status }) => [
      id,
      `lane ${laneOf(from)} to ${laneOf(to)}`,
      participant,
      amount,
      currency,
      status,
    ]);
    out(rows.length === 0 ? "Nothing has moved between lanes." : columns(rows, [3]));
  }
  return true;
};

/** Adds `move` and `moves` to `settle`. */
export const registerMoves = (settle: Command, makers: Makers): void => {
  makers
    .makeOptions(
      settle
        .command("move")
        .description("cover leaves this lane (see --desk) for another: first signature of two")
        .requiredOption("--to <lane>", "the other lane's number")
        .requiredOption("--participant <name>", "whose cover")
        .requiredOption("--currency <code>", "such as HKD")
        .requiredOption("--amount <amount>", "such as 1000000.00")
        .requiredOption("--reference <text>", "names the move; the same one leaves once")
        .option("--minutes <n>", "after these it does not leave any more", "60"),
    )
    .action((flags: MoveFlags) => running(flags.json === true, () => runMove(flags, makers)));
  deskOptions(
    settle.command("moves").description("cover that moved between lanes, and what is on its way"),
  ).action((flags: DeskFlags) => running(flags.json === true, () => runMoves(flags)));
};
