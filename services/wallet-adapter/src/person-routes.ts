// What a provider's core asks about persons: what a transfer's commitments open to, for whoever it shows
// them to, and that a person be forgotten. An account stands in a body, never in a path that is logged.
import { problem, route, type HttpApp } from "@sealane/http";
import { transferIdSchema } from "@sealane/protocol";
import { z } from "zod";
import type { Vault } from "./vault.ts";

export const mountPersons = (app: HttpApp, vault: Vault): void => {
  route(app, {
    method: "get",
    path: "/v1/transfers/:id/disclosures",
    summary: "What the commitments of a transfer open to: base64 of salt and value, as hashed",
    tags: ["persons"],
    auth: "core",
    params: z.object({ id: transferIdSchema }),
    responses: { 200: "The openings that can be read", 404: "None, or erased" },
    handler: async ({ params: { id } }) => {
      const found = Object.entries(await vault.read(id));
      if (found.length === 0) {
        const title = "There is nothing to disclose";
        return problem({ status: 404, code: "disclosure-unknown", title });
      }
      const disclosures = found.map(([field, opening]) => ({ transferId: id, field, opening }));
      return { status: 200, body: { disclosures } };
    },
  });
  route(app, {
    method: "post",
    path: "/v1/persons/erase",
    summary:
      "Forgets the person behind an account: its key is erased, and all that was sealed under it",
    tags: ["persons"],
    auth: "core",
    body: z.strictObject({ account: z.string().min(1).max(140) }),
    responses: { 200: "Erased, or not known here" },
    handler: async ({ body }) => ({
      status: 200,
      body: { erased: await vault.erase(body.account) },
    }),
  });
};
