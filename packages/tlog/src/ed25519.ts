/**
 * Ed25519 with one meaning (decision: keys are admitted once, signatures judged without the
 * cofactor). The fast verifier is chosen by the package's imports, the reference is always
 * noble; `runSignatureCases` shows at start-up that both give the expected verdict.
 */
import { publicKeyOf, signEd25519, verifyEd25519 } from "#ed25519";
import cases from "../vectors/ed25519-verification-cases.json" with { type: "json" };
import { fromHex } from "./bytes.ts";
import { admitPublicKey, verifyEd25519 as verifyEd25519Reference } from "./ed25519-portable.ts";

export { admitPublicKey, publicKeyOf, signEd25519, verifyEd25519, verifyEd25519Reference };
export type { KeyAdmission } from "./ed25519-portable.ts";

/** One published case: hex bytes, whether the key may be admitted, and the verdict. */
export type SignatureCase = {
  readonly name: string;
  readonly message: string;
  readonly publicKey: string;
  readonly signature: string;
  readonly keyAdmissible: boolean;
  readonly accept: boolean;
};

/** A case whose verdict was not the expected one; `name` ends with the check that differed. */
export type SignatureCaseFailure = {
  readonly name: string;
  readonly expected: boolean;
  readonly actual: boolean;
};

/**
 * 16 cases on which libraries are known to differ: "Taming the many EdDSAs" (speccheck 0 to 9)
 * and the attacks that were tried against this system's signatures.
 */
export const SIGNATURE_CASES: readonly SignatureCase[] = cases;

/**
 * Runs the cases through key admission and both verifiers.
 * @returns the cases that went wrong: **empty when all is well**. Do not start when it is not.
 * @throws RangeError when there is no case to run: a gate that checked nothing has not passed.
 */
export const runSignatureCases = (
  list: readonly SignatureCase[] = SIGNATURE_CASES,
): SignatureCaseFailure[] => {
  if (list.length === 0) throw new RangeError("no signature cases to run");
  const failures: SignatureCaseFailure[] = [];
  for (const one of list) {
    const publicKey = fromHex(one.publicKey);
    const message = fromHex(one.message);
    const signature = fromHex(one.signature);
    const admitted = admitPublicKey(publicKey).ok;
    const checks = [
      ["key admission", one.keyAdmissible, admitted],
      ["verifier", one.accept, admitted && verifyEd25519(publicKey, message, signature)],
      ["reference", one.accept, admitted && verifyEd25519Reference(publicKey, message, signature)],
    ] as const;
    for (const [check, expected, actual] of checks) {
      if (expected !== actual) failures.push({ name: `${one.name}: ${check}`, expected, actual });
    }
  }
  return failures;
};
