// A participant as a witness of a policy's logs. Besides the protocol's checks it stands by what it has
// read itself: while its own chain shows a gap or an entry that it cannot accept, it cosigns nothing.
import { cosigner } from "@sealane/signer";
import { formatVerifierKey, type TlogPolicy } from "@sealane/tlog";
import { createWitness } from "./witness.ts";
import type { Witness } from "./witness-types.ts";

/**
 * Opens the witness with its own key and state file.
 * @param alarm why nothing may be cosigned now; undefined while all is well
 */
export const openParticipantWitness = async (
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
