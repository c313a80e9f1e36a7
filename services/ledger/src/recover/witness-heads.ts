// What the witnesses have seen, each with the root that it cosigned: the rebuilt log must contain it all,
// or the next checkpoint would be a second history.
import { httpClient } from "@sealane/http";
import {
  checkCheckpoint,
  sha256,
  toBase64,
  toHex,
  type PolicyWitness,
  type TlogPolicy,
} from "@sealane/tlog";
import { RecoverFault } from "./recover-fault.ts";

export type WitnessHead = {
  readonly witness: string;
  readonly size: number;
  /** Base64; undefined where it has seen nothing. */
  readonly root: string | undefined;
};

const timeoutMs = 5_000;

/** Undefined when it does not answer. @throws RecoverFault when it serves what it has not cosigned */
const askOne = async (
  policy: TlogPolicy,
  { name, url }: PolicyWitness,
  origin: string,
): Promise<WitnessHead | undefined> => {
  if (url === undefined) return undefined;
  const http = httpClient({ baseUrl: url, timeoutMs, connections: 1 });
  try {
    const answer = await http.get(`/${toHex(sha256(origin))}/checkpoint`);
    if (answer.outcome !== "ok") return undefined;
    if (answer.status === 404) return { witness: name, size: 0, root: undefined };
    if (answer.status !== 200) return undefined;
    const { checkpoint, cosignedBy } = checkCheckpoint(policy, answer.body);
    if (checkpoint.origin !== origin || !cosignedBy.some((one) => one.name === name)) {
      throw new RecoverFault("witness-wrong", `${name} serves a checkpoint that it did not cosign`);
    }
    return { witness: name, size: checkpoint.size, root: toBase64(checkpoint.root) };
  } finally {
    http.close();
  }
};

/** Heads of those that answer: never fewer than `needed`. */
export const askWitnessHeads = async (
  policy: TlogPolicy,
  origin: string,
  needed: number,
): Promise<WitnessHead[]> => {
  const asked = policy.witnesses.map((witness) => askOne(policy, witness, origin));
  const heads = (await Promise.all(asked)).filter((head) => head !== undefined);
  if (heads.length >= needed) return heads;
  const message = `${heads.length} of ${needed} witnesses say what they have seen of ${origin}`;
  throw new RecoverFault("witnesses-silent", `${message}: start them, then recover`);
};
