// Statements that must never be committed, made from the terms of a real transfer, each under an id of its
// own; and rubbish for every topic. Sent as anybody could who reached Kafka.
import { randomUUID } from "node:crypto";
import type { Producer } from "@sealane/messaging";
import { laneTopic, statementText, transferIdOf, type Terms } from "@sealane/protocol";
import { readKeyFile } from "@sealane/signer";
import { composeNote, fromUtf8, parseNote, parseProof, signNoteLine } from "@sealane/tlog";
import type { FaultWorld } from "./world.ts";

const payer = "hk-wallet.example";
const origin = "sealane.example/2026/0";

/** Terms that were accepted once: taken from the receipt of a sealed transfer. */
const realTerms = async ({ hk }: FaultWorld, sealed: string): Promise<Terms> => {
  const receipt = await hk.receipt(sealed, { waitSeconds: 10 });
  const entry = fromUtf8(parseProof(receipt).extra ?? new Uint8Array());
  const inner = parseNote(entry).text.split("\n").slice(2).join("\n");
  return JSON.parse(inner.split("\n")[1] ?? "") as Terms;
};

type Bad = { readonly name: string; readonly id: string; readonly note: string };

/** One of each kind. */
const badStatements = ({ stack }: FaultWorld, like: Terms): Bad[] => {
  const keys = (...path: string[]) => readKeyFile(stack.home.keys(...path));
  const sign = (text: string, ...files: string[][]): string =>
    composeNote(
      text,
      files.map((path) => {
        const { name, seed } = keys(...path);
        return signNoteLine(name, seed, text);
      }),
    );
  const fresh = (changes: Partial<Terms> = {}): Terms => {
    const id = transferIdOf(payer, randomUUID());
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    return { ...like, id, quote: id, expiresAt, ...changes };
  };
  const own = ["hk-wallet", "transfer.key"];
  const make = (name: string, terms: Terms, write: (terms: Terms) => string): Bad => ({
    name,
    id: terms.id,
    note: write(terms),
  });
  const text = (terms: Terms, log = origin): string => statementText(log, "transfer", terms);
  return [
    make("nobody's signature", fresh(), (terms) => `${text(terms)}\n`),
    make("the payee's signature alone", fresh(), (terms) =>
      sign(text(terms), ["ph-wallet", "transfer.key"]),
    ),
    make("changed after it was signed", fresh(), (terms) =>
      sign(text(terms), own).replace(terms.send.amount, "9999.00"),
    ),
    make("an operator's key", fresh(), (terms) => sign(text(terms), ["alice", "operator.key"])),
    make("expired", fresh({ expiresAt: new Date(Date.now() - 1_000).toISOString() }), (terms) =>
      sign(text(terms), own),
    ),
    make("for another log", fresh(), (terms) => sign(text(terms, "sealane.example/2025/0"), own)),
    make("a quote that was used", fresh({ quote: like.quote }), (terms) => sign(text(terms), own)),
    make("a better rate than the sheet's", fresh({ rate: `9${like.rate}` }), (terms) =>
      sign(text(terms), own),
    ),
  ];
};

/**
 * Sends each as an intent.
 * @param sealed id of a transfer whose terms they are made from
 * @returns their ids, none of which may ever be committed
 */
export const sendBadStatements = async (
  world: FaultWorld,
  producer: Producer,
  sealed: string,
): Promise<string[]> => {
  const bad = badStatements(world, await realTerms(world, sealed));
  const frame = (note: string): string => JSON.stringify({ v: 1, kind: "intent", note });
  await producer.send(
    bad.map(({ id, note }) => ({ topic: laneTopic(0), key: id, value: frame(note) })),
  );
  return bad.map(({ id }) => id);
};

/** What is no message of any version, for any topic. */
export const rubbish: readonly (string | Uint8Array)[] = [
  "hello",
  "",
  "null",
  Uint8Array.of(0xff, 0xfe, 0x80),
  JSON.stringify({ v: 99, kind: "intent", note: "x" }),
  JSON.stringify({ v: 1, kind: "theft", note: "x" }),
  JSON.stringify({ v: 1, type: "batch" }),
  '{"v":1,"v":1,"kind":"intent","note":"x"}',
  "[".repeat(20_000),
  JSON.stringify({ v: 1, kind: "intent", note: "x".repeat(800_000) }),
];
