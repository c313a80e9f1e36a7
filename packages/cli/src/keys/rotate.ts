// `sealane keys rotate`: the new key is registered, both count for a while, then the old one ends. The
// adapter signs with the newest key in force whose file it has, so nothing stops meanwhile. With an
// offline root key both statements are signed at once, into two files, and sent later.
import { setTimeout as delay } from "node:timers/promises";
import { keysInForce, type KeyPurpose, type KeyState, type RegisteredKey } from "@sealane/rules";
import { CliError } from "../cli-error.ts";
import { out } from "../output.ts";
import { readSigningKey } from "./key-files.ts";
import { needState } from "./key-log-view.ts";
import { say, type Said, type SayFlags } from "./finish.ts";

export type RotateFlags = SayFlags & {
  readonly new: string;
  readonly root: string;
  readonly old?: string;
  readonly purpose: KeyPurpose;
  readonly overlap: string;
  readonly reason: string;
};

const units: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };

/** `300s`, `5m`, `24h`. @throws CliError */
export const parseOverlap = (text: string): number => {
  const match = /^(\d{1,6})(s|m|h)$/.exec(text);
  const unit = units[match?.[2] ?? ""];
  if (match !== null && unit !== undefined) return Number(match[1]) * unit;
  throw new CliError("overlap-invalid", `${text} is no duration`, "Write 300s, 5m or 24h.");
};

/** The key that ends: the one that was named, else the only one in force. @throws CliError */
export const oldKeyOf = (
  state: KeyState,
  participant: string,
  { purpose, old }: Pick<RotateFlags, "purpose" | "old">,
  fresh: string,
): RegisteredKey => {
  const inForce = keysInForce(state, participant, purpose).filter(({ vkey }) => vkey !== fresh);
  const named = inForce.filter(
    ({ key, vkey }) => old === undefined || [key.name, vkey].includes(old),
  );
  const [only, ...more] = named;
  if (only !== undefined && more.length === 0) return only;
  const names = inForce.map(({ key }) => key.name).join(", ");
  const message =
    only === undefined
      ? `${participant} has no such key for ${purpose} in force`
      : `${participant} has several keys for ${purpose} in force`;
  throw new CliError("old-key-unclear", message, `Say which one ends: --old NAME (${names}).`);
};

/** @returns both statements, in order */
export const rotate = async (participant: string, flags: RotateFlags): Promise<Said[]> => {
  const overlapMs = parseOverlap(flags.overlap);
  const fresh = await readSigningKey(flags.new);
  const old = oldKeyOf(await needState(flags), participant, flags, fresh.vkey);
  const files = flags.out === undefined ? undefined : [`${flags.out}-begin`, `${flags.out}-end`];
  const step = (at: number): SayFlags => {
    const file = files?.[at];
    return { ...flags, ...(file === undefined ? {} : { out: file }) };
  };
  const key = { participant, purpose: flags.purpose, vkey: fresh.vkey };
  const begun = await say("key", key, [flags.root, flags.new], step(0));
  if (files === undefined) {
    if (flags.json !== true) {
      out(`${fresh.name} is in force beside ${old.key.name}, which ends in ${flags.overlap}.`);
      out(`If this is stopped before: sealane keys revoke ${participant} --key ${old.key.name} …`);
    }
    await delay(overlapMs);
  }
  const revocation = { participant, vkey: old.vkey, reason: flags.reason };
  const ended = await say("revocation", revocation, [flags.root], step(1));
  return [begun, ended];
};
