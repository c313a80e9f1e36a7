// Other people's libraries read the log too, where Go is installed.
import { buildGoVerifier } from "../src/independent/verifiers.ts";
import type { Subject } from "../src/oracles/index.ts";

/** @param folder where the verifier is built */
export const openIndependent = (
  folder: string,
  say: (line: string) => void,
): Subject["independent"] => {
  const built = buildGoVerifier(folder);
  if ("skipped" in built) {
    say(`promise 3 without Go's verifier: ${built.skipped}`);
    return undefined;
  }
  return async (logUrl, policy) => {
    const [verdict] = await built.found.logs([logUrl], { policy });
    return verdict?.ok === true ? undefined : `Go's verifier: ${verdict?.detail ?? "no verdict"}`;
  };
};
