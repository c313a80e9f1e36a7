// Whether a signature is the provider's own: by a key that the key log has in force for transfers. For
// adapters without a key, whose provider signs by itself; the ledger judges the same again.
import type { RefusalCode } from "@sealane/protocol";
import { keyIndex, type KeyState } from "@sealane/rules";
import { verifyOffThread } from "@sealane/signer";
import { utf8, type NoteSignature } from "@sealane/tlog";

export type SignatureFault = { readonly code: RefusalCode; readonly detail: string };

/** @returns undefined when one of the signatures counts, else why none does */
export const ownSignatureFault = async (
  participant: string,
  keys: KeyState,
  text: string,
  signatures: readonly NoteSignature[],
): Promise<SignatureFault | undefined> => {
  let fault: SignatureFault = {
    code: "signature-missing",
    detail: `no signature of ${participant}`,
  };
  for (const { name, keyId, signature } of signatures) {
    const key = keys.keys.get(keyIndex(name, keyId));
    if (key === undefined) fault = { code: "key-unknown", detail: name };
    else if (key.participant !== participant) fault = { code: "signature-missing", detail: name };
    else if (key.purpose !== "transfer") fault = { code: "key-purpose", detail: name };
    else if (key.revokedAt !== undefined) fault = { code: "key-revoked", detail: name };
    else if (await verifyOffThread(key.key.publicKey, utf8(text), signature)) return undefined;
    else return { code: "signature-wrong", detail: name };
  }
  return fault;
};
