/**
 * Transparency log formats (C2SP, RFC 6962) for the server and the browser: notes, the Merkle
 * tree, checkpoints, tiles, proofs, policies, witness requests. Pure: no I/O, clock, randomness
 * or async; it knows no transfer. Read note.ts and merkle.ts first.
 */
export {
  concatBytes,
  equalBytes,
  fromBase64,
  fromHex,
  fromUtf8,
  toBase64,
  toHex,
  utf8,
} from "./bytes.ts";
export { TlogError } from "./errors.ts";
export type { TlogErrorCode } from "./errors.ts";
export { EMPTY_ROOT, HASH_SIZE, leafHash, nodeHash, sha256 } from "./hash.ts";
export {
  SIGNATURE_CASES,
  admitPublicKey,
  publicKeyOf,
  runSignatureCases,
  signEd25519,
  verifyEd25519,
  verifyEd25519Reference,
} from "./ed25519.ts";
export type { KeyAdmission, SignatureCase, SignatureCaseFailure } from "./ed25519.ts";
export {
  MAX_NOTE_SIGNATURES,
  composeNote,
  formatSignatureLine,
  isKeyName,
  keepSignatures,
  parseInnerNote,
  parseNote,
  parseSignatureLine,
} from "./note.ts";
export type { Note, NoteSignature } from "./note.ts";
export { formatVerifierKey, keyIdOf, parseVerifierKey } from "./verifier-key.ts";
export type { SignatureType, VerifierKey } from "./verifier-key.ts";
export {
  COSIGNATURE_SIZE,
  cosignatureMessage,
  cosignatureTime,
  encodeCosignature,
} from "./cosignature.ts";
export { openNote, openParsedNote, verifierFor } from "./open-note.ts";
export type { OpenedNote, Verifier } from "./open-note.ts";
export { cosignLine, signNoteLine } from "./sign-note.ts";
export { appendLeaf, appendLeaves, compactRange, emptyRange, rangeRoot, rootOf } from "./merkle.ts";
export type { CompactRange } from "./merkle.ts";
export { parseHashLine } from "./hash-lines.ts";
export { consistencyProof, inclusionProof, rootAt } from "./merkle-proof.ts";
export type { HashReader } from "./merkle-proof.ts";
export { verifyConsistency, oldRootWithin, verifyInclusion } from "./verify-proof.ts";
export { formatCheckpointText, parseCheckpointText } from "./checkpoint.ts";
export type { Checkpoint } from "./checkpoint.ts";
export {
  TILE_HEIGHT,
  TILE_WIDTH,
  bundlesFor,
  entriesPath,
  hashReaderFromTiles,
  parseTilePath,
  tilePath,
  tilesFor,
} from "./tiles.ts";
export type { TilePath } from "./tiles.ts";
export { decodeBundle, encodeBundle } from "./bundle.ts";
export { formatProof, parseProof } from "./proof.ts";
export type { TlogProof } from "./proof.ts";
export { parsePolicy } from "./policy.ts";
export type { PolicyGroup, PolicyLog, PolicyWitness, TlogPolicy } from "./policy.ts";
export { checkCheckpoint, isQuorumMet, quorumSize, selectQuorum } from "./check-policy.ts";
export type { CheckedCheckpoint, Cosigner } from "./check-policy.ts";
export {
  MAX_ADD_CHECKPOINT_SIZE,
  OLD_ROOT_HEADER,
  formatAddCheckpoint,
  parseAddCheckpoint,
} from "./witness-request.ts";
export type { AddCheckpoint } from "./witness-request.ts";
