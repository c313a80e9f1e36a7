// `sealane approve`: an operator looks at what waits for a signature, and signs it. What is shown and signed
// is read from the text itself, not from what the adapter says of it, and the key stays on this machine.
import { readFileSync } from "node:fs";
import { laneOrigins } from "@sealane/client";
import { headerOf, readStatement, termsSchema, type Terms } from "@sealane/protocol";
import type { Command } from "commander";
import { participantOf, readCliConfig, type CliParticipant } from "./cli-config.ts";
import { CliError } from "./cli-error.ts";
import { loadPolicy, readDefaults } from "./defaults.ts";
import { signerOf } from "./lane-command.ts";
import { columns, out, outJson, running } from "./output.ts";

type Flags = {
  readonly from: string;
  readonly key?: string;
  readonly policy?: string;
  readonly json?: boolean;
};

type Waiting = {
  readonly transferId: string;
  readonly statement: string;
  readonly needed: number;
  readonly approvedBy: readonly string[];
  readonly expiresAt: string;
  readonly sent?: boolean;
};

const timeoutMs = 15_000;

/** One call of the provider's adapter. @throws CliError with the adapter's own code */
const call = async (
  { url, tokenFile }: CliParticipant,
  path: string,
  line?: string,
): Promise<unknown> => {
  let response: Response;
  try {
    response = await fetch(`${url}/v1/approvals${path}`, {
      headers: {
        Authorization: `Bearer ${readFileSync(tokenFile, "utf8").trim()}`,
        ...(line === undefined ? {} : { "Content-Type": "text/plain; charset=utf-8" }),
      },
      ...(line === undefined ? {} : { method: "POST", body: `${line}\n` }),
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
  } catch (cause) {
    throw new CliError("adapter-unreachable", `${url} did not answer`, "Is it up?", cause);
  }
  const body = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  if (response.ok) return body;
  const text = (name: string): string | undefined =>
    typeof body[name] === "string" ? body[name] : undefined;
  throw new CliError(
    text("code") ?? `http-${response.status}`,
    text("detail") ?? text("title") ?? `${url} answered ${response.status}`,
    text("action") ?? "See `sealane approve` for what waits.",
  );
};

/** The terms in a text that is to be signed: of a pinned log, and of this transfer. @throws CliError */
const termsOf = ({ transferId, statement }: Waiting, origins: readonly string[]): Terms => {
  const read = readStatement({ text: statement, signatures: [] }, "transfer", termsSchema);
  const own = origins.includes(headerOf(statement)?.origin ?? "");
  if (read.ok && own && read.statement.body.id === transferId) return read.statement.body;
  const action = "Sign nothing that this adapter shows you, and tell its provider.";
  throw new CliError("statement-wrong", `${transferId}: the text says something else`, action);
};

const describe = (terms: Terms, { needed, approvedBy }: Waiting): string[] => [
  terms.id,
  `${terms.send.currency} ${terms.send.amount}`,
  `${terms.payer.participant} to ${terms.payee.participant}`,
  `${terms.receive.currency} ${terms.receive.amount}`,
  `${approvedBy.length} of ${needed}`,
  `until ${terms.expiresAt}`,
];

const pinnedOrigins = (flags: Flags): string[] =>
  laneOrigins(loadPolicy(flags.policy, readDefaults()).policy);

const runList = async (flags: Flags, from: CliParticipant): Promise<boolean> => {
  const { approvals } = (await call(from, "")) as { approvals: Waiting[] };
  const origins = pinnedOrigins(flags);
  const rows = approvals.map((one) => describe(termsOf(one, origins), one));
  if (flags.json === true) outJson({ approvals });
  else out(rows.length === 0 ? "nothing waits for approval" : columns(rows));
  return true;
};

const runApprove = async (id: string, key: string, flags: Flags, from: CliParticipant) => {
  const waiting = (await call(from, `/${id}`)) as Waiting;
  const terms = termsOf({ ...waiting, transferId: id }, pinnedOrigins(flags));
  const line = await signerOf(key).signLine(waiting.statement);
  const after = (await call(from, `/${id}`, line)) as Waiting;
  if (flags.json === true) outJson({ ok: true, ...after });
  else {
    out(columns([describe(terms, after)]));
    out(after.sent === true ? "the policy is met: it is on its way" : "it waits for the others");
  }
  return true;
};

const run = (id: string | undefined, flags: Flags): Promise<boolean> => {
  const from = participantOf(readCliConfig(), flags.from);
  if (id === undefined) return runList(flags, from);
  if (flags.key === undefined) {
    const action = "Give your operator's key: --key FILE.";
    throw new CliError("key-missing", "who approves?", action);
  }
  return runApprove(id, flags.key, flags, from);
};

export const registerApprove = (program: Command): void => {
  program
    .command("approve")
    .description("sign a transfer that a policy lets through only with operators; alone: the list")
    .argument("[transfer]", "its id")
    .requiredOption("--from <wallet>", "whose adapter holds it, such as hk-wallet")
    .option("--key <file>", "your operator's key")
    .option("--policy <file>", "whom you trust: a C2SP tlog-policy")
    .option("--json", "print one JSON object")
    .action((id: string | undefined, flags: Flags) =>
      running(flags.json === true, async () => run(id, flags)),
    );
};
