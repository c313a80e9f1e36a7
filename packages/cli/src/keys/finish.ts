// The end of every `sealane keys` command that says something: sign with the keys at hand, then either
// write the statement for the next signer or send it. Judged before it is sent, by the same rule that
// the ledger applies, so that a refusal comes with what to do.
import { CliError } from "../cli-error.ts";
import { out, outJson } from "../output.ts";
import { readSigningKeys, writeProposal } from "./key-files.ts";
import { findKeyLog, sendStatement, stateAtHand, type KeyLogFlags } from "./key-log-view.ts";
import {
  actionOf,
  addLine,
  judge,
  propose,
  readBody,
  signersOf,
  type Proposal,
} from "./proposal.ts";

export type SayFlags = KeyLogFlags & {
  /** Write it there instead of sending it. */
  readonly out?: string;
  readonly json?: boolean;
};

export type Said = {
  readonly kind: string;
  readonly body: Readonly<Record<string, unknown>>;
  readonly signers: readonly string[];
  /** Its place in the key log, once it was sent. */
  readonly seq?: number;
  readonly time?: string;
  readonly file?: string;
};

const describe = (proposal: Proposal): Omit<Said, "seq" | "time" | "file"> => ({
  ...readBody(proposal),
  signers: signersOf(proposal),
});

export const tell = (said: Said, json: boolean | undefined): boolean => {
  const { kind, body, signers, seq, time, file } = said;
  if (json === true) {
    outJson({ ok: true, ...said });
    return true;
  }
  out(`${kind} ${JSON.stringify(body)}`);
  out(`  signed by ${signers.length === 0 ? "nobody yet" : signers.join(", ")}`);
  if (seq !== undefined) out(`  in force: entry ${seq} of the key log, ${time}`);
  if (file !== undefined) {
    out(`  written to ${file}`);
    out(`Next: sealane keys cosign ${file} --key KEY, and sealane keys submit ${file}`);
  }
  return true;
};

/** Refuses what can never stand, and, where it is to be sent, what lacks a signature. */
const refuseFaults = (
  state: Parameters<typeof judge>[0] | undefined,
  proposal: Proposal,
  sending: boolean,
): void => {
  if (state === undefined) return;
  const judged = judge(state, proposal);
  if (judged.status === "refused") {
    const message = `the key log would refuse it: ${judged.detail} (${judged.code})`;
    throw new CliError(judged.code, message, actionOf(judged.code));
  }
  if (judged.status !== "incomplete" || !sending) return;
  throw new CliError(
    "signature-missing",
    `it lacks a signature: ${judged.detail}`,
    "Write it with --out FILE; who is missing then runs sealane keys cosign FILE --key KEY --send.",
  );
};

/** Sends a signed statement, or writes it. @throws CliError */
export const finish = async (proposal: Proposal, flags: SayFlags): Promise<Said> => {
  const place = findKeyLog(flags);
  const state = await stateAtHand(place);
  refuseFaults(state, proposal, flags.out === undefined);
  if (flags.out !== undefined) {
    writeProposal(flags.out, proposal);
    return { ...describe(proposal), file: flags.out };
  }
  const logged = await sendStatement(place, proposal);
  return { ...describe(proposal), ...logged };
};

/** Proposes, signs with these key files, and finishes. @throws CliError */
export const say = async (
  kind: string,
  body: unknown,
  keyFiles: readonly string[],
  flags: SayFlags,
): Promise<Said> => {
  const place = findKeyLog(flags);
  const state = await stateAtHand(place);
  const keys = await readSigningKeys(keyFiles);
  const proposal = keys.reduce(addLine, propose(place.origin, kind, body, state));
  return finish(proposal, flags);
};

export const sayAndTell = async (...args: Parameters<typeof say>): Promise<boolean> =>
  tell(await say(...args), args[3].json);

export const finishAndTell = async (proposal: Proposal, flags: SayFlags): Promise<boolean> =>
  tell(await finish(proposal, flags), flags.json);
