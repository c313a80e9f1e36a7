// Messages to documents and back. A document is known by its namespace, which has the version in it:
// another version is another message, and is refused, not guessed at.
import { Iso20022Error, refusing, type Iso20022Refusal } from "./errors.ts";
import type { Content } from "./codec/shape.ts";
import { camt052, camt053, camt054 } from "./messages/account-reports.ts";
import type { Camt052, Camt053, Camt054 } from "./messages/account-reports.ts";
import { pacs002, type Pacs002 } from "./messages/pacs-002.ts";
import { pacs004, type Pacs004 } from "./messages/pacs-004.ts";
import { pacs008, type Pacs008 } from "./messages/pacs-008.ts";
import { pacs009, type Pacs009 } from "./messages/pacs-009.ts";
import { camt029, camt056, type Camt029, type Camt056 } from "./messages/recalls.ts";
import { newElement } from "./xml/element.ts";
import { defaultLimits, readXml, type XmlLimits } from "./xml/read-xml.ts";
import { writeXml } from "./xml/write-xml.ts";

export type MessageBodies = {
  readonly "pacs.002": Pacs002;
  readonly "pacs.004": Pacs004;
  readonly "pacs.008": Pacs008;
  readonly "pacs.009": Pacs009;
  readonly "camt.029": Camt029;
  readonly "camt.052": Camt052;
  readonly "camt.053": Camt053;
  readonly "camt.054": Camt054;
  readonly "camt.056": Camt056;
};
export type MessageKind = keyof MessageBodies;
export type Message = {
  readonly [K in MessageKind]: { readonly kind: K; readonly body: MessageBodies[K] };
}[MessageKind];

type Definition = { readonly name: string; readonly root: string };

const definitions: {
  readonly [K in MessageKind]: Definition & { readonly content: Content<MessageBodies[K]> };
} = {
  "pacs.002": pacs002,
  "pacs.004": pacs004,
  "pacs.008": pacs008,
  "pacs.009": pacs009,
  "camt.029": camt029,
  "camt.052": camt052,
  "camt.053": camt053,
  "camt.054": camt054,
  "camt.056": camt056,
};

const namespacePrefix = "urn:iso:std:iso:20022:tech:xsd:";

/** The name with its version, such as `pacs.009.001.09`: it is also its schema's. */
export const messageName = (kind: MessageKind): string => definitions[kind].name;

export const messageKinds = Object.keys(definitions) as MessageKind[];

/**
 * The document of a message; the same message has the same bytes.
 * @throws Iso20022Error when a value cannot stand in such a message
 * @example writeMessage("pacs.009", { messageId: "hkd-php/0/0", createdAt, transfers: [...] })
 */
export const writeMessage = <K extends MessageKind>(kind: K, body: MessageBodies[K]): string => {
  const { name, root, content } = definitions[kind];
  const document = newElement("Document");
  document.attributes.set("xmlns", `${namespacePrefix}${name}`);
  const inner = newElement(root);
  document.children.push(inner);
  content.put(inner, body);
  return writeXml(document);
};

const read = (bytes: Uint8Array, limits: XmlLimits): Message => {
  const { namespace, root } = readXml(bytes, limits);
  const kind = messageKinds.find((one) => `${namespacePrefix}${messageName(one)}` === namespace);
  if (kind === undefined || root.name !== "Document") {
    throw new Iso20022Error("message-unknown", "no message, or no version, that is read here");
  }
  const definition = definitions[kind];
  const [inner] = root.children;
  if (root.children.length !== 1 || inner?.name !== definition.root) {
    throw new Iso20022Error("element-missing", `Document has no ${definition.root}`);
  }
  return { kind, body: definition.content.get(inner) } as Message;
};

/**
 * Reads a document of any kind. What it does not need of it is not looked at: whether the whole is
 * valid is the schema's question (`@sealane/iso20022/schema`).
 */
export const readMessage = (
  bytes: Uint8Array,
  limits: XmlLimits = defaultLimits,
): { readonly ok: true; readonly value: Message } | Iso20022Refusal =>
  refusing(() => read(bytes, limits));

/** Reads a document that must be of this kind. */
export const readMessageOf = <K extends MessageKind>(
  kind: K,
  bytes: Uint8Array,
  limits: XmlLimits = defaultLimits,
): { readonly ok: true; readonly value: MessageBodies[K] } | Iso20022Refusal => {
  const result = readMessage(bytes, limits);
  if (!result.ok) return result;
  if (result.value.kind === kind) return { ok: true, value: result.value.body as MessageBodies[K] };
  const detail = `it is a ${messageName(result.value.kind)}, not a ${messageName(kind)}`;
  return { ok: false, code: "message-unknown", detail };
};
