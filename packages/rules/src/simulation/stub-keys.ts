// Signatures of the simulator: as long as Ed25519's, and a hash. They bind the key and the message, so
// that a check that is left out, or made against another key or text, is noticed as with real ones; what
// they do not do is keep a secret. Keys are the real ones of the test kit: the key log admits no others.
import { statementText } from "@sealane/protocol";
import {
  composeNote,
  equalBytes,
  formatSignatureLine,
  sha256,
  toBase64,
  utf8,
  type VerifierKey,
} from "@sealane/tlog";
import type { SignatureJudge } from "../entry-signatures.ts";
import { keyIndex, type KeyState } from "../key-state.ts";
import type { CheckedLine } from "../commands.ts";
import { parseSignatureLine } from "@sealane/tlog";
import type { TestKey } from "../testing/keys.ts";

const prefixes = new WeakMap<Uint8Array, string>();

const stubSignature = (publicKey: Uint8Array, text: string): Uint8Array => {
  const prefix = prefixes.get(publicKey) ?? toBase64(publicKey);
  prefixes.set(publicKey, prefix);
  const half = sha256(utf8(`${prefix}\n${text}`));
  const whole = new Uint8Array(64);
  whole.set(half);
  whole.set(half, 32);
  return whole;
};

/** The port that a verifier judges signatures by. */
export const stubJudge: SignatureJudge = (key, text, signature) =>
  equalBytes(stubSignature(key.publicKey, text), signature);

const lineBy = ({ name, keyId, publicKey }: VerifierKey, text: string): string =>
  formatSignatureLine(name, keyId, stubSignature(publicKey, text));

export const stubLine = ({ key }: TestKey, text: string): string => lineBy(key, text);

export const stubSigned = (text: string, signers: readonly TestKey[]): string =>
  composeNote(
    text,
    signers.map((signer) => stubLine(signer, text)),
  );

/** A signed statement as it travels. */
export type Said<B = unknown> = {
  readonly kind: string;
  readonly origin: string;
  readonly body: B;
  readonly text: string;
  readonly note: string;
  readonly inner: string | undefined;
  readonly lines: readonly string[];
};

export const sayAs = <B>(
  origin: string,
  kind: string,
  body: B,
  signers: readonly TestKey[],
  inner?: string,
): Said<B> => {
  const text = statementText(origin, kind, body, inner);
  const lines = signers.map((signer) => stubLine(signer, text));
  return { kind, origin, body, text, note: composeNote(text, lines), inner, lines };
};

/** Lines by keys of the key log, judged: what the ledger's door does with real signatures. */
export const judgeLines = (
  keys: KeyState,
  text: string | undefined,
  lines: readonly string[],
): { readonly lines: CheckedLine[]; readonly unknown: number } => {
  const known = lines.flatMap((line): CheckedLine[] => {
    const { name, keyId, signature } = parseSignatureLine(line);
    const key = keys.keys.get(keyIndex(name, keyId));
    if (key === undefined) return [];
    const good = text !== undefined && stubJudge(key.key, text, signature);
    return [{ line, key, good }];
  });
  return { lines: known, unknown: lines.length - known.length };
};

/** Which of these keys have signed, each once, with their lines. */
export const signersAmong = (
  keys: readonly VerifierKey[],
  text: string,
  lines: readonly string[],
): { readonly key: VerifierKey; readonly line: string }[] =>
  keys.flatMap((key) => {
    const line = lines.find((one) => {
      const { name, keyId, signature } = parseSignatureLine(one);
      return name === key.name && keyId === key.keyId && stubJudge(key, text, signature);
    });
    return line === undefined ? [] : [{ key, line }];
  });
