// Other people's verifiers, each as a gate on a published log: what it says, or that it was skipped and
// why. A gate passes only if it named the state that it checked; an exit code alone is not believed.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { formatBundle, openLog, parseKeysCopy } from "@sealane/cli";
import {
  checkCheckpoint,
  concatBytes,
  formatVerifierKey,
  fromUtf8,
  parseNote,
  parsePolicy,
  toBase64,
  type CheckedCheckpoint,
} from "@sealane/tlog";
import {
  buildGoVerifier,
  findGo,
  findPythonVerifier,
  type BatchOptions,
  type LineVerdict,
  type Tool,
  type Verifier,
} from "./verifiers.ts";

export type GateResult = {
  readonly gate: string;
  readonly target: string;
  readonly result: "passed" | "failed" | "skipped";
  readonly detail: string;
  readonly seconds: number;
};

export type Target = {
  /** How it is called in results. */
  readonly name: string;
  /** URL of a log, or the folder of an export; the key log is below it, at `keys`. */
  readonly place: string;
  readonly policy: string;
};

/** What a gate says; `undefined` detail of a tool that is there is never a pass. */
type Said = { readonly ok: boolean; readonly detail: string };
type Gate = { readonly name: string; readonly run: Tool<(target: Target) => Promise<Said>> };

export type Gates = {
  /** All gates on one log and its key log. */
  readonly judge: (target: Target) => Promise<GateResult[]>;
  /** The verifiers for auditors on receipts, each a file's bytes; with keys on a bundle of them all too. */
  readonly judgeReceipts: (
    target: string,
    receipts: readonly Uint8Array[],
    options: BatchOptions,
  ) => Promise<GateResult[]>;
  readonly close: () => void;
};

const fsckModule = "github.com/transparency-dev/tessera/cmd/fsck@v1.0.4";
const fsckMs = 30_000;

const run = (
  command: string,
  args: readonly string[],
  timeoutMs: number,
): Promise<{ readonly code: number | null; readonly text: string }> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], timeout: timeoutMs });
    const parts: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => parts.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => parts.push(chunk));
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, text: Buffer.concat(parts).toString("utf8") }));
  });

/** Tessera's fsck, installed once into a folder of ours: `fsck` on the path is another program. */
const findFsck = (tools: string): Tool<string> => {
  const program = join(tools, "fsck");
  if (existsSync(program)) return { found: program };
  const go = findGo();
  if ("skipped" in go) return go;
  mkdirSync(tools, { recursive: true });
  const env = { ...process.env, GOBIN: tools };
  const made = spawnSync(go.found, ["install", fsckModule], { env, encoding: "utf8" });
  if (existsSync(program)) return { found: program };
  return {
    skipped: `${fsckModule} could not be installed: ${made.stderr.trim().split("\n").at(-1)}`,
  };
};

const readCheckpoint = async ({ place, policy }: Target, which: "log" | "keys") => {
  const note = await openLog(place)[which].checkpoint();
  return { note, ...checkCheckpoint(parsePolicy(policy), note) };
};

const stateOf = ({ checkpoint }: CheckedCheckpoint): string =>
  `${checkpoint.size} entries, root ${toBase64(checkpoint.root)}`;

const isUrl = (place: string): boolean => /^https?:/.test(place);

/** It exits 0 on corruption and may hang: only its last line counts, and only for the state we know. */
const fsckGate =
  (program: string, folder: string, which: "log" | "keys") => async (target: Target) => {
    const before = await readCheckpoint(target, which);
    const { name, type, publicKey } = before.log;
    const key = join(folder, `${which}.vkey`);
    writeFileSync(key, `${formatVerifierKey(name, type, publicKey)}\n`);
    const base = isUrl(target.place) ? target.place : pathToFileURL(target.place).href;
    const url = `${base.replace(/\/+$/, "")}/${which === "keys" ? "keys/" : ""}`;
    const flags = ["--ui=false", "--N=2", `--storage_url=${url}`, `--public_key=${key}`];
    const { text } = await run(program, flags, fsckMs);
    const found = /Successfully fsck'd log with size (\d+) and root (\S+)/.exec(text);
    const size = Number(found?.[1] ?? -1);
    const root = found?.[2] ?? "";
    const { checkpoint } = before;
    // A running log may have grown since; an export may not.
    const same = size === checkpoint.size && root === toBase64(checkpoint.root);
    const ok = found !== null && (same || (isUrl(target.place) && size > checkpoint.size));
    const why = text.trim().split("\n").at(-1) ?? "";
    return { ok, detail: ok ? `${size} entries, root ${root}` : `no success: ${why}` };
  };

/** RFC 8410: what stands before the 32 bytes of an Ed25519 public key in DER. */
const spkiPrefix = Uint8Array.of(0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0);

/** The log's signature on its checkpoint's text, as plain Ed25519. */
const opensslGate = (folder: string, which: "log" | "keys") => async (target: Target) => {
  const read = await readCheckpoint(target, which);
  const { text, signatures } = parseNote(read.note);
  const { name, keyId, publicKey } = read.log;
  const line = signatures.find((one) => one.name === name && one.keyId === keyId);
  const file = (kind: string): string => join(folder, `${which}.${kind}`);
  writeFileSync(file("txt"), text);
  writeFileSync(file("sig"), line?.signature ?? "");
  writeFileSync(file("der"), concatBytes(spkiPrefix, publicKey));
  const inputs = ["-in", file("txt"), "-sigfile", file("sig"), "-inkey", file("der")];
  const args = ["pkeyutl", "-verify", "-rawin", "-pubin", "-keyform", "DER", ...inputs];
  const { code, text: said } = await run("openssl", args, 10_000);
  const ok = code === 0 && said.includes("Signature Verified Successfully");
  return { ok, detail: ok ? stateOf(read) : said.trim() };
};

const verifierGate = (verifier: Verifier) => async (target: Target) => {
  const [verdict] = await verifier.logs([target.place], { policy: target.policy });
  if (verdict === undefined) return { ok: false, detail: "no verdict" };
  const detail = verdict.detail.replace(/^ok /, "");
  if (!verdict.ok || isUrl(target.place)) return { ok: verdict.ok, detail };
  const root = toBase64((await readCheckpoint(target, "log")).checkpoint.root);
  return { ok: detail.endsWith(` root ${root}`), detail };
};

/** All receipts in one file with the key log and the sheets that they cite. */
const bundleOf = (receipts: readonly Uint8Array[], keys: string): string => {
  const { checkpoint, entries, sheets } = parseKeysCopy(keys);
  return formatBundle({
    keyCheckpoint: checkpoint,
    keyEntries: entries,
    sheets,
    receipts: receipts.map(fromUtf8),
  });
};

const findOpenssl = (): Tool<true> => {
  const { stdout } = spawnSync("openssl", ["version"], { encoding: "utf8" });
  if (/^OpenSSL [3-9]/.test(stdout ?? "")) return { found: true };
  return { skipped: "OpenSSL 3 is not installed" };
};

const then = <T, U>(tool: Tool<T>, make: (found: T) => U): Tool<U> =>
  "skipped" in tool ? tool : { found: make(tool.found) };

const timed = async (work: () => Promise<Said>): Promise<Said & { seconds: number }> => {
  const began = performance.now();
  let said: Said;
  try {
    said = await work();
  } catch (error) {
    said = { ok: false, detail: error instanceof Error ? error.message : String(error) };
  }
  return { ...said, seconds: Math.round(performance.now() - began) / 1_000 };
};

const resultOf = (
  gate: string,
  target: string,
  { ok, detail, seconds }: Said & { seconds: number },
): GateResult => ({ gate, target, result: ok ? "passed" : "failed", detail, seconds });

const skip = (gate: string, target: string, detail: string): GateResult => ({
  gate,
  target,
  result: "skipped",
  detail,
  seconds: 0,
});

/**
 * Looks for every tool, and builds what is ours.
 * @param tools folder that keeps tools which take long to install
 */
export const openGates = (tools: string): Gates => {
  const folder = mkdtempSync(join(tmpdir(), "sealane-gates-"));
  const fsck = findFsck(tools);
  const openssl = findOpenssl();
  const verifiers = [
    { name: "verifiers/go", tool: buildGoVerifier(folder) },
    { name: "verifiers/python", tool: findPythonVerifier() },
  ];
  const gates: Gate[] = [
    ...(["log", "keys"] as const).flatMap((which) => [
      {
        name: `tessera fsck 1.0.4, ${which}`,
        run: then(fsck, (program) => fsckGate(program, folder, which)),
      },
      {
        name: `openssl pkeyutl, ${which}`,
        run: then(openssl, () => opensslGate(folder, which)),
      },
    ]),
    ...verifiers.map(({ name, tool }) => ({ name, run: then(tool, verifierGate) })),
  ];

  const judge: Gates["judge"] = async (target) => {
    const results: GateResult[] = [];
    for (const { name, run: tool } of gates) {
      if ("skipped" in tool) results.push(skip(name, target.name, tool.skipped));
      else results.push(resultOf(name, target.name, await timed(() => tool.found(target))));
    }
    return results;
  };

  const judgeReceipts: Gates["judgeReceipts"] = async (target, receipts, options) => {
    const { policy, keys } = options;
    const bundle = keys === undefined ? undefined : bundleOf(receipts, keys);
    const results: GateResult[] = [];
    for (const { name, tool } of verifiers) {
      if ("skipped" in tool) {
        results.push(skip(name, target, tool.skipped));
        continue;
      }
      const { found } = tool;
      const judged = async (verdicts: Promise<LineVerdict[]>, what: string): Promise<Said> => {
        const bad = (await verdicts).find(({ ok }) => !ok);
        return { ok: bad === undefined, detail: bad?.detail ?? what };
      };
      const each = () => judged(found.receipts(receipts, options), `${receipts.length} receipts`);
      results.push(resultOf(name, target, await timed(each)));
      if (bundle === undefined) continue;
      const all = () => judged(found.bundles([bundle], { policy }), "all of them in one bundle");
      results.push(resultOf(name, target, await timed(all)));
    }
    return results;
  };

  const close = (): void => rmSync(folder, { recursive: true, force: true });
  return { judge, judgeReceipts, close };
};
