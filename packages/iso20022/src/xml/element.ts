/** One element of a document: children or text, as ISO 20022 has it, never both. */
export type XmlElement = {
  readonly name: string;
  readonly attributes: Map<string, string>;
  readonly children: XmlElement[];
  text: string;
};

export const newElement = (name: string): XmlElement => ({
  name,
  attributes: new Map(),
  children: [],
  text: "",
});
