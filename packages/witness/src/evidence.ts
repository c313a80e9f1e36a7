// Checkpoints that a log signed and should not have, each beside the one it contradicts, as files in
// `<stateFile>.evidence/`: whoever holds both can show them to anybody. The same pair is kept once,
// and the number of files is bounded for each kind, so that noise cannot push a fork out.
import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sha256, toBase64, toHex } from "@sealane/tlog";
import type { Evidence, SignedRequest } from "./judge.ts";
import type { WitnessHead } from "./witness-types.ts";

const MAX_FILES: Readonly<Record<Evidence, number>> = {
  "two-roots-for-one-size": 1_000,
  "growth-not-proven": 100,
  "refused-by-owner": 100,
};

export type EvidenceStore = {
  keep(
    kind: Evidence,
    request: SignedRequest,
    head: WitnessHead | undefined,
    atMs: number,
    reason?: string,
  ): Promise<void>;
};

/** Keeps evidence in a directory that is made when there is something to keep. */
export function makeEvidenceStore(directory: string): EvidenceStore {
  return {
    async keep(kind, request, head, atMs, reason) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const kept = (await readdir(directory)).filter((name) => name.startsWith(`${kind}.`));
      if (kept.length >= MAX_FILES[kind]) return;
      const content = {
        kind,
        at: new Date(atMs).toISOString(),
        ...(reason === undefined ? {} : { reason }),
        cosigned: head?.note ?? null,
        offered: request.note,
        oldSize: request.oldSize,
        proof: request.proof.map(toBase64),
        ...(request.oldRoot === undefined ? {} : { oldRoot: toBase64(request.oldRoot) }),
      };
      const id = toHex(sha256(`${head?.note ?? ""}\n${request.text}`)).slice(0, 32);
      const name = `${kind}.${request.checkpoint.size}.${id}.json`;
      if (kept.includes(name)) return;
      await writeFile(join(directory, name), `${JSON.stringify(content, null, 1)}\n`, {
        mode: 0o600,
        flush: true,
      });
    },
  };
}
