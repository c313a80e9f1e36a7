import { expect, test } from "vitest";
import { publicKeyOf } from "./ed25519.ts";
import { parsePolicy } from "./policy.ts";
import { isQuorumMet, quorumSize, selectQuorum } from "./check-policy.ts";
import { formatVerifierKey } from "./verifier-key.ts";

const malformed = expect.objectContaining({ code: "policy-malformed" }) as Error;
const vkey = (name: string, type: 1 | 4, seed: number): string =>
  formatVerifierKey(name, type, publicKeyOf(new Uint8Array(32).fill(seed)));
const LOG = vkey("log.example", 1, 1);
const W = (n: number): string => vkey(`w${n}.example`, 4, 10 + n);

/** The example of c2sp.org/tlog-policy, with keys. */
const SPEC = `log ${LOG}

witness X1 ${W(1)}
witness X2 ${W(2)}
witness X3 ${W(3)}
group X-witnesses 2 X1 X2 X3

witness Y1 ${W(4)}
witness Y2 ${W(5)}
witness Y3 ${W(6)}
group Y-witnesses any Y1 Y2 Y3

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
`;

const met = (policy: string, ...names: string[]): boolean =>
  isQuorumMet(parsePolicy(policy), new Set(names));

test("reads the example of the specification", () => {
  const policy = parsePolicy(SPEC);
  expect(policy.logs.map(({ key }) => key.name)).toEqual(["log.example"]);
  expect(policy.witnesses.map(({ name }) => name)).toEqual(["X1", "X2", "X3", "Y1", "Y2", "Y3"]);
  expect(policy.groups).toEqual([
    { name: "X-witnesses", threshold: 2, members: ["X1", "X2", "X3"] },
    { name: "Y-witnesses", threshold: 1, members: ["Y1", "Y2", "Y3"] },
    { name: "X-and-Y", threshold: 2, members: ["X-witnesses", "Y-witnesses"] },
  ]);
  expect(policy.quorum).toBe("X-and-Y");
});

test("counts nested groups as the specification explains them", () => {
  expect(met(SPEC, "X1", "X3", "Y2")).toBe(true);
  expect(met(SPEC, "X1", "X2", "X3")).toBe(false);
  expect(met(SPEC, "X1", "Y1", "Y2", "Y3")).toBe(false);
  expect(met(SPEC)).toBe(false);
});

test("counts no name of a group, or of nobody, as a witness", () => {
  expect(met(SPEC, "X-and-Y", "X-witnesses", "Y-witnesses")).toBe(false);
  expect(met(SPEC, "X1", "X-witnesses", "Y1")).toBe(false);
  expect(met(SPEC, "X1", "Z9", "Y1")).toBe(false);
});

test("picks a smallest quorum", () => {
  const policy = parsePolicy(SPEC);
  expect(quorumSize(policy)).toBe(3);
  const all = new Set(policy.witnesses.map(({ name }) => name));
  expect(selectQuorum(policy, all)).toEqual(["Y1", "X1", "X2"]);
  expect(selectQuorum(policy, new Set(["X1", "X3", "Y2"]))).toEqual(["Y2", "X1", "X3"]);
  expect(selectQuorum(policy, new Set(["X1"]))).toBeUndefined();
  const mixed = `${SPEC.replace("quorum X-and-Y", "")}witness Z ${W(7)}\ngroup any1 any X-and-Y Z\nquorum any1\n`;
  expect(selectQuorum(parsePolicy(mixed), new Set([...all, "Z"]))).toEqual(["Z"]);
});

test("knows a quorum of nobody and of one witness", () => {
  expect(met("quorum none\n")).toBe(true);
  expect(quorumSize(parsePolicy("quorum none\n"))).toBe(0);
  expect(met(`witness a ${W(1)}\nquorum a\n`, "a")).toBe(true);
  expect(met(`witness a ${W(1)}\nquorum a\n`)).toBe(false);
});

test("reads URLs, comments, tabs and names beyond ASCII", () => {
  const policy = parsePolicy(
    `# comment\n \t# another\n\n\tlog\t${LOG}  https://log.example/ \n` +
      `witness été ${W(1)} https://w.example/\nquorum été\n`,
  );
  expect(policy.logs[0]?.url).toBe("https://log.example/");
  expect(policy.witnesses[0]).toMatchObject({ name: "été", url: "https://w.example/" });
});

test.each([
  ["nothing", ""],
  ["no quorum", `log ${LOG}\n`],
  ["two quorums", "quorum none\nquorum none\n"],
  ["no newline at the end", "quorum none"],
  ["an unknown line", "logs x\nquorum none\n"],
  ["a keyword in capitals", `LOG ${LOG}\nquorum none\n`],
  ["a carriage return", "quorum none\r\n"],
  ["a control character", "quorum none\u007f\n"],
  ["a quorum that is not defined yet", `quorum a\nwitness a ${W(1)}\n`],
  ["a quorum that is nowhere defined", "quorum a\n"],
  ["a log without a key", "log\nquorum none\n"],
  ["a log with a bad key", `log ${LOG.slice(0, -1)}\nquorum none\n`],
  ["a log with a cosignature key", `log ${W(1)}\nquorum none\n`],
  ["a log with too much", `log ${LOG} a b\nquorum none\n`],
  ["a log key twice", `log ${LOG}\nlog ${vkey("other.example", 1, 1)}\nquorum none\n`],
  ["a witness with a log key", `witness a ${LOG}\nquorum none\n`],
  ["a witness without a key", "witness a\nquorum none\n"],
  ["a witness key twice", `witness a ${W(1)}\nwitness b ${vkey("c", 4, 11)}\nquorum none\n`],
  ["a name twice", `witness a ${W(1)}\nwitness a ${W(2)}\nquorum none\n`],
  ["a witness named none", `witness none ${W(1)}\nquorum none\n`],
  ["a group named none", `witness a ${W(1)}\ngroup none any a\nquorum none\n`],
  ["a group named as a witness", `witness a ${W(1)}\ngroup a any a\nquorum a\n`],
  ["a group without members", "group g any\nquorum none\n"],
  ["a group of none", "group g any none\nquorum none\n"],
  ["a group of itself", "group g any g\nquorum g\n"],
  ["a member twice in a group", `witness a ${W(1)}\ngroup g any a a\nquorum g\n`],
  ["a member of two groups", `witness a ${W(1)}\ngroup g any a\ngroup h any a\nquorum h\n`],
  ["a threshold of zero", `witness a ${W(1)}\ngroup g 0 a\nquorum g\n`],
  ["a threshold above the members", `witness a ${W(1)}\ngroup g 2 a\nquorum g\n`],
  ["a threshold with a leading zero", `witness a ${W(1)}\ngroup g 01 a\nquorum g\n`],
])("refuses a policy with %s", (_name, text) => {
  expect(() => parsePolicy(text)).toThrow(malformed);
});

test("says which line it refuses", () => {
  expect(() => parsePolicy("# one\n\nlogs x\nquorum none\n")).toThrow("line 3");
});
