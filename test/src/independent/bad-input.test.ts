// What the verifiers for auditors say of input that cannot be used: one line of what is wrong and an exit
// status that is not 0, never a stack trace; and the scripts in Python that work alone.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makeLog, policyText } from "@sealane/rules/testing";
import { parsePolicy } from "@sealane/tlog";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { publish, seeded } from "./corpus.ts";
import { publishedFiles, writeFolder } from "./published-folder.ts";
import { buildGoVerifier, findPython, findPythonVerifier, type Verifier } from "./verifiers.ts";

const folder = mkdtempSync(join(tmpdir(), "sealane-bad-input-"));
const rooms = join(import.meta.dirname, "../../../verifiers");
const others: Verifier[] = [];
const world = makeLog();
const keys = JSON.stringify({
  checkpoint: world.keyCheckpoint(),
  entries: world.keyLog.entries,
  sheets: [],
});
const files = publishedFiles(publish(world));
const at = (...parts: string[]): string => join(folder, ...parts);

beforeAll(() => {
  for (const tool of [buildGoVerifier(folder), findPythonVerifier()]) {
    if ("found" in tool) others.push(tool.found);
    else process.stderr.write(`SKIPPED: a verifier on bad input: ${tool.skipped}\n`);
  }
  writeFileSync(at("policy"), policyText);
  writeFileSync(at("receipt"), world.receipt(3));
  writeFileSync(at("keys"), keys);
  writeFileSync(at("empty"), "");
  writeFileSync(
    at("bytes"),
    Uint8Array.from({ length: 999 }, (_, i) => (i * 131) % 256),
  );
  writeFolder(at("log"), files);
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Ran = { readonly status: number | null; readonly lines: readonly string[] };

const run = (command: string, args: readonly string[], input = ""): Ran => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", input });
  return { status, lines: `${stdout}${stderr}`.split("\n").slice(0, -1) };
};

const call = ({ shape }: Verifier, what: string, flags: object, ...items: string[]): Ran => {
  const given = Object.entries(flags).flatMap(([flag, file]) => [
    `${shape.dash}${flag}`,
    String(file),
  ]);
  return run(shape.command, [...shape.args, what, ...given, ...items]);
};

/** Of a program that broke instead of judging. */
const trace = /Traceback|File ".*line \d|goroutine|panic|runtime error|interface conversion/;

/** What is wrong with how a program ended: nothing, if it said so in one line that has `said` in it. */
const faults = (name: string, { status, lines }: Ran, said: RegExp): string[] => {
  const one = lines.length === 1 && said.test(lines[0] ?? "") && !trace.test(lines[0] ?? "");
  return one && (status === 1 || status === 2) ? [] : [`${name}: ${status} ${lines.join("\n")}`];
};

const lines = policyText.trimEnd().split("\n");
const each = (change: (line: string) => readonly string[] | string): string =>
  `${lines.flatMap(change).join("\n")}\n`;
const after = (start: string, more: string): string =>
  each((line) => (line.startsWith(start) ? [line, more] : line));
const group = (text: string): string => each((line) => line.replace("3 w1 w2 w3 w4", text));
const [log = ""] = lines;

const malformed: readonly (readonly [what: string, text: string])[] = [
  [
    "a key under two names",
    each((line) => {
      if (line.startsWith("witness w4")) return [];
      return line.startsWith("witness w1") ? [line, line.replace("w1", "w4")] : line;
    }),
  ],
  ["a name twice", each((line) => line.replace("witness w2 ", "witness w1 "))],
  ["a log twice", after("log", log)],
  ["a threshold beyond its members", group("5 w1 w2 w3 w4")],
  ["a threshold of nothing", group("0 w1 w2 w3 w4")],
  ["a threshold that is no number", group("many w1 w2 w3 w4")],
  ["a threshold with a sign", group("+3 w1 w2 w3 w4")],
  ["a member twice", group("3 w1 w1 w2 w3")],
  ["a member that nobody is", group("3 w1 w2 w3 w9")],
  [
    "a member of two groups, which would count twice",
    `${each((line) => (/^(group|quorum)/.test(line) ? [] : line))}group a 1 w1
group b 1 w1
group c 2 a b
quorum c
`,
  ],
  ["a group of itself", group("1 quorum-of-3")],
  ["groups of each other", after("witness w4", "group a 1 b\ngroup b 1 a")],
  ["a group before its members", `group early 1 w1\n${policyText}`],
  ["a group that is called none", after("witness w4", "group none 1 w1")],
  ["a quorum of none of its names", each((line) => line.replace("quorum quorum", "quorum x"))],
  ["two quorum lines", `${policyText}quorum w1\n`],
  ["no quorum line", each((line) => (line.startsWith("quorum") ? [] : line))],
  ["a line of another kind", `${policyText}trust everybody\n`],
  ["a word too many", each((line) => (line === log ? `${log} u v` : line))],
  [
    "a key of another type",
    each((line) => line.replace(/^witness w1 \S+/, `witness w1 ${log.slice(4)}`)),
  ],
  ["a key that is cut short", each((line) => (line === log ? log.slice(0, -3) : line))],
  ["no newline at its end", policyText.trimEnd()],
  ["carriage returns", policyText.replaceAll("\n", "\r\n")],
  ["a space that is none", each((line) => line.replace("witness w1", "\u00a0witness w1"))],
  ["nothing", ""],
];

/** What Python's two readers of policies say of each, in one process: it takes long to begin. */
const inPython = (
  texts: readonly string[],
): { whole: (string | null)[]; alone: (string | null)[] } => {
  const program = [
    "import json, sys; sys.path.insert(0, sys.argv[1]); from policy import read_policy; import verify",
    "def said(read, text):",
    "    try: read(text)",
    "    except Exception as error: return verify.why(error)",
    "texts = json.load(sys.stdin)",
    "whole = [said(lambda text: read_policy(text.encode()), text) for text in texts]",
    "print(json.dumps({'whole': whole, 'alone': [said(verify.Policy, text) for text in texts]}))",
  ].join("\n");
  const args = ["-B", "-c", program, join(rooms, "python")];
  const { stdout } = spawnSync("python3", args, { encoding: "utf8", input: JSON.stringify(texts) });
  return JSON.parse(stdout) as ReturnType<typeof inPython>;
};

describe("a policy that is malformed", () => {
  const texts = malformed.map(([, text]) => text);
  // The script for receipts leaves open in what order names are defined, and how often they are used: it
  // lets no receipt stand in which a witness would count twice, since it has just a quorum's lines.
  const order =
    /before its members|two groups|a member twice|groups? of (itself|each)|none$|^(no newline|carriage)/;

  it("is not begun with by ours, nor by Go, which says so in one line", () => {
    const go = others.find(({ name }) => name === "Go");
    for (const [what, text] of malformed) {
      expect(() => parsePolicy(text), what).toThrow(/./);
      if (go === undefined) continue;
      writeFileSync(at("wrong"), text);
      const ran = call(go, "receipt", { policy: at("wrong") }, at("receipt"));
      expect(faults(what, ran, /^cannot begin: policy: (line \d+: )?\S/)).toEqual([]);
    }
  });

  it.skipIf("skipped" in findPython())("is not begun with by Python", () => {
    const { whole, alone } = inPython([...texts, policyText]);
    expect([whole.at(-1), alone.at(-1)]).toEqual([null, null]);
    for (const [which, [what]] of malformed.entries()) {
      const where = expect.stringMatching(/^policy: (line \d+: )?\S/) as string;
      expect([what, whole[which]]).toEqual([what, where]);
      if (!order.test(what)) expect([what, alone[which]]).not.toEqual([what, null]);
    }
    for (const python of others.filter(({ name }) => name === "Python")) {
      writeFileSync(at("wrong"), malformed[0]?.[1] ?? "");
      const ran = call(python, "receipt", { policy: at("wrong") }, at("receipt"));
      expect(faults("audit.py", ran, /^cannot begin: policy: line \d+: \S/)).toEqual([]);
    }
  });
});

describe("a policy that is well formed and odd", () => {
  it("is read by all: what is not ASCII is as it is, and spaces are spaces and tabs", () => {
    const odd = policyText.replaceAll(/ w(?=[1-4]\s)/g, " \u00e9").replaceAll(" ", "\t \t");
    const text = `\t# caf\u00e9 \u0085 \u00a0\n \t\n#\n${odd}  `
      .replaceAll("\n", " \n")
      .slice(0, -2);
    const bytes = Buffer.from(`${text}\n`, "latin1");
    writeFileSync(at("odd"), bytes);
    expect(parsePolicy(bytes.toString("utf8")).witnesses).toHaveLength(4);
    for (const one of others) {
      const ran = call(one, "receipt", { policy: at("odd"), keys: at("keys") }, at("receipt"));
      expect([one.name, ran]).toMatchObject([one.name, { status: 0 }]);
    }
    const python = findPython();
    if ("skipped" in python) return;
    const alone = run(python.found, [
      "-B",
      join(rooms, "python", "verify.py"),
      at("odd"),
      at("receipt"),
    ]);
    expect(alone).toMatchObject({ status: 0 });
  });
});

describe("what cannot be read", () => {
  it("is named in one line, be it a policy, keys, roots, a token or what is to be judged", () => {
    const policy = at("policy");
    for (const one of others) {
      for (const wrong of ["absent", "empty", "bytes", "log"]) {
        for (const flag of ["policy", "roots"]) {
          const flags = { policy, [flag]: at(wrong) };
          // No root pinned is a file of roots too: then it is said that they are not those.
          const ran = call(one, "bundle", flags, at("receipt"));
          expect(faults(`${one.name} ${flag} ${wrong}`, ran, /./)).toEqual([]);
        }
        const withKeys = call(one, "receipt", { policy, keys: at(wrong) }, at("receipt"));
        expect(faults(`${one.name} keys ${wrong}`, withKeys, /./)).toEqual([]);
        for (const what of ["receipt", "bundle"]) {
          const ran = call(one, what, { policy }, at(wrong));
          expect(faults(`${one.name} ${what} ${wrong}`, ran, /^refused \S/)).toEqual([]);
        }
      }
      for (const place of ["absent", "empty"]) {
        const ran = call(one, "log", { policy }, at(place));
        expect(faults(`${one.name} log ${place}`, ran, /^refused .*checkpoint/)).toEqual([]);
      }
      const absent = call(one, "log", { policy, token: at("absent") }, at("log"));
      expect(faults(one.name, absent, /absent/)).toEqual([]);
      const nobody = call(one, "log", { policy }, "http://127.0.0.1:1/log");
      expect(faults(one.name, nobody, /^refused checkpoint/)).toEqual([]);
    }
  }, 60_000);
});

const damage = (bytes: Uint8Array, random: () => number): Uint8Array => {
  const pieces = [
    "\n\n",
    "\0",
    "\u001b[31m",
    "\\ud800",
    "[".repeat(3_000),
    "9".repeat(5_000),
    "{}",
    "— ",
  ];
  const from = Math.floor(random() * bytes.length);
  const width = Math.floor(random() ** 4 * (bytes.length - from));
  const piece = random() < 0.5 ? (pieces[Math.floor(random() * pieces.length)] ?? "") : "";
  return Buffer.concat([
    bytes.subarray(0, from),
    Buffer.from(piece),
    bytes.subarray(from + width + (piece === "" ? 1 : 0)),
  ]);
};

describe("damaged", () => {
  it("receipts and copies of the key log are refused in a line each", async () => {
    const random = seeded(23);
    const candidates = Array.from({ length: 40 }, () =>
      damage(readFileSync(at("receipt")), random),
    );
    const copies = Array.from({ length: 5 }, () => damage(Buffer.from(keys), random).toString());
    for (const one of others) {
      const verdicts = await one.receipts(candidates, { policy: policyText, keys });
      for (const copy of copies) {
        verdicts.push(
          ...(await one.receipts([readFileSync(at("receipt"))], {
            policy: policyText,
            keys: copy,
          })),
        );
      }
      for (const { ok, detail } of verdicts) {
        expect([one.name, ok, detail]).toEqual([one.name, false, expect.not.stringMatching(trace)]);
        // eslint-disable-next-line no-control-regex -- what would move a terminal's cursor
        expect(detail).not.toMatch(/[\u0000-\u001f]/);
      }
    }
  }, 60_000);

  it("logs are refused, whichever file is damaged, gone or a folder", async () => {
    const random = seeded(29);
    const places = [...files.keys()].flatMap((path, number) =>
      ["damaged", "gone", "folder"].map((how) => {
        const place = at(`log-${number}-${how}`);
        cpSync(at("log"), place, { recursive: true });
        const file = join(place, path);
        if (how === "damaged") writeFileSync(file, damage(readFileSync(file), random));
        else rmSync(file);
        if (how === "folder") mkdirSync(file);
        return place;
      }),
    );
    for (const one of others) {
      for (const { ok, detail } of await one.logs(places, { policy: policyText })) {
        expect([one.name, ok, detail]).toEqual([one.name, false, expect.not.stringMatching(trace)]);
      }
    }
    const python = findPython();
    if ("skipped" in python) return;
    const script = join(rooms, "python", "logs.py");
    const ran = run(python.found, ["-B", script, at("policy"), ...places, at("log")]);
    expect(ran.status).toBe(1);
    expect(ran.lines).toHaveLength(places.length + 1);
    expect(ran.lines.filter((line) => !/^refused \S/.test(line))).toEqual([
      expect.stringMatching(/^ok 11 entries of \S+, 12 entries of \S+\/keys; /),
    ]);
    expect(ran.lines.join("\n")).not.toMatch(trace);
  }, 60_000);
});

describe("the script for receipts", () => {
  const script = join(rooms, "python", "verify.py");
  const python = findPython();

  it("is one file of under 150 lines", () => {
    const text = readFileSync(script, "utf8");
    expect(text.split("\n").length - 1).toBeLessThan(150);
    expect(Math.max(...text.split("\n").map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it.skipIf("skipped" in python)(
    "needs nothing but the standard library, and its assertions",
    () => {
      const alone = at("verify.py");
      writeFileSync(alone, readFileSync(script));
      const bytes = readFileSync(at("receipt"));
      bytes[40] = (bytes[40] ?? 0) ^ 1;
      writeFileSync(at("bad"), bytes);
      const [good, bad] = [at("receipt"), at("bad")];
      const sealed = expect.stringMatching(/: sealed, entry 3 of /) as string;
      const refused = expect.stringMatching(/bad: refused: \S/) as string;
      const isolated = (...args: string[]): Ran => run("python3", ["-I", alone, ...args]);
      expect(isolated(at("policy"), good)).toEqual({ status: 0, lines: [sealed] });
      expect(isolated(at("policy"), bad, good)).toEqual({ status: 1, lines: [refused, sealed] });
      for (const name of ["verify.py", "logs.py", "audit.py"]) {
        const optimised = run("python3", ["-O", join(rooms, "python", name), at("policy"), good]);
        expect(faults(name, optimised, /^refused: python -O drops the checks$/)).toEqual([]);
      }
    },
  );

  it.skipIf("skipped" in python)("says in one line what is wrong with its arguments", () => {
    const alone = (...args: string[]): Ran => run("python3", ["-B", script, ...args]);
    expect(faults("no arguments", alone(), /^usage: /)).toEqual([]);
    expect(faults("no receipt", alone(at("policy")), /^usage: /)).toEqual([]);
    for (const wrong of ["absent", "empty", "bytes", "log", "receipt"]) {
      expect(
        faults(wrong, alone(at(wrong), at("receipt")), new RegExp(`${wrong}: refused: \\S`)),
      ).toEqual([]);
      if (wrong === "receipt") continue;
      expect(
        faults(wrong, alone(at("policy"), at(wrong)), new RegExp(`${wrong}: refused: \\S`)),
      ).toEqual([]);
    }
  });
});
