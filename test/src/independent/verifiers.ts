// The verifiers that are not ours to TypeScript: `verifiers/go`, built once, and `verifiers/python`. Each
// judges many candidates in one process, one verdict a line. A tool that is missing is said so, never
// passed over in silence.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type LineVerdict = { readonly ok: boolean; readonly detail: string };

export type BatchOptions = {
  /** Text of the policy that is pinned. */
  readonly policy: string;
  /** Receipts: text of the copy of the key log; without it fewer questions are asked. */
  readonly keys?: string;
  /** Text of the root keys that are pinned. */
  readonly roots?: string;
  /** Logs: a folder with checkpoints that the auditor remembers. */
  readonly newerThan?: string;
  /** Logs: an auditor's token. */
  readonly token?: string;
};

/** How a verifier is called: what stands before its arguments, and how its flags begin. */
export type Shape = {
  readonly command: string;
  readonly args: readonly string[];
  readonly dash: string;
};

export type Verifier = {
  readonly name: string;
  readonly shape: Shape;
  readonly receipts: (
    candidates: readonly Uint8Array[],
    options: BatchOptions,
  ) => Promise<LineVerdict[]>;
  readonly bundles: (texts: readonly string[], options: BatchOptions) => Promise<LineVerdict[]>;
  /** @param places folders of exports, or URLs of logs */
  readonly logs: (places: readonly string[], options: BatchOptions) => Promise<LineVerdict[]>;
};

export type Tool<T> = { readonly found: T } | { readonly skipped: string };

const ROOM = join(import.meta.dirname, "../../../verifiers");

const runs = (command: string, args: readonly string[]): boolean =>
  spawnSync(command, args, { stdio: "ignore" }).status === 0;

/** Where Go's own installer puts it, when the path does not have it. */
export const findGo = (): Tool<string> => {
  const go = ["go", "/usr/local/go/bin/go"].find((command) => runs(command, ["version"]));
  return go === undefined ? { skipped: "Go is not installed" } : { found: go };
};

export const findPython = (): Tool<string> => {
  const is39 = "import sys; sys.exit(sys.version_info < (3, 9))";
  if (runs("python3", ["-c", is39])) return { found: "python3" };
  return { skipped: "Python 3.9 or newer is not installed" };
};

/** Runs a program over lines of standard input. @throws Error when it broke instead of judging */
const judgeLines = (
  command: string,
  args: readonly string[],
  lines: readonly string[],
): Promise<LineVerdict[]> =>
  new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "pipe"] });
    const out: Buffer[] = [];
    const errors: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => errors.push(chunk));
    child.stdin.on("error", () => undefined); // it ended early: its exit says why
    child.once("error", reject);
    child.once("close", () => {
      const verdicts = Buffer.concat(out).toString("utf8").split("\n").slice(0, -1);
      if (verdicts.length !== lines.length) {
        reject(
          new Error(`${command} judged ${verdicts.length} of ${lines.length}: ${errors.join("")}`),
        );
        return;
      }
      resolve(verdicts.map((detail) => ({ ok: detail.startsWith("ok "), detail })));
    });
    child.stdin.end(lines.map((line) => `${line}\n`).join(""));
  });

const verifierOf = (name: string, shape: Shape): Verifier => {
  const { command, args, dash } = shape;
  const batch = async (
    what: string,
    lines: readonly string[],
    { policy, keys, roots, newerThan, token }: BatchOptions,
  ): Promise<LineVerdict[]> => {
    const folder = mkdtempSync(join(tmpdir(), "sealane-verify-"));
    const flags = [`${dash}policy`, join(folder, "policy")];
    writeFileSync(join(folder, "policy"), policy);
    for (const [flag, text] of Object.entries({ keys, roots, token })) {
      if (text === undefined) continue;
      writeFileSync(join(folder, flag), text);
      flags.push(`${dash}${flag}`, join(folder, flag));
    }
    if (newerThan !== undefined) flags.push(`${dash}newer-than`, newerThan);
    try {
      return await judgeLines(command, [...args, what, ...flags, "-"], lines);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  return {
    name,
    shape,
    receipts: (candidates, options) =>
      batch(
        "receipt",
        candidates.map((bytes) => Buffer.from(bytes).toString("base64")),
        options,
      ),
    bundles: (texts, options) =>
      batch(
        "bundle",
        texts.map((text) => Buffer.from(text, "latin1").toString("base64")),
        options,
      ),
    logs: (places, options) => batch("log", places, options),
  };
};

/** Words of Go's that say that modules could not be fetched: no fault of the verifier. */
const unfetched = /dial tcp|no such host|i\/o timeout|proxyconnect|module lookup disabled|GOPROXY/;

/**
 * Builds the verifier in Go.
 * @param folder where the program is put
 * @throws Error when it does not compile
 */
export const buildGoVerifier = (folder: string): Tool<Verifier> => {
  const go = findGo();
  if ("skipped" in go) return go;
  const program = join(folder, "verify");
  const built = spawnSync(go.found, ["build", "-o", program, "."], {
    cwd: join(ROOM, "go"),
    encoding: "utf8",
  });
  if (built.status === 0 && existsSync(program)) {
    return { found: verifierOf("Go", { command: program, args: [], dash: "-" }) };
  }
  if (unfetched.test(built.stderr)) return { skipped: `Go modules could not be fetched` };
  throw new Error(`the verifier in Go does not build: ${built.stderr}`);
};

export const findPythonVerifier = (): Tool<Verifier> => {
  const python = findPython();
  if ("skipped" in python) return python;
  const args = ["-B", join(ROOM, "python", "audit.py")];
  return { found: verifierOf("Python", { command: python.found, args, dash: "--" }) };
};
