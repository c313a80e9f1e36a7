/**
 * Trust policies (c2sp.org/tlog-policy): which logs, which witnesses, and what quorum of them
 * makes a checkpoint valid. This file has the types and the parser; check-policy.ts judges with
 * them. Parsing is as strict as the specification, and every key passes admission. Witness keys
 * are Ed25519 cosignature keys (0x04), log keys Ed25519 (0x01); other types are refused.
 */
import { toHex } from "./bytes.ts";
import { TlogError } from "./errors.ts";
import { parseVerifierKey } from "./verifier-key.ts";
import type { SignatureType, VerifierKey } from "./verifier-key.ts";

/** A log that may sign checkpoints; its key's name is the origin. */
export type PolicyLog = { readonly key: VerifierKey; readonly url?: string };

/** A witness, by the name that the policy gives it (which need not be its key's name). */
export type PolicyWitness = {
  readonly name: string;
  readonly key: VerifierKey;
  readonly url?: string;
};

/** A group has witnessed when at least `threshold` of its members (names) have. */
export type PolicyGroup = {
  readonly name: string;
  readonly threshold: number;
  readonly members: readonly string[];
};

/** A parsed policy. `quorum` is the name of a witness or group, or `none`. */
export type TlogPolicy = {
  readonly logs: readonly PolicyLog[];
  readonly witnesses: readonly PolicyWitness[];
  readonly groups: readonly PolicyGroup[];
  readonly quorum: string;
};

/** What has been read so far. `members` are the names that some group has already. */
type Draft = {
  readonly logs: PolicyLog[];
  readonly witnesses: PolicyWitness[];
  readonly groups: PolicyGroup[];
  readonly names: Set<string>;
  readonly members: Set<string>;
  readonly keys: { readonly log: Set<string>; readonly witness: Set<string> };
  quorum: string | undefined;
};

const NO_QUORUM = "none";
// eslint-disable-next-line no-control-regex -- control characters are what is refused
const FORBIDDEN = /[\u0000-\u0008\u000b-\u001f\u007f]/;

const malformed = (message: string, cause?: unknown): TlogError =>
  new TlogError("policy-malformed", message, cause);

const parseKey = (draft: Draft, role: "log" | "witness", vkey: string): VerifierKey => {
  let key: VerifierKey;
  try {
    key = parseVerifierKey(vkey);
  } catch (cause) {
    throw malformed(`the key of a ${role} cannot be used`, cause);
  }
  const wanted: SignatureType = role === "log" ? 1 : 4;
  if (key.type !== wanted) throw malformed(`the key of a ${role} has signature type ${wanted}`);
  const id = toHex(key.publicKey);
  if (draft.keys[role].has(id)) throw malformed(`two ${role} lines have the same public key`);
  draft.keys[role].add(id);
  return key;
};

const defineName = (draft: Draft, name: string): void => {
  if (name === NO_QUORUM) throw malformed("the name none cannot be defined");
  if (draft.names.has(name)) throw malformed(`the name ${name} is defined twice`);
  draft.names.add(name);
};

const withUrl = (url: string | undefined): { url?: string } => (url === undefined ? {} : { url });

const readLog = (draft: Draft, [vkey, url, ...extra]: readonly string[]): void => {
  if (vkey === undefined || extra.length > 0) throw malformed("a log line is: log <vkey> [<url>]");
  draft.logs.push({ key: parseKey(draft, "log", vkey), ...withUrl(url) });
};

const readWitness = (draft: Draft, [name, vkey, url, ...extra]: readonly string[]): void => {
  if (name === undefined || vkey === undefined || extra.length > 0) {
    throw malformed("a witness line is: witness <name> <vkey> [<url>]");
  }
  defineName(draft, name);
  draft.witnesses.push({ name, key: parseKey(draft, "witness", vkey), ...withUrl(url) });
};

const parseThreshold = (text: string, members: number): number => {
  if (text === "any") return 1;
  if (text === "all") return members;
  const threshold = /^[1-9][0-9]{0,5}$/.test(text) ? Number(text) : 0;
  if (threshold < 1 || threshold > members) throw malformed("a threshold is from 1 to n");
  return threshold;
};

const readGroup = (draft: Draft, [name, text, ...members]: readonly string[]): void => {
  if (name === undefined || text === undefined || members.length === 0) {
    throw malformed("a group line is: group <name> all|any|<k> <name>...");
  }
  for (const member of members) {
    if (!draft.names.has(member)) throw malformed(`${member} is not defined before its group`);
    if (draft.members.has(member)) throw malformed(`${member} is a member twice`);
    draft.members.add(member);
  }
  defineName(draft, name);
  draft.groups.push({ name, threshold: parseThreshold(text, members.length), members });
};

const readQuorum = (draft: Draft, [name, ...extra]: readonly string[]): void => {
  if (name === undefined || extra.length > 0) throw malformed("a quorum line is: quorum <name>");
  if (draft.quorum !== undefined) throw malformed("a policy has one quorum line");
  if (name !== NO_QUORUM && !draft.names.has(name)) {
    throw malformed(`the quorum ${name} is not defined before its line`);
  }
  draft.quorum = name;
};

const readLine = (draft: Draft, line: string): void => {
  const [keyword, ...items] = line.split(/[ \t]+/).filter((item) => item !== "");
  if (keyword === undefined || keyword.startsWith("#")) return;
  if (keyword === "log") return readLog(draft, items);
  if (keyword === "witness") return readWitness(draft, items);
  if (keyword === "group") return readGroup(draft, items);
  if (keyword === "quorum") return readQuorum(draft, items);
  throw malformed(`a policy has no line ${keyword}`);
};

/**
 * Parses a policy file.
 * @throws TlogError `policy-malformed`, with the number of the line in its message
 */
export const parsePolicy = (text: string): TlogPolicy => {
  if (!text.isWellFormed() || FORBIDDEN.test(text)) throw malformed("a forbidden character");
  if (!text.endsWith("\n")) throw malformed("the last line of a policy ends in a newline");
  const draft: Draft = {
    logs: [],
    witnesses: [],
    groups: [],
    names: new Set(),
    members: new Set(),
    keys: { log: new Set(), witness: new Set() },
    quorum: undefined,
  };
  text
    .slice(0, -1)
    .split("\n")
    .forEach((line, at) => {
      try {
        readLine(draft, line);
      } catch (cause) {
        const why = cause instanceof Error ? cause.message : String(cause);
        throw malformed(`line ${at + 1}: ${why}`, cause);
      }
    });
  const { logs, witnesses, groups, quorum } = draft;
  if (quorum === undefined) throw malformed("a policy has one quorum line");
  return { logs, witnesses, groups, quorum };
};
