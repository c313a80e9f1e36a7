// `sealane verify`: reads a receipt, the policy and the copy of the key log, and prints a verdict per
// question; or a bundle, which brings its own key log along. Exit code 0 when it is sealed and nothing
// failed, else 1. No network.
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { fromUtf8 } from "@sealane/tlog";
import type { Command } from "commander";
import { isBundle } from "./bundle-format.ts";
import { loadPolicy, readBytes, readDefaults } from "./defaults.ts";
import { columns, out, outJson, running } from "./output.ts";
import { parseKeysCopy } from "./read-keys.ts";
import { loadRoots } from "./roots-file.ts";
import { showBundle } from "./show-bundle.ts";
import { verifyBundle } from "./verify-bundle.ts";
import { isEvidence, verifyEvidence, type EvidenceVerdict } from "./verify-evidence.ts";
import {
  questions,
  verifyReceipt,
  type KeysCopy,
  type ReceiptFacts,
  type Verdict,
} from "./verify-receipt.ts";

type VerifyFlags = {
  readonly policy?: string;
  readonly keys?: string;
  readonly roots?: string;
  readonly json?: boolean;
};

/** The file that was given, or `keylog` beside the policy when it is there. */
export const loadKeys = (given: string | undefined, policyPath: string): KeysCopy | undefined => {
  const path = given ?? join(dirname(policyPath), "keylog");
  if (given === undefined && !existsSync(path)) return undefined;
  return parseKeysCopy(fromUtf8(readBytes(path, "the copy of the key log")));
};

const moneyText = (money: { amount: string; currency: string } | undefined): string | undefined =>
  money === undefined ? undefined : `${money.amount} ${money.currency}`;

const showFacts = (facts: ReceiptFacts): string => {
  const { sent, received, fees, transferId, payer, payee, kind, outcome, reason } = facts;
  const rows: string[][] = [];
  const add = (name: string, value: string | undefined): void => {
    if (value !== undefined) rows.push([name, value]);
  };
  add("transfer", transferId);
  add("outcome", reason === undefined ? `${kind} ${outcome}` : `${kind} ${outcome}, ${reason}`);
  add("return of", facts.returnOf);
  add("recall of", facts.recallOf);
  const linked = facts.returnOf ?? facts.recallOf;
  if (linked !== undefined) {
    add(facts.returnOf === undefined ? "asked" : "goes back", moneyText(sent));
    add("comes back", moneyText(received));
    add("log time", facts.logTime);
    return columns(rows);
  }
  if (sent !== undefined) add("sent", `${sent.amount} ${sent.currency} by ${payer}`);
  add("fee", fees?.map(({ amount, currency }) => `${amount} ${currency}`).join(", "));
  if (received !== undefined)
    add("received", `${received.amount} ${received.currency} by ${payee}`);
  add("log time", facts.logTime);
  return columns(rows);
};

const lastLine = ({ ok, checks }: Verdict): string => {
  const failures = questions.filter((question) => checks[question].status === "failed");
  if (!ok) return `The receipt does not stand: ${failures.join(", ")} failed.`;
  if (checks.keys.status === "checked") return "The receipt stands.";
  return "This alone proves: logged, sealed, these bytes. Who signed them was not checked.";
};

const show = (verdict: Verdict): void => {
  if (verdict.facts !== undefined) out(`${showFacts(verdict.facts)}\n`);
  const rows = questions.map((question) => {
    const check = verdict.checks[question];
    const why = check.status === "failed" ? `${check.detail} (${check.code})` : check.detail;
    return [question, check.status, why];
  });
  out(`${columns(rows)}\n`);
  out(lastLine(verdict));
};

const showEvidence = (verdict: EvidenceVerdict, { json }: VerifyFlags): boolean => {
  if (json === true) outJson(verdict);
  else if (verdict.ok) {
    const { origin, size, roots, cosignedBy } = verdict;
    out(`The log ${origin} signed two histories: at ${size} entries both these roots.`);
    out(
      columns(roots.map((root, at) => [root, at === 0 ? `seen by ${cosignedBy.join(", ")}` : ""])),
    );
    out("The evidence stands: show it to the log's other witnesses and auditors.");
  } else out(`This proves nothing: ${verdict.detail} (${verdict.code})`);
  return verdict.ok;
};

const runVerify = (file: string, flags: VerifyFlags): boolean => {
  const { policy, path } = loadPolicy(flags.policy, readDefaults());
  const roots = loadRoots(flags.roots, path);
  const bytes = readBytes(file, "the receipt");
  // Latin 1 keeps every byte apart: what is no UTF-8 is then no base64 either.
  const text = Buffer.from(bytes).toString("latin1");
  if (isEvidence(text))
    return showEvidence(verifyEvidence(Buffer.from(bytes).toString("utf8"), policy), flags);
  if (isBundle(text)) {
    const verdict = verifyBundle(text, policy, roots);
    if (flags.json !== true) return showBundle(verdict);
    outJson(verdict);
    return verdict.ok;
  }
  const keys = loadKeys(flags.keys, path);
  const verdict = verifyReceipt(bytes, { policy, keys, roots });
  if (flags.json === true) outJson(verdict);
  else show(verdict);
  return verdict.ok;
};

/** Adds `verify` to the program. */
export const registerVerify = (program: Command): void => {
  program
    .command("verify")
    .description("check a receipt, a bundle or a witness's evidence offline, by your pinned policy")
    .argument("<file>", "the receipt, the bundle or the participant's export")
    .option("--policy <file>", "whom you trust: a C2SP tlog-policy")
    .option("--keys <file>", "copy of the key log; default: keylog beside the policy")
    .option(
      "--roots <file>",
      "participants' root keys that you pinned; default: roots beside the policy",
    )
    .option("--json", "print one JSON object")
    .action((file: string, flags: VerifyFlags) =>
      running(flags.json === true, () => Promise.resolve(runVerify(file, flags))),
    );
};
