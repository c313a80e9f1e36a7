// This adapter as a witness. Besides the protocol's checks it stands by what it has read itself: while
// its own chain shows a gap or an entry that it cannot accept, it cosigns nothing.
import { cosigner } from "@sealane/signer";
import type { TlogPolicy } from "@sealane/tlog";
import { formatVerifierKey } from "@sealane/tlog";
import { createWitness, type Witness } from "@sealane/witness";

export const openWitness = async (
  keyFile: string,
  stateFile: string,
  policy: TlogPolicy,
  alarm: () => string | undefined,
): Promise<Witness> =>
  createWitness({
    cosigner: await cosigner(keyFile),
    stateFile,
    logs: policy.logs.map(({ key }) => ({
      origin: key.name,
      vkey: formatVerifierKey(key.name, key.type, key.publicKey),
    })),
    onBeforeCosign: () => {
      const reason = alarm();
      return Promise.resolve(
        reason === undefined ? { ok: true } : { ok: false, reason, retryable: true },
      );
    },
  });
