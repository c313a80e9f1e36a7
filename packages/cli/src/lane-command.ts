// `sealane lane`: what operators do when the lane stops at a command. Two of them look at it, each signs
// with a key of their own on a machine of their own, and a file goes between them: `set-aside` makes it,
// `cosign` adds the second signature and hands it to the ledger. No key leaves its machine.
import { existsSync, writeFileSync } from "node:fs";
import { laneOrigins, noteSigner, type NoteSigner } from "@sealane/client";
import {
  readNote,
  readStatement,
  setAsideSchema,
  statementText,
  type SetAside,
} from "@sealane/protocol";
import { composeNote } from "@sealane/tlog";
import type { Command } from "commander";
import { CliError } from "./cli-error.ts";
import { loadPolicy, readBytes, readDefaults } from "./defaults.ts";
import { askLane, sendDecision, type LaneStatus } from "./lane-door.ts";
import { out, outJson, running } from "./output.ts";

type Flags = {
  readonly operatorKey: string;
  readonly ledger?: string;
  readonly policy?: string;
  readonly json?: boolean;
};
type SetAsideFlags = Flags & {
  readonly offset: string;
  readonly reason: string;
  readonly out: string;
};

const ledgerOf = ({ ledger }: Pick<Flags, "ledger">): string => {
  const url = ledger ?? readDefaults().log?.replace(/\/log\/?$/, "");
  if (url !== undefined) return url;
  throw new CliError("ledger-missing", "which ledger?", "Give its URL: --ledger URL.");
};

export const signerOf = (path: string): NoteSigner => {
  const text = Buffer.from(readBytes(path, "the operator's key")).toString("utf8");
  try {
    return noteSigner(text);
  } catch (cause) {
    const action = "Give your own operator key: a file with one PRIVATE+KEY line.";
    throw new CliError("key-malformed", `${path} is no signing key`, action, cause);
  }
};

/** The log that an operator's signature is for is a pinned one, whatever the ledger says. */
const checkOrigin = (flags: Flags, origin: string): void => {
  const defaults = readDefaults();
  const { policy } = loadPolicy(flags.policy, defaults);
  const pinned = laneOrigins(policy);
  if (pinned.includes(origin)) return;
  const message = `the ledger writes ${origin}, the policy pins ${pinned.join(", ") || "no log"}`;
  throw new CliError("wrong-log", message, "Ask the ledger that your policy is about.");
};

/** The lane must stop at just this command: its bytes are what is signed for. */
const checkStopped = ({ stopped }: LaneStatus, offset: string, hash?: string): string => {
  const here = stopped?.offset === offset && (hash === undefined || stopped.hash === hash);
  if (stopped !== undefined && here) return stopped.hash;
  const where = stopped === undefined ? "nowhere" : `at offset ${stopped.offset} (${stopped.hash})`;
  const action =
    "See `sealane lane status`: only the command at which the lane stops can be set aside.";
  throw new CliError("not-stopped-there", `the lane stops ${where}`, action);
};

const describeStop = ({ stopped }: LaneStatus): string =>
  stopped === undefined
    ? "does not stop anywhere"
    : `stops at offset ${stopped.offset}: ${stopped.size} bytes, SHA-256 ${stopped.hash}\n  ${stopped.detail}`;

const runStatus = async (flags: Pick<Flags, "ledger" | "json">): Promise<boolean> => {
  const status = await askLane(ledgerOf(flags));
  if (flags.json === true) outJson({ ok: status.stopped === undefined, ...status });
  else
    out(`lane ${status.lane}, ${status.origin}, ${status.size} entries: ${describeStop(status)}`);
  return status.stopped === undefined;
};

const runSetAside = async (flags: SetAsideFlags): Promise<boolean> => {
  const status = await askLane(ledgerOf(flags));
  checkOrigin(flags, status.origin);
  const hash = checkStopped(status, flags.offset);
  const body = { lane: status.lane, offset: flags.offset, hash, reason: flags.reason };
  const parsed = setAsideSchema.safeParse(body);
  if (!parsed.success) {
    const action = "A reason is a label such as decoder-bug-412: a-z, 0-9, dots, dashes, slashes.";
    throw new CliError("reason-invalid", parsed.error.issues[0]?.message ?? "", action);
  }
  if (existsSync(flags.out)) {
    throw new CliError("file-exists", `${flags.out} exists`, "Name a new file: --out FILE.");
  }
  const text = statementText(status.origin, "set-aside", parsed.data satisfies SetAside);
  const line = await signerOf(flags.operatorKey).signLine(text);
  writeFileSync(flags.out, composeNote(text, [line]));
  if (flags.json === true) outJson({ ok: true, file: flags.out, ...parsed.data });
  else {
    out(`lane ${status.lane} ${describeStop(status)}`);
    out(`One signature of two: ${flags.out}. Another operator looks at it and runs:`);
    out(`  npx sealane lane cosign ${flags.out} --operator-key FILE`);
  }
  return true;
};

const readDecision = (file: string) => {
  const note = Buffer.from(readBytes(file, "the decision")).toString("utf8");
  const parsed = readNote(note);
  const read = parsed.ok ? readStatement(parsed.note, "set-aside", setAsideSchema) : undefined;
  if (parsed.ok && read?.ok === true) {
    return { text: parsed.note.text, signatures: parsed.note.signatures, ...read.statement };
  }
  const action = "Give the file that `sealane lane set-aside` wrote.";
  throw new CliError("decision-malformed", `${file} holds no decision`, action);
};

const runCosign = async (file: string, flags: Flags): Promise<boolean> => {
  const { text, signatures, body, origin } = readDecision(file);
  const url = ledgerOf(flags);
  const status = await askLane(url);
  checkOrigin(flags, origin);
  checkStopped(status, body.offset, body.hash);
  const signer = signerOf(flags.operatorKey);
  if (signatures.some(({ name }) => name === signer.name)) {
    const action = "Two operators sign, each with a key of their own.";
    throw new CliError("signed-already", `${signer.name} has signed it already`, action);
  }
  const lines = signatures.map(({ line }) => line);
  const both = composeNote(text, [...lines, await signer.signLine(text)]);
  writeFileSync(file, both);
  await sendDecision(url, both);
  if (flags.json === true) outJson({ ok: true, file, ...body });
  else out(`The ledger has it: lane ${body.lane} goes on without offset ${body.offset}.`);
  return true;
};

const shared = (command: Command): Command =>
  command
    .requiredOption("--operator-key <file>", "your own operator key")
    .option("--ledger <url>", "the ledger; default: the one of .sealane/cli.json")
    .option(
      "--policy <file>",
      "the policy that pins the log; default: the one of .sealane/cli.json",
    )
    .option("--json", "print one JSON object");

/** Adds `lane` to the program. */
export const registerLane = (program: Command): void => {
  const lane = program.command("lane").description("for operators: when the lane stops");
  lane
    .command("status")
    .description("where the lane is, and the command at which it stops; exit code 1 if it does")
    .option("--ledger <url>", "the ledger; default: the one of .sealane/cli.json")
    .option("--json", "print one JSON object")
    .action((flags: Pick<Flags, "ledger" | "json">) =>
      running(flags.json === true, () => runStatus(flags)),
    );
  shared(
    lane
      .command("set-aside")
      .description("decide to go on without the command at which the lane stops: first signature")
      .requiredOption("--offset <n>", "its offset, as `status` says")
      .requiredOption("--reason <label>", "why, such as decoder-bug-412")
      .requiredOption("--out <file>", "where to put the decision"),
  ).action((flags: SetAsideFlags) => running(flags.json === true, () => runSetAside(flags)));
  shared(
    lane.command("cosign <file>").description("second signature, and off to the ledger"),
  ).action((file: string, flags: Flags) =>
    running(flags.json === true, () => runCosign(file, flags)),
  );
};
