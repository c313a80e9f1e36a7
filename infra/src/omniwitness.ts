// A witness of other people's (transparency-dev/witness), to see that it cosigns our logs unchanged. It is
// built once, in a module of its own, because it takes minutes; where it has not been built, whoever
// wanted it is told so.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  concatBytes,
  formatVerifierKey,
  keyIdOf,
  parseVerifierKey,
  publicKeyOf,
  toBase64,
  type VerifierKey,
} from "@sealane/tlog";
import { freePort } from "./ports.ts";
import { spawnSupervised } from "./supervised-process.ts";

/** Tools that take long to install; `npm ci` removes them, as it removes all of node_modules. */
export const toolFolder = join(import.meta.dirname, "../../node_modules/.cache/sealane");
const program = join(toolFolder, "omniwitness");

const command = "github.com/transparency-dev/witness/cmd/omniwitness";
const version = "v0.0.0-20260720115447-2e1c6971d19e";
/** Its own module asks for a version of merkle that lacks what it calls. */
const merkle = "github.com/transparency-dev/merkle";
const scratch = `module scratch.example/omniwitness

go 1.25.0

replace ${merkle} => ${merkle} v0.0.3-0.20260727102338-4491f478b7dc
`;

/** The program, if it was built. */
export const findOmniwitness = (): string | undefined =>
  existsSync(program) ? program : undefined;

/** Builds it. @returns why that failed, or undefined */
export const buildOmniwitness = (go: string): string | undefined => {
  const folder = mkdtempSync(join(tmpdir(), "sealane-omniwitness-"));
  const env = { ...process.env, GOFLAGS: `${process.env.GOFLAGS ?? ""} -mod=mod`.trim() };
  const run = (...args: string[]): string | undefined => {
    const { status, stderr } = spawnSync(go, args, { cwd: folder, env, encoding: "utf8" });
    return status === 0 ? undefined : `go ${args[0]}: ${stderr.trim().split("\n").at(-1)}`;
  };
  try {
    mkdirSync(toolFolder, { recursive: true });
    writeFileSync(join(folder, "go.mod"), scratch);
    return run("get", `${command}@${version}`) ?? run("build", "-o", program, command);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

export type Omniwitness = {
  readonly url: string;
  /** Of its cosignatures. */
  readonly key: VerifierKey;
  readonly stop: () => Promise<void>;
};

const isListening = async (url: string): Promise<boolean> => {
  try {
    await fetch(url, { signal: AbortSignal.timeout(1_000) });
    return true;
  } catch {
    return false;
  }
};

/** A note-compatible signing key, as Go's tools write it. */
const signingKey = (name: string, seed: Uint8Array): string => {
  const id = keyIdOf(name, 1, publicKeyOf(seed)).toString(16).padStart(8, "0");
  return `PRIVATE+KEY+${name}+${id}+${toBase64(concatBytes(Uint8Array.of(1), seed))}`;
};

/**
 * Starts it for these logs; it dials nobody.
 * @param logs verifier keys, named as the logs' origins
 * @param seed of its signing key
 */
export const startOmniwitness = async (
  path: string,
  logs: readonly string[],
  seed: Uint8Array,
): Promise<Omniwitness> => {
  const folder = mkdtempSync(join(tmpdir(), "sealane-omniwitness-"));
  const name = "outside.example/witness";
  const file = (what: string): string => join(folder, what);
  writeFileSync(file("key"), signingKey(name, seed), { mode: 0o600 });
  const known = logs.map((vkey) => {
    const origin = vkey.slice(0, vkey.indexOf("+"));
    return `  - Origin: ${origin}\n    PublicKey: ${vkey}\n    URL: http://127.0.0.1:1/\n`;
  });
  writeFileSync(file("logs.yaml"), `Logs:\n${known.join("")}`);
  const port = await freePort();
  const child = await spawnSupervised({
    name: "omniwitness",
    command: path,
    args: [
      `--listen=127.0.0.1:${port}`,
      "--metrics_listen=",
      `--additional_logs=${file("logs.yaml")}`,
      `--private_key_path=${file("key")}`,
      `--db_file=${file("db")}`,
    ],
    logFile: file("log"),
  });
  const stop = async (): Promise<void> => {
    await child.stop(3_000);
    rmSync(folder, { recursive: true, force: true });
  };
  const url = `http://127.0.0.1:${port}`;
  const until = Date.now() + 10_000;
  while (!(await isListening(url))) {
    if (Date.now() > until) {
      await stop();
      throw new Error("omniwitness does not listen");
    }
  }
  return { url, key: parseVerifierKey(formatVerifierKey(name, 4, publicKeyOf(seed))), stop };
};
