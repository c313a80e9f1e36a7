// The kinds of statements about money that comes back; each carries what it answers below it.
export const returnKinds = ["return", "recall", "recall-refusal"] as const;
export type ReturnKind = (typeof returnKinds)[number];
