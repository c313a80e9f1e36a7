// A key-log statement on its way to its signatures: a text file that is the statement itself, a C2SP
// note with the lines it has so far. It can be read by people, carried on paper if need be, and signed
// on machines that have no network: each signer adds a line, nothing else ever changes.
import {
  headerOf,
  keyStatementKinds,
  keyStatementSchemas,
  parseStrictJson,
  statementText,
  type KeyStatementKind,
} from "@sealane/protocol";
import { applyKeyStatement, wasSaid, type KeyState } from "@sealane/rules";
import type { KeyMaterial } from "@sealane/signer";
import {
  composeNote,
  parseNote,
  parseSignatureLine,
  parseVerifierKey,
  signNoteLine,
  TlogError,
  verifierFor,
} from "@sealane/tlog";
import { CliError } from "../cli-error.ts";

export type Proposal = {
  /** What is signed. */
  readonly text: string;
  /** Signature lines so far, without newline. */
  readonly lines: readonly string[];
};

export const isKeyKind = (kind: string): kind is KeyStatementKind =>
  (keyStatementKinds as readonly string[]).includes(kind);

/** @throws CliError when the body is not one of this kind */
export const propose = (
  origin: string,
  kind: string,
  body: unknown,
  state?: KeyState,
): Proposal => {
  if (!isKeyKind(kind)) {
    const kinds = keyStatementKinds.join(", ");
    throw new CliError(
      "kind-unknown",
      `${kind} is no kind of statement`,
      `Choose one of ${kinds}.`,
    );
  }
  const parsed = keyStatementSchemas[kind].safeParse(body);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const at = `/${issue?.path.join("/") ?? ""}: ${issue?.message ?? ""}`;
    throw new CliError("body-invalid", `this is no ${kind}: ${at}`, "Correct that field.");
  }
  let text = statementText(origin, kind, parsed.data);
  // A text counts once. Who wants to say the same again says it with a space more.
  while (state !== undefined && wasSaid(state, text)) text = text.replace("\n{", "\n{ ");
  return { text, lines: [] };
};

const malformed = (detail: string): CliError =>
  new CliError(
    "proposal-malformed",
    `this is no key-log statement: ${detail}`,
    "Give a file that `sealane keys` wrote.",
  );

/** Reads a file's text: signed by some, or by nobody yet. @throws CliError */
export const parseProposal = (file: string): Proposal => {
  const kind = headerOf(file)?.kind;
  if (kind === undefined || !isKeyKind(kind)) throw malformed("its first line names no kind of it");
  if (!file.includes("\n\n")) {
    if (!file.endsWith("\n") || file.split("\n").length !== 3)
      throw malformed("it has no one body");
    return { text: file, lines: [] };
  }
  try {
    const { text, signatures } = parseNote(file);
    return { text, lines: signatures.map(({ line }) => line) };
  } catch (error) {
    if (error instanceof TlogError) throw malformed(error.message);
    throw error;
  }
};

export const formatProposal = ({ text, lines }: Proposal): string =>
  lines.length === 0 ? text : composeNote(text, lines);

/** Adds a line by this key; a key that has signed already adds none. */
export const addLine = ({ text, lines }: Proposal, key: KeyMaterial): Proposal => {
  const own = lines.map(parseSignatureLine).find(({ name, keyId }) => {
    return name === key.name && keyId === key.keyId;
  });
  if (own !== undefined && verifierFor(parseVerifierKey(key.vkey)).verify(text, own.signature)) {
    return { text, lines };
  }
  const others = lines.filter((line) => line !== own?.line);
  return { text, lines: [...others, signNoteLine(key.name, key.seed, text)] };
};

export const signersOf = ({ lines }: Proposal): string[] =>
  lines.map((line) => parseSignatureLine(line).name);

/** Kind and body, to be shown before somebody signs. @throws CliError */
export const readBody = ({ text }: Proposal) => {
  const kind = headerOf(text)?.kind ?? "";
  const json = parseStrictJson(text.split("\n")[1] ?? "");
  if (!json.ok) throw malformed(json.detail);
  return { kind, body: json.value as Readonly<Record<string, unknown>> };
};

export type Judgement =
  | { readonly status: "complete" }
  /** It may stand once somebody else has signed it too. */
  | { readonly status: "incomplete"; readonly detail: string }
  | { readonly status: "said"; readonly detail: string }
  | { readonly status: "refused"; readonly code: string; readonly detail: string };

/** What the key log would say to it now: the very rule that the ledger and every verifier apply. */
export const judge = (state: KeyState, proposal: Proposal): Judgement => {
  if (headerOf(proposal.text)?.origin !== state.origin) {
    const detail = `it is for ${headerOf(proposal.text)?.origin}, this is ${state.origin}`;
    return { status: "refused", code: "wrong-log", detail };
  }
  if (proposal.lines.length === 0) return { status: "incomplete", detail: "nobody has signed it" };
  const applied = applyKeyStatement(state, formatProposal(proposal), Date.now());
  if (applied.ok) return { status: "complete" };
  const { code, detail } = applied;
  if (code === "signature-missing") return { status: "incomplete", detail };
  if (code === "replayed") return { status: "said", detail };
  return { status: "refused", code, detail };
};

const actions: Readonly<Record<string, string>> = {
  "wrong-log": "Sign it for the key log of the policy that you pinned.",
  "key-inadmissible":
    "Make another key (sealane keys generate), named below its participant and used nowhere else.",
  "participant-unknown": "Name a participant of `sealane keys list`.",
  "already-registered": "See `sealane keys list`: it is there, or was; take a new name or key.",
  "not-registered": "Name what is in `sealane keys list`.",
  "recovery-not-agreed":
    "Only `sealane keys recovery`, signed by the root key, could have allowed it.",
  "recovery-waits": "Run the same command again then; whoever has the old root can withdraw it.",
  "log-key-elsewhere": "Start the ledger with the file of that key, then send it again.",
  "statement-schema": "Propose it again with that field corrected.",
};

/** What to do about a refusal of the key log. */
export const actionOf = (code: string): string =>
  actions[code] ?? "See `sealane keys list` for what is in force, and propose it again.";
