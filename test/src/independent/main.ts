// `npm run verify:independent`: other people's verifiers on a running system's log, over HTTP, and on an
// export of it; and those for auditors on receipts. With no system running it starts one of its own, in
// which transfers have ended in every way. Ends with 1 if a gate failed; what was skipped is said.
// `--log URL --policy FILE` name another log, `--json` prints an object a line, and `--build-witness` only
// builds omniwitness.
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { exportLog, openLog } from "@sealane/cli";
import { buildOmniwitness, toolFolder } from "@sealane/infra";
import { parsePolicy } from "@sealane/tlog";
import { startBusySystem } from "./busy-system.ts";
import { openGates, type GateResult } from "./gates.ts";
import { findGo } from "./verifiers.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    log: { type: "string" },
    policy: { type: "string" },
    "build-witness": { type: "boolean", default: false },
  },
});

const out = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const note = (line: string): void => {
  process.stderr.write(`verify: ${line}\n`);
};

type Subject = {
  readonly logUrl: string;
  readonly policy: string;
  readonly receipts: readonly Uint8Array[];
  readonly keys: string | undefined;
  readonly stop: () => Promise<void>;
};

const home = process.env.SEALANE_HOME ?? join(process.cwd(), ".sealane");

const isReadable = async (logUrl: string): Promise<boolean> => {
  try {
    const signal = AbortSignal.timeout(3_000);
    return (await fetch(`${logUrl}/checkpoint`, { signal })).ok;
  } catch {
    return false;
  }
};

/** The log of this folder's system, if one is running; the one that was named, in any case. */
const findRunning = async (): Promise<Subject | undefined> => {
  const config = join(home, "cli.json");
  const known = existsSync(config)
    ? (JSON.parse(readFileSync(config, "utf8")) as { log?: string })
    : {};
  const logUrl = (values.log ?? known.log)?.replace(/\/+$/, "");
  const policyPath = resolve(values.policy ?? join(home, "trust.policy"));
  if (logUrl === undefined || !(await isReadable(logUrl))) {
    if (values.log !== undefined) throw new Error(`${values.log} cannot be read`);
    return undefined;
  }
  const folder = join(home, "receipts");
  const names = values.log === undefined && existsSync(folder) ? readdirSync(folder) : [];
  const keylog = join(home, "keylog");
  return {
    logUrl,
    policy: readFileSync(policyPath, "utf8"),
    receipts: names
      .filter((name) => name.endsWith(".tlog-proof"))
      .map((name) => new Uint8Array(readFileSync(join(folder, name)))),
    keys: existsSync(keylog) ? readFileSync(keylog, "utf8") : undefined,
    stop: () => Promise.resolve(),
  };
};

const startOwn = async (): Promise<Subject> => {
  note("no system is running: starting one, and sending transfers");
  const { system, ...subject } = await startBusySystem();
  return { ...subject, stop: system.stop };
};

const show = ({ gate, target, result, detail, seconds }: GateResult): void => {
  const time = result === "skipped" ? "" : ` (${seconds.toFixed(1)} s)`;
  out(`${result.padEnd(8)}${target.padEnd(9)}${gate.padEnd(26)}${detail}${time}`);
};

const judge = async (subject: Subject): Promise<GateResult[]> => {
  const { logUrl, policy, receipts, keys } = subject;
  const folder = mkdtempSync(join(tmpdir(), "sealane-independent-"));
  note("looking for tools; installing tessera's fsck takes a minute, once");
  const gates = openGates(toolFolder);
  try {
    const results = await gates.judge({ name: "http", place: logUrl, policy });
    await exportLog({ source: openLog(logUrl), folder, policy: parsePolicy(policy) });
    results.push(...(await gates.judge({ name: "export", place: folder, policy })));
    if (receipts.length === 0) return results;
    const options = keys === undefined ? { policy } : { policy, keys };
    return [...results, ...(await gates.judgeReceipts("receipts", receipts, options))];
  } finally {
    gates.close();
    rmSync(folder, { recursive: true, force: true });
  }
};

const count = (results: readonly GateResult[], wanted: GateResult["result"]): number =>
  results.filter(({ result }) => result === wanted).length;

const runAll = async (): Promise<number> => {
  const subject = (await findRunning()) ?? (await startOwn());
  try {
    const results = await judge(subject);
    const [passed, failed, skipped] = (["passed", "failed", "skipped"] as const).map((wanted) =>
      count(results, wanted),
    );
    for (const result of results) {
      if (values.json) out(JSON.stringify(result));
      else show(result);
    }
    const ok = failed === 0;
    if (values.json) out(JSON.stringify({ ok, passed, failed, skipped, log: subject.logUrl }));
    else out(`\n${passed} passed, ${failed} failed, ${skipped} skipped`);
    return ok ? 0 : 1;
  } finally {
    await subject.stop();
  }
};

/** For the test of `services/ledger` that runs where it finds somebody else's witness. */
const buildWitness = (): number => {
  const go = findGo();
  const fault = "skipped" in go ? go.skipped : buildOmniwitness(go.found);
  note(fault ?? `omniwitness is built: vitest run services/ledger/src/outside-witness.test.ts`);
  return fault === undefined ? 0 : 1;
};

try {
  process.exitCode = values["build-witness"] ? buildWitness() : await runAll();
} catch (error) {
  note(error instanceof Error ? error.message : String(error));
  process.exitCode = 1;
}
process.exit();
