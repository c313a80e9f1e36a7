// Openings of commitments that somebody chose to hand over with a bundle: lines of a file, or what the
// provider's own adapter can still read. Which fields are shown is always said, never assumed.
import type { AdapterClient } from "@sealane/client";
import { fromBase64, TlogError } from "@sealane/tlog";
import { disclosureFields, type Disclosure, type DisclosureField } from "./bundle-format.ts";
import { CliError } from "./cli-error.ts";
import { readBytes } from "./defaults.ts";

const fieldOf = (name: string | undefined): DisclosureField | undefined =>
  disclosureFields.find((known) => known === name);

const decoded = (encoded: string, said: string, action: string): Uint8Array => {
  try {
    return fromBase64(encoded);
  } catch (error) {
    if (!(error instanceof TlogError)) throw error;
    throw new CliError("disclosure-malformed", said, action, error);
  }
};

/** Lines `<transfer> <field> <base64 of salt and value>` of a file, if one is given. @throws CliError */
export const readDisclosures = (path: string | undefined): Disclosure[] => {
  if (path === undefined) return [];
  const text = Buffer.from(readBytes(path, "the disclosures")).toString("utf8");
  const action = "Write lines of: transfer, payer|payee|reference, base64 of salt and value.";
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => {
      const [transferId = "", name, encoded = ""] = line.split(" ");
      const field = fieldOf(name);
      if (field === undefined) throw new CliError("disclosure-malformed", line, action);
      return { transferId, field, opening: decoded(encoded, line, action) };
    });
};

/** What `--reveal` names: some fields, or `all`; none without it. @throws CliError */
export const fieldsToReveal = (said: string | undefined): readonly DisclosureField[] => {
  if (said === undefined) return [];
  if (said === "all") return disclosureFields;
  return said.split(",").map((name) => {
    const field = fieldOf(name);
    if (field !== undefined) return field;
    const action = "Say payer, payee, reference, several with commas between, or all.";
    throw new CliError("field-unknown", `${name} is no field of a transfer`, action);
  });
};

/**
 * What an adapter can open of a transfer, those fields only.
 * @throws CliError when it can open none of them: a bundle that shows less than was asked for says so
 */
export const fetchDisclosures = async (
  client: Pick<AdapterClient, "disclosures">,
  transferId: string,
  fields: readonly DisclosureField[],
): Promise<Disclosure[]> => {
  const openings = await client.disclosures(transferId);
  const found = openings.flatMap(({ field: name, opening }) => {
    const field = fieldOf(name);
    if (field === undefined || !fields.includes(field)) return [];
    const action = "Look at the adapter: it gave what is no base64.";
    return [{ transferId, field, opening: decoded(opening, name, action) }];
  });
  if (found.length > 0) return found;
  const message = `${transferId} has no ${fields.join(", ")} that this provider can open`;
  throw new CliError("disclosure-unknown", message, "Ask the other provider, or leave it out.");
};
