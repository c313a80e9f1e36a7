// Before a process trusts any signature it runs the sixteen published cases on which Ed25519
// libraries disagree. A platform whose libsodium judges one of them differently must not start.
import { InvariantError } from "@sealane/runtime";
import { fromHex, runSignatureCases, SIGNATURE_CASES } from "@sealane/tlog";
import { makeKeyRing } from "./key-ring.ts";

/**
 * Runs the cases through tlog's verifiers and through the key ring of this room. Resolves with their
 * number, or throws an InvariantError that names those that went wrong.
 */
export async function selfTest(): Promise<number> {
  const ring = makeKeyRing();
  const wrong = runSignatureCases().map((failure) => failure.name);
  for (const one of SIGNATURE_CASES) {
    const publicKey = fromHex(one.publicKey);
    const admitted = ring.admits(publicKey);
    const accepted = await ring.verify(publicKey, fromHex(one.message), fromHex(one.signature));
    if (admitted !== one.keyAdmissible || accepted !== one.accept) wrong.push(`${one.name}: ring`);
  }
  if (wrong.length > 0) {
    throw new InvariantError(`this platform judges Ed25519 differently: ${wrong.join(", ")}`);
  }
  return SIGNATURE_CASES.length;
}
