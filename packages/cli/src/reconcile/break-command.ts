// `sealane break`: what differs between the log, Postgres, providers and banks, and what people do about it.
// A resolution is proposed by one person and approved by another; where money moves, each of them signs the
// adjustment here, with a key of their own.
import {
  readNote,
  readStatement,
  statementText,
  adjustmentSchema,
  type Adjustment,
} from "@sealane/protocol";
import { composeNote } from "@sealane/tlog";
import type { Command } from "commander";
import { CliError } from "../cli-error.ts";
import { signerOf } from "../lane-command.ts";
import { columns, out, outJson, running } from "../output.ts";
import { askDesk, tellDesk, type DeskFlags } from "../settle/desk-door.ts";
import { deskOptions, pinnedOrigin } from "../settle/window-command.ts";

type BreakView = {
  readonly id: string;
  readonly kind: string;
  readonly between: string;
  readonly participant: string;
  readonly currency: string;
  readonly side: string;
  readonly expected?: string;
  readonly found?: string;
  readonly foundCurrency?: string;
  readonly detail: string;
  readonly state: string;
  readonly owner: string;
  readonly ageSeconds: number;
  readonly deadline: string;
  readonly overdue: boolean;
  readonly transfer?: string;
  readonly proposal?: {
    readonly id: string;
    readonly by: string;
    readonly outcome: string;
    readonly text: string;
    readonly note?: string;
  };
};

type Whole = BreakView & {
  readonly log?: { readonly seq: number; readonly outcome: string };
  readonly lines: readonly { reference: string; side: string; amount: string; currency: string }[];
  readonly events: readonly {
    readonly at: string;
    readonly principal: string;
    readonly kind: string;
    readonly body: Readonly<Record<string, unknown>>;
  }[];
};

/** `3d 4h`, `12m`: the two largest units that say something. */
export const ageText = (seconds: number): string => {
  const [days, hours, minutes] = [86_400, 3_600, 60].map((unit) => Math.floor(seconds / unit));
  if ((days ?? 0) > 0) return `${days}d ${(hours ?? 0) % 24}h`;
  if ((hours ?? 0) > 0) return `${hours}h ${(minutes ?? 0) % 60}m`;
  return `${minutes}m`;
};

type ListFlags = DeskFlags & {
  readonly state: string;
  readonly kind?: string;
  readonly participant?: string;
  readonly owner?: string;
  readonly limit: string;
};

const runList = async (flags: ListFlags): Promise<boolean> => {
  const query = new URLSearchParams({ state: flags.state, limit: flags.limit });
  for (const name of ["kind", "participant", "owner"] as const) {
    const value = flags[name];
    if (value !== undefined) query.set(name, value);
  }
  type List = {
    asOf: { position: number; providers: { participant: string; until: string }[] };
    breaks: BreakView[];
  };
  const list = await askDesk<List>(flags, `/v1/breaks?${query.toString()}`);
  if (flags.json === true) {
    outJson({ ok: true, ...list });
    return true;
  }
  const { position, providers } = list.asOf;
  out(`as of ${position} entries`);
  out(columns(providers.map((one) => [one.participant, `known up to ${one.until}`])));
  const rows = list.breaks.map((one) => [
    one.id,
    one.kind,
    one.state,
    one.participant,
    one.found ?? "-",
    one.expected ?? "-",
    one.currency,
    ageText(one.ageSeconds),
    one.overdue ? "OVERDUE" : "",
    one.owner,
  ]);
  const head = ["id", "kind", "state", "of", "found", "expected", "", "age", "", "owner"];
  out(rows.length === 0 ? "no breaks" : columns([head, ...rows], [4, 5, 7]));
  return true;
};

const askBreak = (flags: DeskFlags, id: string): Promise<Whole> =>
  askDesk<Whole>(flags, `/v1/breaks/${encodeURIComponent(id)}`);

const runShow = async (id: string, flags: DeskFlags): Promise<boolean> => {
  const one = await askBreak(flags, id);
  if (flags.json === true) {
    outJson({ ok: true, ...one });
    return true;
  }
  out(`${one.kind} ${one.state}: ${one.detail}`);
  out(
    columns([
      ["of", `${one.participant}, ${one.between}`],
      ["transfer", one.transfer ?? "-"],
      ["the log", one.log === undefined ? "nothing" : `entry ${one.log.seq}, ${one.log.outcome}`],
      ["owner", one.owner],
      ["age", `${ageText(one.ageSeconds)}, deadline ${one.deadline}${one.overdue ? " PAST" : ""}`],
      ...one.lines.map((line) => [
        "line",
        `${line.reference} ${line.side} ${line.amount} ${line.currency}`,
      ]),
    ]),
  );
  out(
    columns(
      one.events.map(({ at, principal, kind, body }) => {
        const { text, detail, owner, outcome } = body;
        const said = [outcome, owner, text ?? detail].filter((part) => typeof part === "string");
        return [at, principal, kind, said.join(" ")];
      }),
    ),
  );
  return true;
};

type Done = { readonly id: string; readonly state: string; readonly owner: string };

const tell = async (flags: DeskFlags, id: string, what: string, body: object): Promise<boolean> => {
  const done = await tellDesk<Done>(flags, `/v1/breaks/${encodeURIComponent(id)}/${what}`, body);
  if (flags.json === true) outJson({ ok: true, ...done });
  else out(`${done.id} is ${done.state}; its owner is ${done.owner}`);
  return true;
};

type ResolveFlags = DeskFlags & {
  readonly as: string;
  readonly text: string;
  readonly transfer?: string;
  readonly credit?: string;
  readonly debit?: string;
  readonly operatorKey?: string;
  readonly policy?: string;
};

const neededKey = (path: string | undefined): string => {
  if (path !== undefined) return path;
  const action = "Each of the two signs with a key of their own: --operator-key FILE.";
  throw new CliError("key-missing", "money moves: your operator key is needed", action);
};

/** The adjustment, with the first signature. */
const adjustmentNote = async (id: string, flags: ResolveFlags): Promise<string> => {
  const { credit, debit, text: why } = flags;
  const amount = credit ?? debit;
  if (amount === undefined || (credit !== undefined && debit !== undefined)) {
    const action = "Say one: --credit AMOUNT gives cover to the participant, --debit takes it.";
    throw new CliError("amount-missing", "what is to be posted?", action);
  }
  const found = await askBreak(flags, id);
  const body: Adjustment = {
    id: found.id,
    break: found.kind,
    participant: found.participant,
    currency: found.currency,
    side: credit === undefined ? "debit" : "credit",
    amount,
    ...(found.transfer === undefined ? {} : { transfer: found.transfer }),
    note: why.slice(0, 200),
  };
  const text = statementText(pinnedOrigin(flags.policy, flags.desk), "adjustment", body);
  return composeNote(text, [await signerOf(neededKey(flags.operatorKey)).signLine(text)]);
};

const runResolve = async (id: string, flags: ResolveFlags): Promise<boolean> => {
  const { as: outcome, text, transfer } = flags;
  const note = outcome === "adjusted" ? await adjustmentNote(id, flags) : undefined;
  return tell(flags, id, "proposal", {
    outcome,
    text,
    ...(transfer === undefined ? {} : { transfer }),
    ...(note === undefined ? {} : { note }),
  });
};

type ApproveFlags = DeskFlags & {
  readonly text?: string;
  readonly operatorKey?: string;
  readonly policy?: string;
};

/** Shows what is signed, and adds the second signature. */
const cosigned = async (note: string, flags: ApproveFlags): Promise<string> => {
  const read = readNote(note);
  const said = read.ok ? readStatement(read.note, "adjustment", adjustmentSchema) : undefined;
  if (!read.ok || said?.ok !== true) {
    throw new CliError("statement-malformed", "the proposal has no adjustment", "Send it back.");
  }
  const { text, signatures } = read.note;
  if (said.statement.origin !== pinnedOrigin(flags.policy, flags.desk)) {
    throw new CliError("wrong-log", "it is for another log", "Send it back.");
  }
  const { participant, side, amount, currency } = said.statement.body;
  if (flags.json !== true) out(`signing: ${side} ${amount} ${currency}, cover of ${participant}`);
  const signer = signerOf(neededKey(flags.operatorKey));
  if (signatures.some(({ name }) => name === signer.name)) {
    const action = "Two operators sign, each with a key of their own.";
    throw new CliError("signed-already", `${signer.name} has signed it already`, action);
  }
  return composeNote(text, [...signatures.map(({ line }) => line), await signer.signLine(text)]);
};

const runApprove = async (id: string, flags: ApproveFlags): Promise<boolean> => {
  const { proposal } = await askBreak(flags, id);
  const { text } = flags;
  if (proposal !== undefined && flags.json !== true) {
    out(`approving: ${proposal.outcome}, ${proposal.text}, proposed by ${proposal.by}`);
  }
  const note = proposal?.note === undefined ? undefined : await cosigned(proposal.note, flags);
  return tell(flags, id, "approval", {
    ...(proposal === undefined ? {} : { proposal: proposal.id }),
    ...(text === undefined ? {} : { text }),
    ...(note === undefined ? {} : { note }),
  });
};

const registerReading = (root: Command): void => {
  deskOptions(
    root
      .command("list")
      .description("breaks, the newest first")
      .option("--state <state>", "live, ended, all, or one state", "live")
      .option("--kind <kind>", "such as amount")
      .option("--participant <name>", "whose")
      .option("--owner <owner>", "as role/name")
      .option("--limit <n>", "how many", "50"),
  ).action((flags: ListFlags) => running(flags.json === true, () => runList(flags)));
  deskOptions(
    root.command("show <id>").description("one break: both sides, history, proposal"),
  ).action((id: string, flags: DeskFlags) =>
    running(flags.json === true, () => runShow(id, flags)),
  );
};

const registerTalking = (root: Command): void => {
  deskOptions(
    root
      .command("comment <id>")
      .description("say something")
      .requiredOption("--text <text>", "what"),
  ).action((id: string, flags: DeskFlags & { text: string }) =>
    running(flags.json === true, () => tell(flags, id, "comments", { text: flags.text })),
  );
  deskOptions(
    root
      .command("assign <id>")
      .description("give it to somebody")
      .requiredOption("--to <owner>", "as role/name"),
  ).action((id: string, flags: DeskFlags & { to: string }) =>
    running(flags.json === true, () => tell(flags, id, "owner", { owner: flags.to })),
  );
};

const registerResolving = (root: Command): void => {
  const signing = (command: Command): Command =>
    deskOptions(command)
      .option("--operator-key <file>", "your own operator key, where money moves")
      .option("--policy <file>", "the policy that pins the log");
  signing(
    root
      .command("resolve <id>")
      .description("propose how it is resolved; another person approves")
      .requiredOption("--as <outcome>", "explained, corrected, accepted, returned or adjusted")
      .requiredOption("--text <text>", "why")
      .option("--transfer <id>", "the return, for returned")
      .option("--credit <amount>", "for adjusted: cover given to the participant")
      .option("--debit <amount>", "for adjusted: cover taken from it"),
  ).action((id: string, flags: ResolveFlags) =>
    running(flags.json === true, () => runResolve(id, flags)),
  );
  signing(
    root
      .command("approve <id>")
      .description("approve what another person proposed; where money moves, sign it too")
      .option("--text <text>", "what to say"),
  ).action((id: string, flags: ApproveFlags) =>
    running(flags.json === true, () => runApprove(id, flags)),
  );
  deskOptions(
    root
      .command("reject <id>")
      .description("send a proposal back, or take your own back")
      .requiredOption("--text <text>", "why"),
  ).action((id: string, flags: DeskFlags & { text: string }) =>
    running(flags.json === true, () => tell(flags, id, "rejection", { text: flags.text })),
  );
};

/** Adds `break` to the program. */
export const registerBreak = (program: Command): void => {
  const root = program.command("break").description("what differs, and what is done about it");
  registerReading(root);
  registerTalking(root);
  registerResolving(root);
};
